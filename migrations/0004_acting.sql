-- Contents stand in files or a bucket, sealed; this says which there are. `touched_at`: when last put or let go of.
CREATE TABLE blobs (
    org uuid NOT NULL,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    created_at bigint NOT NULL,
    touched_at bigint NOT NULL,
    PRIMARY KEY (org, sha256)
);
CREATE INDEX blobs_touched ON blobs (touched_at);

-- Who needs a blob. Carried by the change that makes the holder point at it.
CREATE TABLE blob_references (
    org uuid NOT NULL,
    sha256 bytea NOT NULL,
    holder_kind text NOT NULL,
    holder uuid NOT NULL,
    PRIMARY KEY (org, sha256, holder_kind, holder),
    FOREIGN KEY (org, sha256) REFERENCES blobs (org, sha256)
);
CREATE INDEX blob_references_holder ON blob_references (org, holder_kind, holder);

-- Every kind of work. `fence` grows with every lease: what an older holder reports is refused.
CREATE TABLE runs (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    state text NOT NULL,
    trigger text NOT NULL,
    trigger_id text,
    -- What is run, and which version of it.
    target uuid NOT NULL,
    version uuid,
    -- On whose authority, as of which revision; `papers` is the sealed rest (names, chain, scope).
    principal text NOT NULL,
    subject uuid NOT NULL,
    credential uuid,
    jti uuid,
    txn uuid,
    authority_revision bigint NOT NULL,
    papers bytea NOT NULL,
    -- Sealed where it is small, else the hash of a blob.
    input bytea,
    input_sha256 bytea NOT NULL,
    input_size bigint NOT NULL,
    output bytea,
    output_sha256 bytea,
    output_size bigint,
    error_kind text,
    error bytea,
    attempts bigint NOT NULL,
    max_attempts bigint NOT NULL,
    -- Place in the queue: start-time fair queueing between organizations.
    turn bigint NOT NULL,
    due_at bigint NOT NULL,
    worker uuid,
    lease_until bigint,
    fence bigint NOT NULL,
    queued_at bigint NOT NULL,
    started_at bigint,
    ended_at bigint,
    wall_ms bigint,
    cpu_ms bigint,
    peak_memory bigint,
    logs_truncated boolean NOT NULL,
    revision bigint NOT NULL
);
CREATE INDEX runs_newest ON runs (org, id);
CREATE INDEX runs_target ON runs (org, target, id);
CREATE INDEX runs_subject ON runs (org, subject, id);
CREATE INDEX runs_queued ON runs (turn, id) WHERE state = 'queued';
CREATE INDEX runs_leased ON runs (worker) WHERE state IN ('leased', 'running');
CREATE INDEX runs_open ON runs (subject) WHERE state IN ('queued', 'leased', 'running');

-- Output of runs, in sealed pieces of many lines.
CREATE TABLE run_log_segments (
    org uuid NOT NULL,
    run uuid NOT NULL,
    first_line bigint NOT NULL,
    line_count bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (org, run, first_line)
);

CREATE TABLE functions (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    namespace text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    tags text NOT NULL,
    visibility text NOT NULL,
    owner_kind text NOT NULL,
    owner uuid NOT NULL,
    live_version uuid NOT NULL,
    last_number bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    deleted_at bigint,
    revision bigint NOT NULL,
    UNIQUE (org, id)
);
CREATE UNIQUE INDEX functions_name ON functions (org, namespace, name) WHERE deleted_at IS NULL;

-- Never updated: triggers see to it.
CREATE TABLE function_versions (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    function uuid NOT NULL,
    number bigint NOT NULL,
    runtime text NOT NULL,
    code bytea NOT NULL,
    code_sha256 bytea NOT NULL,
    entrypoint text NOT NULL,
    input_schema text,
    output_schema text,
    timeout_seconds bigint NOT NULL,
    memory_mb bigint NOT NULL,
    permissions text NOT NULL,
    author text NOT NULL,
    created_at bigint NOT NULL,
    UNIQUE (org, function, number),
    FOREIGN KEY (org, function) REFERENCES functions (org, id)
);
