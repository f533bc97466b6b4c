//! What the operator should find in the ledger when nodes stopped hearing each other.

ledger::fact_kinds! {
    pub BUS_LOST = "bus.lost", Warning, "A node lost the bus and counts attempts by itself until it is back.", {
        node: Text,
    };
    pub BUS_BACK = "bus.back", Info, "A node found the bus again.", {
        node: Text,
    };
}
