CALL safeconduct_isolate('run_starts');
