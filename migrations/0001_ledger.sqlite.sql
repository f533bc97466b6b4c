-- `position` is the order of insertion, which the sequencer follows; a column of its own, because VACUUM may renumber a
-- hidden rowid.
CREATE TABLE facts (
    position INTEGER PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    org uuid NOT NULL,
    occurred_at bigint NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    severity text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text,
    target_type text,
    target_id text,
    jti uuid,
    txn uuid,
    credential uuid,
    run uuid,
    request uuid,
    cause uuid,
    private_hash bytea NOT NULL,
    private bytea NOT NULL
);
CREATE INDEX facts_time ON facts (org, occurred_at);

-- A purge names its range here and takes the row away again within one SAVEPOINT.
CREATE TABLE purge_permits (
    org uuid NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL
);

CREATE TRIGGER facts_no_update BEFORE UPDATE ON facts
BEGIN SELECT RAISE(ABORT, 'facts is insert-only'); END;
-- The newest row stays, so that its position is never given out again.
CREATE TRIGGER facts_no_delete BEFORE DELETE ON facts
WHEN OLD.position = (SELECT max(position) FROM facts) OR NOT EXISTS (
    SELECT 1 FROM leaves JOIN purge_permits
        ON purge_permits.org = leaves.org AND leaves.org_seq BETWEEN purge_permits.first AND purge_permits.last
    WHERE leaves.fact = OLD.id AND leaves.org = OLD.org
)
BEGIN SELECT RAISE(ABORT, 'facts is insert-only'); END;
-- INSERT OR REPLACE deletes without asking the trigger above, unless recursive_triggers is on.
CREATE TRIGGER facts_no_replace BEFORE INSERT ON facts
WHEN EXISTS (SELECT 1 FROM facts WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM facts WHERE position = NEW.position)
BEGIN SELECT RAISE(ABORT, 'facts is insert-only'); END;

CREATE TRIGGER leaves_no_update BEFORE UPDATE ON leaves
BEGIN SELECT RAISE(ABORT, 'leaves is insert-only'); END;
CREATE TRIGGER leaves_no_delete BEFORE DELETE ON leaves
BEGIN SELECT RAISE(ABORT, 'leaves is insert-only'); END;
CREATE TRIGGER leaves_no_replace BEFORE INSERT ON leaves
WHEN EXISTS (SELECT 1 FROM leaves WHERE seq = NEW.seq)
    OR EXISTS (SELECT 1 FROM leaves WHERE fact = NEW.fact)
    OR EXISTS (SELECT 1 FROM leaves WHERE org = NEW.org AND org_seq = NEW.org_seq)
BEGIN SELECT RAISE(ABORT, 'leaves is insert-only'); END;

CREATE TRIGGER checkpoints_no_update BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints is insert-only'); END;
CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints is insert-only'); END;
CREATE TRIGGER checkpoints_no_replace BEFORE INSERT ON checkpoints
WHEN EXISTS (SELECT 1 FROM checkpoints WHERE size = NEW.size)
BEGIN SELECT RAISE(ABORT, 'checkpoints is insert-only'); END;

CREATE TRIGGER log_keys_no_update BEFORE UPDATE ON log_keys
BEGIN SELECT RAISE(ABORT, 'log_keys is insert-only'); END;
CREATE TRIGGER log_keys_no_delete BEFORE DELETE ON log_keys
BEGIN SELECT RAISE(ABORT, 'log_keys is insert-only'); END;
CREATE TRIGGER log_keys_no_replace BEFORE INSERT ON log_keys
WHEN EXISTS (SELECT 1 FROM log_keys WHERE version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'log_keys is insert-only'); END;

-- What lists filter by, newest first within each filter; kept by a reader of the ledger, rebuildable.
CREATE TABLE audit_index (
    org uuid NOT NULL,
    org_seq bigint NOT NULL,
    fact uuid NOT NULL,
    occurred_at bigint NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    severity text NOT NULL,
    actor_id text,
    target_id text,
    jti uuid,
    txn uuid,
    run uuid,
    PRIMARY KEY (org, org_seq)
) WITHOUT ROWID;
CREATE INDEX audit_index_time ON audit_index (org, occurred_at, org_seq);
CREATE INDEX audit_index_kind ON audit_index (org, kind, occurred_at, org_seq);
CREATE INDEX audit_index_actor ON audit_index (org, actor_id, occurred_at, org_seq) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_index_target ON audit_index (org, target_id, occurred_at, org_seq) WHERE target_id IS NOT NULL;
CREATE INDEX audit_index_jti ON audit_index (org, jti, occurred_at, org_seq) WHERE jti IS NOT NULL;
CREATE INDEX audit_index_txn ON audit_index (org, txn, occurred_at, org_seq) WHERE txn IS NOT NULL;
CREATE INDEX audit_index_run ON audit_index (org, run, occurred_at, org_seq) WHERE run IS NOT NULL;
CREATE INDEX audit_index_outcome ON audit_index (org, outcome, occurred_at, org_seq) WHERE outcome <> 'success';
CREATE INDEX audit_index_severity ON audit_index (org, severity, occurred_at, org_seq) WHERE severity <> 'info';

-- Keyed hashes of addresses, agents and the words of names: nothing of them can be read here.
CREATE TABLE audit_terms (
    org uuid NOT NULL,
    term bytea NOT NULL,
    occurred_at bigint NOT NULL,
    org_seq bigint NOT NULL,
    PRIMARY KEY (org, term, occurred_at, org_seq)
) WITHOUT ROWID;

-- The planner's picture of a long record. Without it, it takes any index that fits; taken from the data, it would differ
-- from server to server.
ANALYZE;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('audit_index', 'audit_index', '10000000 10000000 1'),
    ('audit_index', 'audit_index_time', '10000000 10000000 2 1'),
    ('audit_index', 'audit_index_kind', '10000000 10000000 200000 2 1'),
    ('audit_index', 'audit_index_actor', '10000000 10000000 50000 2 1'),
    ('audit_index', 'audit_index_target', '10000000 10000000 100 2 1'),
    ('audit_index', 'audit_index_jti', '10000000 10000000 3 1 1'),
    ('audit_index', 'audit_index_txn', '10000000 10000000 5 1 1'),
    ('audit_index', 'audit_index_run', '1000000 1000000 5 1 1'),
    ('audit_index', 'audit_index_outcome', '100000 100000 50000 2 1'),
    ('audit_index', 'audit_index_severity', '200000 200000 60000 2 1'),
    ('audit_terms', 'audit_terms', '30000000 30000000 1000 2 1');
