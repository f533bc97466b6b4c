//! `safeconduct hooks …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use client::{
    Hook, HookAuthentication, HookDeduplication, HookDelivery, HookDeliveryFilter, HookFilter, HookInput,
    HookRoute, HookTrial, HookTried, NewHook, NewHookTarget,
};
use serde_json::{Map, Value, json};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::screen::Form;
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum HooksCommand {
    /// Make a hook; its secret is shown once.
    Create(Box<Create>),
    /// List hooks, newest first.
    List(List),
    /// Show a hook.
    Show(Named),
    /// Change a hook; what is not named stays. Whoever changes what it does becomes its owner.
    Update(Box<Update>),
    /// Remove a hook; what it set off and still runs ends.
    Delete(Named),
    /// Give a hook another secret, shown once.
    Rotate(Rotate),
    /// Say what a delivery would come to, without running anything.
    Try(Box<Try>),
    /// Print what there is to be called, as an OpenAPI document.
    Openapi(Openapi),
    /// List what came in, newest first.
    Deliveries(Deliveries),
    /// Show a delivery, with what was sent.
    Delivery(Delivered),
    /// Send a delivery through once more.
    Replay(Delivered),
}

#[derive(Args, Clone, Debug)]
pub struct Named {
    /// Id of the hook.
    hook: String,
}

#[derive(Args, Clone, Debug)]
pub struct Delivered {
    /// Id of the hook.
    hook: String,
    /// Id of the delivery.
    delivery: String,
}

/// How a sender proves itself.
#[derive(Args, Clone, Debug)]
pub struct Proving {
    /// token, hmac, basic or none.
    #[arg(long, value_name = "KIND")]
    auth: Option<String>,
    /// Of hmac: github, stripe, slack, standard_webhooks or generic.
    #[arg(long, requires = "auth")]
    preset: Option<String>,
    /// Of basic.
    #[arg(long, requires = "auth")]
    username: Option<String>,
    /// Of generic: where the signature stands.
    #[arg(long, value_name = "NAME", requires = "auth")]
    signature_header: Option<String>,
    /// Of generic: sha256 or sha512.
    #[arg(long, requires = "auth")]
    algorithm: Option<String>,
    /// Of generic: hex or base64.
    #[arg(long, requires = "auth")]
    encoding: Option<String>,
    /// Of generic: what stands before the signature.
    #[arg(long, requires = "auth")]
    prefix: Option<String>,
    /// Of generic: where the time of signing stands.
    #[arg(long, value_name = "NAME", requires = "auth")]
    timestamp_header: Option<String>,
    /// How far a signed time may lie from ours.
    #[arg(long, value_name = "SECONDS", requires = "auth")]
    tolerance: Option<i64>,
    /// File with the secret that the sender gave you, or `-`; one is made if left out.
    #[arg(long, value_name = "FILE", requires = "auth")]
    secret_file: Option<PathBuf>,
}

