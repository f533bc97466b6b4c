//! SQL of entries.

use std::collections::HashMap;

use db::{Db, DbError, OrgScope, Row, Select, Statement, Value as Column, sql};
use types::{EntryId, GroupId, Id, NamespaceId, OrgId, Timestamp};
use web::{Allowance, Columns, SelectorColumn};

use super::namespaces::namespace_of;
use super::{SWEEP, part};
use crate::model::{Entry, Kept, Namespace, Visibility, principal};
use crate::words::Key;

macro_rules! columns {
    () => {
        "state_entries.id, state_entries.key, size, sha256, is_valid, visibility, state_entries.owner_kind, \
         state_entries.owner, group_id, state_entries.description, tags, relevance, expires_at, \
         state_entries.created_at, state_entries.updated_at, updated_by, state_entries.revision"
    };
}

const WITH_VALUE: &str = concat!("SELECT ", columns!(), ", value, sealed FROM state_entries");
const LISTED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM state_entries JOIN state_namespaces \
     ON state_namespaces.org = state_entries.org AND state_namespaces.id = state_entries.namespace"
);
const LISTED_WITH_VALUE: &str = concat!(
    "SELECT ",
    columns!(),
    ", value, sealed FROM state_entries JOIN state_namespaces \
     ON state_namespaces.org = state_entries.org AND state_namespaces.id = state_entries.namespace"
);
const EXPIRED: &str =
    concat!("SELECT state_entries.org, state_entries.namespace, ", columns!(), " FROM state_entries");

/// Where the table keeps what rights depend on.
const COLUMNS: Columns = Columns {
    selector: SelectorColumn::Path("state_namespaces.name || '/' || state_entries.key"),
    owner: Some("state_entries.owner"),
    is: None,
    named: None,
    group: Some("group_id"),
    visible: Some("visibility"),
};

fn entry(row: &mut Row) -> Result<Entry, DbError> {
    let (id, key, size, sha256) = (row.id()?, row.parse()?, row.next()?, row.next()?);
    let (is_valid, visibility) = (row.next()?, row.parse()?);
    let kind: String = row.next()?;
    Ok(Entry {
        id,
        key,
        size,
        sha256,
        is_valid,
        visibility,
        owner: principal(&kind, row.next()?),
        group: row.optional_id()?,
        description: row.next()?,
        tags: row.json()?,
        relevance: row.next()?,
        expires_at: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        updated_by: row.next()?,
        revision: row.next()?,
    })
}

/// The next two columns.
pub(super) fn kept(row: &mut Row) -> Result<Kept, DbError> {
    let (value, sealed): (Option<String>, Option<Vec<u8>>) = (row.next()?, row.next()?);
    Ok(match (value, sealed) {
        (_, Some(sealed)) => Kept::Sealed(sealed),
        (Some(value), None) => Kept::Plain(value),
        (None, None) => Kept::Unread,
    })
}

fn whole(mut row: Row) -> Result<(Entry, Kept), DbError> {
    Ok((entry(&mut row)?, kept(&mut row)?))
}

/// Those that are there, expired or not.
pub(crate) async fn by_keys(
    db: &Db,
    scope: &OrgScope,
    namespace: NamespaceId,
    keys: &[Key],
) -> Result<Vec<(Entry, Kept)>, DbError> {
    let places = vec!["{}"; keys.len()].join(", ");
    let select = Select::new(WITH_VALUE)
        .and("org = {}", scope.org().uuid())
        .and("namespace = {}", namespace.uuid())
        .and_text(format!("key IN ({places})"), keys.iter().map(|key| key.as_str().into()));
    db.read(scope, select).await?.into_iter().map(whole).collect()
}

/// What a list of entries may be narrowed by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) prefix: Option<String>,
    /// All of them.
    pub(crate) tags: Vec<String>,
    pub(crate) q: Option<String>,
    pub(crate) owner: Option<types::Uuid>,
    pub(crate) group: Option<GroupId>,
    pub(crate) visibility: Option<Visibility>,
    /// An RFC 6901 pointer and the JSON that stands there; anything, if it is empty.
    pub(crate) at: Option<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Key,
    /// The most relevant first, then by key.
    Relevance,
}

