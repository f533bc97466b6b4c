//! What somebody with every right on the database can do, and that verification finds it. Triggers are dropped first, as
//! such a person would.

use testing::{Engine, Tamper, TestDatabase, on_both_databases};
use types::{FactId, Id, OrgId, Uuid};

use crate::ledger::{Actor, Erasure, VerifyFrom};
use crate::node::{Node, created, new_org, scope};

struct Crime {
    node: Node,
    hand: Tamper,
    org: OrgId,
    facts: Vec<FactId>,
}

impl Crime {
    /// Ten records of one organization among those of another, verified, and nothing in the way any more.
    async fn prepare(database: &TestDatabase) -> Self {
        let node = Node::start(database).await;
        let (org, other) = (new_org(), new_org());
        let mut facts = Vec::new();
        for _ in 0..5 {
            facts.extend(node.record(org, 2).await);
            node.record(other, 1).await;
        }
        let hand = database.tamper().await;
        for table in ["facts", "leaves", "checkpoints"] {
            hand.drop_triggers(table).await;
        }
        let crime = Self { node, hand, org, facts };
        crime.assert_whole().await;
        crime
    }

    async fn assert_whole(&self) {
        let found = self.node.ledger.verify(&scope(self.org), VerifyFrom::Start, None).await.unwrap();
        assert!(found.verified, "{found:?}");
        assert_eq!((found.checked_count, found.from, found.to), (10, 1, 10));
        let found = self.node.ledger.verify_log(VerifyFrom::Start).await.unwrap();
        assert!(found.verified, "{found:?}");
    }

    /// Both checks find it, and name the record if there is one to name.
    async fn assert_found(&self, deed: &str, event: Option<FactId>) {
        let of_org = self.node.ledger.verify(&scope(self.org), VerifyFrom::Start, None).await.unwrap();
        assert!(!of_org.verified, "{deed}: the organization's check found nothing");
        let of_log = self.node.ledger.verify_log(VerifyFrom::Start).await.unwrap();
        assert!(!of_log.verified, "{deed}: the instance's check found nothing");
        if event.is_some() {
            assert_eq!(of_org.broken_at_event_id, event, "{deed}: {of_org:?}");
            assert_eq!(of_log.broken_at_event_id, event, "{deed}: {of_log:?}");
        }
    }

    fn fact(&self, index: usize) -> String {
        self.hand.uuid(self.facts[index].uuid())
    }

    fn org(&self) -> String {
        self.hand.uuid(self.org.uuid())
    }

    /// Tries each column of the row where `key = value`: changed, found, put back. `other` names the row while its key is
    /// the one that is changed.
    async fn edit_every_column(
        &self,
        table: &str,
        [key, other]: [&str; 2],
        value: &str,
        except: &[&str],
        event: Option<FactId>,
    ) {
        let mut columns = self.hand.columns(table).await;
        columns.retain(|(name, _)| !except.contains(&name.as_str()));
        assert!(columns.len() >= 2, "{table}: {columns:?}");
        for (name, kind) in columns.clone() {
            let cell = async |column: &str| {
                let cell =
                    self.hand.cell(&format!("SELECT {column} FROM {table} WHERE {key} = {value}")).await;
                cell.unwrap_or_else(|| panic!("{table}.{column} is NULL; the test needs a value to change"))
            };
            let old = cell(&name).await;
            let new = literal(&self.hand, &changed(&old, &kind), &kind);
            let old = literal(&self.hand, &old, &kind);
            let row = if name == key {
                let kind =
                    columns.iter().find(|(name, _)| name == other).map(|(_, kind)| kind.clone()).unwrap();
                format!("{other} = {}", literal(&self.hand, &cell(other).await, &kind))
            } else {
                format!("{key} = {value}")
            };
            self.hand.must(&format!("UPDATE {table} SET {name} = {new} WHERE {row}")).await;
            self.assert_found(&format!("{table}.{name} = {new}"), event).await;
            self.hand.must(&format!("UPDATE {table} SET {name} = {old} WHERE {row}")).await;
        }
        self.assert_whole().await;
    }
}

