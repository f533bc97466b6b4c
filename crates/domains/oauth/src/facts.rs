//! What the authorization server records.

ledger::fact_kinds! {
    pub TOKEN_ISSUED = "token.issued", Info, "An access token was issued.", {
        grant: Text, method: Text, audience: Text, scope: Text, expires_at: Time, authority_revision: Integer,
        narrowed: Boolean,
    };
    pub TOKEN_REFUSED = "token.refused", Warning, "A token, or an act upon one, was refused.", {
        endpoint: Text, error: Text, reason: Text,
    };
    pub TOKEN_INTROSPECTED = "token.introspected", Info, "Tokens were looked at, counted by the minute.", {
        count: Integer, minute: Time, answer: Text,
    };
    pub TOKEN_REVOKED = "token.revoked", Notice, "An access token was revoked before its time.", {
        expires_at: Time,
    };
    pub LOGIN_APPROVED = "login.approved", Warning, "A person let a command line in.", { grant: Text };
    pub LOGIN_DENIED = "login.denied", Notice, "A person turned a command line away.", { grant: Text };
    pub KEY_CREATED = "key.created", Notice, "A signing key was made or imported.", {
        kid: Text, algorithm: Text, source: Text, status: Text,
    };
    pub KEY_ROTATED = "key.rotated", Notice, "The next signing key took over.", {
        algorithm: Text, old_kid: Text, new_kid: Text, reason: Text,
    };
    pub KEY_RETIRED = "key.retired", Info, "A signing key signs no more; its private half was destroyed.", {
        kid: Text, algorithm: Text,
    };
}
