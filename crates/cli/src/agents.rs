//! `safeconduct agents …`

use clap::{Args, Subcommand};
use client::{Agent, AgentFilter, AgentPatch, NewAgent};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};
use crate::{files, kills};

#[derive(Subcommand, Clone, Debug)]
pub enum AgentsCommand {
    /// Register an agent.
    #[command(visible_alias = "create")]
    Register(Box<Register>),
    /// List agents, newest first.
    List(List),
    /// Show an agent.
    Show(Named),
    /// Change an agent; what is not named stays.
    Update(Box<Update>),
    /// Stop an agent until it is reactivated: its tokens die, its runs are cancelled.
    Suspend(Because),
    /// Let a suspended agent act again.
    Reactivate(Named),
    /// Let an agent act that waits for approval.
    Approve(Named),
    /// Turn an agent away that waits for approval.
    Reject(Because),
    /// Stop an agent at once and get a receipt of what died.
    Kill(Because),
    /// Retire an agent for good; the record stays.
    Decommission(Named),
}

#[derive(Args, Clone, Debug)]
pub struct Named {
    /// Id, or `namespace:name`.
    pub agent: String,
}

#[derive(Args, Clone, Debug)]
pub struct Because {
    /// Id, or `namespace:name`.
    agent: String,
    /// Why; it stands on the record.
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct agents register ops:reporter --display-name Reporter --permission 'functions:execute:all'
  safeconduct agents register --handle reporter.ops@example.com --role member --tag nightly")]
pub struct Register {
    /// `namespace:name`, or a name in the namespace `default`.
    #[arg(required_unless_present = "handle")]
    name: Option<String>,
    /// Shaped like an e-mail address.
    #[arg(long)]
    handle: Option<String>,
    #[command(flatten)]
    about: About,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct agents update ops:reporter --description 'Reports on service checks'
  safeconduct agents update ops:reporter --permission 'agents:read:all' --if-revision 3
  safeconduct agents update ops:reporter --tag '' --metadata shift=null")]
pub struct Update {
    /// Id, or `namespace:name`.
    agent: String,
    #[command(flatten)]
    about: About,
    /// Field that shall have its default again; may be repeated.
    #[arg(long, value_name = "FIELD", value_parser = [
        "display_name", "description", "type", "version", "capabilities", "deployment_env", "visibility", "tags",
        "metadata", "roles", "permissions",
    ])]
    unset: Vec<String>,
    /// Refuse if the agent has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

/// What can be said of an agent. Lists are given whole; for a change, one empty value empties a list.
#[derive(Args, Clone, Debug, Default)]
struct About {
    /// How people call it.
    #[arg(long)]
    display_name: Option<String>,
    #[arg(long)]
    description: Option<String>,
    /// screener, classifier, orchestrator, extractor, summarizer, router, monitor or custom.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Semantic version of the agent's own code.
    #[arg(long, value_name = "VERSION")]
    agent_version: Option<String>,
    /// What it can do, as `resource:action`; grants nothing. May be repeated.
    #[arg(long = "capability", value_name = "WORD")]
    capabilities: Vec<String>,
    /// User or group that answers for it.
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// Group that it belongs to.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// development, staging or production.
    #[arg(long)]
    env: Option<String>,
    /// private, group, organization or public.
    #[arg(long)]
    visibility: Option<String>,
    /// May be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Any further member, as KEY=VALUE; may be repeated.
    #[arg(long = "metadata", value_name = "KEY=VALUE")]
    metadata: Vec<String>,
    /// Role to give; you must hold it. May be repeated.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Permission to give, such as `functions:execute:all`; you must hold it. May be repeated.
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// pending, active, suspended or decommissioned.
    #[arg(long)]
    status: Option<String>,
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    #[arg(long)]
    env: Option<String>,
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    #[arg(long)]
    visibility: Option<String>,
    #[arg(long, value_name = "WORD")]
    capability: Option<String>,
    /// Part of the handle or display name.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    /// Only those whose owner has left the organization.
    #[arg(long)]
    orphaned: bool,
    #[command(flatten)]
    listing: Listing,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: AgentsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let agents = client.agents();
    match command {
        AgentsCommand::Register(register) => {
            let agent = agents.create(&register.wanted()?).await?;
            shown(desk, &agent)
        }
        AgentsCommand::List(list) if list.listing.all => {
            show_all(&mut desk.screen, agents.all(&list.filter(200)), &COLUMNS).await
        }
        AgentsCommand::List(list) => {
            let page = agents.list(&list.filter(list.listing.limit)).await?;
            show(&mut desk.screen, &page, &COLUMNS)
        }
        AgentsCommand::Show(Named { agent }) => shown(desk, &agents.get(&agent).await?),
        AgentsCommand::Update(update) => {
            let patch = AgentPatch { unset: update.unset, ..update.about.patch()? };
            let agent = agents.update(&update.agent, &patch, update.if_revision).await?;
            shown(desk, &agent)
        }
        AgentsCommand::Suspend(because) => {
            shown(desk, &agents.suspend(&because.agent, because.reason.as_deref()).await?)
        }
        AgentsCommand::Reactivate(Named { agent }) => shown(desk, &agents.reactivate(&agent).await?),
        AgentsCommand::Approve(Named { agent }) => shown(desk, &agents.approve(&agent).await?),
        AgentsCommand::Reject(because) => {
            shown(desk, &agents.reject(&because.agent, because.reason.as_deref()).await?)
        }
        AgentsCommand::Kill(Because { agent, reason }) => {
            desk.screen.confirm(&format!("Kill {agent}? Its tokens and runs die at once."))?;
            kills::shown(desk, &agents.kill(&agent, reason.as_deref()).await?)
        }
        AgentsCommand::Decommission(Named { agent }) => {
            desk.screen.confirm(&format!("Decommission {agent}? This is final."))?;
            shown(desk, &agents.decommission(&agent).await?)
        }
    }
}

