CALL safeconduct_isolate('secrets');
CALL safeconduct_isolate('secret_uses');
