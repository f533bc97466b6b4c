//! What the ledger hears of files of configuration; what became of each thing is its own fact.

ledger::fact_kinds! {
    pub CONFIG_APPLIED = "config.applied", Notice, "Configuration was applied from a file.", {
        manager: Text, sha256: Hash, created: Integer, updated: Integer, deleted: Integer, adopted: Integer,
        taken_over: Integer,
    };
}
