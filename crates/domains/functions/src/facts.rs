//! What becomes of functions. Their runs' facts are platform/runs'.

ledger::fact_kinds! {
    pub FUNCTION_CREATED = "function.created", Notice, "A function was created with its first version.", {
        namespace: Text, name: Text, version: Text, code_sha256: Hash, permissions: TextList,
        secrets: TextList, egress: TextList,
        requirements: Optional(&TextList), package_lock: Optional(&Hash),
    };
    pub FUNCTION_PUBLISHED = "function.published", Notice, "A function got a new version, which is live.", {
        version: Text, number: Integer, code_sha256: Hash, permissions: TextList,
        secrets: TextList, egress: TextList,
        requirements: Optional(&TextList), package_lock: Optional(&Hash),
    };
    pub FUNCTION_MADE_LIVE = "function.made_live", Notice, "An earlier or later version of a function is the live one now.", {
        version: Text, number: Integer, before: Text,
    };
    pub PACKAGE_REQUESTED = "package.requested", Notice, "Somebody asked for a package that functions may name.", {
        package: Text,
    };
    pub PACKAGE_APPROVED = "package.approved", Notice, "Functions may name a package from now on.", {
        package: Text, before: Text,
    };
    pub PACKAGE_REFUSED = "package.refused", Notice, "No new version of a function may have a package from now on.", {
        package: Text, before: Text,
    };
    pub PACKAGE_REMOVED = "package.removed", Notice, "A package was taken off the list of what functions may name.", {
        package: Text, before: Text,
    };
    pub POOLS_RECYCLED = "pools.recycled", Notice, "Warm interpreters of a server were given up.", {
        function: Optional(&Text), count: Integer,
    };
    pub FUNCTION_DELETED = "function.deleted", Warning, "A function was deleted; its versions and runs stay on record.", {};
}
