//! Rings on real databases: first keys, turns, retirement, keys of the operator's own.

use std::collections::BTreeSet;

use db::AuthorityObserver;
use ledger::LedgerSettings;
use secrets::KeySource;
use testing::{Engine, TestDatabase};
use types::{SteeredClock, SystemEntropy};

use super::*;

struct Node {
    keys: Keys,
    feed: Feed,
    clock: Arc<SteeredClock>,
}

impl Node {
    async fn start(database: &TestDatabase) -> Self {
        Self::on(database.open().await, database).await
    }

    async fn on(db: Db, database: &TestDatabase) -> Self {
        let clock = Arc::new(SteeredClock::default());
        let world = World::new(clock.clone(), Arc::new(SystemEntropy));
        let source = KeySource::File(database.directory().join("key"));
        let keyring = Keyring::open(db.clone(), world.clone(), &source).await.unwrap();
        let ledger = Ledger::new(db.clone(), keyring.clone(), world.clone(), LedgerSettings::default());
        let feed = Feed::start(db.clone(), world.clone()).await.unwrap();
        let keys = Keys::new(db, ledger, keyring, world, &feed);
        Self { keys, feed, clock }
    }

    /// A second node: a connection of its own where the database allows it, else a second set of caches.
    async fn beside(&self, database: &TestDatabase) -> Self {
        match database.engine() {
            Engine::Postgres => Self::start(database).await,
            Engine::Sqlite => Self::on(self.keys.0.db.clone(), database).await,
        }
    }

    async fn turn(&self, org: OrgId) {
        let fact = Fact::new(&facts::KEY_ROTATED, org, system());
        let turning = self.keys.turning(org, Algorithm::ES256, fact, "test").await.unwrap().unwrap();
        self.keys.0.db.commit(turning.change).await.unwrap();
    }

    async fn statuses(&self, org: OrgId) -> Vec<&'static str> {
        self.keys.rows(org).await.unwrap().iter().map(|row| row.status.name()).collect()
    }

    async fn active_kid(&self, org: OrgId) -> String {
        self.keys
            .ring(org, Algorithm::ES256)
            .await
            .unwrap()
            .signer(Algorithm::ES256)
            .unwrap()
            .kid()
            .to_owned()
    }

    /// As if the feed's heartbeat had come round.
    async fn hear(&self) {
        self.feed.catch_up().await.unwrap();
        self.feed.reached(self.feed.applied()).await;
    }
}

fn some_org() -> OrgId {
    World::system().id()
}

