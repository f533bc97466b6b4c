//! Asking a directory who somebody is (LDAP v3, RFC 4511): find the entry, prove the password by a bind, read groups. Knows
//! neither kinds nor their settings; those say in a [`Question`] how their directory is asked.

mod connection;
mod question;
mod trouble;

use std::time::Duration;

use egress::{Destination, Egress};
use ldap3::{Scope, SearchEntry, SearchOptions};
use tokio::time::timeout;
use types::Secret;

pub(crate) use connection::Server;
pub(crate) use question::{Attributes, First, Groups, Look, Question, dn_with, filter_with};
pub(crate) use trouble::Trouble;

use connection::Connection;

use crate::kind::Finding;

/// The whole of a sign-in, or of a test.
const PATIENCE: Duration = Duration::from_secs(15);
/// Groups that are read of one person.
const MOST_GROUPS: i32 = 1000;
/// RFC 4511 §4.1.9.
const SIZE_LIMIT_EXCEEDED: u32 = 4;
const NO_SUCH_OBJECT: u32 = 32;

/// Somebody whose password a directory accepted.
#[derive(Debug)]
pub(crate) struct Found {
    /// Stays with the entry when it is renamed.
    pub(crate) id: String,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) groups: Vec<String>,
}

/// Directories, reached by the one way out.
#[derive(Clone)]
pub(crate) struct Directories {
    egress: Egress,
}

impl Directories {
    pub(crate) fn new(egress: Egress) -> Self {
        Self { egress }
    }

    /// Who it is, if the password is theirs. Nobody's password is empty: a bind without one is anonymous and succeeds
    /// (RFC 4513 §5.1.2).
    pub(crate) async fn prove(
        &self,
        to: Destination,
        server: &Server,
        question: &Question,
        password: &Secret<String>,
    ) -> Result<Found, Trouble> {
        if password.reveal().is_empty() {
            return Err(Trouble::WrongPassword);
        }
        let asking = async {
            let mut connection = Connection::open(&self.egress, to, server).await?;
            let found = connection.ask(question, password).await;
            connection.close().await;
            found
        };
        timeout(PATIENCE, asking).await.map_err(|_| Trouble::Silent)?
    }

    /// What can be tried without a person.
    pub(crate) async fn test(
        &self,
        to: Destination,
        server: &Server,
        service: Option<(&str, &str)>,
        base: &str,
    ) -> Vec<Finding> {
        match timeout(PATIENCE, self.try_out(to, server, service, base)).await {
            Ok(findings) => findings,
            Err(_) => vec![Finding::bad("connection", Trouble::Silent.to_string())],
        }
    }

    async fn try_out(
        &self,
        to: Destination,
        server: &Server,
        service: Option<(&str, &str)>,
        base: &str,
    ) -> Vec<Finding> {
        let mut connection = match Connection::open(&self.egress, to, server).await {
            Ok(connection) => connection,
            Err(trouble) => return vec![Finding::bad("connection", trouble.to_string())],
        };
        let mut findings =
            vec![Finding::good("connection", "The directory answers, and its certificate is accepted.")];
        let Some((name, password)) = service else {
            connection.close().await;
            findings
                .push(Finding::good("bind", "There is no service account; each person binds as themselves."));
            return findings;
        };
        match connection.bind(name, password).await {
            Ok(()) => {
                findings.push(Finding::good("bind", "The service account is let in."));
                findings.push(match connection.exists(base).await {
                    Ok(true) => Finding::good("search base", "The service account sees it."),
                    Ok(false) => {
                        let detail = format!(
                            "The service account sees no {base}; it does not exist, or it may not read it."
                        );
                        Finding::bad("search base", detail)
                    }
                    Err(trouble) => Finding::bad("search base", trouble.to_string()),
                });
            }
            Err(Trouble::WrongPassword) => {
                findings.push(Finding::bad(
                    "bind",
                    "The directory refuses the service account: wrong name or password.",
                ));
            }
            Err(trouble) => findings.push(Finding::bad("bind", trouble.to_string())),
        }
        connection.close().await;
        findings
    }
}

