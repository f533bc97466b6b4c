CALL safeconduct_isolate('memberships');
CALL safeconduct_isolate('grants');
CALL safeconduct_isolate('sessions');
CALL safeconduct_isolate('agents');
CALL safeconduct_isolate('credentials');
CALL safeconduct_isolate('last_used');
CALL safeconduct_isolate('kills');

-- An organization sees itself and the people who are its members.
ALTER TABLE orgs ENABLE ROW LEVEL SECURITY;
ALTER TABLE orgs FORCE ROW LEVEL SECURITY;
CREATE POLICY of_organization ON orgs TO safeconduct_app
    USING (id = nullif(current_setting('safeconduct.org', true), '')::uuid)
    WITH CHECK (id = nullif(current_setting('safeconduct.org', true), '')::uuid);
CREATE POLICY of_system ON orgs TO safeconduct_owner, safeconduct_system USING (true) WITH CHECK (true);

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY of_organization ON users TO safeconduct_app
    USING (EXISTS (SELECT 1 FROM memberships WHERE memberships.user_id = users.id))
    WITH CHECK (true);
CREATE POLICY of_system ON users TO safeconduct_owner, safeconduct_system USING (true) WITH CHECK (true);

REVOKE ALL ON owner_links, node_reports FROM safeconduct_app;
