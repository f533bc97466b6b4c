CREATE TRIGGER policies_no_change BEFORE UPDATE OR DELETE ON policies
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();

CALL safeconduct_isolate('policies');
CALL safeconduct_isolate('policy_heads');
CALL safeconduct_isolate('decisions');
CALL safeconduct_isolate('permission_uses');

REVOKE UPDATE, DELETE ON policies FROM safeconduct_app, safeconduct_system;
REVOKE DELETE ON policy_heads FROM safeconduct_app;
