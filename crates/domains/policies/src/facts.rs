//! What the ledger hears of policies and of what they decide.

ledger::fact_kinds! {
    pub POLICY_CREATED = "policy.created", Notice, "A version of the organization's policy was written; it is not in force yet.",
        { number: Integer, sha256: Hash, modules: Integer, rules: Integer };
    pub POLICY_ACTIVATED = "policy.activated", Warning, "A version of the policy came into force.",
        { number: Integer, sha256: Hash, replaced: Optional(&Text) };
    pub POLICY_DEACTIVATED = "policy.deactivated", Warning, "The organization's policy is no longer in force.",
        { number: Integer };
    pub DECISION_DENIED = "decision.denied", Warning, "A policy refused what the permissions allow.",
        { operation: Text, permission: Optional(&Text), reasons: TextList, policy: Optional(&Text), input_sha256: Hash };
    pub DECISION_APPROVAL_REQUIRED = "decision.approval_required", Notice,
        "A policy wants somebody to approve what was asked.",
        { operation: Text, permission: Optional(&Text), approvers: TextList, policy: Optional(&Text), input_sha256: Hash };
    pub DECISION_FAILED = "decision.failed", Warning, "A policy could not decide, so it was refused.",
        { operation: Text, permission: Optional(&Text), failure: Text, policy: Optional(&Text), input_sha256: Hash };
    pub DECISION_ALLOWED = "decision.allowed", Info, "Policies let this principal through; counted, one fact a minute.",
        { operation: Text };
}
