//! Brings people into a data directory whose server does not run, for tests of the console in a browser: each with roles
//! and a session, as an invitation that was taken would leave them. No server has such a door; this program is built with
//! the tests and shipped nowhere.
//!
//! `enrol DATA_DIR NAME[<ADDRESS>]=ROLE,ROLE[@SLUG] …` prints a line of JSON for each: name, id, cookie. Another slug than `home`
//! founds that organization.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use anyhow::Context;
use config::{Config, Environment, Sources};
use people::{People, SessionKind};
use safeconduct::House;
use serde_json::json;
use types::{OrgId, World};
use web::Contact;

/// Somebody as the command line names them.
struct Newcomer {
    name: String,
    email: Option<String>,
    roles: Vec<String>,
    /// Slug of an organization of their own; the home organization otherwise.
    elsewhere: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let data_dir = words.next().context("name the data directory")?;
    let newcomers = words.map(|word| Newcomer::parse(&word)).collect::<anyhow::Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(enrol(data_dir, newcomers))
}

async fn enrol(data_dir: String, newcomers: Vec<Newcomer>) -> anyhow::Result<()> {
    let sources = Sources {
        file: None,
        environment: Environment::default(),
        flags: vec![("data.dir".to_owned(), data_dir)],
    };
    let config = Config::load(&sources)?;
    let address = config.server.listen;
    let house = House::open(config, World::system(), address, None).await?;
    for newcomer in &newcomers {
        let org = org_of(&house.people, newcomer).await?;
        let roles: Vec<&str> = newcomer.roles.iter().map(String::as_str).collect();
        let person = house.people.enrol(org, &newcomer.name, newcomer.email.as_deref(), &roles).await?;
        let contact = Contact::default();
        let started = house.people.sign_in(org, &person, SessionKind::Browser, "test", &contact).await?;
        let line = json!({ "name": newcomer.name, "id": person.id, "cookie": started.secret.reveal() });
        println!("{line}");
    }
    house.close().await;
    Ok(())
}

async fn org_of(people: &People, newcomer: &Newcomer) -> anyhow::Result<OrgId> {
    let Some(slug) = &newcomer.elsewhere else { return Ok(people.home().await?.id) };
    Ok(match people.org_by_slug(slug).await? {
        Some(org) => org.id,
        None => people.found_org(&slug.parse()?, slug).await?.id,
    })
}

impl Newcomer {
    fn parse(word: &str) -> anyhow::Result<Self> {
        let (name, rest) = word.split_once('=').with_context(|| format!("{word}: expected NAME=ROLES"))?;
        let (roles, elsewhere) = match rest.split_once('@') {
            Some((roles, slug)) => (roles, Some(slug.to_owned())),
            None => (rest, None),
        };
        let roles = roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect();
        let (name, email) = match name.strip_suffix('>').and_then(|name| name.split_once('<')) {
            Some((name, email)) => (name, Some(email.to_owned())),
            None => (name, None),
        };
        Ok(Self { name: name.to_owned(), email, roles, elsewhere })
    }
}
