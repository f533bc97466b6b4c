//! E-mail domains that the organization proves to hold.

use serde::{Deserialize, Serialize};

use crate::{Client, Error, Page, Time};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    pub id: String,
    pub name: String,
    pub proved: bool,
    pub proved_at: Option<Time>,
    /// Name of the TXT record that proves it.
    pub record: String,
    /// What the record must say.
    pub value: String,
    pub created_at: Time,
    pub revision: i64,
}

/// `client.domains()`.
#[derive(Clone, Copy)]
pub struct Domains<'a>(&'a Client);

impl Client {
    pub fn domains(&self) -> Domains<'_> {
        Domains(self)
    }
}

impl Domains<'_> {
    /// Claims a domain; the answer says which record proves it.
    pub async fn create(&self, name: &str) -> Result<Domain, Error> {
        self.0.post(&["api", "v1", "domains"]).json(&Named { name }).once().answer().await
    }

    pub async fn list(&self) -> Result<Page<Domain>, Error> {
        self.0.get(&["api", "v1", "domains"]).answer().await
    }

    pub async fn get(&self, domain: &str) -> Result<Domain, Error> {
        self.0.get(&["api", "v1", "domains", domain]).answer().await
    }

    /// Looks for the record.
    pub async fn prove(&self, domain: &str) -> Result<Domain, Error> {
        self.0.post(&["api", "v1", "domains", domain, "prove"]).once().answer().await
    }

    pub async fn delete(&self, domain: &str) -> Result<Domain, Error> {
        self.0.delete(&["api", "v1", "domains", domain]).answer().await
    }
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}
