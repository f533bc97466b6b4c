CALL safeconduct_isolate('signing_keys');
CALL safeconduct_isolate('used_assertions');

-- Only the house itself touches keys; no organization's request ever needs the table.
REVOKE ALL ON signing_keys FROM safeconduct_app;
