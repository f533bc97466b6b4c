CREATE TRIGGER run_answers_no_update BEFORE UPDATE ON run_answers
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();

CALL safeconduct_isolate('run_answers');

REVOKE UPDATE ON run_answers FROM safeconduct_app, safeconduct_system;
REVOKE DELETE ON run_answers FROM safeconduct_app;
