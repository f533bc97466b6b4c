//! `safeconduct state …`

use clap::{Args, Subcommand};
use client::{
    Expected, NewStateEntry, NewStateNamespace, StateEntry, StateEntryFilter, StateNamespace,
    StateNamespaceFilter, StateRevision, Time,
};
use serde_json::{Map, Value, json};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum StateCommand {
    /// Make a namespace.
    Create(Box<Create>),
    /// List namespaces, newest first.
    List(List),
    /// Show a namespace and how full it is.
    Show(Named),
    /// Change how a namespace keeps its entries; what is not named stays.
    Update(Box<Update>),
    /// Remove an empty namespace.
    Delete(Named),
    /// List the entries of a namespace.
    Entries(Box<Entries>),
    /// Print the value of an entry; with --json the whole entry.
    Get(Entry),
    /// Put an entry in place of what is there, or make it.
    Put(Box<Put>),
    /// Remove an entry with its history.
    Remove(Remove),
    /// Add to a whole number.
    Increment(Increment),
    /// Add to the end of a list.
    Append(Append),
    /// List what an entry was, newest first.
    History(History),
}

#[derive(Args, Clone, Debug)]
pub struct Named {
    /// Name or id of the namespace.
    namespace: String,
}

#[derive(Args, Clone, Debug)]
pub struct Entry {
    /// Name or id of the namespace.
    namespace: String,
    /// May have slashes.
    key: String,
}