/// Another value of the same type.
fn changed(old: &str, kind: &str) -> String {
    match kind {
        "bigint" => (old.parse::<i64>().unwrap() + 1000).to_string(),
        "uuid" => {
            Uuid::try_parse(old).map(|id| Uuid::from_u128(id.as_u128() ^ 1).simple().to_string()).unwrap()
        }
        "bytea" => {
            let mut bytes = hex::decode(old).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            hex::encode(bytes)
        }
        _ => format!("{old}x"),
    }
}

fn literal(hand: &Tamper, value: &str, kind: &str) -> String {
    match kind {
        "bigint" => value.to_owned(),
        "uuid" => hand.uuid(Uuid::try_parse(value).unwrap()),
        "bytea" => hand.bytes(&hex::decode(value).unwrap()),
        _ => format!("'{}'", value.replace('\'', "''")),
    }
}

on_both_databases! {
    async fn an_edit_of_any_column_of_a_fact_is_found(database: TestDatabase) {
        let crime = Crime::prepare(&database).await;
        // Where a row stands in the order of insertion is not part of the record.
        let (except, event) = (["position", "tx"], Some(crime.facts[3]));
        crime.edit_every_column("facts", ["id", "private_hash"], &crime.fact(3), &except, event).await;
        crime.node.stop().await;
    }

    async fn an_edit_of_any_column_of_a_leaf_is_found(database: TestDatabase) {
        let crime = Crime::prepare(&database).await;
        crime.edit_every_column("leaves", ["fact", "leaf_hash"], &crime.fact(3), &[], None).await;
        crime.node.stop().await;
    }

    async fn an_edit_of_the_newest_checkpoint_is_found(database: TestDatabase) {
        let crime = Crime::prepare(&database).await;
        let size = crime.hand.number("SELECT max(size) FROM checkpoints").await;
        crime.edit_every_column("checkpoints", ["size", "note"], &size.to_string(), &["created_at"], None).await;
        crime.node.stop().await;
    }

    /// An edit of the sealed part that opens again would need the organization's key; a swap of two sealed parts does not.
    async fn a_swapped_private_part_is_found(database: TestDatabase) {
        let crime = Crime::prepare(&database).await;
        let (from, to) = (crime.fact(1), crime.fact(4));
        crime
            .hand
            .must(&format!(
                "UPDATE facts SET private = (SELECT private FROM facts WHERE id = {from}), \
                 private_hash = (SELECT private_hash FROM facts WHERE id = {from}) WHERE id = {to}"
            ))
            .await;
        crime.assert_found("swapped private parts", Some(crime.facts[4])).await;
        crime.node.stop().await;
    }

    async fn deletion_in_the_middle_is_found(database: TestDatabase) {
        let crime = Crime::prepare(&database).await;
        crime.hand.must(&format!("DELETE FROM facts WHERE id = {}", crime.fact(4))).await;
        crime.assert_found("a deleted fact", Some(crime.facts[4])).await;
        crime.hand.must(&format!("DELETE FROM leaves WHERE fact = {}", crime.fact(4))).await;
        crime.assert_found("a deleted leaf", None).await;
        let of_org = crime.node.ledger.verify(&scope(crime.org), VerifyFrom::Start, None).await.unwrap();
        assert_eq!(of_org.broken_at_event_id, Some(crime.facts[5]), "the next one tells of the gap");
        // The gap is closed by renumbering what follows.
        let org = crime.org();
        crime.hand.must(&shift("leaves", "org_seq", &format!("org = {org} AND org_seq > 5"))).await;
        crime.assert_found("renumbered records", None).await;
        crime.hand.must(&shift("leaves", "seq", "seq > 6")).await;
        crime.hand.must("UPDATE log_head SET size = size - 1").await;
        crime.assert_found("a renumbered log", None).await;
        crime.node.stop().await;
    }

    /// The whole end goes: facts, leaves, tiles, checkpoints, and the head says so. Only what lies outside knows better.
    async fn a_cut_tail_is_found_by_the_exported_checkpoint(database: TestDatabase) {
        let crime = Crime::prepare(&database).await;
        let exported = std::fs::read_to_string(database.directory().join("checkpoint")).unwrap();
        let Crime { node, hand, org, facts } = crime;
        node.stop().await;
        hand.must("DELETE FROM facts WHERE id IN (SELECT fact FROM leaves WHERE seq >= 8)").await;
        hand.must("DELETE FROM leaves WHERE seq >= 8; DELETE FROM checkpoints WHERE size > 8; DELETE FROM tiles").await;
        let position = match hand.engine() {
            Engine::Sqlite => "(SELECT max(position) FROM facts)",
            Engine::Postgres => "(SELECT tx::text || ':' || id FROM facts ORDER BY tx DESC, id DESC LIMIT 1)",
        };
        hand.must(&format!("UPDATE log_head SET size = 8, position = {position}")).await;

        let crime = Crime { node: Node::start(&database).await, hand, org, facts };
        crime.node.record(org, 5).await;
        crime.assert_found("a cut tail", None).await;
        assert!(!crime.node.ledger.is_whole());
        assert_eq!(crime.hand.number("SELECT max(size) FROM checkpoints").await, 8, "nothing more is signed");
        assert_eq!(std::fs::read_to_string(database.directory().join("checkpoint")).unwrap(), exported);
        crime.node.stop().await;
    }

    /// The log is made anew from altered facts, consistent in itself, by the server's own sequencer.
    async fn a_rewritten_tree_is_found_by_the_exported_checkpoint(database: TestDatabase) {
        let Crime { node, hand, org, facts } = Crime::prepare(&database).await;
        let exported = std::fs::read_to_string(database.directory().join("checkpoint")).unwrap();
        node.stop().await;
        hand.must(&format!("DELETE FROM facts WHERE id = {}", hand.uuid(facts[2].uuid()))).await;
        hand.must("DELETE FROM leaves; DELETE FROM tiles; DELETE FROM checkpoints").await;
        hand.must("UPDATE log_head SET size = 0, position = ''").await;

        let crime = Crime { node: Node::start(&database).await, hand, org, facts };
        crime.node.record(crime.org, 6).await;
        assert_eq!(crime.hand.number("SELECT count(*) FROM leaves").await, 20, "the log was made anew");
        crime.assert_found("a rewritten tree", None).await;
        assert!(!crime.node.ledger.is_whole());
        assert_eq!(crime.hand.number("SELECT count(*) FROM checkpoints").await, 0, "nothing of it is signed");
        assert_eq!(std::fs::read_to_string(database.directory().join("checkpoint")).unwrap(), exported);
        crime.node.stop().await;
    }

    async fn re_order_is_found(database: TestDatabase) {
        let crime = Crime::prepare(&database).await;
        let (one, two) = (crime.fact(3), crime.fact(4));
        let free = crime.hand.uuid(Uuid::from_u128(1));
        // Two records change places; then their hashes go along.
        crime.hand.must(&format!("UPDATE leaves SET fact = {free} WHERE fact = {one}")).await;
        crime.hand.must(&format!("UPDATE leaves SET fact = {one} WHERE fact = {two}")).await;
        crime.hand.must(&format!("UPDATE leaves SET fact = {two} WHERE fact = {free}")).await;
        crime.assert_found("swapped facts", Some(crime.facts[4])).await;
        let entry = |fact: &str| format!("SELECT leaf_hash FROM leaves WHERE fact = {fact}");
        let first = crime.hand.cell(&entry(&one)).await.unwrap();
        let second = crime.hand.cell(&entry(&two)).await.unwrap();
        for (fact, hash) in [(&one, second), (&two, first)] {
            let hash = crime.hand.bytes(&hex::decode(hash).unwrap());
            crime.hand.must(&format!("UPDATE leaves SET leaf_hash = {hash} WHERE fact = {fact}")).await;
        }
        crime.assert_found("swapped facts with their hashes", None).await;
        crime.node.stop().await;
    }

    /// A forged fact that the sequencer takes for a real one: nobody can seal it.
    async fn insertion_is_found(database: TestDatabase) {
        let crime = Crime::prepare(&database).await;
        let forged: FactId = types::World::system().id();
        copy(&crime, 2, forged, "").await;
        // Wakes the sequencer, which cannot know.
        crime.node.ledger.append(created(crime.org, "agent")).await.unwrap();
        crime.node.ledger.drain().await.unwrap();
        assert_eq!(crime.node.ledger.newest(&scope(crime.org)).await.unwrap(), 12);
        crime.assert_found("an inserted fact", Some(forged)).await;
        crime.node.stop().await;
    }

    /// A fact that was slipped in where the sequencer has passed already.
    async fn a_fact_that_was_never_recorded_is_found(database: TestDatabase) {
        let crime = Crime::prepare(&database).await;
        let forged: FactId = types::World::system().id();
        copy(&crime, 2, forged, "passed").await;
        crime.node.record(crime.org, 1).await;
        assert_eq!(crime.node.ledger.newest(&scope(crime.org)).await.unwrap(), 11);
        crime.assert_found("a fact beside the log", Some(forged)).await;
        crime.node.stop().await;
    }

    /// An edit behind the mark of the last check is found by the next full one; the mark itself cannot be forged.
    async fn a_forged_mark_is_not_believed(database: TestDatabase) {
        let crime = Crime::prepare(&database).await;
        let ledger = &crime.node.ledger;
        let found = ledger.verify(&scope(crime.org), VerifyFrom::LastVerified, None).await.unwrap();
        assert_eq!((found.verified, found.checked_count, found.from), (true, 0, 11), "all of it was checked before");
        let found = ledger.verify_log(VerifyFrom::LastVerified).await.unwrap();
        assert_eq!((found.verified, found.checked_count), (true, 0));
        crime.node.record(crime.org, 2).await;
        let last = ledger.verify(&scope(crime.org), VerifyFrom::LastVerified, None).await.unwrap();
        assert_eq!((last.verified, last.checked_count, last.from, last.to), (true, 2, 11, 12));

        crime.node.record(crime.org, 2).await;
        crime.hand.must(&format!("UPDATE facts SET kind = 'x' WHERE id = {}", crime.fact(1))).await;
        crime.hand.must("UPDATE verified_marks SET org_seq = 13").await;
        let found = ledger.verify(&scope(crime.org), VerifyFrom::LastVerified, None).await.unwrap();
        assert_eq!(found.from, 1, "a mark that nobody tagged counts for nothing");
        assert_eq!(found.broken_at_event_id, Some(crime.facts[1]));
        crime.node.stop().await;
    }

    async fn nobody_edits_past_the_triggers(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = new_org();
        let facts = node.record(org, 3).await;
        let hand = database.tamper().await;
        let mut tries = vec![
            "UPDATE facts SET kind = 'x'".to_owned(),
            "DELETE FROM facts".to_owned(),
            "UPDATE leaves SET org_seq = 9".to_owned(),
            "DELETE FROM leaves".to_owned(),
            "UPDATE checkpoints SET note = ''".to_owned(),
            "DELETE FROM checkpoints".to_owned(),
            "UPDATE log_keys SET origin = 'x'".to_owned(),
            "DELETE FROM log_keys".to_owned(),
        ];
        match hand.engine() {
            Engine::Sqlite => {
                let id = hand.uuid(facts[1].uuid());
                let columns: Vec<String> = hand.columns("facts").await.into_iter().map(|(name, _)| name).collect();
                let copied = columns.join(", ");
                let new_id = copied.replacen("id", &hand.uuid(Uuid::from_u128(5)), 1);
                tries.extend([
                    format!("INSERT OR REPLACE INTO facts SELECT * FROM facts WHERE id = {id}"),
                    // The same place under another id, and the same id at another place.
                    format!("INSERT OR REPLACE INTO facts SELECT {new_id} FROM facts WHERE id = {id}"),
                    format!(
                        "INSERT OR REPLACE INTO facts SELECT {} FROM facts WHERE id = {id}",
                        copied.replacen("position", "99", 1)
                    ),
                    "INSERT OR REPLACE INTO leaves SELECT * FROM leaves WHERE seq = 1".into(),
                    "INSERT OR REPLACE INTO leaves SELECT 99, org, org_seq, fact, leaf_hash, previous_hash FROM leaves WHERE seq = 1".into(),
                    "INSERT OR REPLACE INTO checkpoints SELECT * FROM checkpoints".into(),
                    "INSERT OR REPLACE INTO log_keys SELECT * FROM log_keys".into(),
                    format!("INSERT INTO facts SELECT * FROM facts WHERE id = {id} ON CONFLICT DO UPDATE SET kind = 'x'"),
                ]);
            }
            Engine::Postgres => {
                tries.extend(["TRUNCATE facts", "TRUNCATE leaves", "TRUNCATE checkpoints"].map(str::to_owned));
            }
        }
        for text in tries {
            let refusal = hand.run(&text).await.expect_err(&text);
            assert!(refusal.contains("insert-only"), "{text}: {refusal}");
        }
        assert_eq!(hand.number("SELECT count(*) FROM facts").await, 3);
        assert!(node.ledger.verify_log(VerifyFrom::Start).await.unwrap().verified);
        node.stop().await;
    }

    async fn the_purge_path_erases_what_it_names_and_says_so(database: TestDatabase) {
        let node = Node::start(&database).await;
        let (org, other) = (new_org(), new_org());
        let facts = node.record(org, 10).await;
        node.record(other, 3).await;
        let actor = || Actor::system("retention");
        for unfit in [(0, 3), (4, 3), (8, 10), (1, 11)] {
            let range = Erasure { first: unfit.0, last: unfit.1 };
            assert!(node.ledger.purge(&scope(org), range, actor(), "test").await.is_err(), "{unfit:?}");
        }
        let purge = node.ledger.purge(&scope(org), Erasure { first: 2, last: 5 }, actor(), "retention").await.unwrap();
        node.ledger.drain().await.unwrap();

        let hand = database.tamper().await;
        assert_eq!(hand.number("SELECT count(*) FROM facts").await, 10);
        assert_eq!(hand.number("SELECT count(*) FROM leaves").await, 14);
        let event = node.ledger.event(&scope(org), purge).await.unwrap().unwrap();
        assert_eq!((event.kind.as_str(), &event.data["first"], &event.data["last"]), ("audit.purged", &2.into(), &5.into()));
        assert!(node.ledger.event(&scope(org), facts[2]).await.unwrap().is_none());
        for org in [org, other] {
            let found = node.ledger.verify(&scope(org), VerifyFrom::Start, None).await.unwrap();
            assert!(found.verified, "{found:?}");
        }
        assert!(node.ledger.verify_log(VerifyFrom::Start).await.unwrap().verified);

        // What the path does not name stays refused, also while it is open for others.
        let id = hand.uuid(facts[7].uuid());
        assert!(hand.run(&format!("DELETE FROM facts WHERE id = {id}")).await.is_err());
        match hand.engine() {
            Engine::Sqlite => {
                let (mine, theirs) = (hand.uuid(org.uuid()), hand.uuid(other.uuid()));
                // Its place would be given out again, where the sequencer has passed.
                let newest = hand.uuid(purge.uuid());
                hand.must(&format!("INSERT INTO purge_permits VALUES ({mine}, 1, 11)")).await;
                assert!(hand.run(&format!("DELETE FROM facts WHERE id = {newest}")).await.is_err());
                hand.must("DELETE FROM purge_permits").await;
                for permit in [format!("({mine}, 1, 7)"), format!("({theirs}, 1, 10)")] {
                    hand.must(&format!("INSERT INTO purge_permits VALUES {permit}")).await;
                    assert!(hand.run(&format!("DELETE FROM facts WHERE id = {id}")).await.is_err(), "{permit}");
                    hand.must("DELETE FROM purge_permits").await;
                }
            }
            Engine::Postgres => {
                for role in ["safeconduct_app", "safeconduct_system"] {
                    let role = database.as_role(role).await.unwrap();
                    let text = format!(
                        "SELECT set_config('safeconduct.purge', '{org}', false), \
                         set_config('safeconduct.org', '{org}', false); DELETE FROM facts WHERE id = {id}",
                        org = org.uuid()
                    );
                    assert!(role.run(&text).await.unwrap_err().contains("permission denied"));
                }
                let app = database.as_role("safeconduct_app").await.unwrap();
                let text = format!("SELECT safeconduct_purge('{}', 1, 9)", org.uuid());
                assert!(app.run(&text).await.unwrap_err().contains("permission denied"));
            }
        }
        // A purge that somebody claims, but that no fact of ours tells of, explains nothing.
        hand.drop_triggers("facts").await;
        hand.must(&format!("DELETE FROM facts WHERE id = {id}")).await;
        hand.must("UPDATE purges SET last = 9").await;
        let found = node.ledger.verify(&scope(org), VerifyFrom::Start, None).await.unwrap();
        assert_eq!(found.broken_at_event_id, Some(facts[7]));
        node.stop().await;
    }
}

