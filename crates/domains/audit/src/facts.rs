//! What the ledger hears of its own lists.

ledger::fact_kinds! {
    pub LISTS_REBUILT = "audit.lists_rebuilt", Critical,
        "The lists did not show a fact as it was recorded; they are built anew from the record.",
        { fact: Text };
}
