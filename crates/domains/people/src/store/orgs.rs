//! SQL of organizations.

use db::{Db, DbError, OrgScope, Row, Scope, Select, Statement, SystemScope, sql};
use types::{Id, OrgId, Slug, Timestamp, UserId};

use crate::orgs::OrgRef;
use crate::{Org, OrgStanding};

const ORG: &str = "SELECT orgs.id, slug, name, home, personal_of, billing_email, settings, status, erase_after, \
                   created_at, orgs.revision FROM orgs";

fn org(mut row: Row) -> Result<Org, DbError> {
    Ok(Org {
        id: row.id()?,
        slug: row.next()?,
        name: row.next()?,
        home: row.next()?,
        personal_of: row.optional_id()?,
        billing_email: row.next()?,
        settings: row.json()?,
        standing: standing(&row.next::<String>()?, row.next()?),
        created_at: row.next()?,
        revision: row.next()?,
    })
}

fn standing(status: &str, erase_after: Option<Timestamp>) -> OrgStanding {
    match (status, erase_after) {
        ("active", _) => OrgStanding::Active,
        ("leaving", Some(erase_after)) => OrgStanding::Leaving { erase_after },
        _ => OrgStanding::Erasing,
    }
}

pub(crate) async fn home(db: &Db, scope: SystemScope) -> Result<Option<Org>, DbError> {
    db.read_one(scope, Select::new(ORG).and("home = {}", true)).await?.map(org).transpose()
}

pub(crate) async fn org_by_id(db: &Db, scope: impl Into<Scope>, id: OrgId) -> Result<Option<Org>, DbError> {
    db.read_one(scope, Select::new(ORG).and("orgs.id = {}", id.uuid())).await?.map(org).transpose()
}

pub(crate) async fn org_by_slug(db: &Db, scope: SystemScope, slug: &str) -> Result<Option<Org>, DbError> {
    db.read_one(scope, Select::new(ORG).and("slug = {}", slug)).await?.map(org).transpose()
}

pub(crate) async fn find_org(db: &Db, scope: SystemScope, of: &OrgRef) -> Result<Option<Org>, DbError> {
    match of {
        OrgRef::Id(id) => org_by_id(db, scope, *id).await,
        OrgRef::Slug(slug) => org_by_slug(db, scope, slug.as_str()).await,
    }
}

pub(crate) async fn personal_org(db: &Db, scope: SystemScope, of: UserId) -> Result<Option<Org>, DbError> {
    db.read_one(scope, Select::new(ORG).and("personal_of = {}", of.uuid())).await?.map(org).transpose()
}

/// The organizations of the instance, or those that a person is a member of; oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrgFilter {
    pub(crate) member: Option<UserId>,
    pub(crate) only: Option<OrgId>,
    pub(crate) status: Option<&'static str>,
    pub(crate) q: Option<String>,
}

pub(crate) async fn orgs(
    db: &Db,
    scope: SystemScope,
    filter: &OrgFilter,
    after: Option<OrgId>,
    limit: i64,
) -> Result<Vec<Org>, DbError> {
    let member = "EXISTS (SELECT 1 FROM memberships WHERE memberships.org = orgs.id AND user_id = {})";
    let q = filter.q.as_ref().map(|text| format!("%{}%", super::like(&text.to_lowercase())));
    let select = Select::new(ORG)
        .and_some(member, filter.member.map(Id::uuid))
        .and_some("orgs.id = {}", filter.only.map(Id::uuid))
        .and_some("status = {}", filter.status)
        .and_some("lower(slug || ' ' || name) LIKE {} ESCAPE '!'", q)
        .and_some("orgs.id > {}", after.map(Id::uuid))
        .order("orgs.id")
        .limit(limit);
    db.read(scope, select).await?.into_iter().map(org).collect()
}

/// Where a person belongs; the oldest membership first.
pub(crate) async fn first_org_of(
    db: &Db,
    scope: SystemScope,
    user: UserId,
) -> Result<Option<OrgId>, DbError> {
    let text = "SELECT memberships.org FROM memberships JOIN orgs ON orgs.id = memberships.org \
                WHERE user_id = $1 AND suspended_at IS NULL AND orgs.status <> 'erasing' ORDER BY joined_at, memberships.org LIMIT 1";
    db.read_one(scope, sql(text, vec![user.uuid().into()])).await?.map(|mut row| row.id()).transpose()
}

