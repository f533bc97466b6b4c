REVOKE ALL ON workers FROM safeconduct_app;
