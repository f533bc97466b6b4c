//! A node with a ledger on a test database, and facts to put into it.

use std::sync::Arc;
use std::time::Duration;

use db::{Db, OrgScope};
use ledger::{Actor, Fact, Ledger, LedgerSettings, Origin};
use secrets::{KeySource, Keyring};
use serde_json::json;
use telemetry::Tasks;
use testing::TestDatabase;
use types::{FactId, OrgId, SteeredClock, SystemEntropy, World};

use crate::ledger;

ledger::fact_kinds! {
    pub(crate) AGENT_CREATED = "agent.created", Notice, "An agent was registered.", {
        name: Text, roles: TextList, limit: Optional(&Integer),
    };
    pub(crate) SIGN_IN_REFUSED = "auth.refused", Warning, "Somebody could not sign in.", { reason: Text };
}

pub(crate) struct Node {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<SteeredClock>,
    world: World,
    keyring: Keyring,
    tasks: Tasks,
}

impl Node {
    pub(crate) async fn start(database: &TestDatabase) -> Self {
        let settings = LedgerSettings {
            origin: Some("log.example".into()),
            export: Some(database.directory().join("checkpoint")),
            ..LedgerSettings::default()
        };
        Self::start_with(database, settings).await
    }

    pub(crate) async fn start_with(database: &TestDatabase, settings: LedgerSettings) -> Self {
        Self::silent(database, settings).await.wake()
    }

    /// Without background work.
    pub(crate) async fn silent(database: &TestDatabase, settings: LedgerSettings) -> Self {
        let clock = Arc::new(SteeredClock::default());
        let world = World::new(clock.clone(), Arc::new(SystemEntropy));
        let db = database.open().await;
        let source = KeySource::File(database.directory().join("key"));
        let keyring = Keyring::open(db.clone(), world.clone(), &source).await.unwrap();
        let ledger = Ledger::new(db.clone(), keyring.clone(), world.clone(), settings);
        Self { db, ledger, clock, world, keyring, tasks: Tasks::new() }
    }

    /// Starts the background work.
    pub(crate) fn wake(self) -> Self {
        let ledger = self.ledger.clone();
        self.tasks.spawn("ledger", |stop| ledger.background(stop));
        self
    }

    /// Another node's view of the same database.
    pub(crate) fn rival(&self) -> Ledger {
        Ledger::new(self.db.clone(), self.keyring.clone(), self.world.clone(), LedgerSettings::default())
    }

    /// Adds facts about one agent each, at once; drained when it returns. The ids are in the order of the log.
    pub(crate) async fn record(&self, org: OrgId, count: usize) -> Vec<FactId> {
        let before = self.ledger.newest(&scope(org)).await.unwrap();
        let facts: Vec<Fact> = (0..count).map(|number| created(org, &format!("agent-{number}"))).collect();
        let appends = facts.into_iter().map(|fact| self.ledger.append(fact));
        futures::future::try_join_all(appends).await.unwrap();
        self.ledger.drain().await.unwrap();
        let mut follow = self.ledger.follow(&scope(org), before);
        let mut facts = Vec::with_capacity(count);
        while facts.len() < count {
            facts.extend(follow.next().await.unwrap().into_iter().map(|event| event.id));
        }
        facts
    }

    pub(crate) async fn stop(self) {
        self.tasks.shut_down(Duration::from_secs(20)).await.unwrap();
        self.db.close().await;
    }
}

pub(crate) fn scope(org: OrgId) -> OrgScope {
    OrgScope::proven(org)
}

pub(crate) fn new_org() -> OrgId {
    World::system().id()
}

/// With every field that a fact can have.
pub(crate) fn created(org: OrgId, name: &str) -> Fact {
    let world = World::system();
    let origin = Origin {
        request: Some(world.id()),
        ip: Some("192.0.2.7".parse().unwrap()),
        user_agent: Some("curl/8 \"quoted\" ünï".into()),
        jti: Some(world.id()),
        txn: Some(world.id()),
        credential: Some(world.id()),
        api_key: Some(world.id()),
        run: Some(world.id()),
        act: vec![Actor::agent(world.id(), "outer"), Actor::agent(world.id(), "inner")],
        on_behalf_of: Some(Actor::user(world.id(), "Grace Hopper")),
    };
    Fact::new(&AGENT_CREATED, org, Actor::user(world.id(), "Ada Lovelace"))
        .origin(&origin)
        .target("agent", format!("agt_{name}"), name)
        .data(json!({"name": name, "roles": ["reader", "writer"]}))
        .cause(world.id())
}
