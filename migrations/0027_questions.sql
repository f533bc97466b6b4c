-- A run may ask something and wait for the answer: the sealed question, its number from 1, and when it is too late.
ALTER TABLE runs ADD COLUMN question bytea;
ALTER TABLE runs ADD COLUMN question_number bigint;
ALTER TABLE runs ADD COLUMN question_until bigint;

DROP INDEX runs_leased;
DROP INDEX runs_open;
DROP INDEX runs_deduplicated;
DROP INDEX runs_pending;
CREATE INDEX runs_leased ON runs (worker) WHERE state IN ('leased', 'running', 'awaiting_input');
CREATE INDEX runs_open ON runs (subject) WHERE state IN ('queued', 'leased', 'running', 'awaiting_input');
CREATE UNIQUE INDEX runs_deduplicated ON runs (org, subject, target, deduplication_key)
    WHERE deduplication_key IS NOT NULL AND state IN ('queued', 'leased', 'running', 'awaiting_input');
CREATE INDEX runs_pending ON runs (org, kind) WHERE state IN ('queued', 'leased', 'running', 'awaiting_input');
CREATE INDEX runs_unanswered ON runs (question_until) WHERE question_until IS NOT NULL;

-- What was answered, once and for all: a run that is begun again finds its answers here. `body` is the sealed answer.
CREATE TABLE run_answers (
    org uuid NOT NULL,
    run uuid NOT NULL,
    number bigint NOT NULL,
    question_sha256 bytea NOT NULL,
    body bytea NOT NULL,
    -- `usr_…` or `agt_…`.
    author text NOT NULL,
    answered_at bigint NOT NULL,
    PRIMARY KEY (org, run, number)
);
