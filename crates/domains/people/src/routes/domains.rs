//! `/api/v1/domains`: e-mail domains that the organization proves to hold.

use axum::extract::State;
use problem::{ALREADY_EXISTS, CONFLICT, DOMAIN_TAKEN, DOMAIN_UNPROVED, RESOLVER_SILENT, STALE_REVISION};
use serde::{Deserialize, Serialize};
use types::{DomainId, DomainName, Timestamp};
use utoipa::ToSchema;
use web::{Allowed, Input, Page, Rate, Refusal, Reply, Segment, Spec, leaves, operation, refuses};

use super::Rooms;
use crate::domains::Domain;
use crate::facts;

operation! {
    /// Claims an e-mail domain; the answer says which TXT record proves it.
    pub ClaimDomain(NewDomain) -> DomainView = Spec::create("domains.create", "/api/v1/domains")
        .needs("orgs:update").facts(leaves![facts::DOMAIN_CLAIMED]).errors(refuses![ALREADY_EXISTS, CONFLICT])
        .example(r#"{"name": "example.com"}"#);

    /// Lists the organization's e-mail domains.
    pub ListDomains -> Page<DomainView> = Spec::get("domains.list", "/api/v1/domains").needs("orgs:read");

    /// Shows an e-mail domain.
    pub GetDomain -> DomainView = Spec::get("domains.get", "/api/v1/domains/{domain}").needs("orgs:read");

    /// Looks for the TXT record. A domain is proved for one organization at a time.
    pub ProveDomain -> DomainView = Spec::post("domains.prove", "/api/v1/domains/{domain}/prove")
        .needs("orgs:update").rate(Rate::Heavy).facts(leaves![facts::DOMAIN_PROVED])
        .errors(refuses![DOMAIN_UNPROVED, DOMAIN_TAKEN, RESOLVER_SILENT, CONFLICT, STALE_REVISION]);

    /// Gives a domain up; people in it stay as they are.
    pub DeleteDomain -> DomainView = Spec::delete("domains.delete", "/api/v1/domains/{domain}")
        .needs("orgs:update").facts(leaves![facts::DOMAIN_REMOVED]).errors(refuses![CONFLICT, STALE_REVISION]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDomain {
    pub name: DomainName,
}

#[derive(Serialize, ToSchema)]
pub struct DomainView {
    pub id: DomainId,
    pub name: String,
    /// Whether the record was found.
    pub proved: bool,
    pub proved_at: Option<Timestamp>,
    /// Name of the TXT record that proves the domain.
    pub record: String,
    /// What the record must say.
    pub value: String,
    pub created_at: Timestamp,
    pub revision: i64,
}

impl From<Domain> for DomainView {
    fn from(domain: Domain) -> Self {
        Self {
            id: domain.id,
            record: domain.record(),
            name: domain.name,
            proved: domain.proved_at.is_some(),
            proved_at: domain.proved_at,
            value: domain.challenge,
            created_at: domain.created_at,
            revision: domain.revision,
        }
    }
}

pub async fn create(
    State(rooms): State<Rooms>,
    allowed: Allowed<ClaimDomain>,
    Input(new): Input<ClaimDomain>,
) -> Result<Reply, Refusal> {
    allowed.settle::<ClaimDomain, _, _, _>(|| rooms.people.claim_domain(&allowed, &new.name)).await
}

pub async fn list(State(rooms): State<Rooms>, allowed: Allowed<ListDomains>) -> Result<Reply, Refusal> {
    let domains = rooms.people.domains(&allowed).await?;
    let items = domains.into_iter().map(DomainView::from).collect();
    Ok(Reply::of::<ListDomains>(&Page { items, next_cursor: None, total: None })?)
}

pub async fn get(
    State(rooms): State<Rooms>,
    allowed: Allowed<GetDomain>,
    Segment(id): Segment<DomainId>,
) -> Result<Reply, Refusal> {
    let domain = rooms.people.find_domain(&allowed, id).await?;
    Ok(Reply::of::<GetDomain>(&DomainView::from(domain))?)
}

pub async fn prove(
    State(rooms): State<Rooms>,
    allowed: Allowed<ProveDomain>,
    Segment(id): Segment<DomainId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<ProveDomain, _, _, _>(|| rooms.people.prove_domain(&allowed, id)).await
}

pub async fn delete(
    State(rooms): State<Rooms>,
    allowed: Allowed<DeleteDomain>,
    Segment(id): Segment<DomainId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteDomain, _, _, _>(|| rooms.people.let_domain_go(&allowed, id)).await
}
