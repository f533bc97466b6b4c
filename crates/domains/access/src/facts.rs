//! What the ledger hears of roles, grants, prefixes and API keys.

ledger::fact_kinds! {
    pub ROLE_GRANTED = "role.granted", Notice, "A role or a permission was given.",
        { principal: Text, role: Optional(&Text), permission: Optional(&Text) };
    pub ROLE_REVOKED = "role.revoked", Notice, "A role or a permission was taken.",
        { principal: Text, role: Optional(&Text), permission: Optional(&Text) };
    pub ROLE_CREATED = "role.created", Notice, "An organization made a role of its own.",
        { name: Text, permissions: TextList };
    pub ROLE_UPDATED = "role.updated", Notice, "A role was changed, for everybody who holds it.",
        { name: Text, fields: TextList, permissions: TextList };
    pub ROLE_DELETED = "role.deleted", Notice, "A role that nobody held was deleted.",
        { name: Text };
    pub PREFIX_CREATED = "resource_prefix.created", Info, "An outside application's resources were made known.",
        { prefix: Text };
    pub PREFIX_UPDATED = "resource_prefix.updated", Info, "What is said of an outside application's resources was changed.",
        { prefix: Text, fields: TextList };
    pub PREFIX_DELETED = "resource_prefix.deleted", Info, "An outside application's resources were struck.",
        { prefix: Text };
    pub API_KEY_CREATED = "api_key.created", Notice, "An API key was made.",
        { owner: Text, permissions: TextList, expires_at: Optional(&Time), allowed_ips: TextList };
    pub API_KEY_REVOKED = "api_key.revoked", Notice, "An API key was revoked; runs that stand on it end.",
        { owner: Text };
}
