//! `active_directory`: a directory as Active Directory (and Samba) speaks it. Names are a UPN, `DOMAIN\name` or a
//! sAMAccountName; groups are followed through each other by the matching rule 1.2.840.113556.1.4.1941; accounts that are
//! switched off are not found (the flag 2 of userAccountControl).

use futures::future::BoxFuture;
use problem::FieldError;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ldap::{account, entered, where_it_is, wrong};
use crate::directory::{Attributes, Directories, First, Groups, Look, Question, Server, filter_with};
use crate::kind::{Finding, First as FirstStep, Kind, Proven, Visit};
use crate::service::SignInParts;
use crate::{EnabledProvider, OpenState, SignInError};

/// People whose account is on, by either name.
const PERSON: &str = "(&(objectClass=user)(!(objectClass=computer))(!(userAccountControl:1.2.840.113556.1.4.803:=2))\
                      (|(userPrincipalName={login})(sAMAccountName={short})))";
/// Direct and indirect.
const GROUPS: &str = "(&(objectClass=group)(member:1.2.840.113556.1.4.1941:={dn}))";

pub(crate) struct ActiveDirectory {
    directories: Directories,
}

#[derive(Deserialize)]
struct Settings {
    url: String,
    #[serde(default = "yes")]
    start_tls: bool,
    ca: Option<String>,
    bind_dn: Option<String>,
    bind_password: Option<String>,
    /// What follows the `@` of a UPN.
    domain: String,
    base: String,
}

fn yes() -> bool {
    true
}

impl Settings {
    fn server(&self) -> Result<Server, &'static str> {
        Server::parse(&self.url, self.start_tls, self.ca.clone())
    }

    fn service(&self) -> Option<(&str, &str)> {
        self.bind_dn.as_deref().zip(self.bind_password.as_deref())
    }

    fn question(&self, login: &str) -> Question {
        let (short, principal) = self.names(login);
        let first = match self.service() {
            Some((name, password)) => First::Service { name: name.to_owned(), password: password.to_owned() },
            None => First::Person(principal.clone()),
        };
        let filter = filter_with(&filter_with(PERSON, "{short}", &short), "{login}", &principal);
        let [id, email, name] = ["objectGUID", "mail", "displayName"].map(str::to_owned);
        Question {
            first,
            base: self.base.clone(),
            look: Look::Filter(filter),
            attributes: Attributes { id, email, name },
            groups: Groups::Search {
                base: self.base.clone(),
                filter: GROUPS.to_owned(),
                name: "sAMAccountName".to_owned(),
            },
        }
    }

    /// sAMAccountName and UPN. A name of another domain is nobody's short name here.
    fn names(&self, login: &str) -> (String, String) {
        if let Some((_, short)) = login.split_once('\\') {
            return (short.to_owned(), format!("{short}@{}", self.domain));
        }
        match login.rsplit_once('@') {
            Some((short, domain)) if domain.eq_ignore_ascii_case(&self.domain) => {
                (short.to_owned(), login.to_owned())
            }
            // Short names have no `@`, so this one finds nobody.
            Some(_) => (login.to_owned(), login.to_owned()),
            None => (login.to_owned(), format!("{login}@{}", self.domain)),
        }
    }
}

impl ActiveDirectory {
    pub(crate) fn over(parts: &SignInParts) -> Self {
        Self { directories: Directories::new(parts.egress.clone()) }
    }

    async fn check_password(
        &self,
        provider: &EnabledProvider,
        input: &Map<String, Value>,
    ) -> Result<Proven, SignInError> {
        let settings: Settings = provider.read()?;
        let server = settings.server().map_err(SignInError::internal)?;
        let (login, password) = entered(input)?;
        let question = settings.question(login);
        let found = self.directories.prove(provider.destination(), &server, &question, &password).await?;
        Ok(Proven {
            identity: Some((format!("{}/{}", server.name(), settings.base.to_lowercase()), found.id)),
            email: found.email,
            display_name: found.name,
            groups: Some(found.groups),
            factor: self.name().to_owned(),
            ..Proven::default()
        })
    }
}

impl Kind for ActiveDirectory {
    fn name(&self) -> &'static str {
        "active_directory"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["bind_password"]
    }

    fn leads_to(&self) -> &'static [&'static str] {
        &["url", "start_tls", "ca"]
    }

    fn settings(&self) -> Value {
        let text = |most: u64, about: &str| json!({ "type": "string", "minLength": 1, "maxLength": most, "description": about });
        let mut properties = where_it_is();
        for (name, schema) in [
            ("domain", text(253, "What follows the @ of a user principal name, such as corp.example.com.")),
            (
                "bind_dn",
                text(
                    500,
                    "Service account that looks people up, by DN or UPN; without one people look themselves up.",
                ),
            ),
            ("bind_password", text(1000, "Its password.")),
        ] {
            properties.insert(name.to_owned(), schema);
        }
        json!({ "type": "object", "properties": properties, "required": ["url", "base", "domain"], "additionalProperties": false })
    }

    fn first(&self) -> FirstStep {
        FirstStep::login(&["login", "password"])
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<FieldError> {
        let mut errors = super::by_schema(&self.settings(), settings);
        let read = serde_json::from_value::<Settings>(Value::Object(settings.clone()));
        let Some(settings) = read.ok().filter(|_| errors.is_empty()) else { return errors };
        if let Err(reason) = settings.server() {
            errors.push(wrong("url", reason));
        }
        match (&settings.bind_dn, &settings.bind_password) {
            (Some(_), None) => errors.push(wrong("bind_password", "is needed beside bind_dn")),
            (None, Some(_)) => errors.push(wrong("bind_dn", "is needed beside bind_password")),
            _ => {}
        }
        errors
    }

    fn account(&self, _: Option<&OpenState>, input: &Map<String, Value>) -> Option<String> {
        account(input)
    }

    fn complete<'a>(
        &'a self,
        provider: &'a EnabledProvider,
        _: &'a Visit<'a>,
        _: Option<&'a OpenState>,
        input: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Proven, SignInError>> {
        Box::pin(self.check_password(provider, input))
    }

    fn test<'a>(&'a self, provider: &'a EnabledProvider) -> BoxFuture<'a, Vec<Finding>> {
        Box::pin(async move {
            let settings: Settings = match provider.read() {
                Ok(settings) => settings,
                Err(error) => return vec![Finding::bad("settings", error.to_string())],
            };
            match settings.server() {
                Ok(server) => {
                    let to = provider.destination();
                    self.directories.test(to, &server, settings.service(), &settings.base).await
                }
                Err(reason) => vec![Finding::bad("settings", reason)],
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_name_leads_to_the_same_person_and_a_foreign_one_to_nobody() {
        let settings =
            json!({ "url": "ldaps://dc.example", "domain": "corp.example", "base": "dc=corp,dc=example" });
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let ada = ("ada".to_owned(), "ada@corp.example".to_owned());
        for login in ["ada", "ada@corp.example", "CORP\\ada"] {
            assert_eq!(settings.names(login), ada, "{login}");
        }
        assert_eq!(settings.names("ada@evil.example").0, "ada@evil.example");
        let Look::Filter(filter) = settings.question("*)(cn=*").look else { panic!("a filter") };
        assert!(ldap3::parse_filter(&filter).is_ok() && !filter.contains("(cn=*"), "{filter}");
    }
}
