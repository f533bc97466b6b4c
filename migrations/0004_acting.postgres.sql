CREATE TRIGGER function_versions_no_change BEFORE UPDATE OR DELETE ON function_versions
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();

CALL safeconduct_isolate('blobs');
CALL safeconduct_isolate('blob_references');
CALL safeconduct_isolate('runs');
CALL safeconduct_isolate('run_log_segments');
CALL safeconduct_isolate('functions');
CALL safeconduct_isolate('function_versions');

REVOKE UPDATE, DELETE ON function_versions FROM safeconduct_app, safeconduct_system;
REVOKE DELETE ON runs, functions FROM safeconduct_app;
