//! What the ledger hears of people.

ledger::fact_kinds! {
    pub ORG_CREATED = "org.created", Notice, "An organization was founded.", { slug: Text, owner: Optional(&Text) };
    pub ORG_UPDATED = "org.updated", Notice, "An organization's name or settings were changed.",
        { fields: TextList };
    pub ORG_LEAVING = "org.leaving", Warning, "An organization was deleted; its grace began.",
        { slug: Text, erase_after: Time };
    pub ORG_RESTORED = "org.restored", Notice, "An organization came back from its grace.", { slug: Text };
    pub ORG_CLOSED = "org.closed", Warning, "An organization's grace is over; everybody is out.",
        { org: Text, slug: Text };
    pub USER_CREATED = "user.created", Notice, "A person became a member.", { roles: TextList };
    pub MEMBER_JOINED = "member.joined", Notice, "A person whom the instance knew became a member.",
        { roles: TextList, provider: Optional(&Text) };
    pub MEMBER_LINKED = "member.linked", Notice, "A member can be found by an identity provider.",
        { provider: Optional(&Text) };
    pub USERS_IMPORTED = "users.imported", Notice, "People were brought in from elsewhere.",
        { created: Integer, joined: Integer, linked: Integer, unchanged: Integer, refused: Integer };
    pub MEMBER_UPDATED = "member.updated", Notice, "What the directory says of a member was changed.",
        { fields: TextList };
    pub MEMBER_SUSPENDED = "member.suspended", Warning, "A member may not act in this organization for now.",
        { sessions: Integer };
    pub MEMBER_RESTORED = "member.restored", Notice, "A suspended member may act in this organization again.", {};
    pub MEMBER_ROLES_CHANGED = "member.roles_changed", Notice, "A member was given or lost roles.",
        { added: TextList, taken: TextList, by: Optional(&Text) };
    pub MEMBER_REMOVED = "member.removed", Warning, "A person stopped belonging to the organization.",
        { roles: TextList, sessions: Integer };
    pub INVITATION_CREATED = "invitation.created", Notice, "Somebody was invited.",
        { roles: TextList, expires_at: Time };
    pub INVITATION_RESENT = "invitation.resent", Notice, "An invitation got a new link.", { expires_at: Time };
    pub INVITATION_REVOKED = "invitation.revoked", Notice, "An invitation was taken back.", {};
    pub INVITATION_ACCEPTED = "invitation.accepted", Notice, "Somebody who was invited became a member.",
        { user: Text, roles: TextList };
    pub GROUP_CREATED = "group.created", Notice, "A group was made.", { name: Text, email_domain: Optional(&Text) };
    pub GROUP_UPDATED = "group.updated", Notice, "A group was changed.", { fields: TextList };
    pub GROUP_DELETED = "group.deleted", Notice, "A group was ended.", { name: Text };
    pub GROUP_MEMBER_ADDED = "group.member_added", Notice, "Somebody was put into a group.", { member: Text };
    pub GROUP_MEMBER_REMOVED = "group.member_removed", Notice, "Somebody was taken out of a group.", { member: Text };
    pub DOMAIN_CLAIMED = "domain.claimed", Notice, "An e-mail domain was claimed.", { name: Text };
    pub DOMAIN_PROVED = "domain.proved", Notice, "An e-mail domain was proved by its record.", { name: Text };
    pub DOMAIN_REMOVED = "domain.removed", Notice, "An e-mail domain was given up.", { name: Text };
    pub EMAIL_PROVED = "user.email_proved", Notice, "A person proved an address; older sessions ended.", {};
    pub AGENT_OWNER_LEFT = "agent.owner_left", Warning, "An agent's owner left: it got another, or was suspended.",
        { owner: Text, passed_to: Optional(&Text) };
    pub USER_UPDATED = "user.updated", Notice, "A person's name, address or language was changed.",
        { fields: TextList };
    pub USER_SUSPENDED = "user.suspended", Warning, "A person was suspended everywhere; every session ended.",
        { reason: Optional(&Text) };
    pub USER_REACTIVATED = "user.reactivated", Notice, "A suspended person may sign in again.", {};
    pub LINK_MADE = "auth.link_made", Warning, "A link that signs an owner in was made.", { expires_at: Time };
    pub SESSION_STARTED = "session.started", Info, "A person signed in.",
        { kind: Text, by: Text, provider: Optional(&Text) };
    pub SESSION_STEPPED_UP = "session.stepped_up", Notice, "A person confirmed who they are.", { by: Text };
    pub SESSION_ENDED = "session.ended", Info, "A session was ended.", { kind: Text };
    pub SESSION_REUSED = "session.reuse_detected", Critical,
        "A refresh token was used twice; the session was ended.", { generation: Integer };
    pub AUTH_REFUSED = "auth.refused", Warning, "A sign-in was refused.", { by: Text, reason: Text };
}
