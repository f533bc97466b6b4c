-- What every decision about giving rights relies on, one row per organization: advanced whenever somebody may have lost one.
CREATE TABLE access_heads (
    org uuid NOT NULL UNIQUE,
    id uuid NOT NULL PRIMARY KEY,
    revision bigint NOT NULL
);
INSERT INTO access_heads (org, id, revision) SELECT id, id, 1 FROM orgs;

-- Groups as holders of rights. What a group is called and who leads it stands elsewhere.
CREATE TABLE group_heads (
    org uuid NOT NULL,
    id uuid NOT NULL UNIQUE,
    created_at bigint NOT NULL,
    PRIMARY KEY (org, id)
);

-- Who is in which group: its members hold what it holds.
CREATE TABLE group_members (
    org uuid NOT NULL,
    group_id uuid NOT NULL,
    principal_kind text NOT NULL,
    principal uuid NOT NULL,
    added_by text NOT NULL,
    added_at bigint NOT NULL,
    PRIMARY KEY (org, group_id, principal),
    FOREIGN KEY (org, group_id) REFERENCES group_heads (org, id)
);
CREATE INDEX group_members_principal ON group_members (org, principal);

-- Roles that organizations made for themselves; the built-in ones are code. The name is fixed: grants refer to it.
CREATE TABLE roles (
    org uuid NOT NULL,
    id uuid NOT NULL UNIQUE,
    name text NOT NULL,
    description text NOT NULL,
    permissions text NOT NULL,
    created_by text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, name)
);
CREATE INDEX grants_role ON grants (org, role, id) WHERE role <> '';

-- Resources of outside applications: `titan` stands before `titan.courses`.
CREATE TABLE resource_prefixes (
    org uuid NOT NULL,
    id uuid NOT NULL UNIQUE,
    prefix text NOT NULL,
    description text NOT NULL,
    resources text NOT NULL,
    created_by text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, prefix)
);

CREATE TABLE api_keys (
    org uuid NOT NULL,
    id uuid NOT NULL UNIQUE,
    owner_kind text NOT NULL,
    owner uuid NOT NULL,
    name text NOT NULL,
    -- HMAC-SHA-256 of the secret part under the pepper of that version.
    secret_tag bytea NOT NULL,
    pepper_version bigint NOT NULL,
    permissions text NOT NULL,
    allowed_ips text NOT NULL,
    created_by text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint,
    last_used_at bigint,
    last_used_ip text,
    revision bigint NOT NULL,
    PRIMARY KEY (org, id)
);
CREATE INDEX api_keys_owner ON api_keys (org, owner, id);

-- What an agent was given stands in `grants` alone.
ALTER TABLE agents DROP COLUMN roles;
ALTER TABLE agents DROP COLUMN permissions;