#[derive(Args, Clone, Debug)]
pub struct Keeping {
    #[arg(long)]
    description: Option<String>,
    /// private, group or organization: of entries that do not say.
    #[arg(long, value_name = "VISIBILITY")]
    default_visibility: Option<String>,
    /// JSON Schema of values: JSON, @FILE or `-`.
    #[arg(long, value_name = "JSON")]
    schema: Option<String>,
    /// Seconds that an entry lives after it was put.
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<i64>,
    /// How many entries there may be.
    #[arg(long, value_name = "N")]
    quota_entries: Option<i64>,
    /// How many bytes all values may have together.
    #[arg(long, value_name = "BYTES")]
    quota_bytes: Option<i64>,
    /// How many revisions of an entry are kept, 0 to 100.
    #[arg(long, value_name = "N")]
    history: Option<i64>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct state create notes --default-visibility organization --history 10
  safeconduct state create tokens --secret --ttl 3600")]
pub struct Create {
    /// a-z, 0-9, `_`, `.` and `-`.
    name: String,
    #[command(flatten)]
    keeping: Keeping,
    /// Refuse values that do not match the schema.
    #[arg(long, requires = "schema")]
    strict: bool,
    /// Seal values; cannot be changed later.
    #[arg(long)]
    secret: bool,
}

#[derive(Args, Clone, Debug)]
pub struct Update {
    /// Name or id of the namespace.
    namespace: String,
    #[command(flatten)]
    keeping: Keeping,
    /// true or false: refuse values that do not match the schema.
    #[arg(long, value_name = "BOOL")]
    strict: Option<bool>,
    /// Refuse if the namespace has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// Part of the name or description.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct state entries notes --prefix cases/ --tag open
  safeconduct state entries notes --at /status --equals '\"open\"'")]
pub struct Entries {
    /// Name or id of the namespace.
    namespace: String,
    /// What keys begin with.
    #[arg(long)]
    prefix: Option<String>,
    /// May be repeated; an entry must have all of them.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Part of key, description or value.
    #[arg(long, short = 's', value_name = "TEXT")]
    search: Option<String>,
    /// Id of a user or an agent.
    #[arg(long)]
    owner: Option<String>,
    /// private, group or organization.
    #[arg(long)]
    visibility: Option<String>,
    /// JSON pointer into the value at which something must stand.
    #[arg(long, value_name = "POINTER")]
    at: Option<String>,
    /// The JSON that must stand there.
    #[arg(long, value_name = "JSON", requires = "at")]
    equals: Option<String>,
    /// The most relevant first.
    #[arg(long)]
    by_relevance: bool,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct state put notes cases/1 '{\"status\": \"open\"}' --tag case
  safeconduct state put notes cases/1 @case.json --if-revision 3
  safeconduct state put notes lock '\"mine\"' --if-absent --expires-at 2026-12-01T00:00:00Z")]
pub struct Put {
    #[command(flatten)]
    entry: Entry,
    /// JSON, @FILE, or `-` for standard input.
    value: String,
    #[arg(long, default_value = "")]
    description: String,
    /// May be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// private, group or organization; the namespace's default if left out.
    #[arg(long)]
    visibility: Option<String>,
    /// Id of the group that the entry belongs to.
    #[arg(long)]
    group: Option<String>,
    /// 0 to 1.
    #[arg(long, value_name = "SCORE")]
    relevance: Option<f64>,
    /// RFC 3339.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// Refuse if the entry has another revision by now.
    #[arg(long, value_name = "N", conflicts_with = "if_absent")]
    if_revision: Option<i64>,
    /// Refuse if there is such an entry.
    #[arg(long)]
    if_absent: bool,
}

#[derive(Args, Clone, Debug)]
pub struct Remove {
    #[command(flatten)]
    entry: Entry,
    /// Refuse if the entry has another revision by now.
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct Increment {
    #[command(flatten)]
    entry: Entry,
    #[arg(long, default_value_t = 1, allow_hyphen_values = true)]
    by: i64,
}

#[derive(Args, Clone, Debug)]
pub struct Append {
    #[command(flatten)]
    entry: Entry,
    /// JSON, @FILE, or `-` for standard input.
    item: String,
    /// How many of the last items stay.
    #[arg(long, value_name = "N")]
    keep: Option<u32>,
}

#[derive(Args, Clone, Debug)]
pub struct History {
    #[command(flatten)]
    entry: Entry,
    /// Where to go on: the `next_cursor` of the page before.
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    cursor: Option<String>,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: StateCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let state = client.state();
    match command {
        StateCommand::Create(create) => {
            let new = create.namespace(desk)?;
            namespace_shown(desk, &state.create(&new).await?)
        }
        StateCommand::List(list) => {
            let filter = StateNamespaceFilter {
                q: list.search.clone(),
                limit: Some(if list.listing.all { 200 } else { list.listing.limit }),
                cursor: list.listing.cursor.clone(),
            };
            match list.listing.all {
                true => show_all(&mut desk.screen, state.all(&filter), &NAMESPACES).await,
                false => show(&mut desk.screen, &state.list(&filter).await?, &NAMESPACES),
            }
        }
        StateCommand::Show(Named { namespace }) => namespace_shown(desk, &state.get(&namespace).await?),
        StateCommand::Update(update) => {
            let patch = update.patch(desk)?;
            let changed = state.update(&update.namespace, &patch, update.if_revision).await?;
            namespace_shown(desk, &changed)
        }
        StateCommand::Delete(Named { namespace }) => {
            desk.screen.confirm(&format!("Remove the namespace {namespace}?"))?;
            namespace_shown(desk, &state.delete(&namespace).await?)
        }
        StateCommand::Entries(entries) => {
            let filter = entries.filter();
            match entries.listing.all {
                true => {
                    let all = state.all_entries(&entries.namespace, &filter);
                    show_all(&mut desk.screen, all, &ENTRIES).await
                }
                false => {
                    let page = state.entries(&entries.namespace, &filter).await?;
                    show(&mut desk.screen, &page, &ENTRIES)
                }
            }
        }
        StateCommand::Get(Entry { namespace, key }) => {
            let entry = state.entry(&namespace, &key).await?;
            match desk.globals.json || desk.globals.jsonl {
                true => desk.screen.json(&entry),
                false => desk.screen.json(&entry.value.unwrap_or_default()),
            }
        }
        StateCommand::Put(put) => {
            let entry = put.whole(desk)?;
            let expected = match (put.if_absent, put.if_revision) {
                (true, _) => Expected::Absent,
                (false, Some(revision)) => Expected::Revision(revision),
                (false, None) => Expected::Anything,
            };
            let Entry { namespace, key } = &put.entry;
            entry_shown(desk, &state.put(namespace, key, &entry, expected).await?)
        }
        StateCommand::Remove(Remove { entry: Entry { namespace, key }, if_revision }) => {
            desk.screen.confirm(&format!("Remove {key} from {namespace}, with its history?"))?;
            entry_shown(desk, &state.remove(&namespace, &key, if_revision).await?)
        }
        StateCommand::Increment(Increment { entry: Entry { namespace, key }, by }) => {
            entry_shown(desk, &state.increment(&namespace, &key, by).await?)
        }
        StateCommand::Append(Append { entry: Entry { namespace, key }, item, keep }) => {
            let item = files::read_json(&mut desk.screen, &item)?;
            entry_shown(desk, &state.append(&namespace, &key, &[item], keep).await?)
        }
        StateCommand::History(History { entry: Entry { namespace, key }, cursor }) => {
            let page = state.history(&namespace, &key, Some(200), cursor.as_deref()).await?;
            show(&mut desk.screen, &page, &HISTORY)
        }
    }
}

impl Create {
    fn namespace(&self, desk: &mut Desk<'_>) -> Result<NewStateNamespace, Failure> {
        let Keeping { description, default_visibility, schema, ttl, quota_entries, quota_bytes, history } =
            self.keeping.clone();
        let schema = schema.map(|given| files::read_json(&mut desk.screen, &given)).transpose()?;
        Ok(NewStateNamespace {
            name: self.name.clone(),
            description,
            default_visibility,
            schema,
            strict: self.strict,
            secret: self.secret,
            ttl_seconds: ttl,
            quota_entries,
            quota_bytes,
            history_depth: history,
        })
    }
}

impl Update {
    fn patch(&self, desk: &mut Desk<'_>) -> Result<Value, Failure> {
        let keeping = &self.keeping;
        let schema = keeping.schema.as_deref().map(|given| files::read_json(&mut desk.screen, given));
        let given = [
            ("description", keeping.description.as_ref().map(|text| json!(text))),
            ("default_visibility", keeping.default_visibility.as_ref().map(|text| json!(text))),
            ("schema", schema.transpose()?),
            ("strict", self.strict.map(Value::from)),
            ("ttl_seconds", keeping.ttl.map(Value::from)),
            ("quota_entries", keeping.quota_entries.map(Value::from)),
            ("quota_bytes", keeping.quota_bytes.map(Value::from)),
            ("history_depth", keeping.history.map(Value::from)),
        ];
        let members = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(Value::Object(members.collect::<Map<_, _>>()))
    }
}

impl Entries {
    fn filter(&self) -> StateEntryFilter {
        StateEntryFilter {
            prefix: self.prefix.clone(),
            tags: (!self.tags.is_empty()).then(|| self.tags.join(",")),
            q: self.search.clone(),
            owner: self.owner.clone(),
            group: None,
            visibility: self.visibility.clone(),
            pointer: self.at.clone(),
            equals: self.equals.clone(),
            order: self.by_relevance.then(|| "relevance".to_owned()),
            values: None,
            limit: Some(if self.listing.all { 200 } else { self.listing.limit }),
            cursor: self.listing.cursor.clone(),
            count: None,
        }
    }
}

impl Put {
    fn whole(&self, desk: &mut Desk<'_>) -> Result<NewStateEntry, Failure> {
        Ok(NewStateEntry {
            value: files::read_json(&mut desk.screen, &self.value)?,
            description: self.description.clone(),
            tags: self.tags.clone(),
            visibility: self.visibility.clone(),
            group: self.group.clone(),
            relevance_score: self.relevance,
            expires_at: self.expires_at.clone().map(Time::from),
        })
    }
}

fn namespace_shown(desk: &mut Desk<'_>, namespace: &StateNamespace) -> Result<(), Failure> {
    let rows = [
        ("name", Cell::toned(&namespace.name, Tone::Strong)),
        ("about", Cell::from(&namespace.description)),
        ("entries", Cell::from(format!("{} of {}", namespace.entries, namespace.quota_entries))),
        ("kept", Cell::from(format!("{} of {}", namespace.bytes, namespace.quota_bytes))),
        ("visibility", Cell::from(&namespace.default_visibility)),
        ("values", Cell::from(said_of_values(namespace))),
        ("lives", Cell::from(namespace.ttl_seconds.map_or_else(String::new, |ttl| format!("{ttl} seconds")))),
        ("history", Cell::from(namespace.history_depth.to_string())),
        ("owner", Cell::from(&namespace.owner)),
        ("revision", Cell::from(namespace.revision.to_string())),
        ("id", Cell::from(&namespace.id)),
    ];
    desk.screen.record(namespace, &namespace.id, &rows)
}

fn said_of_values(namespace: &StateNamespace) -> &'static str {
    match (namespace.secret, &namespace.schema, namespace.strict) {
        (true, None, _) => "secret",
        (true, Some(_), true) => "secret, held against a schema",
        (true, Some(_), false) => "secret, marked by a schema",
        (false, None, _) => "any",
        (false, Some(_), true) => "held against a schema",
        (false, Some(_), false) => "marked by a schema",
    }
}

fn entry_shown(desk: &mut Desk<'_>, entry: &StateEntry) -> Result<(), Failure> {
    let value = entry.value.as_ref().map(Value::to_string);
    let rows = [
        ("key", Cell::toned(&entry.key, Tone::Strong)),
        ("value", Cell::from(value.unwrap_or_else(|| "not shown".to_owned()))),
        ("about", Cell::from(&entry.description)),
        ("tags", Cell::from(entry.tags.join(", "))),
        ("visibility", Cell::from(&entry.visibility)),
        ("owner", Cell::from(&entry.owner)),
        ("expires", Cell::from(entry.expires_at.as_ref().map_or("", |time| time.as_str()))),
        ("revision", Cell::from(entry.revision.to_string())),
    ];
    desk.screen.record(entry, &entry.key, &rows)
}

static NAMESPACES: Columns<StateNamespace> = Columns {
    id: |namespace| &namespace.name,
    columns: &[
        ("namespace", |namespace| Cell::from(&namespace.name)),
        ("entries", |namespace| Cell::from(namespace.entries.to_string())),
        ("values", |namespace| Cell::from(said_of_values(namespace))),
        ("visibility", |namespace| Cell::from(&namespace.default_visibility)),
        ("about", |namespace| Cell::from(&namespace.description)),
    ],
};

static ENTRIES: Columns<StateEntry> = Columns {
    id: |entry| &entry.key,
    columns: &[
        ("key", |entry| Cell::from(&entry.key)),
        ("revision", |entry| Cell::from(entry.revision.to_string())),
        ("visibility", |entry| Cell::from(&entry.visibility)),
        ("tags", |entry| Cell::from(entry.tags.join(", "))),
        ("about", |entry| Cell::from(&entry.description)),
    ],
};

static HISTORY: Columns<StateRevision> = Columns {
    id: |past| &past.written_by,
    columns: &[
        ("revision", |past| Cell::from(past.revision.to_string())),
        ("written", |past| Cell::from(past.written_at.as_str())),
        ("by", |past| Cell::from(&past.written_by)),
        ("value", |past| {
            Cell::from(past.value.as_ref().map_or_else(|| "not shown".to_owned(), Value::to_string))
        }),
    ],
};
