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

CREATE TABLE passwords (
    user_id uuid PRIMARY KEY REFERENCES users (id),
    -- Argon2id, as a PHC string.
    hash text NOT NULL,
    changed_at bigint NOT NULL,
    revision bigint NOT NULL
);

-- What proves a person besides their first factor: authenticator apps and passkeys.
CREATE TABLE factors (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    kind text NOT NULL,
    label text NOT NULL,
    -- totp: the shared secret, sealed.
    secret bytea,
    -- passkey: the authenticator's name for it, and its public key.
    credential bytea,
    public_key bytea,
    -- totp: the last step that was used; passkey: the signature counter.
    counter bigint NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint
);
CREATE INDEX factors_user ON factors (user_id);
CREATE UNIQUE INDEX factors_credential ON factors (credential) WHERE credential IS NOT NULL;

CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users (id),
    -- HMAC of the code.
    tag bytea NOT NULL,
    created_at bigint NOT NULL,
    used_at bigint,
    PRIMARY KEY (user_id, tag)
);

-- Sign-ins of command lines that wait for a browser: a device code (RFC 8628) or an authorization code (RFC 7636).
CREATE TABLE login_grants (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    -- HMAC of what the command line holds, and of what a person types.
    secret_tag bytea NOT NULL UNIQUE,
    user_tag bytea,
    -- Authorization code: what its verifier must hash to, and where it was sent.
    challenge text,
    redirect_uri text,
    -- Who asks, as far as can be told: shown to whoever approves.
    user_agent text,
    ip text,
    -- `pending`, `approved`, `denied`, `used`.
    status text NOT NULL,
    org uuid,
    user_id uuid,
    provider uuid,
    factors text,
    polled_at bigint,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE UNIQUE INDEX login_grants_user ON login_grants (user_tag) WHERE user_tag IS NOT NULL;
CREATE INDEX login_grants_expiry ON login_grants (expires_at);