static COLUMNS: Columns<Agent> = Columns {
    id: |agent| &agent.id,
    columns: &[
        ("agent", |agent| Cell::toned(format!("{}:{}", agent.namespace, agent.name), Tone::Strong)),
        ("status", |agent| status(agent)),
        ("type", |agent| Cell::from(&agent.kind)),
        ("env", |agent| Cell::from(&agent.deployment_env)),
        ("id", |agent| Cell::from(&agent.id)),
        ("name", |agent| Cell::from(&agent.display_name)),
    ],
};

fn shown(desk: &mut Desk<'_>, agent: &Agent) -> Result<(), Failure> {
    let rows = [
        ("id", Cell::from(&agent.id)),
        ("agent", Cell::toned(format!("{}:{}", agent.namespace, agent.name), Tone::Strong)),
        ("status", status(agent)),
        ("name", Cell::from(&agent.display_name)),
        ("handle", Cell::from(&agent.handle)),
        ("about", Cell::from(&agent.description)),
        ("type", Cell::from(&agent.kind)),
        ("version", Cell::from(&agent.version)),
        ("env", Cell::from(&agent.deployment_env)),
        ("visibility", Cell::from(&agent.visibility)),
        ("owner", Cell::from(&agent.owner.id)),
        ("group", Cell::from(agent.group.as_deref().unwrap_or_default())),
        ("roles", Cell::from(agent.roles.join(", "))),
        ("permissions", Cell::from(agent.permissions.join(", "))),
        ("tags", Cell::from(agent.tags.join(", "))),
        ("created", Cell::from(agent.created_at.as_str())),
        ("last seen", Cell::from(agent.last_seen_at.as_ref().map_or("never", |time| time.as_str()))),
        ("revision", Cell::from(agent.revision.to_string())),
    ];
    desk.screen.record(agent, &agent.id, &rows)
}

fn status(agent: &Agent) -> Cell {
    Cell::toned(agent.status.as_str(), Tone::of_status(agent.status.as_str()))
}

impl Register {
    fn wanted(&self) -> Result<NewAgent, Failure> {
        let (namespace, name) = match self.name.as_deref().map(|name| name.split_once(':').ok_or(name)) {
            Some(Ok((namespace, name))) => (Some(namespace.to_owned()), Some(name.to_owned())),
            Some(Err(name)) => (None, Some(name.to_owned())),
            None => (None, None),
        };
        let about = self.about.clone();
        Ok(NewAgent {
            namespace,
            name,
            handle: self.handle.clone(),
            metadata: files::pairs(&about.metadata)?,
            display_name: about.display_name,
            description: about.description,
            kind: about.kind,
            version: about.agent_version,
            capabilities: about.capabilities,
            owner: about.owner,
            group: about.group,
            deployment_env: about.env,
            visibility: about.visibility,
            tags: about.tags,
            roles: about.roles,
            permissions: about.permissions,
        })
    }
}

impl About {
    fn patch(&self) -> Result<AgentPatch, Failure> {
        let list = |items: &[String]| match items {
            [] => None,
            [one] if one.is_empty() => Some(Vec::new()),
            all => Some(all.to_vec()),
        };
        let metadata = files::pairs(&self.metadata)?;
        Ok(AgentPatch {
            unset: Vec::new(),
            display_name: self.display_name.clone(),
            description: self.description.clone(),
            kind: self.kind.clone(),
            version: self.agent_version.clone(),
            capabilities: list(&self.capabilities),
            owner: self.owner.clone(),
            group: self.group.clone(),
            deployment_env: self.env.clone(),
            visibility: self.visibility.clone(),
            tags: list(&self.tags),
            metadata: (!metadata.is_empty()).then_some(metadata),
            roles: list(&self.roles),
            permissions: list(&self.permissions),
        })
    }
}

impl List {
    fn filter(&self, limit: u32) -> AgentFilter {
        AgentFilter {
            owner: self.owner.clone(),
            group: self.group.clone(),
            kind: self.kind.clone(),
            status: self.status.clone(),
            env: self.env.clone(),
            visibility: self.visibility.clone(),
            capability: self.capability.clone(),
            q: self.search.clone(),
            orphaned: self.orphaned.then_some(true),
            limit: Some(limit),
            cursor: self.listing.cursor.clone(),
            count: None,
        }
    }
}
