-- Insert order is the rowid; the sequencer follows it.
CREATE TABLE facts (
    id uuid PRIMARY KEY,
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
    before bigint NOT NULL
);

CREATE TRIGGER facts_no_update BEFORE UPDATE ON facts
BEGIN SELECT RAISE(ABORT, 'facts are insert-only'); END;
CREATE TRIGGER facts_no_delete BEFORE DELETE ON facts
WHEN NOT EXISTS (SELECT 1 FROM purge_permits WHERE org = OLD.org AND OLD.occurred_at < before)
BEGIN SELECT RAISE(ABORT, 'facts are insert-only'); END;
CREATE TRIGGER facts_no_replace BEFORE INSERT ON facts
WHEN EXISTS (SELECT 1 FROM facts WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'facts are insert-only'); END;

CREATE TRIGGER leaves_no_update BEFORE UPDATE ON leaves
BEGIN SELECT RAISE(ABORT, 'leaves are insert-only'); END;
CREATE TRIGGER leaves_no_delete BEFORE DELETE ON leaves
BEGIN SELECT RAISE(ABORT, 'leaves are insert-only'); END;
CREATE TRIGGER leaves_no_replace BEFORE INSERT ON leaves
WHEN EXISTS (SELECT 1 FROM leaves WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'leaves are insert-only'); END;

CREATE TRIGGER checkpoints_no_update BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are insert-only'); END;
CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are insert-only'); END;
