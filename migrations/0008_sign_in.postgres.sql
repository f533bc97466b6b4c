CALL safeconduct_isolate('auth_providers');

-- Only sign-in itself touches these; no organization's request ever needs them.
REVOKE ALL ON sign_in_states, passwords, factors, recovery_codes, login_grants
    FROM safeconduct_app;
