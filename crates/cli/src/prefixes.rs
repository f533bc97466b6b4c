//! `safeconduct prefixes …`

use clap::{Args, Subcommand};
use client::{NewResourcePrefix, OutsideResource, ResourcePrefix, ResourcePrefixPatch};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, show};
use crate::table::Cell;

#[derive(Subcommand, Clone, Debug)]
pub enum PrefixesCommand {
    /// List the prefixes of outside applications' resources.
    List,
    /// Make an outside application's resources known, so that permissions about them can be given.
    Create(Said),
    /// Change what is said of an application's resources.
    Update(Said),
    /// Strike a prefix that no grant, role or API key uses.
    Delete {
        /// The word before the dot.
        prefix: String,
    },
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:
  safeconduct prefixes create titan --resource courses=read,enrol --resource certificates=read")]
pub struct Said {
    /// The word before the dot: `titan` for `titan.courses`.
    prefix: String,
    #[arg(long)]
    description: Option<String>,
    /// Resource and its actions, as NAME=ACTION,ACTION. May be repeated.
    #[arg(long = "resource", value_name = "NAME=ACTIONS")]
    resources: Vec<String>,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: PrefixesCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let prefixes = client.resource_prefixes();
    let prefix = match command {
        PrefixesCommand::List => return show(&mut desk.screen, &prefixes.list().await?, &COLUMNS),
        PrefixesCommand::Create(said) => {
            let resources = said.resources.iter().map(|text| resource(text)).collect();
            let description = said.description.unwrap_or_default();
            prefixes.create(&NewResourcePrefix { prefix: said.prefix, description, resources }).await?
        }
        PrefixesCommand::Update(said) => {
            let resources: Vec<_> = said.resources.iter().map(|text| resource(text)).collect();
            let resources = Some(resources).filter(|resources| !resources.is_empty());
            let patch = ResourcePrefixPatch { description: said.description, resources };
            prefixes.update(&said.prefix, &patch).await?
        }
        PrefixesCommand::Delete { prefix } => {
            desk.screen.confirm(&format!("Strike the prefix {prefix}?"))?;
            prefixes.delete(&prefix).await?
        }
    };
    let rows = [
        ("prefix", Cell::from(&prefix.prefix)),
        ("about", Cell::from(&prefix.description)),
        ("resources", Cell::from(named(&prefix))),
    ];
    desk.screen.record(&prefix, &prefix.prefix, &rows)
}

fn resource(text: &str) -> OutsideResource {
    let (name, actions) = text.split_once('=').unwrap_or((text, ""));
    let actions = actions.split(',').filter(|action| !action.is_empty()).map(str::to_owned).collect();
    OutsideResource { name: name.to_owned(), meaning: String::new(), actions }
}

fn named(prefix: &ResourcePrefix) -> String {
    let one = |resource: &OutsideResource| format!("{}.{}", prefix.prefix, resource.name);
    prefix.resources.iter().map(one).collect::<Vec<_>>().join(", ")
}

static COLUMNS: Columns<ResourcePrefix> = Columns {
    id: |prefix| &prefix.prefix,
    columns: &[
        ("prefix", |prefix| Cell::from(&prefix.prefix)),
        ("about", |prefix| Cell::from(&prefix.description)),
        ("resources", |prefix| Cell::from(named(prefix))),
    ],
};
