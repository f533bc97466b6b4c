//! `/api/v1/state/{namespace}/entries`: list, read, put, change, remove. Keys hold slashes, so the rest of the path is one.

use axum::extract::State;
use problem::{
    CONFLICT, INPUT_INVALID, INVALID_CURSOR, NAMESPACE_FULL, Problem, STALE_REVISION, VALIDATION_FAILED,
};
use serde::Deserialize;
use serde_json::{Value, json};
use types::{GroupId, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Patched, PrincipalId, Refusal, Reply, Segment, Segments, Spec, leaves,
    operation, page_size, refuses,
};

use super::views::{EntryView, millionths};
use crate::entries::{Act, Changes, Deed, Whole, may_read};
use crate::model::{Kept, Visibility};
use crate::store::{After, Filter, Listing, Order};
use crate::words::{Key, NamespaceRef};
use crate::{StateError, StateStore, facts};

operation! {
    /// Lists the entries of a namespace that the caller may read, by key or by relevance; values only if asked for.
    pub ListEntries[EntryFilter] -> Page<EntryView> =
        Spec::get("state.entries.list", "/api/v1/state/{namespace}/entries")
        .needs("state:read").errors(refuses![INVALID_CURSOR]);

    /// Shows an entry with its value. In a secret namespace that leaves a fact.
    pub GetEntry -> EntryView = Spec::get("state.entries.get", "/api/v1/state/{namespace}/entries/{*key}")
        .needs("state:read").further_facts(leaves![facts::SECRET_READ]);

    /// Puts an entry in place of what is there, or makes it. `If-Match` and `If-None-Match: *` compare before they set.
    pub PutEntry(NewEntry) -> EntryView = Spec::put("state.entries.put", "/api/v1/state/{namespace}/entries/{*key}")
        .needs("state:write").facts(leaves![facts::ENTRY_WRITTEN]).further_facts(leaves![facts::ENTRY_EXPIRED])
        .errors(refuses![INPUT_INVALID, NAMESPACE_FULL, CONFLICT, STALE_REVISION])
        .example(r#"{"value": {"status": "open"}, "description": "The case of Monday.", "tags": ["case"], "relevance_score": 0.8}"#);

    /// Changes an entry (JSON Merge Patch); an object's members are merged.
    pub PatchEntry(EntryPatch) -> EntryView = Spec::patch("state.entries.patch", "/api/v1/state/{namespace}/entries/{*key}")
        .needs("state:update").facts(leaves![facts::ENTRY_WRITTEN])
        .errors(refuses![INPUT_INVALID, NAMESPACE_FULL, CONFLICT, STALE_REVISION])
        .example(r#"{"value": {"status": "closed"}}"#);

    /// Removes an entry with its history.
    pub DeleteEntry -> EntryView = Spec::delete("state.entries.delete", "/api/v1/state/{namespace}/entries/{*key}")
        .needs("state:delete").facts(leaves![facts::ENTRY_DELETED]).errors(refuses![CONFLICT, STALE_REVISION]);
}

/// An entry as it shall be; what is left out has its default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStateEntry)]
pub struct NewEntry {
    /// Any JSON of at most 256 KB.
    pub value: Value,
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub description: String,
    #[serde(default)]
    #[schema(max_items = 50)]
    pub tags: Vec<String>,
    /// The namespace's default, if left out.
    pub visibility: Option<Visibility>,
    /// Who may see it, where the visibility is `group`, and what the reach `group` of a permission means.
    pub group: Option<GroupId>,
    /// 0, if left out; kept to the millionth.
    #[schema(minimum = 0, maximum = 1)]
    pub relevance_score: Option<f64>,
    /// As the namespace's `ttl_seconds` says, if left out.
    pub expires_at: Option<Timestamp>,
}

/// RFC 7396: what is left out stays, null gives back the default; of `value` null is a value.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StateEntryPatch)]
pub struct EntryPatch {
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub value: Patched<Value>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    pub description: Patched<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    pub tags: Patched<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Visibility>)]
    pub visibility: Patched<Visibility>,
    #[serde(default)]
    #[schema(value_type = Option<GroupId>)]
    pub group: Patched<GroupId>,
    #[serde(default)]
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 1)]
    pub relevance_score: Patched<f64>,
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    pub expires_at: Patched<Timestamp>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StateOrder)]
pub enum EntryOrder {
    Key,
    /// The most relevant first.
    Relevance,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StateEntryFilter)]
