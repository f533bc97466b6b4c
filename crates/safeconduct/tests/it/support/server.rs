//! The server under test. `finish` asserts what must hold after every test: the ledger is drained and verifies, and no
//! line of error level was logged.

use std::sync::Arc;

use config::{Config, Environment, Sources};
use people::{Person, SessionKind};
use safeconduct::{House, Jails, Server};
use serde_json::json;
use telemetry::ErrorWatch;
use testing::{Engine, TestDatabase};
use tracing::Instrument;
use types::{OrgId, SteeredClock, SystemEntropy, World};
use web::Contact;

use super::{Caller, PROGRAM};

pub(crate) struct TestServer {
    pub(crate) server: Option<Server>,
    pub(crate) database: TestDatabase,
    pub(crate) clock: Arc<SteeredClock>,
    watch: ErrorWatch,
}

impl TestServer {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        Self::start_with(database, &[]).await
    }

    pub(crate) async fn sqlite() -> Self {
        Self::start(TestDatabase::sqlite()).await
    }

    /// With settings beyond the defaults of tests.
    pub(crate) async fn start_with(database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        telemetry::start_for_tests();
        let clock = Arc::new(SteeredClock::default());
        let world = World::new(clock.clone(), Arc::new(SystemEntropy));
        let watch = ErrorWatch::new();
        let config = config(&database, settings);
        let jails = Jails::prepare(&config, Some(PROGRAM.into())).expect("functions run on this machine");
        let server = Server::start(config, world, jails).instrument(watch.span()).await;
        let server = server.expect("the server starts");
        Self { server: Some(server), database, clock, watch }
    }

    pub(crate) fn house(&self) -> &House {
        &self.server.as_ref().expect("the server runs").house
    }

    pub(crate) fn url(&self) -> String {
        self.house().public_url.clone()
    }

    pub(crate) fn anonymous(&self) -> Caller {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let http = http.expect("a client");
        Caller { http, url: self.url(), cookie: None, bearer: None, headers: Vec::new() }
    }

    /// The token behind `#` of a fresh owner link.
    pub(crate) async fn link_token(&self) -> String {
        let link = self.house().people.make_link().await.expect("a link");
        link.url.reveal().split_once('#').expect("a fragment").1.to_owned()
    }

    /// An owner of the home organization, signed in by link as a browser is.
    pub(crate) async fn owner(&self) -> Caller {
        let anonymous = self.anonymous().with("origin", self.url());
        let token = self.link_token().await;
        let answer = anonymous.post("/api/v1/auth/link", json!({ "token": token })).await;
        answer.ok(200);
        let cookie = answer.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        Caller { cookie: Some(cookie), ..self.anonymous() }
    }

    /// The same person as a command line is, with what its sign-in answered.
    pub(crate) async fn owner_tokens(&self) -> (serde_json::Value, Caller) {
        let token = self.link_token().await;
        let answer =
            self.anonymous().post("/api/v1/auth/link/token", json!({ "token": token })).await.ok(200);
        let bearer = answer["access_token"].as_str().map(str::to_owned);
        (answer, Caller { bearer, ..self.anonymous() })
    }

    pub(crate) async fn home(&self) -> OrgId {
        self.house().people.home().await.expect("the home organization").id
    }

    /// Another organization with an owner of its own.
    pub(crate) async fn stranger(&self) -> Caller {
        let org = self.elsewhere().await;
        self.person(org, &["owner"]).await.1
    }

    /// Another organization.
    pub(crate) async fn elsewhere(&self) -> OrgId {
        let slug = "elsewhere".parse().expect("a slug");
        let people = &self.house().people;
        let org = match people.found_org(&slug, "Elsewhere").await {
            Ok(org) => org,
            Err(_) => people.org_by_slug("elsewhere").await.expect("a read").expect("the organization"),
        };
        org.id
    }

    /// A person of an organization with these roles, signed in.
    pub(crate) async fn person(&self, org: OrgId, roles: &[&str]) -> (Person, Caller) {
        let people = &self.house().people;
        let person = people.enrol(org, "Somebody", None, roles).await.expect("a person");
        let contact = Contact::default();
        let started =
            people.sign_in(org, &person, SessionKind::Browser, "test", &contact).await.expect("a session");
        let cookie = format!("safeconduct_dev={}", started.secret.reveal());
        (person, Caller { cookie: Some(cookie), ..self.anonymous() })
    }

    /// A person as a command line is: the cookie is for the console and our own API only.
    pub(crate) async fn by_token(&self, org: OrgId, person: &Person) -> Caller {
        let people = &self.house().people;
        let contact = Contact::default();
        let started =
            people.sign_in(org, person, SessionKind::Cli, "test", &contact).await.expect("a session");
        let body = json!({ "refresh_token": started.secret.reveal() });
        let answer = self.anonymous().post("/api/v1/auth/refresh", body).await.ok(200);
        let bearer = answer["access_token"].as_str().map(str::to_owned);
        Caller { bearer, ..self.anonymous() }
    }

    /// Gives one permission more to a principal.
    pub(crate) async fn grant(&self, org: OrgId, to: impl Into<access::HolderId>, permission: &str) {
        let house = self.house();
        let gift = access::Gift::Permission(permission.parse().expect("a permission"));
        let by = ledger::Actor::system("test");
        let granted = access::grant(&house.db, &house.ledger, &house.world, org, to, &gift, by).await;
        granted.expect("the grant");
    }

    /// Stops the server and holds the promises of every test.
    pub(crate) async fn finish(mut self) {
        let server = self.server.take().expect("the server runs");
        server.house.ledger.drain().await.expect("the ledger drains");
        server.stop().await;
        assert_eq!(self.watch.errors(), Vec::<String>::new(), "lines of error level");
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if self.server.is_some() && !std::thread::panicking() {
            panic!("TestServer::finish was forgotten");
        }
    }
}

pub(crate) fn config(database: &TestDatabase, settings: &[(&str, &str)]) -> Config {
    let mut flags: Vec<(String, String)> = [
        ("server.listen", "127.0.0.1:0"),
        ("server.operations_listen", "127.0.0.1:0"),
        ("data.dir", &database.directory().display().to_string()),
        ("limits.sign_ins", "0"),
        ("limits.heavy", "0"),
        ("limits.reads", "0"),
        ("limits.writes", "0"),
        ("limits.tokens", "0"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec();
    if database.engine() == Engine::Postgres {
        for (key, role) in [("url", "app"), ("system_url", "system"), ("owner_url", "owner")] {
            let url = database.url(&format!("safeconduct_{role}")).expect("a PostgreSQL database");
            flags.push((format!("database.{key}"), url));
        }
        flags.push(("database.pool_size".into(), "6".into()));
    }
    for (key, value) in settings {
        flags.retain(|(known, _)| known != key);
        flags.push(((*key).to_owned(), (*value).to_owned()));
    }
    let sources = Sources { file: None, environment: Environment::default(), flags };
    Config::load(&sources).expect("the test's configuration")
}