/// What it runs, and how.
#[derive(Args, Clone, Debug)]
pub struct Working {
    /// May be repeated: GET, POST, PUT, PATCH or DELETE.
    #[arg(long = "method", value_name = "METHOD")]
    methods: Vec<String>,
    #[arg(long)]
    description: Option<String>,
    /// May be repeated: what its runs may do besides.
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// May be repeated: an address or a network that may send.
    #[arg(long = "allow-ip", value_name = "NETWORK")]
    allowed_ips: Vec<String>,
    /// body or envelope.
    #[arg(long, value_name = "MODE")]
    input: Option<String>,
    /// What stands where the body says nothing: JSON, @FILE or `-`.
    #[arg(long, value_name = "JSON")]
    defaults: Option<String>,
    /// Which deliveries run it, and what they become: a list as JSON, @FILE or `-`; `[]` for every one.
    #[arg(long, value_name = "JSON")]
    routes: Option<String>,
    /// sync, mapped or async.
    #[arg(long)]
    response: Option<String>,
    /// A header that tells a repeat.
    #[arg(long, value_name = "NAME", conflicts_with = "deduplicate_at")]
    deduplicate_by: Option<String>,
    /// JSON pointer to what tells a repeat.
    #[arg(long, value_name = "POINTER")]
    deduplicate_at: Option<String>,
    /// Believed deliveries a minute.
    #[arg(long, value_name = "N")]
    rate: Option<i64>,
    /// Deliveries at a time.
    #[arg(long, value_name = "N")]
    concurrency: Option<i64>,
    /// Largest body.
    #[arg(long, value_name = "BYTES")]
    max_body: Option<i64>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct hooks create github --function ops:on_push --auth hmac --preset github
  safeconduct hooks create 'orders/{shop}' --function ops:order --auth token --input envelope")]
pub struct Create {
    /// Segments between slashes, each a word or a {parameter}.
    path: String,
    /// Id, or namespace:name.
    #[arg(long, short = 'f')]
    function: String,
    #[command(flatten)]
    proving: Proving,
    #[command(flatten)]
    working: Working,
}

#[derive(Args, Clone, Debug)]
pub struct Update {
    /// Id of the hook.
    hook: String,
    #[arg(long)]
    path: Option<String>,
    /// Id, or namespace:name.
    #[arg(long, short = 'f')]
    function: Option<String>,
    /// true or false.
    #[arg(long, value_name = "BOOL")]
    active: Option<bool>,
    #[command(flatten)]
    proving: Proving,
    #[command(flatten)]
    working: Working,
    /// Refuse if the hook has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// Part of the path or description.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    /// true or false.
    #[arg(long, value_name = "BOOL")]
    active: Option<bool>,
    /// Id of the function that they run.
    #[arg(long)]
    function: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
pub struct Rotate {
    /// Id of the hook.
    hook: String,
    /// File with the secret that the sender gave you, or `-`; one is made if left out.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// How long the secret of before stays good; a day if left out.
    #[arg(long, value_name = "SECONDS")]
    overlap: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct Openapi {
    /// All that you may use: functions with their own types beside the hooks.
    #[arg(long)]
    mine: bool,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct hooks try HOOK --body '{\"action\": \"opened\"}' --header 'X-GitHub-Event: issues'
  safeconduct hooks try HOOK --delivery DELIVERY --routes @routes.json")]
pub struct Try {
    /// Id of the hook.
    hook: String,
    /// What was sent then, in place of a request of your own.
    #[arg(long, value_name = "ID", conflicts_with_all = ["method", "path", "query", "headers", "body"])]
    delivery: Option<String>,
    /// GET, POST, PUT, PATCH or DELETE; the hook's first if left out.
    #[arg(long)]
    method: Option<String>,
    /// With values in place of its {parameters}.
    #[arg(long)]
    path: Option<String>,
    /// Without the question mark.
    #[arg(long)]
    query: Option<String>,
    /// May be repeated: 'Name: value'.
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// JSON, @FILE or `-`.
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
    /// In place of the hook's own: JSON, @FILE or `-`.
    #[arg(long, value_name = "JSON")]
    routes: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct Deliveries {
    /// Id of the hook.
    hook: String,
    /// accepted, refused, duplicate or ignored.
    #[arg(long)]
    outcome: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: HooksCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let hooks = client.hooks();
    match command {
        HooksCommand::Create(create) => {
            if matches!(create.proving.auth.as_deref(), Some("hmac" | "basic")) {
                is_seen(desk, create.proving.secret_file.as_ref())?;
            }
            let new = create.hook(desk)?;
            shown(desk, &hooks.create(&new).await?)
        }
        HooksCommand::List(list) => {
            let filter = HookFilter {
                q: list.search.clone(),
                active: list.active,
                function: list.function.clone(),
                limit: Some(if list.listing.all { 200 } else { list.listing.limit }),
                cursor: list.listing.cursor.clone(),
            };
            match list.listing.all {
                true => show_all(&mut desk.screen, hooks.all(&filter), &HOOKS).await,
                false => show(&mut desk.screen, &hooks.list(&filter).await?, &HOOKS),
            }
        }
        HooksCommand::Show(Named { hook }) => shown(desk, &hooks.get(&hook).await?),
        HooksCommand::Update(update) => {
            if matches!(update.proving.auth.as_deref(), Some("hmac" | "basic")) {
                is_seen(desk, update.proving.secret_file.as_ref())?;
            }
            let patch = update.patch(desk)?;
            shown(desk, &hooks.update(&update.hook, &patch, update.if_revision).await?)
        }
        HooksCommand::Delete(Named { hook }) => {
            desk.screen.confirm(&format!("Remove the hook {hook}? What it set off and still runs ends."))?;
            shown(desk, &hooks.delete(&hook).await?)
        }
        HooksCommand::Rotate(Rotate { hook, secret_file, overlap }) => {
            is_seen(desk, secret_file.as_ref())?;
            let secret = given_secret(desk, secret_file.as_ref())?;
            shown(desk, &hooks.rotate(&hook, secret.as_deref(), overlap).await?)
        }
        HooksCommand::Try(attempt) => {
            let trial = attempt.trial(desk)?;
            tried(desk, &hooks.attempt(&attempt.hook, &trial).await?)
        }
        HooksCommand::Openapi(Openapi { mine }) => {
            let document = if mine { hooks.mine().await } else { hooks.openapi().await };
            desk.screen.json(&document?)
        }
        HooksCommand::Deliveries(Deliveries { hook, outcome, listing }) => {
            let filter = HookDeliveryFilter {
                outcome,
                limit: Some(if listing.all { 200 } else { listing.limit }),
                cursor: listing.cursor.clone(),
            };
            match listing.all {
                true => show_all(&mut desk.screen, hooks.all_deliveries(&hook, &filter), &DELIVERIES).await,
                false => show(&mut desk.screen, &hooks.deliveries(&hook, &filter).await?, &DELIVERIES),
            }
        }
        HooksCommand::Delivery(Delivered { hook, delivery }) => {
            delivery_shown(desk, &hooks.delivery(&hook, &delivery).await?)
        }
        HooksCommand::Replay(Delivered { hook, delivery }) => {
            delivery_shown(desk, &hooks.replay(&hook, &delivery).await?)
        }
    }
}

/// `--quiet` prints ids only; a secret that is made and that nobody sees would be lost.
fn is_seen(desk: &Desk<'_>, given: Option<&PathBuf>) -> Result<(), Failure> {
    if desk.screen.form == Form::Quiet && given.is_none() {
        return Err(Failure::usage(
            "With --quiet nobody would see the secret: bring one with --secret-file.",
        ));
    }
    Ok(())
}

fn given_secret(desk: &mut Desk<'_>, given: Option<&PathBuf>) -> Result<Option<String>, Failure> {
    given.map(|path| files::read_secret(&mut desk.screen, path)).transpose()
}

impl Proving {
    fn authentication(&self) -> Option<HookAuthentication> {
        Some(HookAuthentication {
            kind: self.auth.clone()?,
            preset: self.preset.clone(),
            username: self.username.clone(),
            header: self.signature_header.clone(),
            algorithm: self.algorithm.clone(),
            encoding: self.encoding.clone(),
            prefix: self.prefix.clone(),
            timestamp_header: self.timestamp_header.clone(),
            tolerance_seconds: self.tolerance,
        })
    }
}

impl Working {
    fn input(&self, desk: &mut Desk<'_>) -> Result<Option<HookInput>, Failure> {
        if self.input.is_none() && self.defaults.is_none() {
            return Ok(None);
        }
        let defaults = match &self.defaults {
            None => Map::new(),
            Some(given) => match files::read_json(&mut desk.screen, given)? {
                Value::Object(members) => members,
                _ => return Err(Failure::usage("--defaults is a JSON object")),
            },
        };
        Ok(Some(HookInput { mode: self.input.clone().unwrap_or_else(|| "body".to_owned()), defaults }))
    }

    fn routes(&self, desk: &mut Desk<'_>) -> Result<Option<Vec<HookRoute>>, Failure> {
        self.routes.as_ref().map(|given| read_routes(desk, given)).transpose()
    }

    fn deduplication(&self) -> Option<HookDeduplication> {
        let (header, pointer) = (self.deduplicate_by.clone(), self.deduplicate_at.clone());
        (header.is_some() || pointer.is_some()).then_some(HookDeduplication {
            header,
            pointer,
            ttl_seconds: 86_400,
        })
    }
}

fn read_routes(desk: &mut Desk<'_>, given: &str) -> Result<Vec<HookRoute>, Failure> {
    let routes = files::read_json(&mut desk.screen, given)?;
    // A misspelt `when` would otherwise be left out, and the route be one for everything.
    let strange = strange(&routes, &["when", "transform"]);
    let tests = routes.as_array().into_iter().flatten().map(|route| &route["when"]);
    if let Some(name) = strange.or_else(|| tests.into_iter().find_map(|tests| self::strange(tests, &TEST))) {
        return Err(Failure::usage(format!("--routes: nothing there is called {name:?}.")));
    }
    let read = serde_json::from_value(routes);
    read.map_err(|error| Failure::usage(format!("--routes is a list of routes: {error}.")))
}

/// What a test of a route has.
const TEST: [&str; 4] = ["at", "is", "value", "not"];

/// A member of one in the list that none should have.
fn strange(list: &Value, known: &[&str]) -> Option<String> {
    let members = list.as_array()?.iter().filter_map(Value::as_object).flat_map(Map::keys);
    members.into_iter().find(|name| !known.contains(&name.as_str())).cloned()
}

impl Try {
    fn trial(&self, desk: &mut Desk<'_>) -> Result<HookTrial, Failure> {
        let pair = |text: &String| {
            let (name, value) = text.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        let headers = self.headers.iter().map(pair).collect::<Option<_>>();
        let body = self.body.as_ref().map(|given| files::read_json(&mut desk.screen, given)).transpose()?;
        let routes = self.routes.as_ref().map(|given| read_routes(desk, given)).transpose()?;
        Ok(HookTrial {
            delivery: self.delivery.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone().unwrap_or_default(),
            headers: headers.ok_or_else(|| Failure::usage("--header is 'Name: value'"))?,
            body,
            input: None,
            routes,
        })
    }
}

impl Create {
    fn hook(&self, desk: &mut Desk<'_>) -> Result<NewHook, Failure> {
        let working = &self.working;
        let secret = given_secret(desk, self.proving.secret_file.as_ref())?;
        let token = || HookAuthentication { kind: "token".to_owned(), ..HookAuthentication::default() };
        Ok(NewHook {
            path: self.path.clone(),
            methods: (!working.methods.is_empty()).then(|| working.methods.clone()),
            description: working.description.clone(),
            active: None,
            target: NewHookTarget { function: self.function.clone() },
            permissions: working.permissions.clone(),
            authentication: self.proving.authentication().unwrap_or_else(token),
            secret,
            allowed_ips: working.allowed_ips.clone(),
            input: working.input(desk)?,
            routes: working.routes(desk)?.unwrap_or_default(),
            response: working.response.clone(),
            deduplication: working.deduplication(),
            rate_per_minute: working.rate,
            concurrency: working.concurrency,
            max_body_bytes: working.max_body,
        })
    }
}

impl Update {
    fn patch(&self, desk: &mut Desk<'_>) -> Result<Value, Failure> {
        let working = &self.working;
        let list = |texts: &[String]| (!texts.is_empty()).then(|| json!(texts));
        let secret = given_secret(desk, self.proving.secret_file.as_ref())?;
        let given = [
            ("path", self.path.as_ref().map(|text| json!(text))),
            ("methods", list(&working.methods)),
            ("description", working.description.as_ref().map(|text| json!(text))),
            ("active", self.active.map(Value::from)),
            ("target", self.function.as_ref().map(|function| json!({ "function": function }))),
            ("permissions", list(&working.permissions)),
            ("authentication", self.proving.authentication().map(|authentication| json!(authentication))),
            ("secret", secret.map(Value::from)),
            ("allowed_ips", list(&working.allowed_ips)),
            ("input", working.input(desk)?.map(|input| json!(input))),
            ("routes", working.routes(desk)?.map(|routes| json!(routes))),
            ("response", working.response.as_ref().map(|text| json!(text))),
            ("deduplication", working.deduplication().map(|by| json!(by))),
            ("rate_per_minute", working.rate.map(Value::from)),
            ("concurrency", working.concurrency.map(Value::from)),
            ("max_body_bytes", working.max_body.map(Value::from)),
        ];
        let members = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(Value::Object(members.collect::<Map<_, _>>()))
    }
}

fn shown(desk: &mut Desk<'_>, hook: &Hook) -> Result<(), Failure> {
    let mut rows = vec![
        ("url", Cell::toned(&hook.url, Tone::Strong)),
        ("methods", Cell::from(hook.methods.join(", "))),
        ("runs", Cell::from(&hook.target.name)),
        ("about", Cell::from(&hook.description)),
        ("active", Cell::from(if hook.active { "yes" } else { "no" })),
        ("believes", Cell::from(believes(hook))),
        ("from", Cell::from(hook.allowed_ips.join(", "))),
        ("may", Cell::from(hook.permissions.join(" "))),
        ("routes", Cell::from(routed(hook))),
        ("answers", Cell::from(&hook.response)),
        ("limits", Cell::from(format!("{} a minute, {} at a time", hook.rate_per_minute, hook.concurrency))),
        ("owner", Cell::from(&hook.owner)),
        ("revision", Cell::from(hook.revision.to_string())),
        ("id", Cell::from(&hook.id)),
    ];
    if let Some(secret) = &hook.secret {
        rows.push(("secret", Cell::toned(secret, Tone::Strong)));
    }
    desk.screen.record(hook, &hook.id, &rows)?;
    if hook.secret.is_some() {
        desk.screen.note("The secret is shown this once. Give it to whoever sends, or rotate it.")?;
    }
    Ok(())
}

fn believes(hook: &Hook) -> String {
    let by = &hook.authentication;
    match (&by.preset, &by.username) {
        (Some(preset), _) => format!("{} ({preset})", by.kind),
        (None, Some(username)) => format!("{} ({username})", by.kind),
        (None, None) => by.kind.clone(),
    }
}

fn routed(hook: &Hook) -> String {
    match hook.routes.len() {
        0 => "every delivery".to_owned(),
        1 => "1 route".to_owned(),
        count => format!("{count} routes"),
    }
}

fn tried(desk: &mut Desk<'_>, tried: &HookTried) -> Result<(), Failure> {
    let declined: Vec<String> =
        tried.declined.iter().map(|one| format!("route {} by its test {}", one.route, one.test)).collect();
    let misfits = tried.misfits.iter().flatten().map(|one| format!("{}: {}", one.field, one.reason));
    let rows = [
        ("outcome", Cell::toned(&tried.outcome, Tone::Strong)),
        ("route", Cell::from(tried.route.map_or_else(String::new, |route| route.to_string()))),
        ("declined", Cell::from(declined.join("; "))),
        ("input", Cell::from(tried.input.as_ref().map_or_else(String::new, Value::to_string))),
        ("misfits", Cell::from(misfits.collect::<Vec<_>>().join("; "))),
        ("repeats", Cell::from(tried.repeat_of.as_deref().unwrap_or_default())),
    ];
    desk.screen.record(tried, &tried.outcome, &rows)
}

fn delivery_shown(desk: &mut Desk<'_>, delivery: &HookDelivery) -> Result<(), Failure> {
    let request = delivery.request.as_ref();
    let headers = request.map(|sent| {
        let lines = sent.headers.iter().map(|(name, value)| format!("{name}: {value}"));
        lines.collect::<Vec<_>>().join("; ")
    });
    let rows = [
        ("received", Cell::from(delivery.received_at.as_str())),
        ("outcome", Cell::toned(&delivery.outcome, Tone::Strong)),
        ("reason", Cell::from(delivery.reason.as_deref().unwrap_or_default())),
        ("times", Cell::from(delivery.count.to_string())),
        ("run", Cell::from(delivery.run.as_deref().unwrap_or_default())),
        ("again", Cell::from(delivery.replay_of.as_deref().unwrap_or_default())),
        ("from", Cell::from(delivery.ip.as_deref().unwrap_or_default())),
        (
            "request",
            Cell::from(request.map_or_else(String::new, |sent| format!("{} {}", delivery.method, sent.path))),
        ),
        ("headers", Cell::from(headers.unwrap_or_default())),
        ("bytes", Cell::from(delivery.size.to_string())),
        ("id", Cell::from(&delivery.id)),
    ];
    desk.screen.record(delivery, &delivery.id, &rows)
}

static HOOKS: Columns<Hook> = Columns {
    id: |hook| &hook.id,
    columns: &[
        ("path", |hook| Cell::from(&hook.path)),
        ("methods", |hook| Cell::from(hook.methods.join(","))),
        ("runs", |hook| Cell::from(&hook.target.name)),
        ("believes", |hook| Cell::from(believes(hook))),
        ("active", |hook| Cell::from(if hook.active { "yes" } else { "no" })),
        ("id", |hook| Cell::from(&hook.id)),
    ],
};

static DELIVERIES: Columns<HookDelivery> = Columns {
    id: |delivery| &delivery.id,
    columns: &[
        ("received", |delivery| Cell::from(delivery.received_at.as_str())),
        ("outcome", |delivery| Cell::from(&delivery.outcome)),
        ("reason", |delivery| Cell::from(delivery.reason.as_deref().unwrap_or_default())),
        ("times", |delivery| Cell::from(delivery.count.to_string())),
        ("run", |delivery| Cell::from(delivery.run.as_deref().unwrap_or_default())),
        ("id", |delivery| Cell::from(&delivery.id)),
    ],
};