/// Numbers of the rows move down by one, without meeting each other on the way.
fn shift(table: &str, column: &str, condition: &str) -> String {
    format!(
        "UPDATE {table} SET {column} = -{column} WHERE {condition}; UPDATE {table} SET {column} = -{column} - 1 WHERE {column} < 0"
    )
}

/// A copy of a fact under another id, at the end of the table or where the sequencer has passed.
async fn copy(crime: &Crime, fact: usize, id: FactId, place: &str) {
    let hand = &crime.hand;
    let columns: Vec<String> = hand.columns("facts").await.into_iter().map(|(name, _)| name).collect();
    let (place_column, passed) = match hand.engine() {
        Engine::Sqlite => ("position", "-5"),
        Engine::Postgres => ("tx", "'3'"),
    };
    let kept: Vec<&str> = columns.iter().map(String::as_str).filter(|name| *name != place_column).collect();
    let id = hand.uuid(id.uuid());
    let values: Vec<&str> = kept.iter().map(|name| if *name == "id" { id.as_str() } else { name }).collect();
    let (mut into, mut values) = (kept.join(", "), values.join(", "));
    if place == "passed" {
        into = format!("{into}, {place_column}");
        values = format!("{values}, {passed}");
    }
    hand.must(&format!(
        "INSERT INTO facts ({into}) SELECT {values} FROM facts WHERE id = {}",
        crime.fact(fact)
    ))
    .await;
}

