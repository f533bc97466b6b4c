//! `ldap`: a login and a password that a directory accepts. Either a service account finds the entry and the person binds as
//! it, or – with a template of names – the person binds at once.

use futures::future::BoxFuture;
use problem::FieldError;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use types::Secret;

use crate::directory::{
    Attributes, Directories, First, Groups, Look, Question, Server, dn_with, filter_with,
};
use crate::kind::{Finding, First as FirstStep, Kind, Proven, Visit, text};
use crate::service::SignInParts;
use crate::{EnabledProvider, OpenState, Reason, SignInError};

pub(crate) struct Ldap {
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
    /// `{login}` is what was entered.
    user_dn: Option<String>,
    base: String,
    #[serde(default = "usual_filter")]
    user_filter: String,
    #[serde(default = "usual_id")]
    id_attribute: String,
    #[serde(default = "usual_email")]
    email_attribute: String,
    #[serde(default = "usual_name")]
    name_attribute: String,
    group_attribute: Option<String>,
    group_base: Option<String>,
    #[serde(default = "usual_group_filter")]
    group_filter: String,
    #[serde(default = "usual_name")]
    group_name_attribute: String,
}

fn yes() -> bool {
    true
}

fn usual_filter() -> String {
    "(uid={login})".to_owned()
}

fn usual_id() -> String {
    "entryUUID".to_owned()
}

fn usual_email() -> String {
    "mail".to_owned()
}

fn usual_name() -> String {
    "cn".to_owned()
}

fn usual_group_filter() -> String {
    "(member={dn})".to_owned()
}

impl Settings {
    fn server(&self) -> Result<Server, &'static str> {
        Server::parse(&self.url, self.start_tls, self.ca.clone())
    }

    fn service(&self) -> Option<(&str, &str)> {
        self.bind_dn.as_deref().zip(self.bind_password.as_deref())
    }

    fn question(&self, login: &str) -> Result<Question, SignInError> {
        let (first, look) = match (self.service(), &self.user_dn) {
            (Some((name, password)), _) => {
                let first = First::Service { name: name.to_owned(), password: password.to_owned() };
                (first, Look::Filter(filter_with(&self.user_filter, "{login}", login)))
            }
            (None, Some(template)) => {
                let dn = dn_with(template, "{login}", login);
                (First::Person(dn.clone()), Look::Entry(dn))
            }
            (None, None) => return Err(SignInError::internal("an LDAP provider with no way to bind")),
        };
        let groups = match (&self.group_base, &self.group_attribute) {
            (Some(base), _) => Groups::Search {
                base: base.clone(),
                filter: self.group_filter.clone(),
                name: self.group_name_attribute.clone(),
            },
            (None, Some(attribute)) => Groups::Attribute(attribute.clone()),
            (None, None) => Groups::None,
        };
        let attributes = Attributes {
            id: self.id_attribute.clone(),
            email: self.email_attribute.clone(),
            name: self.name_attribute.clone(),
        };
        Ok(Question { first, base: self.base.clone(), look, attributes, groups })
    }
}

impl Ldap {
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
        let question = settings.question(login)?;
        let found = self.directories.prove(provider.destination(), &server, &question, &password).await?;
        let knows_groups = !matches!(question.groups, Groups::None);
        Ok(Proven {
            identity: Some((format!("{}/{}", server.name(), settings.base.to_lowercase()), found.id)),
            email: found.email,
            display_name: found.name,
            groups: knows_groups.then_some(found.groups),
            factor: self.name().to_owned(),
            ..Proven::default()
        })
    }
}

/// A login that can be nobody's is refused like a wrong one.
pub(super) fn entered(input: &Map<String, Value>) -> Result<(&str, Secret<String>), SignInError> {
    let login = text(input, "login")?.trim();
    let password = text(input, "password")?;
    if login.is_empty() || login.len() > 256 || login.chars().any(char::is_control) || password.contains('\0')
    {
        return Err(SignInError::Refused(Reason::WrongProof));
    }
    Ok((login, Secret::new(password.to_owned())))
}

pub(super) fn account(input: &Map<String, Value>) -> Option<String> {
    Some(input.get("login")?.as_str()?.trim().to_lowercase())
}