testing::on_both_databases! {
    async fn many_nodes_make_one_first_key(database: TestDatabase) {
        let first = Node::start(&database).await;
        let second = first.beside(&database).await;
        let org = some_org();
        let racers = (0..40).map(|number| {
            let keys = if number % 2 == 0 { first.keys.clone() } else { second.keys.clone() };
            telemetry::spawn("racer", async move {
                let ring = keys.ring(org, Algorithm::ES256).await.unwrap();
                ring.signer(Algorithm::ES256).unwrap().kid().to_owned()
            })
        });
        let mut kids = BTreeSet::new();
        for racer in racers.collect::<Vec<_>>() {
            kids.insert(racer.await.unwrap());
        }
        assert_eq!(kids.len(), 1);
        assert_eq!(first.statuses(org).await, ["active", "staged"]);
        assert_eq!(database.tamper().await.number("SELECT count(*) FROM facts WHERE kind = 'key.created'").await, 2);
    }

    async fn a_turn_refuses_no_token_on_any_node(database: TestDatabase) {
        let here = Node::start(&database).await;
        let there = here.beside(&database).await;
        let org = some_org();
        let old = here.active_kid(org).await;
        assert_eq!(there.active_kid(org).await, old);
        here.turn(org).await;
        let new = here.active_kid(org).await;
        assert_ne!(new, old);
        // The other node has not heard yet, and still believes a token under the new key: it was staged.
        let now = here.keys.0.world.now();
        let unaware = there.keys.published(org).await.unwrap();
        assert!(unaware.believed(&new, now).is_some() && unaware.believed(&old, now).is_some());
        there.hear().await;
        assert_eq!(there.active_kid(org).await, new);
        let ring = there.keys.published(org).await.unwrap();
        assert!(ring.believed(&old, now).is_some());
        assert_eq!(ring.jwks(now).len(), 3);
        assert_eq!(here.statuses(org).await, ["retiring", "active", "staged"]);
    }

    async fn turns_that_race_lose_no_key(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = some_org();
        node.active_kid(org).await;
        let racers: Vec<_> = (0..10)
            .map(|_| {
                let keys = node.keys.clone();
                telemetry::spawn("racer", async move {
                    let fact = Fact::new(&facts::KEY_ROTATED, org, system());
                    let turning = keys.turning(org, Algorithm::ES256, fact, "race").await.unwrap().unwrap();
                    keys.0.db.commit(turning.change).await.is_ok()
                })
            })
            .collect();
        let mut turned = 0;
        for racer in racers {
            turned += usize::from(racer.await.unwrap());
        }
        let statuses = node.statuses(org).await;
        assert!(turned >= 1);
        assert_eq!(statuses.len(), 2 + turned, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == "active").count(), 1);
        assert_eq!(statuses.iter().filter(|status| **status == "staged").count(), 1);
    }

    async fn the_job_turns_after_30_days_and_destroys_what_signs_no_more(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = some_org();
        let old = node.active_kid(org).await;
        node.keys.keep().await.unwrap();
        assert_eq!(node.active_kid(org).await, old, "nothing is due yet");

        node.clock.advance(ROTATE_AFTER + Duration::from_secs(1));
        node.keys.keep().await.unwrap();
        assert_eq!(node.statuses(org).await, ["retiring", "active", "staged"]);

        node.clock.advance(RETIRE_AFTER + Duration::from_secs(1));
        node.keys.keep().await.unwrap();
        assert_eq!(node.statuses(org).await, ["retired", "active", "staged"]);
        let tamper = database.tamper().await;
        let kept = "SELECT count(*) FROM signing_keys WHERE private IS NOT NULL AND status = 'retired'";
        assert_eq!(tamper.number(kept).await, 0, "the private half is gone");
        let now = node.keys.0.world.now();
        let ring = node.keys.published(org).await.unwrap();
        assert!(ring.believed(&old, now).is_some(), "its last tokens still live");
        assert!(ring.believed(&old, now.plus(Duration::from_secs(2 * 3600))).is_none());
        for kind in ["key.rotated", "key.retired"] {
            assert_eq!(tamper.number(&format!("SELECT count(*) FROM facts WHERE kind = '{kind}'")).await, 1, "{kind}");
        }
    }

    async fn a_key_of_the_operators_own_signs_once_imported(database: TestDatabase) {
        let here = Node::start(&database).await;
        let there = here.beside(&database).await;
        let (org, own) = (some_org(), SigningKey::generate(Algorithm::ES256).unwrap());
        let generated = here.active_kid(org).await;
        let (one, two) = tokio::join!(here.keys.import(org, &own), there.keys.import(org, &own));
        one.and(two).unwrap();
        assert_eq!(here.active_kid(org).await, own.kid());
        there.hear().await;
        assert_eq!(there.active_kid(org).await, own.kid());
        let ring = here.keys.published(org).await.unwrap();
        assert!(ring.believed(&generated, here.keys.0.world.now()).is_some());

        here.clock.advance(ROTATE_AFTER + Duration::from_secs(1));
        here.keys.keep().await.unwrap();
        assert_eq!(here.active_kid(org).await, own.kid(), "the operator turns his own keys");
        here.turn(org).await;
        here.keys.import(org, &own).await.unwrap();
        assert_ne!(here.active_kid(org).await, own.kid(), "a key that was turned away does not come back");
    }

    async fn each_algorithm_has_its_own_keys(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = some_org();
        for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
            let ring = node.keys.ring(org, algorithm).await.unwrap();
            assert_eq!(ring.signer(algorithm).unwrap().algorithm(), algorithm);
        }
        assert_eq!(node.statuses(org).await, ["active", "staged", "active", "staged"]);
        let elsewhere = node.keys.published(some_org()).await.unwrap();
        assert!(elsewhere.jwks(node.keys.0.world.now()).is_empty());
    }

    async fn stored_keys_open_only_in_their_place(database: TestDatabase) {
        let node = Node::start(&database).await;
        let (org, other) = (some_org(), some_org());
        node.active_kid(org).await;
        let tamper = database.tamper().await;
        let moved = format!("UPDATE signing_keys SET org = {}", tamper.uuid(other.uuid()));
        tamper.must(&moved).await;
        assert!(matches!(node.keys.published(other).await, Err(KeysError::Stored(_))));
    }
}

#[tokio::test]
async fn no_private_key_stands_open_in_the_database() {
    let database = TestDatabase::sqlite();
    let node = Node::start(&database).await;
    let (org, own) = (some_org(), SigningKey::generate(Algorithm::ES256).unwrap());
    node.keys.import(org, &own).await.unwrap();
    let der = hex::encode(own.to_pkcs8().reveal());
    let rows = database.tamper().await.rows("SELECT private FROM signing_keys").await;
    assert_eq!(rows.len(), 3);
    for private in rows.into_iter().flatten().flatten() {
        assert!(!private.contains(&der[64..128]));
    }
}
