//! The document that rules are asked about. Its form is described in the policy guide and never loses a member.

use std::net::IpAddr;

use authority::{Authority, Required};
use rego::Term;
use serde_json::Value;
use types::{Id, Timestamp, Uuid};
use web::{Means, Object};

/// What a request is about, before anything is known of its object.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) principal: Term,
    pub(crate) chain: Term,
    pub(crate) token: Term,
    pub(crate) context: Term,
    /// Every principal of the chain, to say whether the object is its own.
    pub(crate) links: Vec<Uuid>,
}

pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a str,
    pub(crate) required: Option<&'a Required>,
    pub(crate) object: Option<&'a Object<'a>>,
    pub(crate) attributes: Option<&'a Value>,
    pub(crate) arguments: Option<&'a Value>,
}

impl Asked<'_> {
    /// Whose package is asked beside the root: the resource, or the noun of the operation.
    pub(crate) fn slice(&self) -> String {
        match self.required {
            Some(required) => required.resource.to_string(),
            None => self.operation.split('.').next().unwrap_or_default().to_owned(),
        }
    }

    pub(crate) fn permission(&self) -> Option<String> {
        self.required.map(ToString::to_string)
    }
}

/// The document, or none if what was asked is larger than rules may be asked about.
pub(crate) fn document(setting: &Setting, asked: &Asked<'_>) -> Option<Term> {
    let arguments = match asked.arguments {
        Some(arguments) => Term::json(arguments).ok()?,
        None => Term::NULL,
    };
    let action = asked.permission().map_or(Term::NULL, |permission| Term::text(&permission));
    Some(Term::object([
        (Term::text("principal"), setting.principal.clone()),
        (Term::text("chain"), setting.chain.clone()),
        (Term::text("token"), setting.token.clone()),
        (Term::text("context"), setting.context.clone()),
        (Term::text("action"), action),
        (Term::text("operation"), Term::text(asked.operation)),
        (Term::text("resource"), resource(setting, asked)?),
        (Term::text("arguments"), arguments),
    ]))
}

fn resource(setting: &Setting, asked: &Asked<'_>) -> Option<Term> {
    let mut members = vec![(Term::text("type"), Term::text(&asked.slice()))];
    if let Some(Value::Object(attributes)) = asked.attributes {
        for (name, value) in attributes {
            members.push((Term::text(name), Term::json(value).ok()?));
        }
    }
    if let Some(object) = asked.object {
        let own = |uuid: &Uuid| object.is == Some(*uuid) || object.owner == Some(*uuid);
        members.push((Term::text("selector"), Term::text(&object.selector)));
        members.push((Term::text("own"), Term::flag(setting.links.first().is_some_and(own))));
        if let Some(group) = object.group {
            members.push((Term::text("group"), Term::text(&group.to_string())));
        }
        match object.selector.split_once('/') {
            Some((namespace, name)) => {
                members.push((Term::text("namespace"), Term::text(namespace)));
                members.push((Term::text("name"), Term::text(name)));
            }
            None => members.push((Term::text("id"), Term::text(&object.selector))),
        }
    }
    members.push((Term::text("known"), Term::flag(asked.object.is_some())));
    Some(Term::object(members))
}

/// `context`: when, from where, what kind of server this is.
pub(crate) fn context(now: Timestamp, ip: Option<IpAddr>, env: &str) -> Term {
    Term::object([
        (Term::text("time"), time(now)),
        (Term::text("ip"), ip.map_or(Term::NULL, |ip| Term::text(&ip.to_canonical().to_string()))),
        (Term::text("env"), Term::text(env)),
        (Term::text("budget"), Term::NULL),
    ])
}

/// Rules cannot look at a clock, so that the same question has the same answer tomorrow. All of it in UTC.
fn time(now: Timestamp) -> Term {
    let Ok(instant) = jiff::Timestamp::from_millisecond(now.millis()) else { return Term::NULL };
    let utc = instant.to_zoned(jiff::tz::TimeZone::UTC);
    Term::object([
        (Term::text("rfc3339"), Term::text(&now.to_string())),
        (Term::text("unix"), Term::number(now.seconds())),
        (Term::text("date"), Term::text(&utc.date().to_string())),
        (Term::text("hour"), Term::number(utc.hour().into())),
        (Term::text("minute"), Term::number(utc.minute().into())),
        // Monday is 1.
        (Term::text("weekday"), Term::number(utc.weekday().to_monday_one_offset().into())),
    ])
}

/// `token`; null for a person at the console.
pub(crate) fn token(means: &Means, scope: Option<&Authority>, now: Timestamp) -> Term {
    let Means::Token { jti, .. } = means else { return Term::NULL };
    let scopes: Vec<String> =
        scope.into_iter().flat_map(Authority::permissions).map(ToString::to_string).collect();
    // A token's id says when it was made (UUIDv7).
    let age = jti.uuid().get_timestamp().map(|made| {
        let made = Timestamp::from_millis(i64::try_from(made.to_unix().0).unwrap_or(0).saturating_mul(1000));
        i64::try_from(now.since(made).as_secs()).unwrap_or(i64::MAX)
    });
    Term::object([
        (Term::text("id"), Term::text(&jti.to_string())),
        (Term::text("scopes"), Term::texts(scopes.iter().map(String::as_str))),
        (Term::text("cnf"), Term::NULL),
        (Term::text("age_seconds"), age.map_or(Term::NULL, Term::number)),
    ])
}