/// Behind whom a page begins.
pub(crate) struct After {
    pub(crate) relevance: i64,
    pub(crate) key: String,
}

pub(crate) struct Listing<'a> {
    pub(crate) namespace: &'a Namespace,
    pub(crate) filter: &'a Filter,
    pub(crate) now: Timestamp,
}

impl Listing<'_> {
    fn select(&self, by: &Allowance, head: &'static str) -> Select {
        let Filter { prefix, tags, q, owner, group, visibility, at } = self.filter;
        let mut select = Select::new(head)
            .and("state_entries.org = {}", by.org().uuid())
            .and("state_entries.namespace = {}", self.namespace.id.uuid())
            .and("(expires_at IS NULL OR expires_at > {})", self.now)
            .and_some("state_entries.owner = {}", *owner)
            .and_some("group_id = {}", group.map(Id::uuid))
            .and_some("visibility = {}", visibility.map(Visibility::name));
        if let Some(prefix) = prefix {
            let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
            let values = [prefix.into(), length.into(), prefix.into()];
            // Bounded from below for the index; compared exactly, since SQLite's LIKE folds case.
            select =
                select.and_all("state_entries.key >= {} AND substr(state_entries.key, 1, {}) = {}", values);
        }
        for tag in tags {
            let quoted = serde_json::to_string(tag).unwrap_or_default();
            select = select.and("replace(tags, {}, '') <> tags", quoted);
        }
        if let Some(q) = q {
            // What is sealed is not looked into.
            let text = "lower(state_entries.key || ' ' || state_entries.description || ' ' || coalesce(value, '')) \
                        LIKE {} ESCAPE '!'";
            select = select.and(text, part(q));
        }
        if let Some((pointer, wanted)) = at {
            let values: [Column; 2] = [pointer.into(), wanted.into()];
            select = select.and_all("json_matches(value, {}, {})", values);
        }
        by.narrow(select, &COLUMNS)
    }

    pub(crate) async fn page(
        &self,
        db: &Db,
        by: &Allowance,
        with_values: bool,
        order: Order,
        after: Option<After>,
        limit: i64,
    ) -> Result<Vec<(Entry, Kept)>, DbError> {
        let select = self.select(by, if with_values { LISTED_WITH_VALUE } else { LISTED });
        let select = match (order, after) {
            (Order::Key, None) => select.order("state_entries.key"),
            (Order::Key, Some(after)) => {
                select.and("state_entries.key > {}", after.key).order("state_entries.key")
            }
            (Order::Relevance, None) => select.order("relevance DESC, state_entries.key"),
            (Order::Relevance, Some(After { relevance, key })) => {
                let text = "relevance < {} OR (relevance = {} AND state_entries.key > {})";
                let values = [relevance.into(), relevance.into(), key.into()];
                select.and_all(text, values).order("relevance DESC, state_entries.key")
            }
        };
        let read = |mut row: Row| match with_values {
            true => whole(row),
            false => Ok((entry(&mut row)?, Kept::Unread)),
        };
        db.read(by.scope(), select.limit(limit)).await?.into_iter().map(read).collect()
    }

    pub(crate) async fn count(&self, db: &Db, by: &Allowance) -> Result<i64, DbError> {
        let head = "SELECT count(*) FROM state_entries JOIN state_namespaces \
                    ON state_namespaces.org = state_entries.org AND state_namespaces.id = state_entries.namespace";
        db.read_one(by.scope(), self.select(by, head)).await?.map_or(Ok(0), |mut row| row.next())
    }
}

fn columns_of(kept: &Kept) -> (Column, Column) {
    match kept {
        Kept::Plain(json) => (json.into(), Column::Null),
        Kept::Sealed(sealed) => (Column::Null, sealed.clone().into()),
        Kept::Unread => (Column::Null, Column::Null),
    }
}

