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
}
