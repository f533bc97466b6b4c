//! Checkpoints, tiles (C2SP tlog-tiles) and proofs.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ledger::LedgerError;
use merkle::TileId;
use problem::Problem;
use serde::{Deserialize, Serialize};
use types::FactId;
use utoipa::ToSchema;
use web::{Allowed, Nothing, Params, Refusal, Reply, Spec, operation};

use super::views::{ProofView, hex};
use crate::Audit;

operation! {
    /// Gives the newest signed checkpoint (a C2SP signed note) and the key that verifies it.
    pub GetCheckpoint -> CheckpointView = Spec::get("audit.checkpoint", "/api/v1/audit/checkpoint").needs("audit:read");

    /// Gives a tile of hashes, or of entries, as C2SP tlog-tiles names it: `0/x000/067.p/12`.
    pub GetTile -> Nothing = Spec::get("audit.tile", "/api/v1/audit/tile/{*path}").needs("audit:read");

    /// Proves that a fact stands in the log.
    pub ProveInclusion[OfFact] -> ProofView =
        Spec::get("audit.proof.inclusion", "/api/v1/audit/proof/inclusion").needs("audit:read");

    /// Proves that the log of one size continues the log of a smaller one.
    pub ProveConsistency[OfSizes] -> ConsistencyView =
        Spec::get("audit.proof.consistency", "/api/v1/audit/proof/consistency").needs("audit:read");
}

#[derive(Serialize, ToSchema)]
pub struct CheckpointView {
    pub note: String,
    /// `<name>+<key id>+<base64>`: pin it to verify later, without trusting this server.
    pub key: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfFact {
    pub fact: FactId,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfSizes {
    /// Size of the smaller log.
    pub first: u64,
    pub second: u64,
}

#[derive(Serialize, ToSchema)]
pub struct ConsistencyView {
    pub first: u64,
    pub second: u64,
    /// RFC 9162 §2.1.4 hashes, in hexadecimal.
    pub path: Vec<String>,
}

pub async fn checkpoint(
    State(audit): State<Audit>,
    _allowed: Allowed<GetCheckpoint>,
) -> Result<Reply, Refusal> {
    let ledger = &audit.inner().ledger;
    let note = ledger.checkpoint().await?.ok_or(LedgerError::NotYet)?;
    let key = ledger.verifier_key().await?.to_string();
    Ok(Reply::of::<GetCheckpoint>(&CheckpointView { note, key })?)
}

pub async fn tile(
    State(audit): State<Audit>,
    _allowed: Allowed<GetTile>,
    Path(path): Path<String>,
) -> Result<Response, Refusal> {
    let ledger = &audit.inner().ledger;
    let path = format!("tile/{path}");
    let bytes = match (TileId::parse(&path), merkle::parse_entries_path(&path)) {
        (Ok(id), _) => ledger.tile(id).await?,
        (_, Ok(id)) => ledger.entries(id).await?,
        _ => None,
    };
    let unknown = || Problem::from(LedgerError::Unknown);
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes.ok_or_else(unknown)?).into_response())
}

pub async fn inclusion(
    State(audit): State<Audit>,
    allowed: Allowed<ProveInclusion>,
    Params(of): Params<ProveInclusion>,
) -> Result<Reply, Refusal> {
    audit.find(&allowed, of.fact).await?;
    let ledger = &audit.inner().ledger;
    let proof = ledger.prove(&allowed.scope(), of.fact).await?;
    let key = ledger.verifier_key().await?.to_string();
    Ok(Reply::of::<ProveInclusion>(&ProofView::new(proof, key))?)
}

pub async fn consistency(
    State(audit): State<Audit>,
    _allowed: Allowed<ProveConsistency>,
    Params(of): Params<ProveConsistency>,
) -> Result<Reply, Refusal> {
    let proof = audit.inner().ledger.prove_growth(of.first, of.second).await?;
    let path = proof.path.iter().map(|hash| hex(hash)).collect();
    Ok(Reply::of::<ProveConsistency>(&ConsistencyView { first: proof.first, second: proof.second, path })?)
}
