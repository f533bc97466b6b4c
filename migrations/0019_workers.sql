-- Processes that work on runs: who they are, what they have to do, when they were last heard.
CREATE TABLE workers (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    version text NOT NULL,
    -- Kinds of runs, between commas.
    kinds text NOT NULL,
    slots bigint NOT NULL,
    running bigint NOT NULL,
    draining boolean NOT NULL,
    started_at bigint NOT NULL,
    seen_at bigint NOT NULL
);
