//! What the ledger hears of triggers: that they stand, who they act for, and that one could not act. What a run of theirs did
//! is the run's fact.

ledger::fact_kinds! {
    pub SCHEDULE_CREATED = "schedule.created", Notice, "A schedule was made.",
        { name: Text, function: Text, timing: Text, time_zone: Text, permissions: TextList };
    pub SCHEDULE_UPDATED = "schedule.updated", Notice, "A schedule was changed.",
        { fields: TextList, owner: Text, permissions: TextList };
    pub SCHEDULE_PAUSED = "schedule.paused", Notice, "A schedule was paused.", {};
    pub SCHEDULE_RESUMED = "schedule.resumed", Notice, "A paused or ended schedule goes on.", { next: Optional(&Text) };
    pub SCHEDULE_DELETED = "schedule.deleted", Notice, "A schedule was removed.", {};
    pub SCHEDULE_RUN_NOW = "schedule.run_now", Info, "A schedule was set off by hand.", { run: Text };
    pub SCHEDULE_REFUSED = "schedule.refused", Warning,
        "A schedule could not act when its time came; repeats for the same reason are not told again.",
        { code: Text, tick: Text };
    pub HOOK_CREATED = "hook.created", Notice, "A hook was made.",
        { path: Text, methods: TextList, function: Text, authentication: Text, permissions: TextList };
    pub HOOK_UPDATED = "hook.updated", Notice, "A hook was changed.",
        { fields: TextList, owner: Text, permissions: TextList };
    pub HOOK_DELETED = "hook.deleted", Notice, "A hook was removed.", { path: Text };
    pub HOOK_SECRET_ROTATED = "hook.secret_rotated", Notice, "A hook got another secret.",
        { overlap_seconds: Integer, owner: Text };
    pub HOOK_DELIVERY_REPLAYED = "hook.delivery_replayed", Notice, "A delivery was sent through once more.",
        { delivery: Text, run: Text };
    pub HOOK_REFUSED = "hook.refused", Warning, "A delivery to a hook was refused.", { reason: Text };
}