pub struct EntryFilter {
    /// What keys begin with.
    pub prefix: Option<String>,
    /// Tags that an entry must have all of, with commas between.
    pub tags: Option<String>,
    /// Part of key, description or value; of what is secret not of the value.
    pub q: Option<String>,
    /// `usr_…` or `agt_…`.
    pub owner: Option<String>,
    pub group: Option<GroupId>,
    pub visibility: Option<Visibility>,
    /// An RFC 6901 pointer into the value at which something must stand: `/status`.
    pub pointer: Option<String>,
    /// The JSON that must stand there: `"open"`, `3`, `null`.
    pub equals: Option<String>,
    /// `key` if left out.
    pub order: Option<EntryOrder>,
    /// Adds the values, of at most 50 entries; not of secret ones.
    pub values: Option<bool>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
    /// Adds `total`.
    pub count: Option<bool>,
}

/// Entries of one page with values: each may have 256 KB.
const MOST_WITH_VALUES: i64 = 50;

pub async fn list(
    State(state): State<StateStore>,
    allowed: Allowed<ListEntries>,
    Segment(of): Segment<NamespaceRef>,
    Params(query): Params<ListEntries>,
) -> Result<Reply, Refusal> {
    let limit = page_size(query.limit)?;
    let with_values = query.values == Some(true);
    if with_values && limit > MOST_WITH_VALUES {
        return Err(wrong("limit", "is at most 50 with values").into());
    }
    let namespace = state.namespace(&allowed, &of).await?;
    let order = match query.order {
        Some(EntryOrder::Relevance) => Order::Relevance,
        Some(EntryOrder::Key) | None => Order::Key,
    };
    let keys = allowed.keys_after(query.cursor.as_deref())?;
    let after = match (keys.first().and_then(Value::as_i64), keys.get(1).and_then(Value::as_str)) {
        (Some(relevance), Some(key)) => Some(After { relevance, key: key.to_owned() }),
        _ => None,
    };
    let filter = filter(&query, namespace.secret)?;
    let inner = state.inner();
    let listing = Listing { namespace: &namespace, filter: &filter, now: inner.world.now() };
    let values = with_values && !namespace.secret;
    let rows = listing.page(&inner.db, &allowed, values, order, after, limit + 1).await?;
    let cursor = |(entry, _): &(crate::model::Entry, Kept)| {
        allowed.cursor(&[json!(entry.relevance), json!(entry.key)])
    };
    let mut cut = web::page(rows, limit, cursor, |row| row);
    let mut items = Vec::with_capacity(cut.items.len());
    for (entry, kept) in std::mem::take(&mut cut.items) {
        let value = match &kept {
            Kept::Unread => None,
            // A policy may know more of an entry than its name.
            _ if may_read(&allowed, &namespace, &entry).is_err() => None,
            kept => Some(inner.open(&namespace, &entry, kept).await?),
        };
        items.push(EntryView::new(&namespace, entry, value));
    }
    let total = match query.count {
        Some(true) => Some(listing.count(&inner.db, &allowed).await?),
        _ => None,
    };
    Ok(Reply::of::<ListEntries>(&Page { items, next_cursor: cut.next_cursor, total })?)
}

fn filter(query: &EntryFilter, secret: bool) -> Result<Filter, Problem> {
    if query.equals.is_some() && query.pointer.is_none() {
        return Err(wrong("equals", "needs a pointer that says where"));
    }
    let at = match &query.pointer {
        None => None,
        Some(_) if secret => return Err(wrong("pointer", "does not look into what is secret")),
        Some(pointer) if !is_pointer(pointer) => {
            return Err(wrong(
                "pointer",
                "must be empty or begin with `/`, with `~0` for `~` and `~1` for `/`",
            ));
        }
        Some(pointer) => {
            let equals = query.equals.as_deref().map(|text| types::json::strict(text.as_bytes())).transpose();
            let equals = equals.map_err(|_| wrong("equals", "must be JSON: text stands in quotes"))?;
            Some((pointer.clone(), equals.map(|value| value.to_string()).unwrap_or_default()))
        }
    };
    let owner = query.owner.as_deref().map(str::parse::<PrincipalId>).transpose();
    let tags = query.tags.iter().flat_map(|tags| tags.split(',')).filter(|tag| !tag.is_empty());
    Ok(Filter {
        prefix: query.prefix.clone(),
        tags: tags.map(str::to_owned).collect(),
        q: query.q.clone(),
        owner: owner
            .map_err(|_| wrong("owner", "must be the id of a user or an agent"))?
            .map(PrincipalId::uuid),
        group: query.group,
        visibility: query.visibility,
        at,
    })
}

/// RFC 6901 §3.
fn is_pointer(text: &str) -> bool {
    let escaped = |part: &str| part.starts_with('0') || part.starts_with('1');
    (text.is_empty() || text.starts_with('/')) && text.split('~').skip(1).all(escaped)
}

