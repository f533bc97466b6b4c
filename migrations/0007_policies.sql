-- Every version of an organization's policy; never updated: triggers see to it. `bundle` is sealed.
CREATE TABLE policies (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    number bigint NOT NULL,
    description text NOT NULL,
    bundle bytea NOT NULL,
    sha256 bytea NOT NULL,
    modules bigint NOT NULL,
    rules bigint NOT NULL,
    author text NOT NULL,
    created_at bigint NOT NULL,
    UNIQUE (org, id),
    UNIQUE (org, number)
);
CREATE INDEX policies_newest ON policies (org, id);

-- Which version is in force, if any; a row for each organization that has a policy.
CREATE TABLE policy_heads (
    org uuid NOT NULL PRIMARY KEY,
    active uuid,
    activated_at bigint,
    activated_by text,
    last_number bigint NOT NULL,
    revision bigint NOT NULL,
    FOREIGN KEY (org, active) REFERENCES policies (org, id)
);

-- Decisions kept in full (`decisions.record = full`), to rehearse drafts with. `question` is sealed.
CREATE TABLE decisions (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    at bigint NOT NULL,
    principal text NOT NULL,
    operation text NOT NULL,
    permission text NOT NULL,
    outcome text NOT NULL,
    policy uuid,
    input_sha256 bytea NOT NULL,
    question bytea NOT NULL
);
CREATE INDEX decisions_newest ON decisions (org, id);
CREATE INDEX decisions_age ON decisions (at);

-- Which permissions agents used: what advice goes by. `selector` is empty where no path was named.
CREATE TABLE permission_uses (
    org uuid NOT NULL,
    principal uuid NOT NULL,
    permission text NOT NULL,
    selector text NOT NULL,
    reach text NOT NULL,
    count bigint NOT NULL,
    first_at bigint NOT NULL,
    last_at bigint NOT NULL,
    PRIMARY KEY (org, principal, permission, selector, reach)
);