impl Connection {
    async fn ask(&mut self, question: &Question, password: &Secret<String>) -> Result<Found, Trouble> {
        match &question.first {
            First::Service { name, password } => {
                self.bind(name, password).await.map_err(Trouble::of_service)?
            }
            First::Person(name) => self.bind(name, password.reveal()).await?,
        }
        let Some(entry) = self.find(question).await? else {
            if matches!(question.first, First::Service { .. }) {
                // As many steps as for somebody who exists; the answer is no either way.
                let nobody = format!("cn=nobody,{}", question.base);
                let _ = self.bind(&nobody, password.reveal()).await;
            }
            return Err(Trouble::WrongPassword);
        };
        let groups = self.groups_of(question, &entry).await?;
        if matches!(question.first, First::Service { .. }) {
            self.bind(&entry.dn, password.reveal()).await?;
        }
        let attributes = &question.attributes;
        let id = identifier(&entry, &attributes.id).ok_or_else(|| Trouble::NoId(attributes.id.clone()))?;
        Ok(Found {
            id,
            email: first(&entry, &attributes.email),
            name: first(&entry, &attributes.name),
            groups,
        })
    }

    /// The one entry; two are none, because nobody could say which was meant.
    async fn find(&mut self, question: &Question) -> Result<Option<SearchEntry>, Trouble> {
        let Attributes { id, email, name } = &question.attributes;
        let mut wanted = vec![id.as_str(), email, name];
        if let Groups::Attribute(attribute) = &question.groups {
            wanted.push(attribute);
        }
        let (base, scope, filter) = match &question.look {
            Look::Filter(filter) => (question.base.as_str(), Scope::Subtree, filter.as_str()),
            Look::Entry(dn) => (dn.as_str(), Scope::Base, "(objectClass=*)"),
        };
        let mut entries = self.search(base, scope, filter, &wanted, 2).await?;
        match entries.len() {
            1 => Ok(entries.pop()),
            0 => Ok(None),
            _ => Err(Trouble::Ambiguous),
        }
    }

    async fn groups_of(&mut self, question: &Question, entry: &SearchEntry) -> Result<Vec<String>, Trouble> {
        match &question.groups {
            Groups::None => Ok(Vec::new()),
            Groups::Attribute(name) => Ok(values(entry, name).to_vec()),
            Groups::Search { base, filter, name } => {
                let filter = filter_with(filter, "{dn}", &entry.dn);
                let found = self.search(base, Scope::Subtree, &filter, &[name], MOST_GROUPS).await?;
                // By its own name, and by its place in the directory, whichever a map uses.
                let names =
                    found.iter().flat_map(|group| first(group, name).into_iter().chain([group.dn.clone()]));
                Ok(names.collect())
            }
        }
    }

    async fn exists(&mut self, base: &str) -> Result<bool, Trouble> {
        Ok(!self.search(base, Scope::Base, "(objectClass=*)", &["1.1"], 1).await?.is_empty())
    }

    async fn search(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
        most: i32,
    ) -> Result<Vec<SearchEntry>, Trouble> {
        let limits = SearchOptions::new().sizelimit(most).timelimit(10);
        let asked = self.ldap().with_search_options(limits).search(base, scope, filter, attributes.to_vec());
        let ldap3::SearchResult(entries, outcome) = asked.await?;
        match outcome.rc {
            0 | SIZE_LIMIT_EXCEEDED => {}
            NO_SUCH_OBJECT => return Ok(Vec::new()),
            _ => return Err(outcome.into()),
        }
        // Referrals lead to other servers, which nobody set up here.
        let own = entries.into_iter().filter(|entry| !entry.is_ref() && !entry.is_intermediate());
        Ok(own.map(SearchEntry::construct).collect())
    }
}

/// Attribute names are compared without regard to case (RFC 4512 §2.5).
fn values<'a>(entry: &'a SearchEntry, name: &str) -> &'a [String] {
    let found = entry.attrs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map_or(&[], |(_, values)| values.as_slice())
}

fn first(entry: &SearchEntry, name: &str) -> Option<String> {
    values(entry, name).first().filter(|value| !value.is_empty()).cloned()
}

/// As text, or – an `objectGUID` – as hexadecimal.
fn identifier(entry: &SearchEntry, name: &str) -> Option<String> {
    let binary = entry.bin_attrs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    if let Some(value) = binary.and_then(|(_, values)| values.first()) {
        return Some(value.iter().map(|byte| format!("{byte:02x}")).collect());
    }
    first(entry, name)
}
