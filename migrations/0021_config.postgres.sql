CALL safeconduct_isolate('config_objects');
