-- Order and delay, keys, families and dead letters of runs. Turns are counted in memory now, by organization.
DROP INDEX runs_queued;
ALTER TABLE runs DROP COLUMN turn;
-- Within the organization: higher first.
ALTER TABLE runs ADD COLUMN priority bigint NOT NULL DEFAULT 0;
-- The run that asked for it; the one whose input it repeats.
ALTER TABLE runs ADD COLUMN parent uuid;
ALTER TABLE runs ADD COLUMN replay_of uuid;
-- At most `concurrency_limit` runs of one key are worked on at a time: each has a place from 1 on, and the index below
-- gives a place to one run only.
ALTER TABLE runs ADD COLUMN concurrency_key text;
ALTER TABLE runs ADD COLUMN concurrency_limit bigint;
ALTER TABLE runs ADD COLUMN place bigint;
ALTER TABLE runs ADD COLUMN deduplication_key text;
-- When somebody put a dead run aside.
ALTER TABLE runs ADD COLUMN flushed_at bigint;

CREATE INDEX runs_ready ON runs (org, priority DESC, id)
    WHERE state = 'queued' AND due_at = 0 AND concurrency_key IS NULL;
CREATE INDEX runs_ready_keyed ON runs (org, concurrency_key, priority DESC, id)
    WHERE state = 'queued' AND due_at = 0 AND concurrency_key IS NOT NULL;
CREATE INDEX runs_delayed ON runs (due_at) WHERE state = 'queued' AND due_at > 0;
CREATE UNIQUE INDEX runs_places ON runs (org, concurrency_key, place) WHERE place IS NOT NULL;
CREATE UNIQUE INDEX runs_deduplicated ON runs (org, subject, target, deduplication_key)
    WHERE deduplication_key IS NOT NULL AND state IN ('queued', 'leased', 'running');
CREATE INDEX runs_children ON runs (org, parent) WHERE parent IS NOT NULL;
CREATE INDEX runs_pending ON runs (org, kind) WHERE state IN ('queued', 'leased', 'running');
CREATE INDEX runs_dead ON runs (org, kind, id) WHERE state = 'dead' AND flushed_at IS NULL;

ALTER TABLE function_versions ADD COLUMN retry text;
ALTER TABLE function_versions ADD COLUMN concurrency bigint;
