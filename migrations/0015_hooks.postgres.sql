CALL safeconduct_isolate('hooks');
CALL safeconduct_isolate('hook_routes');
CALL safeconduct_isolate('hook_boards');
CALL safeconduct_isolate('hook_deliveries');
CALL safeconduct_isolate('hook_marks');
