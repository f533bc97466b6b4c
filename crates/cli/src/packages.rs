//! `safeconduct packages …`

use clap::{Args, Subcommand};
use client::{Client, Package, PackageBuildStep, PackageEnvironment, PackageFilter};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum PackagesCommand {
    /// List packages that functions may name, or would, newest first.
    List(List),
    /// Ask for a package.
    Request(Said),
    /// Let functions name a package; asks for it, if nobody has.
    Approve(Said),
    /// Keep functions from a package, also from one that comes along.
    Refuse(Said),
    /// Take a package off the list; versions that have it keep it.
    Remove {
        /// Name or id.
        package: String,
    },
    /// Build the environment of requirements and print what they lead to.
    Try(Try),
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// requested, approved or refused.
    #[arg(long)]
    state: Option<String>,
    /// Part of the name.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct Said {
    /// Name or id.
    package: String,
    /// What for, or why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:
  safeconduct packages try 'pandas>=2' requests")]
pub struct Try {
    /// As a function names them.
    #[arg(required = true)]
    requirements: Vec<String>,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: PackagesCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let packages = client.packages();
    let package = match command {
        PackagesCommand::List(list) => return list_some(desk, &client, &list).await,
        PackagesCommand::Try(wanted) => {
            let environment = build(desk, &client, &wanted.requirements).await?;
            return shown(desk, &environment);
        }
        PackagesCommand::Request(said) => packages.request(&said.package, said.reason.as_deref()).await?,
        PackagesCommand::Approve(said) => match packages.approve(&said.package, said.reason.as_deref()).await
        {
            Err(error) if error.code() == "not_found" => {
                let asked = packages.request(&said.package, None).await?;
                packages.approve(&asked.id, said.reason.as_deref()).await?
            }
            approved => approved?,
        },
        PackagesCommand::Refuse(said) => match packages.refuse(&said.package, said.reason.as_deref()).await {
            Err(error) if error.code() == "not_found" => {
                let asked = packages.request(&said.package, None).await?;
                packages.refuse(&asked.id, said.reason.as_deref()).await?
            }
            refused => refused?,
        },
        PackagesCommand::Remove { package } => {
            desk.screen.confirm(&format!("Take {package} off the list? No new version may name it."))?;
            packages.remove(&package).await?
        }
    };
    let rows = [
        ("package", Cell::toned(&package.name, Tone::Strong)),
        ("state", state(&package)),
        ("reason", Cell::from(&package.reason)),
        ("answer", Cell::from(&package.answer)),
        ("id", Cell::from(&package.id)),
    ];
    desk.screen.record(&package, &package.name, &rows)
}

/// Follows a build to its end, its lines beside the result.
pub(crate) async fn build(
    desk: &mut Desk<'_>,
    client: &Client,
    requirements: &[String],
) -> Result<PackageEnvironment, Failure> {
    let mut build = client.packages().build(requirements);
    loop {
        match build.next().await? {
            PackageBuildStep::Line(line) => desk.screen.note(&line)?,
            PackageBuildStep::Ready(environment) => return Ok(environment),
        }
    }
}

async fn list_some(desk: &mut Desk<'_>, client: &Client, list: &List) -> Result<(), Failure> {
    let filter = PackageFilter {
        state: list.state.clone(),
        q: list.search.clone(),
        limit: Some(if list.listing.all { 200 } else { list.listing.limit }),
        cursor: list.listing.cursor.clone(),
    };
    match list.listing.all {
        true => show_all(&mut desk.screen, client.packages().all(&filter), &COLUMNS).await,
        false => show(&mut desk.screen, &client.packages().list(&filter).await?, &COLUMNS),
    }
}

fn shown(desk: &mut Desk<'_>, environment: &PackageEnvironment) -> Result<(), Failure> {
    let lock = environment.package_lock.as_ref();
    let packages = lock.map(|lock| {
        lock.packages
            .iter()
            .map(|one| format!("{}=={}", one.name, one.version))
            .collect::<Vec<_>>()
            .join(", ")
    });
    let hash = lock.map_or("", |lock| lock.sha256.as_str());
    let rows = [
        ("requirements", Cell::from(environment.requirements.join(", "))),
        ("status", Cell::from(&environment.status)),
        ("packages", Cell::from(packages.unwrap_or_default())),
        ("lock", Cell::from(format!("SHA-256 {hash}"))),
    ];
    desk.screen.record(environment, hash, &rows)
}

fn state(package: &Package) -> Cell {
    let tone = match package.state.as_str() {
        "approved" => Tone::Good,
        "refused" => Tone::Bad,
        _ => Tone::Plain,
    };
    Cell::toned(package.state.as_str(), tone)
}

static COLUMNS: Columns<Package> = Columns {
    id: |package| &package.name,
    columns: &[
        ("package", |package| Cell::toned(package.name.as_str(), Tone::Strong)),
        ("state", state),
        ("functions", |package| Cell::from(package.functions.to_string())),
        ("asked for by", |package| Cell::from(&package.requested_by.id)),
        ("reason", |package| Cell::from(&package.reason)),
        ("answer", |package| Cell::from(&package.answer)),
    ],
};
