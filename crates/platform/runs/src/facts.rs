//! A run leaves one fact, at its end. Run-internal tokens are named here: they leave no fact of their own.

ledger::fact_kinds! {
    pub RUN_SUCCEEDED = "run.succeeded", Info, "A run gave its result.", {
        kind: Text, trigger: Text, version: Optional(&Text), attempts: Integer, queued_ms: Integer, wall_ms: Integer,
        cpu_ms: Integer, input_sha256: Hash, output_sha256: Hash, token: Optional(&Text), token_audience: Optional(&Text),
        token_scope: Optional(&Text),
        requests: Optional(&Integer), requests_blocked: Optional(&Integer), requested_hosts: Optional(&TextList),
    };
    pub RUN_FAILED = "run.failed", Notice, "A run ended with an error.", {
        kind: Text, trigger: Text, version: Optional(&Text), attempts: Integer, queued_ms: Integer, wall_ms: Integer,
        cpu_ms: Integer, input_sha256: Hash, error: Text, token: Optional(&Text), token_audience: Optional(&Text),
        token_scope: Optional(&Text),
        requests: Optional(&Integer), requests_blocked: Optional(&Integer), requested_hosts: Optional(&TextList),
    };
    pub RUN_TIMED_OUT = "run.timed_out", Notice, "A run used up its time and was killed.", {
        kind: Text, trigger: Text, version: Optional(&Text), attempts: Integer, queued_ms: Integer, wall_ms: Integer,
        cpu_ms: Integer, input_sha256: Hash, error: Text, token: Optional(&Text), token_audience: Optional(&Text),
        token_scope: Optional(&Text),
        requests: Optional(&Integer), requests_blocked: Optional(&Integer), requested_hosts: Optional(&TextList),
    };
    pub RUN_CANCELLED = "run.cancelled", Notice, "A run was ended from outside, with everything that it had started.", {
        kind: Text, trigger: Text, version: Optional(&Text), attempts: Integer, input_sha256: Hash,
        reason: Text, token: Optional(&Text), token_audience: Optional(&Text),
        token_scope: Optional(&Text),
        requests: Optional(&Integer), requests_blocked: Optional(&Integer), requested_hosts: Optional(&TextList),
    };
    pub RUN_DEAD = "run.dead", Warning, "A run was given up: its attempts are spent.", {
        kind: Text, trigger: Text, version: Optional(&Text), attempts: Integer, input_sha256: Hash, error: Text,
    };
    pub RUN_CONTINUED = "run.continued", Notice, "Somebody answered what a run had asked.", {
        kind: Text, trigger: Text, version: Optional(&Text), attempts: Integer, input_sha256: Hash, question: Integer,
        question_sha256: Hash, answer_sha256: Hash,
    };
    pub RUN_RETRIED = "run.retried", Notice, "A run that had failed was put back into the queue.", {
        kind: Text, trigger: Text, version: Optional(&Text), attempts: Integer, input_sha256: Hash, error: Optional(&Text),
    };
    pub RUN_FLUSHED = "run.flushed", Notice, "A dead run was put aside; nobody will try it again by itself.", {
        kind: Text, trigger: Text, version: Optional(&Text), attempts: Integer, input_sha256: Hash, error: Optional(&Text),
    };
}
