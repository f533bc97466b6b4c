//! What the ledger hears of agents.

ledger::fact_kinds! {
    pub AGENT_CREATED = "agent.created", Notice, "An agent was registered.",
        { namespace: Text, name: Text, owner: Text, deployment_env: Text, roles: TextList, permissions: TextList, status: Text };
    pub AGENT_APPROVED = "agent.approved", Notice, "An agent that waited may act.", {};
    pub AGENT_REJECTED = "agent.rejected", Warning, "An agent that waited was turned away for good.",
        { reason: Optional(&Text) };
    pub AGENT_UPDATED = "agent.updated", Notice, "An agent's record or rights were changed.", { fields: TextList };
    pub AGENT_SUSPENDED = "agent.suspended", Warning, "An agent was stopped; its tokens are dead.",
        { reason: Optional(&Text) };
    pub AGENT_REACTIVATED = "agent.reactivated", Notice, "A suspended agent may act again.", {};
    pub AGENT_DECOMMISSIONED = "agent.decommissioned", Warning, "An agent was retired for good.",
        { credentials: Integer };
    pub AGENT_KILLED = "agent.killed", Critical, "An agent was killed: everything that lived by it is dead.",
        { kill: Text, reason: Optional(&Text) };
    pub KILL_CONFIRMED = "agent.kill_confirmed", Notice, "A kill was applied on every node that answered.",
        { kill: Text, revision: Integer, tokens: Integer, runs: Integer, nodes: Integer, pending: Integer };
    pub CREDENTIAL_CREATED = "credential.created", Notice, "An agent got a credential.",
        { agent: Text, kind: Text, expires_at: Optional(&Time) };
    pub CREDENTIAL_ROTATED = "credential.rotated", Notice, "A credential was replaced.",
        { agent: Text, replaced_by: Text, overlap_seconds: Integer };
    pub CREDENTIAL_REVOKED = "credential.revoked", Warning, "A credential was revoked.", { agent: Text };
}
