//! A tenant table of the tests' own, `things`, with boxes that hold things, and facts to ship changes with.

use std::sync::LazyLock;

use db::{Db, FactRow, OrgScope, Statement, sql};
use problem::Code;
use testing::{Engine, Tamper, TestDatabase};
use types::{FactId, Id, OrgId, Timestamp, Uuid, World};

use crate::db;

pub(crate) static EXISTS: Code = Code { name: "thing_exists", status: 409, title: "It exists" };
pub(crate) static MISSING: Code = Code { name: "no_such_thing", status: 404, title: "It does not exist" };

const TABLES: &str = "
    CREATE TABLE boxes (id uuid PRIMARY KEY, org uuid NOT NULL, revision bigint NOT NULL);
    CREATE TABLE things (
        id uuid PRIMARY KEY, org uuid NOT NULL, box uuid NOT NULL, name text NOT NULL UNIQUE, revision bigint NOT NULL
    );";

pub(crate) struct Shelf {
    pub(crate) db: Db,
    pub(crate) hand: Tamper,
    pub(crate) org: OrgId,
}

impl Shelf {
    pub(crate) async fn new(database: &TestDatabase) -> Self {
        let db = database.open().await;
        let hand = database.tamper().await;
        hand.must(TABLES).await;
        if hand.engine() == Engine::Postgres {
            for table in ["boxes", "things"] {
                hand.must(&format!(
                    "ALTER TABLE {table} OWNER TO safeconduct_owner; CALL safeconduct_isolate('{table}');
                     GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO safeconduct_app, safeconduct_system"
                ))
                .await;
            }
        }
        Self { db, hand, org: World::system().id() }
    }

    pub(crate) fn scope(&self) -> OrgScope {
        OrgScope::proven(self.org)
    }

    pub(crate) fn fact(&self) -> FactRow {
        fact(self.org)
    }

    pub(crate) fn insert(&self, name: &str) -> Statement {
        self.insert_into(Uuid::nil(), name)
    }

    pub(crate) fn insert_into(&self, container: Uuid, name: &str) -> Statement {
        let text = "INSERT INTO things (id, org, box, name, revision) VALUES ($1, $2, $3, $4, 1)";
        let params = vec![new_id().into(), self.org.uuid().into(), container.into(), name.into()];
        sql(text, params).unique_or(&EXISTS)
    }

    /// A box with revision 1.
    pub(crate) async fn new_box(&self) -> FactId {
        let id: FactId = World::system().id();
        let (org, literal) = (self.hand.uuid(self.org.uuid()), self.hand.uuid(id.uuid()));
        self.hand.must(&format!("INSERT INTO boxes VALUES ({literal}, {org}, 1)")).await;
        id
    }

    pub(crate) async fn names(&self) -> Vec<String> {
        let rows = self.hand.rows("SELECT name FROM things ORDER BY name").await;
        rows.into_iter().flatten().flatten().collect()
    }

    pub(crate) async fn facts(&self) -> i64 {
        self.hand.number("SELECT count(*) FROM facts").await
    }
}

pub(crate) fn fact(org: OrgId) -> FactRow {
    FactRow {
        id: FactId::from_uuid(new_id()),
        org,
        occurred_at: Timestamp::from_millis(1_762_000_000_000),
        kind: "thing.changed",
        outcome: "success",
        severity: "info",
        actor_kind: "system",
        actor_id: None,
        target_type: None,
        target_id: None,
        jti: None,
        txn: None,
        credential: None,
        run: None,
        request: None,
        cause: None,
        private_hash: [1; 32],
        private: vec![2, 3],
    }
}

pub(crate) fn new_id() -> Uuid {
    static WORLD: LazyLock<World> = LazyLock::new(World::system);
    WORLD.id::<FactId>().uuid()
}