/// Somebody who was faster makes the change stale.
pub(crate) fn insert_entry(namespace: &Namespace, entry: &Entry, kept: &Kept) -> Statement {
    let text = "INSERT INTO state_entries (org, id, namespace, key, value, sealed, size, sha256, is_valid, visibility, \
                owner_kind, owner, group_id, description, tags, relevance, expires_at, created_at, updated_at, updated_by, \
                revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
                $20, $21) ON CONFLICT (org, namespace, key) DO NOTHING";
    let (value, sealed) = columns_of(kept);
    let params = vec![
        namespace.org.uuid().into(),
        entry.id.uuid().into(),
        namespace.id.uuid().into(),
        entry.key.as_str().into(),
        value,
        sealed,
        entry.size.into(),
        entry.sha256.into(),
        entry.is_valid.into(),
        entry.visibility.name().into(),
        entry.owner.kind().into(),
        entry.owner.uuid().into(),
        entry.group.map(Id::uuid).into(),
        (&entry.description).into(),
        tags(entry),
        entry.relevance.into(),
        entry.expires_at.into(),
        entry.created_at.into(),
        entry.updated_at.into(),
        (&entry.updated_by).into(),
        entry.revision.into(),
    ];
    sql(text, params).fresh()
}

/// Writes everything that may change; `entry.revision` is the new one.
pub(crate) fn update_entry(org: OrgId, entry: &Entry, kept: &Kept) -> Statement {
    let text = "UPDATE state_entries SET value = $4, sealed = $5, size = $6, sha256 = $7, is_valid = $8, \
                visibility = $9, group_id = $10, description = $11, tags = $12, relevance = $13, expires_at = $14, \
                updated_at = $15, updated_by = $16, revision = $17 WHERE org = $1 AND id = $2 AND revision = $3";
    let (value, sealed) = columns_of(kept);
    let params = vec![
        org.uuid().into(),
        entry.id.uuid().into(),
        (entry.revision - 1).into(),
        value,
        sealed,
        entry.size.into(),
        entry.sha256.into(),
        entry.is_valid.into(),
        entry.visibility.name().into(),
        entry.group.map(Id::uuid).into(),
        (&entry.description).into(),
        tags(entry),
        entry.relevance.into(),
        entry.expires_at.into(),
        entry.updated_at.into(),
        (&entry.updated_by).into(),
        entry.revision.into(),
    ];
    sql(text, params).fresh()
}

fn tags(entry: &Entry) -> Column {
    serde_json::to_string(&entry.tags).unwrap_or_default().into()
}

/// The entry and all that it was.
pub(crate) fn remove_entry(org: OrgId, id: EntryId, revision: i64) -> [Statement; 2] {
    let history = "DELETE FROM state_history WHERE org = $1 AND entry = $2";
    let entry = "DELETE FROM state_entries WHERE org = $1 AND id = $2 AND revision = $3";
    [
        sql(history, vec![org.uuid().into(), id.uuid().into()]),
        sql(entry, vec![org.uuid().into(), id.uuid().into(), revision.into()]).fresh(),
    ]
}

/// Expired entries of every organization with their namespaces, the longest gone first.
pub(crate) async fn expired(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<(Namespace, Entry)>, DbError> {
    let select = Select::new(EXPIRED).and("expires_at <= {}", now).order("expires_at").limit(limit);
    let mut known: HashMap<NamespaceId, Namespace> = HashMap::new();
    let mut found = Vec::new();
    for mut row in db.read(SWEEP, select).await? {
        let (org, id): (OrgId, NamespaceId) = (row.id()?, row.id()?);
        let entry = entry(&mut row)?;
        if let std::collections::hash_map::Entry::Vacant(place) = known.entry(id)
            && let Some(namespace) = namespace_of(db, SWEEP, org, id).await?
        {
            place.insert(namespace);
        }
        if let Some(namespace) = known.get(&id) {
            found.push((namespace.clone(), entry));
        }
    }
    Ok(found)
}
