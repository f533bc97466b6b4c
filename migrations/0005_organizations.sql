-- Organizations: settings, whose personal one it is, and the way out.
ALTER TABLE orgs ADD COLUMN billing_email text;
ALTER TABLE orgs ADD COLUMN settings text NOT NULL DEFAULT '{}';
-- The person whose personal organization this is.
ALTER TABLE orgs ADD COLUMN personal_of uuid;
-- `active` → `leaving` (grace; can be restored) → `erasing`, then the row goes.
ALTER TABLE orgs ADD COLUMN status text NOT NULL DEFAULT 'active';
ALTER TABLE orgs ADD COLUMN erase_after bigint;
CREATE UNIQUE INDEX orgs_personal ON orgs (personal_of) WHERE personal_of IS NOT NULL;
CREATE INDEX orgs_leaving ON orgs (erase_after) WHERE erase_after IS NOT NULL;

-- Every slug that was ever given out: a row outlives its organization, so that an address never changes hands.
CREATE TABLE slugs (
    slug text PRIMARY KEY,
    org uuid NOT NULL
);
INSERT INTO slugs (slug, org) SELECT slug, id FROM orgs;

-- People. `username` is case-folded; an address that is not verified proves nothing.
ALTER TABLE users ADD COLUMN username text;
ALTER TABLE users ADD COLUMN email_verified boolean NOT NULL DEFAULT false;
ALTER TABLE users ADD COLUMN locale text;
-- The organization that suspended the person inside its own domain; null if an operator did.
ALTER TABLE users ADD COLUMN suspended_by uuid;
CREATE UNIQUE INDEX users_username ON users (username) WHERE username IS NOT NULL;

-- Who a person is at an identity provider, as one organization (nil: the instance) was told: what one asserts never
-- finds another's people.
CREATE TABLE identities (
    org uuid NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    created_at bigint NOT NULL,
    PRIMARY KEY (org, issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);

-- A row of its own identity, so that a change can guard it.
ALTER TABLE memberships ADD COLUMN id uuid;
ALTER TABLE memberships ADD COLUMN invited_by text;
ALTER TABLE memberships ADD COLUMN provider text;
ALTER TABLE memberships ADD COLUMN revision bigint NOT NULL DEFAULT 1;
CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE invitations (
    org uuid NOT NULL REFERENCES orgs (id),
    id uuid NOT NULL UNIQUE,
    email text NOT NULL,
    roles text NOT NULL,
    -- HMAC of the link's token; a resent link replaces it.
    secret_tag bytea NOT NULL UNIQUE,
    -- `open`, `accepted` or `revoked`; that it ran out, the clock says.
    status text NOT NULL,
    invited_by text NOT NULL,
    created_at bigint NOT NULL,
    sent_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    accepted_by uuid,
    ended_at bigint,
    revision bigint NOT NULL,
    PRIMARY KEY (org, id)
);
CREATE UNIQUE INDEX invitations_open ON invitations (org, email) WHERE status = 'open';

-- What a group is called and what a directory says of it; who is in it and what it holds stands with the rights.
CREATE TABLE groups (
    org uuid NOT NULL REFERENCES orgs (id),
    id uuid NOT NULL UNIQUE,
    name text NOT NULL,
    description text NOT NULL,
    external_group_id text,
    -- Members whose verified address lies in this proved domain belong to it when they join.
    email_domain text,
    created_by text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, name)
);
CREATE UNIQUE INDEX groups_external ON groups (org, external_group_id) WHERE external_group_id IS NOT NULL;

CREATE TABLE domains (
    org uuid NOT NULL REFERENCES orgs (id),
    id uuid NOT NULL UNIQUE,
    name text NOT NULL,
    -- What the TXT record must say.
    challenge text NOT NULL,
    proved_at bigint,
    created_by text NOT NULL,
    created_at bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, name)
);
-- Claimed by many, proved by one.
CREATE UNIQUE INDEX domains_proved ON domains (name) WHERE proved_at IS NOT NULL;

-- An agent's owner is a person or a group.
ALTER TABLE agents ADD COLUMN owner_kind text NOT NULL DEFAULT 'user';
ALTER TABLE agents ADD COLUMN group_id uuid;
ALTER TABLE agents ADD COLUMN owned_by uuid;
UPDATE agents SET owned_by = owner;
DROP INDEX agents_owner;
ALTER TABLE agents DROP COLUMN owner;
ALTER TABLE agents RENAME COLUMN owned_by TO owner;
CREATE INDEX agents_owner ON agents (org, owner);
CREATE INDEX agents_group ON agents (org, group_id) WHERE group_id IS NOT NULL;
