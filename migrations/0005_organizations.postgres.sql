UPDATE memberships SET id = gen_random_uuid() WHERE id IS NULL;
ALTER TABLE memberships ALTER COLUMN id SET NOT NULL;
CREATE UNIQUE INDEX memberships_id ON memberships (id);
ALTER TABLE agents ALTER COLUMN owner SET NOT NULL;

CALL safeconduct_isolate('identities');
CALL safeconduct_isolate('invitations');
CALL safeconduct_isolate('groups');
CALL safeconduct_isolate('domains');
REVOKE ALL ON slugs FROM safeconduct_app;
REVOKE UPDATE, DELETE ON slugs FROM safeconduct_system;
REVOKE DELETE ON orgs, users FROM safeconduct_app;

-- Inside safeconduct_forget and safeconduct_purge, and only there, the deleting user is the owner and the setting names
-- the organization.
CREATE OR REPLACE FUNCTION safeconduct_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('safeconduct.purge', true) = OLD.org::text AND current_user = 'safeconduct_owner' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME USING ERRCODE = 'PL002';
END $$;
DROP TRIGGER function_versions_no_change ON function_versions;
CREATE TRIGGER function_versions_no_update BEFORE UPDATE ON function_versions
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();
CREATE TRIGGER function_versions_no_delete BEFORE DELETE ON function_versions
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse_delete();

-- Removes what an erased organization leaves in tables from which nothing is ever deleted otherwise.
CREATE FUNCTION safeconduct_forget(of_org uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    PERFORM set_config('safeconduct.purge', of_org::text, true);
    DELETE FROM function_versions WHERE org = of_org;
    PERFORM set_config('safeconduct.purge', '', true);
END $$;
REVOKE ALL ON FUNCTION safeconduct_forget(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION safeconduct_forget(uuid) TO safeconduct_system;
