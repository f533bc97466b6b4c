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
    pub SIGN_IN_BEGUN = "auth.begun", Info, "Somebody began to sign in.", { provider: Text, kind: Text };
}
