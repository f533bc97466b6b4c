//! The last acts: the record is checked, the run proven, the evidence taken along.

use std::path::{Path, PathBuf};

use client::{Agent, Client, ExportQuery, Fact, FactFilter, Run, VerifyRange};
use evidence::{Report, Trust, verify_bundle};

use super::acts::contrary;
use super::server::SignedIn;
use super::telling::Stopwatch;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::{audit, trust};

/// What can be shown to anybody afterwards.
pub(crate) struct Proven {
    pub(crate) checked: u64,
    pub(crate) fact: Fact,
    pub(crate) tree_size: u64,
    pub(crate) hashes: usize,
    pub(crate) bundle: PathBuf,
    pub(crate) report: Report,
    pub(crate) believed: String,
}

pub(crate) async fn prove(
    desk: &mut Desk<'_>,
    watch: &mut Stopwatch,
    signed_in: &SignedIn,
    worker: &Agent,
    run: &Run,
    out: Option<&Path>,
    suffix: &str,
) -> Result<Proven, Failure> {
    let SignedIn { client: owner, believed, .. } = signed_in;
    let found = owner.audit().verify(&VerifyRange::default()).await?;
    if !found.verified {
        return Err(Failure::NotVerified(
            found.reason.unwrap_or_else(|| "a record does not hold".to_owned()),
        ));
    }
    watch.tell(
        desk,
        &format!("ledger verified: {} records, each as it was written, none missing", found.checked_count),
    )?;

    let fact = fact_of(
        owner,
        &FactFilter {
            run: Some(run.id.clone()),
            kind: Some("run.succeeded".into()),
            ..FactFilter::default()
        },
    )
    .await?;
    let proof = trust::proof_of(owner, &fact.id).await?;
    let checkpoint = believed.check_fact(&fact.id, &proof)?;
    let root = hex::encode(checkpoint.root);
    watch.tell(
        desk,
        &format!(
            "the run is leaf {} of {}: {} hashes lead from {} to the signed root {}…",
            proof.seq,
            checkpoint.size,
            proof.path.len(),
            fact.id,
            root.get(..12).unwrap_or_default()
        ),
    )?;

    // From the story's first fact on: on a server with a long record the rest is nobody's affair here.
    let created = FactFilter {
        target: Some(worker.id.clone()),
        kind: Some("agent.created".into()),
        ..FactFilter::default()
    };
    let first = fact_of(owner, &created).await?.org_seq;
    let path =
        out.map_or_else(|| PathBuf::from(format!("safeconduct-quickstart-{suffix}.bundle")), Path::to_owned);
    let query = ExportQuery { format: Some("bundle".into()), first: Some(first), ..ExportQuery::default() };
    let size = audit::save(&mut owner.audit().export(&query).await?, &path).await?;
    let bytes = std::fs::read(&path).map_err(|error| Failure::file(&path, error))?;
    let offline = verify_bundle(&bytes, &Trust { key: &believed.key, origin: None, checkpoint: None });
    let report = offline.map_err(|error| Failure::NotVerified(error.to_string()))?;
    if !(report.first..=report.last).contains(&fact.org_seq) {
        return Err(Failure::NotVerified("the bundle does not hold the run's fact".to_owned()));
    }
    watch.tell(
        desk,
        &format!(
            "bundle written to {} ({size} bytes) and verified without the server, by {}",
            path.display(),
            believed.source.words()
        ),
    )?;
    Ok(Proven {
        checked: found.checked_count,
        tree_size: checkpoint.size,
        hashes: proof.path.len(),
        fact,
        bundle: path,
        report,
        believed: believed.source.words(),
    })
}

/// The newest fact of this kind, as soon as the index shows it.
async fn fact_of(owner: &Client, filter: &FactFilter) -> Result<Fact, Failure> {
    let filter = FactFilter { limit: Some(1), ..filter.clone() };
    for _ in 0..trust::PATIENCE {
        if let Some(fact) = owner.audit().list(&filter).await?.items.into_iter().next() {
            return Ok(fact);
        }
        tokio::time::sleep(trust::LOOK_AGAIN).await;
    }
    Err(contrary(&format!("the record shows no {}", filter.kind.as_deref().unwrap_or("fact"))))
}
