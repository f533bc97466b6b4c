//! `safeconduct orgs …`

use clap::{Args, Subcommand};
use client::{NewOrg, Org, OrgFilter, OrgPatch, OrgSummary};
use serde_json::{Map, Value, json};

use crate::clearing::{Limit, unless_empty};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, Listing, show, show_all};
use crate::profiles::KeptSession;
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum OrgsCommand {
    /// Show an organization; the one you stand in if none is named.
    Show {
        /// Id or slug.
        org: Option<String>,
    },
    /// List the organizations that you belong to; as an operator, all.
    List(List),
    /// Found an organization; for operators.
    Create(Create),
    /// Change the name or settings of an organization; what is not named stays.
    Update(Update),
    /// Go over to another of your organizations.
    Switch {
        /// Id or slug.
        org: String,
    },
    /// Delete an organization: after 30 days of grace everything in it is erased.
    Delete {
        /// Its slug.
        slug: String,
    },
    /// Bring an organization back from its grace.
    Restore {
        /// Id or slug.
        org: String,
    },
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// active, leaving or erasing.
    #[arg(long)]
    status: Option<String>,
    /// Part of the slug or name.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    /// Only those that you are a member of, also as an operator.
    #[arg(long)]
    mine: bool,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct orgs create acme --name 'Acme'
  safeconduct orgs create acme --name 'Acme' --owner usr_01h455vb4pex5vsknk084sn02q")]
pub struct Create {
    /// Stands in addresses; fixed, and never given out again.
    slug: String,
    #[arg(long)]
    name: String,
    #[arg(long)]
    billing_email: Option<String>,
    /// User who will own it; you if left out.
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct orgs update home --time-zone Europe/Zurich --approve-new-agents true
  safeconduct orgs update home --session-lifetime 28800 --notify ops@example.com
  safeconduct orgs update home --maximum-age production.credentials=7776000")]
pub struct Update {
    /// Id or slug.
    org: String,
    #[arg(long)]
    name: Option<String>,
    /// An empty one takes it away.
    #[arg(long)]
    billing_email: Option<String>,
    /// IANA name, such as Europe/Zurich; UTC if empty.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Seconds from sign-in to the end of a session; `none` leaves it to the instance.
    #[arg(long, value_name = "SECONDS", value_parser = Limit::parse)]
    session_lifetime: Option<Limit>,
    /// Whether new agents wait until somebody approves them.
    #[arg(long, value_name = "BOOL")]
    approve_new_agents: Option<bool>,
    /// Who hears of what needs a person; replaces the list, an empty one empties it. May be repeated.
    #[arg(long = "notify", value_name = "E-MAIL")]
    notify: Vec<String>,
    /// How old something may get, such as production.credentials=7776000 (keys, webhook_secrets; `none` ends the limit).
    /// May be repeated.
    #[arg(long = "maximum-age", value_name = "ENV.KIND=SECONDS", value_parser = maximum_age)]
    maximum_ages: Vec<MaximumAge>,
    /// Refuse if the organization has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Clone, Debug)]
struct MaximumAge {
    environment: String,
    kind: String,
    limit: Limit,
}

fn maximum_age(word: &str) -> Result<MaximumAge, String> {
    let parts = word.split_once('=').and_then(|(of, age)| Some((of.split_once('.')?, age)));
    let Some(((environment, kind), age)) = parts else {
        return Err("expected ENV.KIND=SECONDS, such as production.credentials=7776000".to_owned());
    };
    Ok(MaximumAge { environment: environment.to_owned(), kind: kind.to_owned(), limit: Limit::parse(age)? })
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: OrgsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let orgs = client.orgs();
    match command {
        OrgsCommand::Show { org: None } => shown(desk, &orgs.current().await?),
        OrgsCommand::Show { org: Some(org) } => shown(desk, &orgs.get(&org).await?),
        OrgsCommand::List(list) if list.listing.all => {
            show_all(&mut desk.screen, orgs.all(&list.filter(200)), &COLUMNS).await
        }
        OrgsCommand::List(list) => {
            let page = orgs.list(&list.filter(list.listing.limit)).await?;
            show(&mut desk.screen, &page, &COLUMNS)
        }
        OrgsCommand::Create(create) => {
            let Create { slug, name, billing_email, owner } = create;
            shown(desk, &orgs.create(&NewOrg { slug, name, billing_email, owner }).await?)
        }
        OrgsCommand::Update(update) => {
            shown(desk, &orgs.update(&update.org, &update.patch(), update.if_revision).await?)
        }
        OrgsCommand::Switch { org } => switch(desk, &org).await,
        OrgsCommand::Delete { slug } => {
            desk.screen.confirm(&format!(
                "Delete {slug}? After 30 days everything in it is erased and nobody can bring it back."
            ))?;
            shown(desk, &orgs.delete(&slug, &slug).await?)
        }
        OrgsCommand::Restore { org } => shown(desk, &orgs.restore(&org).await?),
    }
}

/// The profile keeps the new session in the place of the old one, which is over.
async fn switch(desk: &mut Desk<'_>, org: &str) -> Result<(), Failure> {
    let choice = desk.choice()?;
    let tokens = desk.client()?.orgs().switch(org).await?;
    let kept = KeptSession::of(&tokens, &desk.world);
    desk.store()?.lock()?.change(|profiles| {
        if let Some(profile) = profiles.profiles.get_mut(&choice.profile) {
            profile.session = Some(kept);
        }
        Ok(())
    })?;
    let shown = json!({ "profile": choice.profile, "org": tokens.org, "user": tokens.user });
    let rows = [
        ("organization", Cell::toned(&tokens.org.slug, Tone::Strong)),
        ("name", Cell::from(&tokens.org.name)),
        ("signed in", Cell::from(&tokens.user.display_name)),
        ("profile", Cell::from(&choice.profile)),
    ];
    desk.screen.record(&shown, &tokens.org.id, &rows)
}

static COLUMNS: Columns<OrgSummary> = Columns {
    id: |org| &org.id,
    columns: &[
        ("organization", |org| Cell::toned(&org.slug, Tone::Strong)),
        ("name", |org| Cell::from(&org.name)),
        ("status", |org| Cell::toned(&org.status, Tone::of_status(&org.status))),
        ("here", |org| Cell::from(if org.current { "yes" } else { "" })),
        ("id", |org| Cell::from(&org.id)),
    ],
};

fn shown(desk: &mut Desk<'_>, org: &Org) -> Result<(), Failure> {
    let settings = &org.settings;
    let mut rows = vec![
        ("id", Cell::from(&org.id)),
        ("slug", Cell::from(&org.slug)),
        ("name", Cell::from(&org.name)),
        ("home", Cell::from(if org.home { "yes" } else { "no" })),
        ("status", Cell::toned(&org.status, Tone::of_status(&org.status))),
    ];
    rows.extend(
        org.erase_after.as_ref().map(|time| ("erased after", Cell::toned(time.as_str(), Tone::Warn))),
    );
    rows.extend([
        ("billing e-mail", Cell::from(org.billing_email.as_deref().unwrap_or_default())),
        ("time zone", Cell::from(settings.time_zone.as_deref().unwrap_or("UTC"))),
        (
            "new agents",
            Cell::from(if settings.new_agents_need_approval { "need approval" } else { "active" }),
        ),
        ("notified", Cell::from(settings.notification_addresses.join(", "))),
        ("created", Cell::from(org.created_at.as_str())),
        ("revision", Cell::from(org.revision.to_string())),
    ]);
    desk.screen.record(org, &org.id, &rows)
}

impl List {
    fn filter(&self, limit: u32) -> OrgFilter {
        OrgFilter {
            status: self.status.clone(),
            q: self.search.clone(),
            mine: self.mine.then_some(true),
            limit: Some(limit),
            cursor: self.listing.cursor.clone(),
        }
    }
}

impl Update {
    /// By environment, then by kind.
    fn ages(&self) -> Option<Map<String, Value>> {
        let mut ages = Map::new();
        for age in &self.maximum_ages {
            let of = ages.entry(&age.environment).or_insert_with(|| json!({}));
            if let Some(kinds) = of.as_object_mut() {
                kinds.insert(age.kind.clone(), json!(age.limit));
            }
        }
        (!ages.is_empty()).then_some(ages)
    }

    fn patch(&self) -> OrgPatch {
        let mut settings = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            settings.extend(value.map(|value| (name.to_owned(), value)));
        };
        set("time_zone", self.time_zone.clone().map(|zone| json!(unless_empty(zone))));
        set("session_lifetime_seconds", self.session_lifetime.map(|limit| json!(limit)));
        set("new_agents_need_approval", self.approve_new_agents.map(Value::from));
        let notify = (!self.notify.is_empty())
            .then(|| self.notify.iter().filter(|address| !address.is_empty()).cloned().collect::<Value>());
        set("notification_addresses", notify);
        set("maximum_age_seconds", self.ages().map(Value::Object));
        OrgPatch {
            name: self.name.clone(),
            billing_email: self.billing_email.clone().map(unless_empty),
            settings: (!settings.is_empty()).then_some(settings),
        }
    }
}
