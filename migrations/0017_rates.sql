-- How often runs of a function may start: so many in any span of that length (milliseconds). A run that has a rate has a
-- concurrency key, too.
ALTER TABLE runs ADD COLUMN rate_starts bigint;
ALTER TABLE runs ADD COLUMN rate_span bigint;
ALTER TABLE function_versions ADD COLUMN rate text;

DROP INDEX runs_ready_keyed;
CREATE INDEX runs_ready_keyed ON runs (org, concurrency_key, priority DESC, id)
    WHERE state = 'queued' AND due_at = 0 AND concurrency_key IS NOT NULL AND rate_starts IS NULL;
CREATE INDEX runs_ready_rated ON runs (org, concurrency_key, priority DESC, id)
    WHERE state = 'queued' AND due_at = 0 AND rate_starts IS NOT NULL;

-- The last starts of what has a rate, numbered: of two nodes that see the same number free, one gets it. `fence` is the one
-- that the run's lease got, `place` its place among those of its key.
CREATE TABLE run_starts (
    org uuid NOT NULL,
    target uuid NOT NULL,
    number bigint NOT NULL,
    at bigint NOT NULL,
    run uuid NOT NULL,
    fence bigint NOT NULL,
    place bigint NOT NULL,
    PRIMARY KEY (org, target, number)
);
CREATE INDEX run_starts_at ON run_starts (at);
