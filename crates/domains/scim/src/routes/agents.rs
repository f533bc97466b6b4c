//! `/scim/v2/Agents`: agents, by a schema of our own.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use problem::{
    AGENT_EXISTS, AGENT_NOT_SUSPENDED, AUTHORITY_EXCEEDED, CONFLICT, INVALID_FILTER, INVALID_PATH,
    INVALID_SYNTAX, INVALID_VALUE, NO_TARGET, ORGANIZATION_LEAVING, OWNER_UNKNOWN, READ_ONLY, STALE_REVISION,
};
use types::AgentId;
use web::{Allowed, Input, Nothing, Params, Refusal, Segment, Spec, leaves, operation, refuses};

use super::messages::{AgentResource, Listed, PatchMessage};
use crate::Scim;
use crate::form::SCIM;
use crate::query::{Projection, Query};
use crate::reply::{Preconditions, found, gone, list as page, written};
use crate::resources::{AGENT, Write};

operation! {
    /// Registers an agent that somebody answers for.
    pub CreateAgent(AgentResource) -> AgentResource = Spec::create("scim.agents.create", "/scim/v2/Agents")
        .form(SCIM).not_idempotent().needs("agents:create").facts(leaves![agents::AGENT_CREATED])
        .errors(refuses![
            AGENT_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, INVALID_SYNTAX, INVALID_VALUE, ORGANIZATION_LEAVING, OWNER_UNKNOWN,
        ])
        .example(r#"{"schemas": ["urn:safeconduct:params:scim:schemas:core:1.0:Agent"], "name": "ops:concierge",
            "displayName": "Concierge", "externalId": "agent-1", "owner": {"value": "usr_01h455vb4pex5vsknk084sn02q"}}"#);

    /// Lists agents that are not retired.
    pub ListAgents[Query] -> Listed = Spec::get("scim.agents.list", "/scim/v2/Agents")
        .form(SCIM).needs("agents:read").errors(refuses![INVALID_FILTER, INVALID_VALUE]);

    /// Shows an agent.
    pub GetAgent[Query] -> AgentResource = Spec::get("scim.agents.get", "/scim/v2/Agents/{agent}")
        .form(SCIM).needs("agents:read");

    /// Makes an agent what is sent.
    pub ReplaceAgent(AgentResource) -> AgentResource = Spec::put("scim.agents.replace", "/scim/v2/Agents/{agent}")
        .form(SCIM).needs("agents:update").facts(leaves![agents::AGENT_UPDATED])
        .further_facts(leaves![agents::AGENT_SUSPENDED, agents::AGENT_REACTIVATED])
        .errors(refuses![
            AGENT_EXISTS, AGENT_NOT_SUSPENDED, AUTHORITY_EXCEEDED, CONFLICT, INVALID_SYNTAX, INVALID_VALUE, OWNER_UNKNOWN,
            READ_ONLY, STALE_REVISION,
        ])
        .example(r#"{"schemas": ["urn:safeconduct:params:scim:schemas:core:1.0:Agent"], "displayName": "Concierge",
            "description": "Answers the door."}"#);

    /// Changes an agent; `active: false` suspends it and voids its tokens at once.
    pub PatchAgent(PatchMessage)[Query] -> AgentResource = Spec::patch("scim.agents.patch", "/scim/v2/Agents/{agent}")
        .form(SCIM).needs("agents:update").facts(leaves![agents::AGENT_UPDATED])
        .further_facts(leaves![agents::AGENT_SUSPENDED, agents::AGENT_REACTIVATED])
        .errors(refuses![
            AGENT_EXISTS, AGENT_NOT_SUSPENDED, AUTHORITY_EXCEEDED, CONFLICT, INVALID_PATH, INVALID_SYNTAX, INVALID_VALUE,
            NO_TARGET, OWNER_UNKNOWN, READ_ONLY, STALE_REVISION,
        ])
        .example(r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "active", "value": false}]}"#);

    /// Retires an agent for good: credentials are revoked, tokens die, the record stays with us.
    pub DeleteAgent -> Nothing = Spec::delete("scim.agents.delete", "/scim/v2/Agents/{agent}")
        .form(SCIM).status(204).needs("agents:delete").facts(leaves![agents::AGENT_DECOMMISSIONED])
        .further_facts(leaves![agents::CREDENTIAL_REVOKED])
        .errors(refuses![CONFLICT, STALE_REVISION]);
}

pub async fn create(
    State(scim): State<Scim>,
    allowed: Allowed<CreateAgent>,
    Input(body): Input<CreateAgent>,
) -> Result<Response, Refusal> {
    let id = scim.settle(&allowed, &AGENT, || scim.create_agent(&allowed, &body.0)).await?;
    Ok(written(StatusCode::CREATED, scim.agent(&allowed, id, &Projection::default()).await?))
}

pub async fn list(
    State(scim): State<Scim>,
    allowed: Allowed<ListAgents>,
    Params(query): Params<ListAgents>,
) -> Result<Response, Refusal> {
    let (shown, total) = scim.agents(&allowed, &query).await?;
    let resources = shown.into_iter().map(|one| one.resource.into()).collect();
    Ok(page(resources, query.start(), total))
}

pub async fn get(
    State(scim): State<Scim>,
    allowed: Allowed<GetAgent>,
    Segment(id): Segment<AgentId>,
    Params(query): Params<GetAgent>,
    only: Preconditions,
) -> Result<Response, Refusal> {
    Ok(found(scim.agent(&allowed, id, &query.projection(&AGENT)).await?, &only))
}

pub async fn replace(
    State(scim): State<Scim>,
    allowed: Allowed<ReplaceAgent>,
    Segment(id): Segment<AgentId>,
    only: Preconditions,
    Input(body): Input<ReplaceAgent>,
) -> Result<Response, Refusal> {
    let how = Write::Whole(&body.0);
    scim.settle(&allowed, &AGENT, || async {
        scim.write_agent(&allowed, id, &how, &only).await.map(|change| (change, ()))
    })
    .await?;
    Ok(written(StatusCode::OK, scim.agent(&allowed, id, &Projection::default()).await?))
}

pub async fn patch(
    State(scim): State<Scim>,
    allowed: Allowed<PatchAgent>,
    Segment(id): Segment<AgentId>,
    Params(query): Params<PatchAgent>,
    only: Preconditions,
    Input(body): Input<PatchAgent>,
) -> Result<Response, Refusal> {
    let how = Write::Patch(&body.0);
    scim.settle(&allowed, &AGENT, || async {
        scim.write_agent(&allowed, id, &how, &only).await.map(|change| (change, ()))
    })
    .await?;
    Ok(written(StatusCode::OK, scim.agent(&allowed, id, &query.projection(&AGENT)).await?))
}

pub async fn delete(
    State(scim): State<Scim>,
    allowed: Allowed<DeleteAgent>,
    Segment(id): Segment<AgentId>,
    only: Preconditions,
) -> Result<Response, Refusal> {
    scim.settle(&allowed, &AGENT, || async {
        scim.delete_agent(&allowed, id, &only).await.map(|change| (change, ()))
    })
    .await?;
    Ok(gone())
}
