CREATE TABLE orgs (
    id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    home boolean NOT NULL,
    created_at bigint NOT NULL,
    revision bigint NOT NULL
);

-- People belong to the instance; what they may do, and where, is said by memberships and grants.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text UNIQUE,
    display_name text NOT NULL,
    status text NOT NULL,
    created_at bigint NOT NULL,
    last_login_at bigint,
    revision bigint NOT NULL
);

CREATE TABLE memberships (
    org uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    joined_at bigint NOT NULL,
    PRIMARY KEY (org, user_id)
);

-- A role or a single permission, given to a user or an agent of one organization.
CREATE TABLE grants (
    org uuid NOT NULL,
    id uuid NOT NULL,
    principal_kind text NOT NULL,
    principal uuid NOT NULL,
    role text NOT NULL DEFAULT '',
    permission text NOT NULL DEFAULT '',
    granted_by text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, principal, role, permission)
);

CREATE TABLE sessions (
    org uuid NOT NULL,
    id uuid NOT NULL UNIQUE,
    user_id uuid NOT NULL REFERENCES users (id),
    kind text NOT NULL,
    -- HMAC of the cookie's value, or of the current refresh token.
    secret_tag bytea NOT NULL UNIQUE,
    generation bigint NOT NULL,
    created_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    stepped_up_until bigint NOT NULL,
    user_agent text,
    revoked_at bigint,
    revision bigint NOT NULL,
    PRIMARY KEY (org, id)
);
CREATE INDEX sessions_user ON sessions (org, user_id);

-- Links that sign the first owner in (or an owner who lost every other way).
CREATE TABLE owner_links (
    id uuid PRIMARY KEY,
    secret_tag bytea NOT NULL UNIQUE,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    redeemed_at bigint
);

CREATE TABLE agents (
    org uuid NOT NULL REFERENCES orgs (id),
    id uuid NOT NULL UNIQUE,
    namespace text NOT NULL,
    name text NOT NULL,
    handle text NOT NULL,
    display_name text NOT NULL,
    description text NOT NULL,
    kind text NOT NULL,
    version text NOT NULL,
    capabilities text NOT NULL,
    owner uuid NOT NULL REFERENCES users (id),
    deployment_env text NOT NULL,
    status text NOT NULL,
    visibility text NOT NULL,
    tags text NOT NULL,
    metadata text NOT NULL,
    roles text NOT NULL,
    permissions text NOT NULL,
    created_by text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, namespace, name),
    UNIQUE (org, handle)
);
CREATE INDEX agents_owner ON agents (org, owner);

CREATE TABLE credentials (
    org uuid NOT NULL,
    id uuid NOT NULL UNIQUE,
    agent uuid NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    -- secret: HMAC-SHA-256 under the pepper of that version; public_key: none.
    secret_tag bytea,
    pepper_version bigint,
    public_key text,
    status text NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    expires_at bigint,
    revoked_at bigint,
    replaced_by uuid,
    revision bigint NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, agent) REFERENCES agents (org, id)
);
CREATE INDEX credentials_agent ON credentials (org, agent, id);
CREATE INDEX credentials_expiry ON credentials (org, expires_at);

-- When a credential or an agent was last seen; bookkeeping.
CREATE TABLE last_used (
    org uuid NOT NULL,
    id uuid NOT NULL,
    at bigint NOT NULL,
    ip text,
    PRIMARY KEY (org, id)
);

CREATE TABLE kills (
    org uuid NOT NULL,
    id uuid NOT NULL,
    agent uuid NOT NULL,
    agent_name text NOT NULL,
    reason text NOT NULL,
    authority_revision bigint NOT NULL,
    requested_by text NOT NULL,
    requested_at bigint NOT NULL,
    -- The receipt as it was confirmed; empty until then.
    receipt text NOT NULL,
    confirmed_at bigint,
    PRIMARY KEY (org, id)
);
CREATE INDEX kills_agent ON kills (org, agent);

-- What each node found dead by a revision, for the receipt of a kill that another node answers.
CREATE TABLE node_reports (
    revision bigint NOT NULL,
    node uuid NOT NULL,
    report text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (revision, node)
);
