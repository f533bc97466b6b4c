-- What an organization's directory says of its members and agents, and members who may not act here for now.
ALTER TABLE memberships ADD COLUMN user_name text;
ALTER TABLE memberships ADD COLUMN external_id text;
ALTER TABLE memberships ADD COLUMN given_name text;
ALTER TABLE memberships ADD COLUMN family_name text;
-- Since when the member holds nothing in this organization; what the person is elsewhere stays.
ALTER TABLE memberships ADD COLUMN suspended_at bigint;
CREATE UNIQUE INDEX memberships_user_name ON memberships (org, lower(user_name)) WHERE user_name IS NOT NULL;
CREATE UNIQUE INDEX memberships_external ON memberships (org, external_id) WHERE external_id IS NOT NULL;

ALTER TABLE agents ADD COLUMN external_id text;
CREATE UNIQUE INDEX agents_external ON agents (org, external_id) WHERE external_id IS NOT NULL;
