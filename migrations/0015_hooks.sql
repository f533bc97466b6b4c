-- Incoming webhooks: what answers at `/o/{slug}/hooks/{path}`, and for whom it acts. Secrets are sealed; `previous` is good
-- until `previous_until`.
CREATE TABLE hooks (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    path text NOT NULL,
    methods text NOT NULL,
    description text NOT NULL,
    active boolean NOT NULL,
    function uuid NOT NULL,
    function_name text NOT NULL,
    owner_kind text NOT NULL,
    owner uuid NOT NULL,
    permissions text NOT NULL,
    execute_permission text NOT NULL,
    authentication text NOT NULL,
    allowed_ips text NOT NULL,
    input text NOT NULL,
    response text NOT NULL,
    deduplication text,
    per_minute bigint NOT NULL,
    concurrency bigint NOT NULL,
    body_bytes bigint NOT NULL,
    secret bytea,
    previous bytea,
    previous_until bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    UNIQUE (org, id)
);

-- One row per path and method. `shape` is the path with its parameters unnamed, `head` its first segment (empty for a
-- parameter), `segments` how many there are: what a request is looked up by.
CREATE TABLE hook_routes (
    org uuid NOT NULL,
    method text NOT NULL,
    shape text NOT NULL,
    head text NOT NULL,
    segments bigint NOT NULL,
    hook uuid NOT NULL,
    PRIMARY KEY (org, method, shape),
    FOREIGN KEY (org, hook) REFERENCES hooks (org, id)
);
CREATE INDEX hook_routes_looked_up ON hook_routes (org, method, segments, head);
CREATE INDEX hook_routes_of ON hook_routes (org, hook);

-- Counts the changes of an organization's paths: whoever adds one has looked at all of them.
CREATE TABLE hook_boards (
    org uuid NOT NULL PRIMARY KEY,
    revision bigint NOT NULL
);

-- What came in, and what became of it. `request` is sealed and without what proves who sent it. Refusals for one reason are
-- one row a minute.
CREATE TABLE hook_deliveries (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    hook uuid NOT NULL,
    received_at bigint NOT NULL,
    method text NOT NULL,
    ip text,
    outcome text NOT NULL,
    reason text,
    count bigint NOT NULL,
    run uuid,
    replay_of uuid,
    size bigint NOT NULL,
    request bytea
);
CREATE INDEX hook_deliveries_of ON hook_deliveries (org, hook, id);
CREATE INDEX hook_deliveries_age ON hook_deliveries (received_at);

-- What must not work twice: signed messages (`signed`) and deliveries under one key (`key`), each by its hash, with the run.
CREATE TABLE hook_marks (
    org uuid NOT NULL,
    hook uuid NOT NULL,
    kind text NOT NULL,
    mark bytea NOT NULL,
    run uuid NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (org, hook, kind, mark)
);
CREATE INDEX hook_marks_expiry ON hook_marks (expires_at);
