CREATE TRIGGER policies_no_update BEFORE UPDATE ON policies
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();
CREATE TRIGGER policies_no_delete BEFORE DELETE ON policies
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse_delete();

-- As in 0005, with the versions of policies.
CREATE OR REPLACE FUNCTION safeconduct_forget(of_org uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    PERFORM set_config('safeconduct.purge', of_org::text, true);
    DELETE FROM function_versions WHERE org = of_org;
    DELETE FROM policies WHERE org = of_org;
    PERFORM set_config('safeconduct.purge', '', true);
END $$;

CALL safeconduct_isolate('policies');
CALL safeconduct_isolate('policy_heads');
CALL safeconduct_isolate('decisions');
CALL safeconduct_isolate('permission_uses');

REVOKE UPDATE, DELETE ON policies FROM safeconduct_app, safeconduct_system;
REVOKE DELETE ON policy_heads FROM safeconduct_app;
