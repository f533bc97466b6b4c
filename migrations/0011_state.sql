-- What functions and agents remember. A namespace says how its entries are kept.
CREATE TABLE state_namespaces (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    owner_kind text NOT NULL,
    owner uuid NOT NULL,
    default_visibility text NOT NULL,
    schema text,
    strict boolean NOT NULL,
    secret boolean NOT NULL,
    ttl_seconds bigint,
    quota_entries bigint NOT NULL,
    quota_bytes bigint NOT NULL,
    history_depth bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    UNIQUE (org, id),
    UNIQUE (org, name)
);

-- How full a namespace is, apart from it: whoever writes an entry changes this, not what the namespace says. `revision`
-- grows with every write and is never below that of an entry, living or gone.
CREATE TABLE state_usage (
    org uuid NOT NULL,
    namespace uuid NOT NULL PRIMARY KEY,
    entries bigint NOT NULL,
    bytes bigint NOT NULL,
    revision bigint NOT NULL,
    FOREIGN KEY (org, namespace) REFERENCES state_namespaces (org, id)
);

-- `value` is JSON, or – in a secret namespace – `sealed` is. `relevance` in millionths.
CREATE TABLE state_entries (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    namespace uuid NOT NULL,
    key text NOT NULL,
    value text,
    sealed bytea,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    is_valid boolean NOT NULL,
    visibility text NOT NULL,
    owner_kind text NOT NULL,
    owner uuid NOT NULL,
    group_id uuid,
    description text NOT NULL,
    tags text NOT NULL,
    relevance bigint NOT NULL,
    expires_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    updated_by text NOT NULL,
    revision bigint NOT NULL,
    UNIQUE (org, id),
    UNIQUE (org, namespace, key),
    FOREIGN KEY (org, namespace) REFERENCES state_namespaces (org, id)
);
CREATE INDEX state_entries_expiry ON state_entries (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX state_entries_relevance ON state_entries (org, namespace, relevance);

-- Each revision as it was written, with who might read it then; goes with its entry.
CREATE TABLE state_history (
    org uuid NOT NULL,
    entry uuid NOT NULL,
    revision bigint NOT NULL,
    value text,
    sealed bytea,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    visibility text NOT NULL,
    owner uuid NOT NULL,
    group_id uuid,
    written_at bigint NOT NULL,
    written_by text NOT NULL,
    PRIMARY KEY (org, entry, revision),
    FOREIGN KEY (org, entry) REFERENCES state_entries (org, id)
);
