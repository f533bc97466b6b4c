//! What the ledger hears of grants.

ledger::fact_kinds! {
    pub ROLE_GRANTED = "role.granted", Notice, "A role or a permission was given.",
        { principal: Text, role: Optional(&Text), permission: Optional(&Text) };
}
