//! What the ledger hears of providers and of people on their way in. Refused sign-ins are `auth.refused`, of `people`.

ledger::fact_kinds! {
    pub PROVIDER_CREATED = "auth_provider.created", Warning, "A sign-in provider was set up.",
        { name: Text, kind: Text, instance: Boolean, enabled: Boolean };
    pub PROVIDER_UPDATED = "auth_provider.updated", Warning, "A sign-in provider was changed.",
        { name: Text, instance: Boolean, enabled: Boolean, fields: TextList };
    pub PROVIDER_DELETED = "auth_provider.deleted", Warning, "A sign-in provider was removed.",
        { name: Text, instance: Boolean };
    pub PROVIDER_TESTED = "auth_provider.tested", Info, "A sign-in provider was tried out.",
        { name: Text, works: Boolean };
    pub IDENTITY_LINKED = "identity.linked", Notice, "A person was tied to an identity at a provider.",
        { provider: Text, issuer: Text };
    pub FACTOR_ADDED = "factor.added", Warning, "A person set up a further factor.", { kind: Text };
    pub FACTOR_RENAMED = "factor.renamed", Info, "A person gave a factor another name.", { kind: Text };
    pub FACTOR_REMOVED = "factor.removed", Warning, "A person removed a factor.", { kind: Text };
    pub RECOVERY_CODES_MADE = "recovery_codes.made", Warning, "A person got new recovery codes.", { count: Integer };
    pub PASSWORD_SET = "password.set", Warning, "A password was set.", { by: Text };
    pub RESET_ASKED = "password.reset_asked", Info, "Somebody asked for a new password.", {};
    pub ACCOUNT_TRIED = "auth.account_tried", Warning, "An account was tried many times without success.", {};
    pub FIRST_PROOF_SHOWN = "auth.first_proof", Info, "A person showed the first of two proofs; it cannot be shown again.",
        { provider: Text };
    pub SIGN_IN_BEGUN = "auth.begun", Info, "Somebody began to sign in.", { provider: Text, kind: Text };
}
