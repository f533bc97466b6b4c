//! What the ledger hears of people.

ledger::fact_kinds! {
    pub ORG_CREATED = "org.created", Notice, "An organization was founded.", { slug: Text };
    pub USER_CREATED = "user.created", Notice, "A person became a member.", { roles: TextList };
    pub LINK_MADE = "auth.link_made", Warning, "A link that signs an owner in was made.", { expires_at: Time };
    pub SESSION_STARTED = "session.started", Info, "A person signed in.", { kind: Text, by: Text };
    pub SESSION_ENDED = "session.ended", Info, "A session was ended.", { kind: Text };
    pub SESSION_REUSED = "session.reuse_detected", Critical,
        "A refresh token was used twice; the session was ended.", { generation: Integer };
    pub AUTH_REFUSED = "auth.refused", Warning, "A sign-in was refused.", { by: Text, reason: Text };
}
