-- Authority: one monotonic revision, advanced inside every change of authority.
CREATE TABLE authority_head (
    singleton bigint PRIMARY KEY CHECK (singleton = 1),
    revision bigint NOT NULL
);
INSERT INTO authority_head (singleton, revision) VALUES (1, 0);

CREATE TABLE authority_log (
    revision bigint NOT NULL,
    ordinal bigint NOT NULL,
    org uuid NOT NULL,
    kind text NOT NULL,
    key uuid NOT NULL,
    dead boolean NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (revision, ordinal)
);
CREATE INDEX authority_log_key ON authority_log (kind, key);

-- Living nodes and how far each has applied the authority log (PostgreSQL only; with SQLite there is one).
CREATE TABLE nodes (
    id uuid PRIMARY KEY,
    applied bigint NOT NULL,
    seen_at bigint NOT NULL
);

-- The ledger's order. `leaf_hash` is the leaf's entry, `previous_hash` the organization's chain before it. Never deleted
-- from, also not when facts are purged.
CREATE TABLE leaves (
    seq bigint PRIMARY KEY,
    org uuid NOT NULL,
    org_seq bigint NOT NULL,
    fact uuid NOT NULL UNIQUE,
    leaf_hash bytea NOT NULL,
    previous_hash bytea NOT NULL,
    UNIQUE (org, org_seq)
);

-- Where the sequencer stands. `term` fences off a sequencer that was replaced; `holder` and `held_until` only keep others
-- from trying.
CREATE TABLE log_head (
    singleton bigint PRIMARY KEY CHECK (singleton = 1),
    size bigint NOT NULL,
    term bigint NOT NULL,
    position text NOT NULL,
    holder uuid,
    held_until bigint NOT NULL
);
INSERT INTO log_head (singleton, size, term, position, held_until) VALUES (1, 0, 0, '', 0);

-- Tile contents (C2SP tlog-tiles, height 8); rebuildable from leaves.
CREATE TABLE tiles (
    level bigint NOT NULL,
    tile bigint NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (level, tile)
);

-- Signed tree heads. Insert-only.
CREATE TABLE checkpoints (
    size bigint PRIMARY KEY,
    root bytea NOT NULL,
    note text NOT NULL,
    created_at bigint NOT NULL
);

-- What signs checkpoints: the origin that names this log for ever, and the sealed Ed25519 key. Insert-only.
CREATE TABLE log_keys (
    version bigint PRIMARY KEY,
    origin text NOT NULL,
    sealed bytea NOT NULL,
    created_at bigint NOT NULL
);

-- How far each organization was verified (nil: the whole log); tagged, so that nobody can say it went further.
CREATE TABLE verified_marks (
    org uuid PRIMARY KEY,
    org_seq bigint NOT NULL,
    chain bytea NOT NULL,
    tag bytea NOT NULL
);

-- Where the fact of each purge is found; what was erased, only the fact itself says.
CREATE TABLE purges (
    org uuid NOT NULL,
    fact uuid NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    PRIMARY KEY (org, fact)
);

-- How far each reader of the ledger has come.
CREATE TABLE ledger_readers (
    name text PRIMARY KEY,
    seq bigint NOT NULL
);

-- Opens only under the right key-encryption key; written at the first start.
CREATE TABLE key_check (
    singleton bigint PRIMARY KEY CHECK (singleton = 1),
    wrapped bytea NOT NULL,
    created_at bigint NOT NULL
);

-- Data keys of organizations, wrapped by the key-encryption key.
CREATE TABLE data_keys (
    org uuid NOT NULL,
    purpose text NOT NULL,
    version bigint NOT NULL,
    wrapped bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (org, purpose, version)
);

-- First answers to requests with an Idempotency-Key, sealed; kept for 24 hours.
CREATE TABLE idempotency (
    org uuid NOT NULL,
    principal text NOT NULL,
    operation text NOT NULL,
    key_hash bytea NOT NULL,
    body_hash bytea NOT NULL,
    answer bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (org, principal, operation, key_hash)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