/// Row-level security is the last wall: a statement of ours without a scope, or with a foreign one, sees nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_scope_nothing_is_seen() {
    let database = TestDatabase::postgres().await;
    let node = Node::start(&database).await;
    let (one, other) = (new_org(), new_org());
    node.record(one, 3).await;
    node.record(other, 2).await;
    let app = database.as_role("safeconduct_app").await.unwrap();
    for table in ["facts", "leaves", "audit_index", "audit_terms", "verified_marks", "purges", "idempotency"]
    {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    for table in ["data_keys", "key_check", "log_keys", "facts_default"] {
        let refusal = app.run(&format!("SELECT * FROM {table}")).await.unwrap_err();
        assert!(refusal.contains("permission denied"), "{table}: {refusal}");
    }
    app.must(&format!("SELECT set_config('safeconduct.org', '{}', false)", one.uuid())).await;
    assert_eq!(app.number("SELECT count(*) FROM facts").await, 3);
    assert_eq!(app.number("SELECT count(*) FROM leaves").await, 3);
    let stolen = format!(
        "INSERT INTO facts SELECT gen_random_uuid(), '{}', occurred_at, kind, outcome, severity, actor_kind, \
        actor_id, target_type, target_id, jti, txn, credential, run, request, cause, private_hash, private FROM facts LIMIT 1",
        other.uuid()
    );
    assert!(app.run(&stolen).await.unwrap_err().contains("row-level security"));
    for text in ["UPDATE facts SET kind = 'x'", "DELETE FROM facts", "TRUNCATE facts", "DELETE FROM leaves"] {
        assert!(app.run(text).await.unwrap_err().contains("permission denied"), "{text}");
    }
    let ours = node.ledger.verify(&scope(one), VerifyFrom::Start, None).await.unwrap();
    assert_eq!((ours.verified, ours.checked_count), (true, 3));
    node.stop().await;
}
