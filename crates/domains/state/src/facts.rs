//! What the ledger hears of state: never a value. Of what is secret not even a hash, which a short one would not survive.

ledger::fact_kinds! {
    pub NAMESPACE_CREATED = "state.namespace_created", Notice, "A namespace for state was made.",
        { namespace: Text, secret: Boolean, default_visibility: Text };
    pub NAMESPACE_UPDATED = "state.namespace_updated", Notice, "How a namespace keeps its entries was changed.",
        { namespace: Text, fields: TextList };
    pub NAMESPACE_DELETED = "state.namespace_deleted", Warning, "An empty namespace was removed.", { namespace: Text };
    pub ENTRY_WRITTEN = "state.entry_written", Info, "An entry was written.", {
        namespace: Text, key: Text, revision: Integer, size: Integer, sha256: Optional(&Hash),
        visibility: Text, owner: Text, group: Optional(&Text),
    };
    pub ENTRY_DELETED = "state.entry_deleted", Info, "An entry was removed with its history.",
        { namespace: Text, key: Text, revision: Integer, visibility: Text, owner: Text, group: Optional(&Text) };
    pub ENTRY_EXPIRED = "state.entry_expired", Info, "An entry whose time had come was removed with its history.",
        { namespace: Text, key: Text, revision: Integer, visibility: Text, owner: Text, group: Optional(&Text) };
    pub SECRET_READ = "state.secret_read", Notice, "The value of an entry in a secret namespace was read.",
        { namespace: Text, key: Text, revision: Integer };
}
