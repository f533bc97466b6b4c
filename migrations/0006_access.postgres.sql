CALL safeconduct_isolate('access_heads');
CALL safeconduct_isolate('group_heads');
CALL safeconduct_isolate('group_members');
CALL safeconduct_isolate('roles');
CALL safeconduct_isolate('resource_prefixes');
CALL safeconduct_isolate('api_keys');

REVOKE DELETE ON access_heads, api_keys FROM safeconduct_app;
