-- When which function runs for whom. `input` is sealed; `next_at` is the tick that a schedule waits for, `due_at` when it acts
-- on that; both move with the run that the tick causes, in one transaction.
CREATE TABLE schedules (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    owner_kind text NOT NULL,
    owner uuid NOT NULL,
    timing text NOT NULL,
    time_zone text NOT NULL,
    function uuid NOT NULL,
    function_name text NOT NULL,
    input bytea NOT NULL,
    permissions text NOT NULL,
    jitter_seconds bigint NOT NULL,
    overlap text NOT NULL,
    missed text NOT NULL,
    backfill bigint NOT NULL,
    starts_at bigint,
    ends_at bigint,
    state text NOT NULL,
    next_at bigint,
    due_at bigint,
    ticks bigint NOT NULL,
    refusal text,
    created_by text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    UNIQUE (org, id),
    UNIQUE (org, name)
);
CREATE INDEX schedules_due ON schedules (due_at) WHERE state = 'active';

-- What became of each tick; the last thousand of a schedule.
CREATE TABLE schedule_ticks (
    org uuid NOT NULL,
    schedule uuid NOT NULL,
    number bigint NOT NULL,
    tick bigint NOT NULL,
    until bigint,
    at bigint NOT NULL,
    outcome text NOT NULL,
    run uuid,
    code text,
    PRIMARY KEY (org, schedule, number),
    FOREIGN KEY (org, schedule) REFERENCES schedules (org, id)
);
