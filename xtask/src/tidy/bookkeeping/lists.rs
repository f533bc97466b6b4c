//! What bookkeeping may touch, and who passes statements on. Each entry with its reason.

/// In the place of a column: rows may be added.
pub(super) const INSERT: &str = "(insert)";

/// Table, columns, reason.
pub(super) type Listed<'a> = (&'a str, &'a [&'a str], &'a str);

/// Tables, what may be done to them – columns that may be set, [`INSERT`], or nothing named for everything – and why no
/// reader of the ledger needs to hear of it.
pub(super) const TABLES: &[Listed<'static>] = &[
    ("api_keys", &["last_used_at", "last_used_ip"], "when and from where a key was last used"),
    ("audit_index", &[], "derived from facts; rebuildable"),
    ("audit_terms", &[], "derived from facts; rebuildable"),
    (
        "blob_references",
        &[INSERT],
        "what holds a part of an upload under way; a version takes it over by its change",
    ),
    ("blobs", &[], "where contents lie; what refers to them is written by changes"),
    ("checkpoints", &[], "the ledger's own signed heads"),
    ("data_keys", &[], "wrapped keys, made on first use; useless without the key-encryption key"),
    (
        "decisions",
        &[],
        "questions that policies answered, kept sealed to rehearse drafts; refusals leave facts",
    ),
    (
        "file_chunks",
        &[INSERT],
        "parts of an upload under way; what they come to is a version, which a change makes",
    ),
    (
        "file_links",
        &[],
        "how often a link was opened, and forgetting what has expired; making and ending one are changes",
    ),
    (
        "file_uploads",
        &["expires_at", "received"],
        "how far an upload is; its beginning and its end are changes",
    ),
    (
        "hook_deliveries",
        &[],
        "what came in to hooks, for a week; what it set off leaves its fact, and refusals are facts of their own",
    ),
    ("hook_marks", &[], "deliveries that must not work twice"),
    ("idempotency", &[], "first answers, kept for repeats"),
    ("key_check", &[], "written once, at the first start"),
    ("last_used", &[], "when and from where a credential was last used"),
    ("leaves", &[], "the ledger's own order of facts"),
    ("ledger_readers", &[], "cursors"),
    (
        "login_grants",
        &[],
        "logins of command lines between begin and end; approval is a change, and so is what one leads to",
    ),
    ("log_head", &[], "the sequencer's place and fence"),
    ("log_keys", &[], "the ledger's own signing key, made at the first start"),
    ("node_reports", &[], "what each node answered to a kill"),
    ("nodes", &[], "heartbeats"),
    ("permission_uses", &[], "which permissions agents used, counted"),
    ("purges", &[INSERT], "where the fact of a purge is found; only ever carried by the purge itself"),
    ("run_log_segments", &[], "what a run printed"),
    ("run_starts", &[], "when runs of what has a rate began; a run leaves its fact at its end"),
    (
        "runs",
        &[
            INSERT,
            "attempts",
            "due_at",
            "fence",
            "lease_until",
            "max_attempts",
            "place",
            "progress",
            "question",
            "question_number",
            "question_until",
            "revision",
            "started_at",
            "state",
            "worker",
        ],
        "leases and transitions; a run leaves its fact at its end",
    ),
    (
        "schedule_ticks",
        &[],
        "what became of ticks; a refusal is a fact besides, and a run leaves its own at its end",
    ),
    (
        "schedules",
        &["due_at", "next_at", "refusal", "state", "ticks"],
        "moving on from tick to tick; what a schedule does and whether it may is a change",
    ),
    (
        "sessions",
        &["generation", "last_seen_at", "revision", "secret_tag"],
        "session touch and refresh rotation",
    ),
    (
        "sign_in_states",
        &[],
        "sign-ins between begin and end; what one leads to is a change, and refused ones are facts of their own",
    ),
    ("tiles", &[], "derived from leaves; rebuildable"),
    ("used_assertions", &[], "assertions that were used once"),
    ("verified_marks", &[], "how far verification came"),
    ("workers", &[], "who works on runs, and how much; heartbeats"),
];

/// Functions that keep statements which others made; who makes them is checked instead (`MAKERS`).
pub(super) const CARRIERS: &[(&str, &str)] = &[
    ("crates/platform/ledger/src/read.rs", "advance"),
    ("crates/platform/ledger/src/read.rs", "rewind"),
    ("crates/platform/runs/src/admit.rs", "put_down"),
];

/// Trait and method whose statements a carrier keeps.
pub(super) const MAKERS: &[(&str, &str)] = &[("LedgerReader", "take")];

/// Functions whose last argument a carrier keeps.
pub(super) const HANDED_TO: &[&str] = &["accept", "accept_and_wait", "begin", "queue", "rewind"];