fn wrong(parameter: &'static str, reason: &'static str) -> Problem {
    Problem::new(&VALIDATION_FAILED, "Mend the query parameters.").with_error(parameter, reason)
}

/// Which entry a path names. A namespace that cannot be does not exist; a key that cannot be is said to be one where it
/// would be made.
pub(super) fn named(path: (String, String)) -> Result<(NamespaceRef, Key), StateError> {
    let namespace = path.0.parse().map_err(|_| StateError::UnknownNamespace)?;
    let key =
        path.1.parse().map_err(|error: crate::words::Unfit| StateError::invalid("key", error.to_string()))?;
    Ok((namespace, key))
}

pub async fn get(
    State(state): State<StateStore>,
    allowed: Allowed<GetEntry>,
    Segments(path): Segments<(String, String)>,
) -> Result<Reply, Refusal> {
    let (of, key) = named(path)?;
    let inner = state.inner();
    let (namespace, entry, kept) = state.find(&allowed, &of, &key).await?;
    let value = inner.open(&namespace, &entry, &kept).await?;
    if namespace.secret {
        let data = json!({ "namespace": namespace.name, "key": entry.key, "revision": entry.revision });
        let fact = allowed.fact(&facts::SECRET_READ).target("state_entry", entry.id, entry.path(&namespace));
        // Written before it is shown.
        inner.ledger.append(fact.data(data)).await?;
    }
    Ok(Reply::of::<GetEntry>(&EntryView::new(&namespace, entry, Some(value)))?)
}

pub async fn put(
    State(state): State<StateStore>,
    allowed: Allowed<PutEntry>,
    Segments(path): Segments<(String, String)>,
    Input(new): Input<PutEntry>,
) -> Result<Reply, Refusal> {
    let (of, key) = named(path)?;
    fitting_tags(&new.tags, "")?;
    let deed = Deed::Put(Box::new(Whole {
        value: new.value,
        description: new.description,
        tags: new.tags,
        visibility: new.visibility,
        group: new.group,
        relevance: new.relevance_score.map_or(0, millionths),
        expires_at: new.expires_at,
    }));
    let acts = [Act { key, precondition: allowed.precondition(), needs: None, deed, at: String::new() }];
    let _turn = state.inner().turns.take(allowed.org(), acts.iter().map(|act| &act.key)).await;
    allowed.settle::<PutEntry, _, _, _>(|| state.write(&allowed, &of, &acts)).await
}

pub async fn patch(
    State(state): State<StateStore>,
    allowed: Allowed<PatchEntry>,
    Segments(path): Segments<(String, String)>,
    Input(patch): Input<PatchEntry>,
) -> Result<Reply, Refusal> {
    let (of, key) = named(path)?;
    if let Some(tags) = patch.tags.set() {
        fitting_tags(tags, "")?;
    }
    let relevance = match patch.relevance_score {
        Patched::Kept => Patched::Kept,
        Patched::Unset => Patched::Unset,
        Patched::Set(score) => Patched::Set(millionths(score)),
    };
    let deed = Deed::Patch(Box::new(Changes {
        value: patch.value,
        description: patch.description,
        tags: patch.tags,
        visibility: patch.visibility,
        group: patch.group,
        relevance,
        expires_at: patch.expires_at,
    }));
    let acts = [Act { key, precondition: allowed.precondition(), needs: None, deed, at: String::new() }];
    let _turn = state.inner().turns.take(allowed.org(), acts.iter().map(|act| &act.key)).await;
    allowed.settle::<PatchEntry, _, _, _>(|| state.write(&allowed, &of, &acts)).await
}

pub async fn delete(
    State(state): State<StateStore>,
    allowed: Allowed<DeleteEntry>,
    Segments(path): Segments<(String, String)>,
) -> Result<Reply, Refusal> {
    let (of, key) = named(path)?;
    let precondition = allowed.precondition();
    let acts = [Act { key, precondition, needs: None, deed: Deed::Delete, at: String::new() }];
    let _turn = state.inner().turns.take(allowed.org(), acts.iter().map(|act| &act.key)).await;
    allowed.settle::<DeleteEntry, _, _, _>(|| state.write(&allowed, &of, &acts)).await
}

/// Filters name tags with commas between.
pub(super) fn fitting_tags(tags: &[String], at: &str) -> Result<(), StateError> {
    let fits = |tag: &String| !tag.is_empty() && tag.len() <= 64 && !tag.contains(',');
    match tags.iter().position(|tag| !fits(tag)) {
        Some(index) => {
            Err(StateError::invalid(format!("{at}/tags/{index}"), "must have 1 to 64 bytes and no comma"))
        }
        None => Ok(()),
    }
}
