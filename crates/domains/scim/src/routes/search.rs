//! Searches whose terms do not fit into an address (RFC 7644 §3.4.3), within one kind of resources or through all of them.

use axum::extract::State;
use axum::response::Response;
use problem::{INVALID_FILTER, INVALID_SYNTAX, INVALID_VALUE, Problem};
use serde_json::Value;
use web::{Allowance, Allowed, Input, Rate, Refusal, Spec, operation, refuses};

use super::messages::{Listed, SearchMessage};
use crate::Scim;
use crate::error::ScimError;
use crate::form::SCIM;
use crate::patch::member;
use crate::query::Query;
use crate::reply::list;
use crate::resources::{AGENT, GROUP, Shown, TYPES, USER};
use crate::schema::ResourceType;

const MESSAGE: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const EXAMPLE: &str = r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
    "filter": "meta.created gt \"2020-01-01T00:00:00Z\"", "attributes": ["displayName"]}"#;

operation! {
    /// Searches all kinds of resources that the client may read.
    pub Search(SearchMessage) -> Listed = Spec::post("scim.search", "/scim/v2/.search")
        .form(SCIM).not_idempotent().rate(Rate::Read).needs("members:read").example(EXAMPLE)
        .errors(refuses![INVALID_FILTER, INVALID_SYNTAX, INVALID_VALUE]);

    /// Searches members.
    pub SearchUsers(SearchMessage) -> Listed = Spec::post("scim.users.search", "/scim/v2/Users/.search")
        .form(SCIM).not_idempotent().rate(Rate::Read).needs("members:read").example(EXAMPLE)
        .errors(refuses![INVALID_FILTER, INVALID_SYNTAX, INVALID_VALUE]);

    /// Searches groups.
    pub SearchGroups(SearchMessage) -> Listed = Spec::post("scim.groups.search", "/scim/v2/Groups/.search")
        .form(SCIM).not_idempotent().rate(Rate::Read).needs("groups:read").example(EXAMPLE)
        .errors(refuses![INVALID_FILTER, INVALID_SYNTAX, INVALID_VALUE]);

    /// Searches agents.
    pub SearchAgents(SearchMessage) -> Listed = Spec::post("scim.agents.search", "/scim/v2/Agents/.search")
        .form(SCIM).not_idempotent().rate(Rate::Read).needs("agents:read").example(EXAMPLE)
        .errors(refuses![INVALID_FILTER, INVALID_SYNTAX, INVALID_VALUE]);
}

pub async fn users(
    State(scim): State<Scim>,
    allowed: Allowed<SearchUsers>,
    Input(message): Input<SearchUsers>,
) -> Result<Response, Refusal> {
    within(&scim, &allowed, &USER, &message.0).await
}

pub async fn groups(
    State(scim): State<Scim>,
    allowed: Allowed<SearchGroups>,
    Input(message): Input<SearchGroups>,
) -> Result<Response, Refusal> {
    within(&scim, &allowed, &GROUP, &message.0).await
}

pub async fn agents(
    State(scim): State<Scim>,
    allowed: Allowed<SearchAgents>,
    Input(message): Input<SearchAgents>,
) -> Result<Response, Refusal> {
    within(&scim, &allowed, &AGENT, &message.0).await
}

/// One kind behind the other; a kind without an attribute that the filter names has nothing that matches.
pub async fn all(
    State(scim): State<Scim>,
    allowed: Allowed<Search>,
    Input(message): Input<Search>,
) -> Result<Response, Refusal> {
    let query = read(&message.0)?;
    if query.sort_by.is_some() {
        return Err(
            Problem::from(ScimError::value("sortBy", "sorts within one kind of resources only")).into()
        );
    }
    let (mut resources, mut total, mut known) = (Vec::new(), 0, false);
    let mut unknown = None;
    for of in TYPES {
        match query.search(of) {
            Ok(_) => known = true,
            Err(error @ ScimError::UnknownAttribute(_)) => {
                unknown = Some(error);
                continue;
            }
            Err(error) => return Err(Problem::from(error).into()),
        }
        let taken = i64::try_from(resources.len()).unwrap_or(i64::MAX);
        let part = Query {
            start_index: Some((query.start() - total).max(1)),
            count: Some(query.count() - taken),
            ..query.clone()
        };
        let (shown, count) = scim.page(&allowed, of, &part).await?;
        // Behind the end of this kind the next begins.
        resources.extend(shown.into_iter().map(|one| Value::Object(one.resource)));
        total += count;
    }
    match unknown {
        Some(error) if !known => Err(Problem::from(error).into()),
        _ => Ok(list(resources, query.start(), total)),
    }
}

async fn within(
    scim: &Scim,
    by: &Allowance,
    of: &'static ResourceType,
    message: &Value,
) -> Result<Response, Refusal> {
    let query = read(message)?;
    let (shown, total) = scim.page(by, of, &query).await?;
    let resources = shown.into_iter().map(|one| one.resource.into()).collect();
    Ok(list(resources, query.start(), total))
}

impl Scim {
    async fn page(
        &self,
        by: &Allowance,
        of: &ResourceType,
        query: &Query,
    ) -> Result<(Vec<Shown>, i64), Problem> {
        match of.name {
            "User" => self.users(by, query).await,
            "Group" => self.groups(by, query).await,
            _ => self.agents(by, query).await,
        }
    }
}

fn read(message: &Value) -> Result<Query, Problem> {
    let schemas = member(message, "schemas").and_then(Value::as_array).into_iter().flatten();
    if !schemas.filter_map(Value::as_str).any(|one| one.eq_ignore_ascii_case(MESSAGE)) {
        return Err(ScimError::Syntax(format!("`schemas` names {MESSAGE}")).into());
    }
    let text = |name| member(message, name).and_then(Value::as_str).map(str::to_owned);
    let number = |name| member(message, name).and_then(Value::as_i64);
    let texts = |name| {
        let items = member(message, name)?.as_array()?;
        Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
    };
    Ok(Query {
        filter: text("filter"),
        sort_by: text("sortBy"),
        sort_order: text("sortOrder"),
        start_index: number("startIndex"),
        count: number("count"),
        attributes: texts("attributes"),
        excluded_attributes: texts("excludedAttributes"),
    })
}
