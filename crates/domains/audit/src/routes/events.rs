//! `/api/v1/audit/events`: lists, one fact with its proof, the catalogue.

use std::net::IpAddr;

use axum::extract::State;
use ledger::{LedgerError, Outcome, Severity};
use problem::{INVALID_CURSOR, Problem, VALIDATION_FAILED};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{AgentId, FactId, RunId, Timestamp, TokenId, TxnId};
use utoipa::ToSchema;
use web::{Allowance, Allowed, Page, Params, Refusal, Reply, Segment, Spec, operation, refuses};

use super::views::{FactDetail, FactView, ProofView};
use crate::Audit;
use crate::index::{Term, words};
use crate::store::{self, Filter};

operation! {
    /// Lists what happened, newest first.
    pub ListEvents[EventFilter] -> Page<FactView> = Spec::get("audit.events.list", "/api/v1/audit/events")
        .needs("audit:read").errors(refuses![INVALID_CURSOR]);

    /// Shows one fact with the proof that it stands in the log.
    pub GetEvent -> FactDetail = Spec::get("audit.events.get", "/api/v1/audit/events/{fact}").needs("audit:read");

    /// Lists every kind of fact with its meaning and the schema of its data.
    pub Catalogue -> CatalogueView = Spec::get("events.catalogue", "/api/v1/events/catalogue");
}

#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventFilter {
    /// Id of who acted.
    pub actor: Option<String>,
    /// An agent, as actor or anywhere in the chain.
    pub agent: Option<AgentId>,
    /// Such as `agent.created`.
    pub kind: Option<String>,
    /// `success`, `failure` or `denied`.
    pub outcome: Option<String>,
    /// `info`, `notice`, `warning` or `critical`.
    pub severity: Option<String>,
    /// Id of what was acted upon.
    pub target: Option<String>,
    pub run: Option<RunId>,
    pub jti: Option<TokenId>,
    pub txn: Option<TxnId>,
    pub ip: Option<IpText>,
    pub from: Option<Timestamp>,
    /// Not included.
    pub to: Option<Timestamp>,
    /// Whole words of the actor's and the target's names.
    pub q: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
    /// Adds `total`.
    pub count: Option<bool>,
}

/// An IPv4 or IPv6 address.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[schema(value_type = String)]
pub struct IpText(pub IpAddr);

#[derive(Serialize, ToSchema)]
pub struct CatalogueView {
    pub items: Vec<KindView>,
}

#[derive(Serialize, ToSchema)]
pub struct KindView {
    pub name: &'static str,
    pub severity: &'static str,
    pub description: &'static str,
    /// JSON Schema of the data.
    #[schema(value_type = Object)]
    pub schema: Value,
}

impl EventFilter {
    fn narrowed(&self, audit: &Audit, by: &Allowance) -> Result<Filter, Problem> {
        let index = &audit.inner().index;
        let mut terms = Vec::new();
        if let Some(IpText(ip)) = self.ip {
            terms.push(index.term(by.org(), &Term::Ip(ip)));
        }
        if let Some(agent) = self.agent {
            terms.push(index.term(by.org(), &Term::Agent(&agent.to_string())));
        }
        // More words than this narrow nothing further, but cost a look-up each.
        for word in words(self.q.as_deref().unwrap_or_default()).take(8) {
            terms.push(index.term(by.org(), &Term::Word(&word)));
        }
        Ok(Filter {
            actor: self.actor.clone(),
            kind: self.kind.clone(),
            outcome: known::<Outcome>("outcome", self.outcome.as_deref())?.map(Outcome::name),
            severity: known::<Severity>("severity", self.severity.as_deref())?.map(Severity::name),
            target: self.target.clone(),
            run: self.run,
            jti: self.jti,
            txn: self.txn,
            from: self.from,
            to: self.to,
            terms,
        })
    }
}

fn known<T: std::str::FromStr>(field: &str, text: Option<&str>) -> Result<Option<T>, Problem> {
    let wrong = |_| {
        Problem::new(&VALIDATION_FAILED, "Mend the query parameters.")
            .with_error(field, "is not one of its words")
    };
    text.map(|text| text.parse().map_err(wrong)).transpose()
}

pub async fn list(
    State(audit): State<Audit>,
    allowed: Allowed<ListEvents>,
    Params(filter): Params<ListEvents>,
) -> Result<Reply, Refusal> {
    let narrowed = filter.narrowed(&audit, &allowed)?;
    let mut page = audit.page(&allowed, &narrowed, filter.limit, filter.cursor.as_deref()).await?;
    if filter.count == Some(true) {
        page.total = Some(store::count(&audit.inner().db, &allowed, &narrowed).await?);
    }
    Ok(Reply::of::<ListEvents>(&page)?)
}

pub async fn get(
    State(audit): State<Audit>,
    allowed: Allowed<GetEvent>,
    Segment(id): Segment<FactId>,
) -> Result<Reply, Refusal> {
    let event = audit.find(&allowed, id).await?;
    let ledger = &audit.inner().ledger;
    let proof = match ledger.prove(&allowed.scope(), id).await {
        Ok(proof) => Some(ProofView::new(proof, ledger.verifier_key().await?.to_string())),
        Err(LedgerError::NotYet) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Reply::of::<GetEvent>(&FactDetail { fact: event.into(), proof })?)
}

pub async fn catalogue(State(audit): State<Audit>, _allowed: Allowed<Catalogue>) -> Result<Reply, Refusal> {
    let items = audit.inner().catalogue.iter().map(|kind| KindView {
        name: kind.name,
        severity: kind.severity.name(),
        description: kind.description,
        schema: kind.schema(),
    });
    Ok(Reply::of::<Catalogue>(&CatalogueView { items: items.collect() })?)
}
