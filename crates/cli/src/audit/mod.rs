//! `safeconduct audit …`

mod export;
mod verify;

use clap::{Args, Subcommand};
use client::{Fact, FactFilter};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::span;
use crate::table::{Cell, Tone};
use crate::trust::{Believed, Source};

pub(crate) use export::save;

#[derive(Subcommand, Clone, Debug)]
pub enum AuditCommand {
    /// List what happened, newest first.
    List(Box<List>),
    /// Watch what happens.
    Tail(Tail),
    /// Show one fact and check the proof that it stands in the log.
    Show(Show),
    /// Check a bundle without any server; without a bundle, have the server check its record.
    Verify(verify::Verify),
    /// Export the record, as lines, as a table, or as a bundle that verifies offline.
    Export(export::Export),
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct audit list --kind agent.killed --from 24h
  safeconduct audit list --run run_… --jsonl")]
pub struct List {
    /// Id of who acted.
    #[arg(long)]
    actor: Option<String>,
    /// Agent, as actor or anywhere in the chain.
    #[arg(long)]
    agent: Option<String>,
    /// Such as `agent.created`.
    #[arg(long)]
    kind: Option<String>,
    /// success, failure or denied.
    #[arg(long)]
    outcome: Option<String>,
    /// info, notice, warning or critical.
    #[arg(long)]
    severity: Option<String>,
    /// Id of what was acted upon.
    #[arg(long)]
    target: Option<String>,
    #[arg(long)]
    run: Option<String>,
    /// Token by which it was done.
    #[arg(long)]
    jti: Option<String>,
    /// Chain of acts that it belongs to.
    #[arg(long)]
    txn: Option<String>,
    #[arg(long)]
    ip: Option<String>,
    /// Time, or how long ago: 2026-11-01T09:30:00Z, 15m, 2h, 7d.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// As --from; not included.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Whole words of the actor's and the target's names.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct Tail {
    /// Begin behind this place of the organization's order; otherwise now.
    #[arg(long, value_name = "N")]
    after: Option<u64>,
    /// End after so many facts.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

#[derive(Args, Clone, Debug)]
pub struct Show {
    /// Id of the fact.
    fact: String,
    /// Verifier key to believe; otherwise the one pinned at login.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::List(list) => list_some(desk, &list).await,
        AuditCommand::Tail(tail) => tail_on(desk, &tail).await,
        AuditCommand::Show(show) => show_one(desk, &show).await,
        AuditCommand::Verify(verify) => verify::run(desk, &verify).await,
        AuditCommand::Export(export) => export::run(desk, &export).await,
    }
}

async fn list_some(desk: &mut Desk<'_>, list: &List) -> Result<(), Failure> {
    let client = desk.client()?;
    let time = |text: &Option<String>| text.as_deref().map(|text| span::time(text, &desk.world)).transpose();
    let filter = FactFilter {
        actor: list.actor.clone(),
        agent: list.agent.clone(),
        kind: list.kind.clone(),
        outcome: list.outcome.clone(),
        severity: list.severity.clone(),
        target: list.target.clone(),
        run: list.run.clone(),
        jti: list.jti.clone(),
        txn: list.txn.clone(),
        ip: list.ip.clone(),
        from: time(&list.from)?,
        to: time(&list.to)?,
        q: list.search.clone(),
        limit: Some(if list.listing.all { 200 } else { list.listing.limit }),
        cursor: list.listing.cursor.clone(),
        count: None,
    };
    match list.listing.all {
        true => show_all(&mut desk.screen, client.audit().all(&filter), &COLUMNS).await,
        false => show(&mut desk.screen, &client.audit().list(&filter).await?, &COLUMNS),
    }
}

async fn tail_on(desk: &mut Desk<'_>, tail: &Tail) -> Result<(), Failure> {
    let client = desk.client()?;
    let mut stream = client.audit().stream(tail.after);
    let mut left = tail.count.unwrap_or(u64::MAX);
    while left > 0 {
        let event = stream.next().await?;
        let fact: Fact = serde_json::from_str(&event.data).map_err(|error| {
            Failure::usage(format!("The server sent a fact that this version cannot read: {error}."))
        })?;
        let cells: Vec<Cell> = COLUMNS.columns.iter().map(|(_, cell)| cell(&fact)).collect();
        desk.screen.item(&fact, &fact.id, &cells)?;
        left -= 1;
    }
    Ok(())
}

async fn show_one(desk: &mut Desk<'_>, show: &Show) -> Result<(), Failure> {
    let client = desk.client()?;
    let detail = client.audit().get(&show.fact).await?;
    let fact = &detail.fact;
    let mut rows = rows(fact);
    let verdict = match &detail.proof {
        None => {
            Err(Failure::NotVerified("no checkpoint covers the fact yet; ask again in a moment".to_owned()))
        }
        Some(proof) => {
            let believed = Believed::or_of_server(desk, show.key.as_deref(), &proof.key)?;
            believed.check_fact(&fact.id, proof).map(|checkpoint| (believed.source, checkpoint.size, proof))
        }
    };
    match &verdict {
        Ok((source, size, proof)) => {
            let text = format!(
                "leaf {} of {size}, by {} hashes, under {}",
                proof.seq,
                proof.path.len(),
                source.words()
            );
            rows.push((
                "proof",
                Cell::toned(text, if *source == Source::Server { Tone::Warn } else { Tone::Good }),
            ));
        }
        Err(_) => rows.push(("proof", Cell::toned("does not hold", Tone::Bad))),
    }
    desk.screen.record(&detail, &fact.id, &rows)?;
    verdict.map(drop)
}

static COLUMNS: Columns<Fact> = Columns {
    id: |fact| &fact.id,
    columns: &[
        ("when", |fact| Cell::from(fact.occurred_at.as_str())),
        ("what", |fact| Cell::toned(&fact.kind, Tone::Strong)),
        ("outcome", |fact| Cell::toned(&fact.outcome, Tone::of_status(&fact.outcome))),
        ("who", |fact| Cell::from(who(&fact.actor))),
        ("target", |fact| {
            fact.target.as_ref().map_or_else(Cell::default, |target| Cell::from(target_name(target)))
        }),
        ("fact", |fact| Cell::from(&fact.id)),
    ],
};

fn who(actor: &client::FactActor) -> String {
    match (&actor.id, actor.display.is_empty()) {
        (_, false) => actor.display.clone(),
        (Some(id), true) => id.clone(),
        (None, true) => actor.kind.clone(),
    }
}

fn target_name(target: &client::FactTarget) -> &str {
    if target.name.is_empty() { &target.id } else { &target.name }
}

fn rows(fact: &Fact) -> Vec<(&'static str, Cell)> {
    let text = |text: &Option<String>| Cell::from(text.as_deref().unwrap_or_default());
    let chain: Vec<String> = fact.act.iter().map(who).collect();
    let target = fact.target.as_ref().map(|target| format!("{} {} {}", target.kind, target.id, target.name));
    let mut rows = vec![
        ("fact", Cell::from(&fact.id)),
        ("when", Cell::from(fact.occurred_at.as_str())),
        ("what", Cell::toned(&fact.kind, Tone::Strong)),
        ("outcome", Cell::toned(&fact.outcome, Tone::of_status(&fact.outcome))),
        ("severity", Cell::from(&fact.severity)),
        ("who", Cell::from(format!("{} {}", who(&fact.actor), fact.actor.id.as_deref().unwrap_or_default()))),
        ("through", Cell::from(chain.join(" → "))),
        ("target", text(&target)),
        ("token", text(&fact.jti)),
        ("credential", text(&fact.credential)),
        ("run", text(&fact.run)),
        ("chain", text(&fact.txn)),
        ("request", text(&fact.request)),
        ("cause", text(&fact.cause)),
        ("from", text(&fact.ip)),
        ("place", Cell::from(format!("{} of the organization, leaf {}", fact.org_seq, fact.seq))),
    ];
    if !fact.data.is_empty() {
        rows.push(("data", Cell::from(serde_json::to_string(&fact.data).unwrap_or_default())));
    }
    rows.retain(|(_, cell)| !cell.text.trim().is_empty());
    rows
}