/// The settings that every directory has.
pub(super) fn where_it_is() -> Map<String, Value> {
    let schema = json!({
        "url": { "type": "string", "maxLength": 300, "description": "ldaps://host[:port], or ldap://host[:port] with StartTLS." },
        "start_tls": { "type": "boolean", "default": true, "description": "For ldap://; without it only on this very machine." },
        "ca": { "type": "string", "maxLength": 100_000, "description": "Certificates (PEM) to trust for this directory." },
        "base": { "type": "string", "minLength": 1, "maxLength": 500, "description": "Where people are looked for, such as ou=people,dc=example,dc=com." },
    });
    match schema {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

pub(super) fn wrong(name: &str, reason: &str) -> FieldError {
    FieldError { field: format!("/settings/{name}"), reason: reason.to_owned() }
}

/// Filters and names that are templates have their mark, and are ones once it is filled.
pub(super) fn check_filter(name: &str, template: &str, mark: &str) -> Option<FieldError> {
    if !template.contains(mark) {
        return Some(wrong(name, &format!("has no {mark}")));
    }
    let filled = filter_with(template, mark, "x");
    ldap3::parse_filter(filled).err().map(|_| wrong(name, "is no LDAP filter (RFC 4515)"))
}

impl Kind for Ldap {
    fn name(&self) -> &'static str {
        "ldap"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["bind_password"]
    }

    fn leads_to(&self) -> &'static [&'static str] {
        &["url", "start_tls", "ca"]
    }

    fn settings(&self) -> Value {
        let dn =
            |about: &str| json!({ "type": "string", "minLength": 1, "maxLength": 500, "description": about });
        let attribute = |usual: &str, about: &str| json!({ "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]*$", "maxLength": 100, "default": usual, "description": about });
        let mut properties = where_it_is();
        for (name, schema) in [
            ("bind_dn", dn("Service account that looks people up.")),
            (
                "bind_password",
                json!({ "type": "string", "minLength": 1, "maxLength": 1000, "description": "Its password." }),
            ),
            (
                "user_dn",
                dn(
                    "Instead of a service account: the name that people bind as, such as uid={login},ou=people,dc=example,dc=com.",
                ),
            ),
            (
                "user_filter",
                json!({ "type": "string", "maxLength": 1000, "default": usual_filter(), "description": "Finds the entry of {login}." }),
            ),
            ("id_attribute", attribute("entryUUID", "Never changes and is never given again.")),
            ("email_attribute", attribute("mail", "The address.")),
            ("name_attribute", attribute("cn", "What people are called.")),
            (
                "group_attribute",
                json!({ "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]*$", "maxLength": 100, "description": "Of the person, with the names (DN) of their groups, such as memberOf." }),
            ),
            ("group_base", dn("Or: where groups are looked for.")),
            (
                "group_filter",
                json!({ "type": "string", "maxLength": 1000, "default": usual_group_filter(), "description": "Finds the groups of the person {dn}." }),
            ),
            (
                "group_name_attribute",
                attribute("cn", "What a group is called in group_roles; its DN works as well."),
            ),
        ] {
            properties.insert(name.to_owned(), schema);
        }
        json!({ "type": "object", "properties": properties, "required": ["url", "base"], "additionalProperties": false })
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
        match (&settings.bind_dn, &settings.bind_password, &settings.user_dn) {
            (Some(_), Some(_), None) => {}
            (None, None, Some(template)) if template.contains("{login}") => {}
            (None, None, Some(_)) => errors.push(wrong("user_dn", "has no {login}")),
            (Some(_), None, _) => errors.push(wrong("bind_password", "is needed beside bind_dn")),
            (None, Some(_), _) => errors.push(wrong("bind_dn", "is needed beside bind_password")),
            (Some(_), Some(_), Some(_)) => {
                errors.push(wrong("user_dn", "stands beside bind_dn; choose one way to bind"))
            }
            (None, None, None) => errors.push(wrong("bind_dn", "or user_dn is needed: a way to bind")),
        }
        errors.extend(check_filter("user_filter", &settings.user_filter, "{login}"));
        errors.extend(check_filter("group_filter", &settings.group_filter, "{dn}"));
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
