-- Signing keys of each organization's issuer. One signs and one waits per algorithm: two nodes cannot make two first keys.
CREATE TABLE signing_keys (
    org uuid NOT NULL,
    id uuid NOT NULL,
    kid text NOT NULL,
    algorithm text NOT NULL,
    status text NOT NULL,
    source text NOT NULL,
    -- PKCS#8, sealed; destroyed when the key retires.
    private bytea,
    public text NOT NULL,
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, kid)
);
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (org, algorithm) WHERE status = 'active';
CREATE UNIQUE INDEX signing_keys_staged ON signing_keys (org, algorithm) WHERE status = 'staged';

-- Client assertions (RFC 7523) that were used, by the hash of client and jti; kept until they have expired.
CREATE TABLE used_assertions (
    org uuid NOT NULL,
    name bytea NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (org, name)
);
CREATE INDEX used_assertions_expiry ON used_assertions (expires_at);
