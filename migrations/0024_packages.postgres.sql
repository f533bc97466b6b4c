CALL safeconduct_isolate('packages');
