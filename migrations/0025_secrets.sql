-- Values that an organization's functions use: sealed here, or lying in a Vault. `hosts` says where a value may be sent.
CREATE TABLE secrets (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    owner_kind text NOT NULL,
    owner uuid NOT NULL,
    hosts text NOT NULL,
    sealed bytea,
    vault text,
    version bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    replaced_at bigint NOT NULL,
    revision bigint NOT NULL,
    UNIQUE (org, id),
    UNIQUE (org, name)
);

-- What uses which secret, as people call it.
CREATE TABLE secret_uses (
    org uuid NOT NULL,
    secret uuid NOT NULL,
    user_kind text NOT NULL,
    user_id uuid NOT NULL,
    label text NOT NULL,
    PRIMARY KEY (org, secret, user_kind, user_id),
    FOREIGN KEY (org, secret) REFERENCES secrets (org, id)
);
CREATE INDEX secret_uses_by_user ON secret_uses (org, user_kind, user_id);
