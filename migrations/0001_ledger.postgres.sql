-- Raises PL001 unless exactly one row was touched: lets a whole transaction fly without waiting for row counts.
CREATE FUNCTION safeconduct_expect(touched bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF touched <> 1 THEN
        RAISE EXCEPTION 'expected one row, touched %', touched USING ERRCODE = 'PL001';
    END IF;
    RETURN touched;
END $$;

-- What authority::Selector says, for lists; SQLite has a function of this name. Patterns hold A-Z a-z 0-9 . _ ~ - % * /.
CREATE FUNCTION selector_covers(pattern text, path text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT path ~ ('^' || replace(replace(replace(replace(pattern, '.', '\.'), '**', '!'), '*', '[^/]+'), '!', '.+') || '$')
$$;

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

-- A partition for one day; false when it stands already or the default partition holds facts of that day. Partitions are
-- reached through their parent only.
CREATE FUNCTION safeconduct_partition_facts(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    name text := 'facts_' || to_char(day, 'YYYYMMDD');
    bounds uuid[];
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    SELECT array_agg((lpad(to_hex((extract(epoch FROM day + extra) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
        ORDER BY extra) INTO bounds FROM generate_series(0, 1) AS extra;
    EXECUTE format('CREATE TABLE %I PARTITION OF facts FOR VALUES FROM (%L) TO (%L)', name, bounds[1], bounds[2]);
    EXECUTE format('REVOKE ALL ON %I FROM safeconduct_app, safeconduct_system', name);
    RETURN true;
EXCEPTION WHEN check_violation OR duplicate_table THEN
    RETURN false;
END $$;
REVOKE ALL ON FUNCTION safeconduct_partition_facts(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION safeconduct_partition_facts(date) TO safeconduct_system;
SELECT safeconduct_partition_facts((now() AT TIME ZONE 'UTC')::date + day) FROM generate_series(0, 3) AS day;

CREATE FUNCTION safeconduct_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME USING ERRCODE = 'PL002';
END $$;
-- Inside safeconduct_purge, and only there, the deleting user is the owner and the setting names the organization.
CREATE FUNCTION safeconduct_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('safeconduct.purge', true) = OLD.org::text AND current_user = 'safeconduct_owner' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'facts is insert-only' USING ERRCODE = 'PL002';
END $$;
CREATE TRIGGER facts_no_update BEFORE UPDATE ON facts FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();
CREATE TRIGGER facts_no_delete BEFORE DELETE ON facts FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse_delete();
CREATE TRIGGER facts_no_truncate BEFORE TRUNCATE ON facts EXECUTE FUNCTION safeconduct_refuse();
CREATE TRIGGER leaves_no_change BEFORE UPDATE OR DELETE ON leaves
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();
CREATE TRIGGER leaves_no_truncate BEFORE TRUNCATE ON leaves EXECUTE FUNCTION safeconduct_refuse();
CREATE TRIGGER checkpoints_no_change BEFORE UPDATE OR DELETE ON checkpoints
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();
CREATE TRIGGER checkpoints_no_truncate BEFORE TRUNCATE ON checkpoints EXECUTE FUNCTION safeconduct_refuse();
CREATE TRIGGER log_keys_no_change BEFORE UPDATE OR DELETE ON log_keys
    FOR EACH ROW EXECUTE FUNCTION safeconduct_refuse();

-- What lists filter by, newest first within each filter; kept by a reader of the ledger, rebuildable.
CREATE TABLE audit_index (
    org uuid NOT NULL,
    org_seq bigint NOT NULL,
    fact uuid NOT NULL,
    occurred_at bigint NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    severity text NOT NULL,
    actor_id text,
    target_id text,
    jti uuid,
    txn uuid,
    run uuid,
    PRIMARY KEY (org, org_seq)
);
CREATE INDEX audit_index_time ON audit_index (org, occurred_at, org_seq);
CREATE INDEX audit_index_kind ON audit_index (org, kind, occurred_at, org_seq);
CREATE INDEX audit_index_actor ON audit_index (org, actor_id, occurred_at, org_seq) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_index_target ON audit_index (org, target_id, occurred_at, org_seq) WHERE target_id IS NOT NULL;
CREATE INDEX audit_index_jti ON audit_index (org, jti, occurred_at, org_seq) WHERE jti IS NOT NULL;
CREATE INDEX audit_index_txn ON audit_index (org, txn, occurred_at, org_seq) WHERE txn IS NOT NULL;
CREATE INDEX audit_index_run ON audit_index (org, run, occurred_at, org_seq) WHERE run IS NOT NULL;
CREATE INDEX audit_index_outcome ON audit_index (org, outcome, occurred_at, org_seq) WHERE outcome <> 'success';
CREATE INDEX audit_index_severity ON audit_index (org, severity, occurred_at, org_seq) WHERE severity <> 'info';

-- Keyed hashes of addresses, agents and the words of names: nothing of them can be read here.
CREATE TABLE audit_terms (
    org uuid NOT NULL,
    term bytea NOT NULL,
    occurred_at bigint NOT NULL,
    org_seq bigint NOT NULL,
    PRIMARY KEY (org, term, occurred_at, org_seq)
);

-- The one way on which facts leave: the sequenced facts of one organization between two numbers of its own order.
CREATE FUNCTION safeconduct_purge(of_org uuid, first bigint, last bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE gone bigint;
BEGIN
    PERFORM set_config('safeconduct.purge', of_org::text, true);
    DELETE FROM facts USING leaves
        WHERE leaves.org = of_org AND leaves.org_seq BETWEEN first AND last
            AND facts.id = leaves.fact AND facts.org = of_org;
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('safeconduct.purge', '', true);
    DELETE FROM audit_index WHERE org = of_org AND org_seq BETWEEN first AND last;
    DELETE FROM audit_terms WHERE org = of_org AND org_seq BETWEEN first AND last;
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION safeconduct_purge(uuid, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION safeconduct_purge(uuid, bigint, bigint) TO safeconduct_system;

CALL safeconduct_isolate('facts');
CALL safeconduct_isolate('leaves');
CALL safeconduct_isolate('audit_index');
CALL safeconduct_isolate('audit_terms');
CALL safeconduct_isolate('verified_marks');
CALL safeconduct_isolate('purges');
CALL safeconduct_isolate('data_keys');
CALL safeconduct_isolate('idempotency');

REVOKE UPDATE, DELETE ON facts, leaves, checkpoints, log_keys, authority_log FROM safeconduct_app, safeconduct_system;
REVOKE DELETE ON authority_head, log_head, tiles FROM safeconduct_app, safeconduct_system;
REVOKE ALL ON facts_default FROM safeconduct_app, safeconduct_system;
REVOKE INSERT, UPDATE, DELETE ON leaves, checkpoints, tiles, log_head, audit_index, audit_terms, verified_marks,
    purges, ledger_readers FROM safeconduct_app;
REVOKE ALL ON log_keys, key_check, data_keys FROM safeconduct_app;