pub(crate) fn insert_org(org: &Org) -> Statement {
    let text = "INSERT INTO orgs (id, slug, name, home, personal_of, billing_email, settings, status, created_at, \
                revision) VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $8, $9)";
    let params = vec![
        org.id.uuid().into(),
        org.slug.as_str().into(),
        org.name.as_str().into(),
        org.home.into(),
        org.personal_of.map(Id::uuid).into(),
        org.billing_email.clone().into(),
        super::text(&org.settings),
        org.created_at.into(),
        org.revision.into(),
    ];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

/// Takes the slug for good: the row outlives its organization.
pub(crate) fn take_slug(org: &Org) -> Statement {
    let text = "INSERT INTO slugs (slug, org) VALUES ($1, $2)";
    sql(text, vec![org.slug.as_str().into(), org.id.uuid().into()]).unique_or(&problem::ALREADY_EXISTS)
}

/// Name, address and settings; `org.revision` is the new one.
pub(crate) fn update_org(org: &Org) -> Statement {
    let text = "UPDATE orgs SET name = $2, billing_email = $3, settings = $4, revision = $5 \
                WHERE id = $1 AND revision = $5 - 1";
    let params = vec![
        org.id.uuid().into(),
        org.name.as_str().into(),
        org.billing_email.clone().into(),
        super::text(&org.settings),
        org.revision.into(),
    ];
    sql(text, params).fresh()
}

/// Begins the grace, unless an agent is active by now. Runs behind the exclusive guard of the row, which lets agents that
/// are just being registered finish first.
pub(crate) fn let_go(org: OrgId, erase_after: Timestamp) -> Statement {
    let text = "UPDATE orgs SET status = 'leaving', erase_after = $2 WHERE id = $1 AND status = 'active' \
                AND NOT EXISTS (SELECT 1 FROM agents WHERE agents.org = $1 AND agents.status = 'active')";
    sql(text, vec![org.uuid().into(), erase_after.into()]).fresh()
}

pub(crate) async fn active_agents(db: &Db, scope: impl Into<Scope>, org: OrgId) -> Result<i64, DbError> {
    let text = "SELECT count(*) FROM agents WHERE org = $1 AND status = 'active'";
    let row = db.read_one(scope, sql(text, vec![org.uuid().into()])).await?;
    row.map_or(Ok(0), |mut row| row.next())
}

pub(crate) fn restore(org: &Org) -> Statement {
    let text = "UPDATE orgs SET status = 'active', erase_after = NULL, revision = revision + 1 \
                WHERE id = $1 AND revision = $2 AND status = 'leaving'";
    sql(text, vec![org.id.uuid().into(), org.revision.into()]).fresh()
}

/// Organizations whose grace is over, and those whose erasure was cut off.
pub(crate) async fn orgs_to_erase(db: &Db, scope: SystemScope, now: Timestamp) -> Result<Vec<Org>, DbError> {
    let select = Select::new(ORG).and("erase_after <= {}", now).order("erase_after").limit(20);
    db.read(scope, select).await?.into_iter().map(org).collect()
}

/// Nobody gets in any more.
pub(crate) fn close(org: &Org) -> Statement {
    let text = "UPDATE orgs SET status = 'erasing', revision = revision + 1 \
                WHERE id = $1 AND revision = $2 AND status = 'leaving'";
    sql(text, vec![org.id.uuid().into(), org.revision.into()]).fresh()
}

pub(crate) fn end_sessions_of_org(org: OrgId, now: Timestamp) -> Statement {
    let text =
        "UPDATE sessions SET revoked_at = $2, revision = revision + 1 WHERE org = $1 AND revoked_at IS NULL";
    sql(text, vec![org.uuid().into(), now.into()])
}

/// What an organization is made of, what refers before what is referred to. Its leaves stay; contents of blobs go when
/// the sweeper finds that nobody refers to them; `purges` keeps the one row that says why its facts are gone.
pub const TABLES: &[&str] = &[
    "config_objects",
    "packages",
    "schedule_ticks",
    "schedules",
    "hook_marks",
    "hook_deliveries",
    "hook_boards",
    "hook_routes",
    "hooks",
    "state_history",
    "state_entries",
    "state_usage",
    "state_namespaces",
    "file_links",
    "file_chunks",
    "file_versions",
    "files",
    "file_uploads",
    "file_usage",
    "file_collections",
    "blob_references",
    "run_answers",
    "run_log_segments",
    "run_starts",
    "runs",
    "secret_uses",
    "secrets",
    "function_versions",
    "functions",
    "credentials",
    "kills",
    "agents",
    "last_used",
    "groups",
    "api_keys",
    "group_members",
    "group_heads",
    "roles",
    "resource_prefixes",
    "access_heads",
    "permission_uses",
    "decisions",
    "policy_heads",
    "policies",
    "invitations",
    "domains",
    "identities",
    "grants",
    "sessions",
    "login_grants",
    "sign_in_states",
    "auth_providers",
    "memberships",
    "signing_keys",
    "used_assertions",
    "idempotency",
    "verified_marks",
    "purges",
    "data_keys",
];

/// Everything but the facts. On PostgreSQL nobody but the owner of the database may delete what is insert-only.
pub(crate) fn erase(db: &Db, org: OrgId) -> Vec<Statement> {
    let remove = |table: &&str| match *table {
        "function_versions" | "policies" if db.is_postgres() => {
            sql("SELECT safeconduct_forget($1)", vec![org.uuid().into()])
        }
        table => sql(format!("DELETE FROM {table} WHERE org = $1"), vec![org.uuid().into()]),
    };
    let gone = sql("DELETE FROM orgs WHERE id = $1 AND status = 'erasing'", vec![org.uuid().into()]).fresh();
    TABLES.iter().map(remove).chain([gone]).collect()
}

/// The organization of a request as the database has it now: what a decision may rely on, with its revision.
pub(crate) async fn own_org(db: &Db, scope: &OrgScope) -> Result<Option<Org>, DbError> {
    org_by_id(db, *scope, scope.org()).await
}

/// Whether a slug was ever given out.
pub(crate) async fn slug_is_taken(db: &Db, scope: SystemScope, slug: &Slug) -> Result<bool, DbError> {
    let text = "SELECT 1 FROM slugs WHERE slug = $1";
    Ok(db.read_one(scope, sql(text, vec![slug.as_str().into()])).await?.is_some())
}
