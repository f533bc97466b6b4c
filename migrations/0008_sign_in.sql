-- How a session came to be; policies may ask for a provider.
ALTER TABLE sessions ADD COLUMN provider uuid;
ALTER TABLE sessions ADD COLUMN factors text NOT NULL DEFAULT 'link';

-- Ways to sign in. Without organization: the instance's own.
CREATE TABLE auth_providers (
    id uuid PRIMARY KEY,
    org uuid REFERENCES orgs (id),
    name text NOT NULL,
    display_name text NOT NULL,
    kind text NOT NULL,
    enabled boolean NOT NULL,
    settings text NOT NULL,
    -- JSON object of the settings that are secret, sealed.
    secrets bytea,
    default_roles text NOT NULL,
    create_users boolean NOT NULL,
    allowed_domains text NOT NULL,
    trust_email boolean NOT NULL,
    -- `api`, or `file`: then only the file changes it.
    source text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL
);
CREATE UNIQUE INDEX auth_providers_instance ON auth_providers (name) WHERE org IS NULL;
CREATE UNIQUE INDEX auth_providers_org ON auth_providers (org, name) WHERE org IS NOT NULL;

-- Sign-ins that were begun: used once, for some minutes. What they carry (codes, verifiers, nonces) is sealed.
CREATE TABLE sign_in_states (
    id uuid PRIMARY KEY,
    -- HMAC of the handle that whoever began it was given.
    secret_tag bytea NOT NULL UNIQUE,
    -- HMAC of the cookie of the browser that began it, where it comes back by redirection.
    browser_tag bytea,
    purpose text NOT NULL,
    provider uuid,
    -- The organization that was asked for.
    org uuid,
    -- HMAC of provider and account: a new code voids the earlier ones.
    subject_tag bytea,
    data bytea NOT NULL,
    return_to text,
    tries bigint NOT NULL,
    most_tries bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint
);
CREATE INDEX sign_in_states_subject ON sign_in_states (subject_tag) WHERE used_at IS NULL;
CREATE INDEX sign_in_states_expiry ON sign_in_states (expires_at);
