-- Which packages an organization's functions may name. `name` is in its normal form (PEP 503).
CREATE TABLE packages (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    -- requested, approved, refused
    state text NOT NULL,
    -- What whoever asked, and whoever decided, said about it.
    reason text NOT NULL,
    answer text NOT NULL,
    requested_by_kind text NOT NULL,
    requested_by uuid NOT NULL,
    requested_at bigint NOT NULL,
    decided_by text,
    decided_at bigint,
    revision bigint NOT NULL,
    UNIQUE (org, name)
);
