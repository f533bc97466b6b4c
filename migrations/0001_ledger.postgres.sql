-- Raises PL001 unless exactly one row was touched: lets a whole transaction fly without waiting for row counts.
CREATE FUNCTION safeconduct_expect(touched bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF touched <> 1 THEN
        RAISE EXCEPTION 'expected one row, touched %', touched USING ERRCODE = 'PL001';
    END IF;
    RETURN touched;
END $$;

-- Puts a tenant table behind row-level security: the application role sees one organization, set per transaction.
CREATE PROCEDURE safeconduct_isolate(tenant regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tenant);
    EXECUTE format('CREATE POLICY of_organization ON %s TO safeconduct_app
        USING (org = nullif(current_setting(''safeconduct.org'', true), '''')::uuid)
        WITH CHECK (org = nullif(current_setting(''safeconduct.org'', true), '''')::uuid)', tenant);
    EXECUTE format('CREATE POLICY of_system ON %s TO safeconduct_owner, safeconduct_system
        USING (true) WITH CHECK (true)', tenant);
END $$;

-- `id` is a UUIDv7 and carries the day; `tx` lets the sequencer know what can no longer appear before it.
CREATE TABLE facts (
    id uuid NOT NULL,
    org uuid NOT NULL,
    occurred_at bigint NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    severity text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text,
    target_type text,
    target_id text,
    jti uuid,
    txn uuid,
    credential uuid,
    run uuid,
    request uuid,
    cause uuid,
    private_hash bytea NOT NULL,
    private bytea NOT NULL,
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE TABLE facts_default PARTITION OF facts DEFAULT;
CREATE INDEX facts_time ON facts (org, occurred_at);
CREATE INDEX facts_tx ON facts (tx, id);

CREATE FUNCTION safeconduct_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME USING ERRCODE = 'PL002';
END $$;
-- Inside safeconduct_purge, and only there, the deleting user is the purger.
CREATE FUNCTION safeconduct_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('safeconduct.purge', true) = OLD.org::text AND current_user = 'safeconduct_owner' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME USING ERRCODE = 'PL002';
END $$;
CREATE TRIGGER facts_no_update BEFORE UPDATE ON facts FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();
CREATE TRIGGER facts_no_delete BEFORE DELETE ON facts FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse_delete();
CREATE TRIGGER leaves_no_change BEFORE UPDATE OR DELETE ON leaves
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();
CREATE TRIGGER checkpoints_no_change BEFORE UPDATE OR DELETE ON checkpoints
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();

CREATE FUNCTION safeconduct_purge(of_org uuid, older_than bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE gone bigint;
BEGIN
    PERFORM set_config('safeconduct.purge', of_org::text, true);
    DELETE FROM facts WHERE org = of_org AND occurred_at < older_than;
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('safeconduct.purge', '', true);
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION safeconduct_purge(uuid, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION safeconduct_purge(uuid, bigint) TO safeconduct_system;

CALL safeconduct_isolate('facts');
CALL safeconduct_isolate('leaves');
CALL safeconduct_isolate('audit_index');
CALL safeconduct_isolate('audit_terms');
CALL safeconduct_isolate('data_keys');
CALL safeconduct_isolate('idempotency');

REVOKE UPDATE, DELETE ON facts, facts_default, leaves, checkpoints, authority_log
    FROM safeconduct_app, safeconduct_system;
REVOKE DELETE ON authority_head, log_head FROM safeconduct_app, safeconduct_system;
REVOKE ALL ON facts_default FROM safeconduct_app;
REVOKE INSERT ON leaves, checkpoints, tiles FROM safeconduct_app;
REVOKE UPDATE ON tiles, log_head FROM safeconduct_app;
