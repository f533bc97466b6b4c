//! What the ledger hears of secrets: never a value, nor a hash of one, which a short one would not survive.

ledger::fact_kinds! {
    pub SECRET_CREATED = "secret.created", Notice, "A secret was kept under a name.",
        { name: Text, hosts: TextList, kept: Text };
    pub SECRET_UPDATED = "secret.updated", Notice, "What is said of a secret was changed, not the secret.",
        { name: Text, fields: TextList };
    pub SECRET_REPLACED = "secret.replaced", Notice, "A secret got another value.",
        { name: Text, version: Integer, hosts: TextList, kept: Text };
    pub SECRET_DELETED = "secret.deleted", Warning, "A secret was removed.", { name: Text, version: Integer };
    pub SECRET_READ = "secret.read", Notice, "A run was given a secret, or had it put into a request.",
        { name: Text, version: Integer, given_to: Text, attempt: Integer };
}
