//! SQL of policies, decisions and uses.

use db::{Db, DbError, OrgScope, Row, Scope, Select, Statement, SystemScope, sql};
use types::{DecisionId, Id, OrgId, PolicyId, Timestamp, Uuid};

use crate::model::{Head, Recorded, Version};
use crate::record::Decision;
use crate::uses::{Count, Reached, Use};

/// Rules are read before a request is admitted, and what was decided is written for many organizations at once.
pub(crate) const INDEX: SystemScope = SystemScope::new("policies in force");

const VERSION: &str =
    "SELECT id, number, description, sha256, modules, rules, author, created_at, bundle FROM policies";

/// A version with its sealed bundle.
pub(crate) struct Stored {
    pub(crate) version: Version,
    pub(crate) bundle: Vec<u8>,
}

impl std::ops::Deref for Stored {
    type Target = Version;
    fn deref(&self) -> &Version {
        &self.version
    }
}

pub(crate) fn insert(version: &Version, bundle: Vec<u8>) -> Statement {
    let text = "INSERT INTO policies (org, id, number, description, bundle, sha256, modules, rules, author, created_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let params = vec![
        version.org.uuid().into(),
        version.id.uuid().into(),
        version.number.into(),
        (&version.description).into(),
        bundle.into(),
        version.sha256.into(),
        version.modules.into(),
        version.rules.into(),
        (&version.author).into(),
        version.created_at.into(),
    ];
    sql(text, params)
}

pub(crate) async fn head(db: &Db, scope: &OrgScope) -> Result<Option<Head>, DbError> {
    let text = "SELECT active, last_number, revision FROM policy_heads WHERE org = $1";
    let row = db.read_one(scope, sql(text, vec![scope.org().uuid().into()])).await?;
    let head = |mut row: Row| {
        Ok(Head { active: row.optional_id()?, last_number: row.next()?, revision: row.next()? })
    };
    row.map(head).transpose()
}

/// The head with the next number. Whoever was faster makes the change stale.
pub(crate) fn advance(org: OrgId, head: Option<&Head>, number: i64) -> Statement {
    match head {
        None => sql(
            "INSERT INTO policy_heads (org, last_number, revision) VALUES ($1, $2, 1) ON CONFLICT (org) DO NOTHING",
            vec![org.uuid().into(), number.into()],
        )
        .fresh(),
        Some(head) => sql(
            "UPDATE policy_heads SET last_number = $3, revision = revision + 1 WHERE org = $1 AND revision = $2",
            vec![org.uuid().into(), head.revision.into(), number.into()],
        )
        .fresh(),
    }
}

pub(crate) fn put_in_force(
    org: OrgId,
    head: &Head,
    active: Option<PolicyId>,
    now: Timestamp,
    by: &str,
) -> Statement {
    let text = "UPDATE policy_heads SET active = $3, activated_at = $4, activated_by = $5, revision = revision + 1 \
                WHERE org = $1 AND revision = $2";
    let params =
        vec![org.uuid().into(), head.revision.into(), active.map(Id::uuid).into(), now.into(), by.into()];
    sql(text, params).fresh()
}

pub(crate) async fn find(db: &Db, scope: &OrgScope, id: PolicyId) -> Result<Option<Stored>, DbError> {
    let select = Select::new(VERSION).and("org = {}", scope.org().uuid()).and("id = {}", id.uuid());
    db.read_one(scope, select).await?.map(|row| stored(scope.org(), row)).transpose()
}

/// Newest first.
pub(crate) async fn list(
    db: &Db,
    scope: &OrgScope,
    narrow: impl FnOnce(Select) -> Select,
    before: Option<PolicyId>,
    most: i64,
) -> Result<Vec<Stored>, DbError> {
    let select =
        Select::new(VERSION).and("org = {}", scope.org().uuid()).and_some("id < {}", before.map(Id::uuid));
    let select = narrow(select).order("id DESC").limit(most);
    db.read(scope, select).await?.into_iter().map(|row| stored(scope.org(), row)).collect()
}

/// The version in force of any organization.
pub(crate) async fn active(db: &Db, org: OrgId) -> Result<Option<Stored>, DbError> {
    let text = "SELECT policies.id, number, description, sha256, modules, rules, author, created_at, bundle \
                FROM policy_heads JOIN policies ON policies.org = policy_heads.org AND policies.id = policy_heads.active \
                WHERE policy_heads.org = $1";
    let row = db.read_one(Scope::System(INDEX), sql(text, vec![org.uuid().into()])).await?;
    row.map(|row| stored(org, row)).transpose()
}

fn stored(org: OrgId, mut row: Row) -> Result<Stored, DbError> {
    let version = Version {
        id: row.id()?,
        org,
        number: row.next()?,
        description: row.next()?,
        sha256: row.next()?,
        modules: row.next()?,
        rules: row.next()?,
        author: row.next()?,
        created_at: row.next()?,
    };
    Ok(Stored { version, bundle: row.next()? })
}

pub(crate) fn insert_decision(id: DecisionId, decision: &Decision, question: Vec<u8>) -> Statement {
    let text = "INSERT INTO decisions (org, id, at, principal, operation, permission, outcome, policy, input_sha256, \
                question) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let params = vec![
        decision.org.uuid().into(),
        id.uuid().into(),
        decision.at.into(),
        (&decision.principal).into(),
        decision.operation.into(),
        (&decision.permission).into(),
        decision.outcome.name().into(),
        decision.policy.map(Id::uuid).into(),
        decision.sha256.into(),
        question.into(),
    ];
    sql(text, params)
}

/// Decisions since `since`, newest first.
pub(crate) async fn decisions(
    db: &Db,
    scope: &OrgScope,
    since: Timestamp,
    before: Option<DecisionId>,
    most: i64,
) -> Result<Vec<Recorded>, DbError> {
    let head = "SELECT id, at, principal, operation, permission, outcome, question FROM decisions";
    let select = Select::new(head)
        .and("org = {}", scope.org().uuid())
        .and("at >= {}", since)
        .and_some("id < {}", before.map(Id::uuid))
        .order("id DESC")
        .limit(most);
    let recorded = |mut row: Row| {
        Ok(Recorded {
            id: row.id()?,
            at: row.next()?,
            principal: row.next()?,
            operation: row.next()?,
            permission: row.next()?,
            outcome: row.parse()?,
            question: row.next()?,
        })
    };
    db.read(scope, select).await?.into_iter().map(recorded).collect()
}

pub(crate) fn remove_decisions(before: Timestamp) -> Statement {
    sql("DELETE FROM decisions WHERE at < $1", vec![before.into()])
}

pub(crate) fn count_use(key: &Use, count: Count) -> Statement {
    let text = "INSERT INTO permission_uses (org, principal, permission, selector, reach, count, first_at, last_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                ON CONFLICT (org, principal, permission, selector, reach) DO UPDATE SET \
                count = permission_uses.count + excluded.count, last_at = excluded.last_at";
    let params = vec![
        key.org.uuid().into(),
        key.principal.into(),
        (&key.permission).into(),
        (&key.selector).into(),
        key.reach.name().into(),
        count.count.into(),
        count.first.into(),
        count.last.into(),
    ];
    sql(text, params)
}

/// A use as it was counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) permission: String,
    pub(crate) selector: String,
    pub(crate) reach: Reached,
    pub(crate) count: i64,
    pub(crate) last: Timestamp,
}

pub(crate) async fn uses(
    db: &Db,
    scope: &OrgScope,
    principal: Uuid,
    since: Timestamp,
) -> Result<Vec<Counted>, DbError> {
    let text = "SELECT permission, selector, reach, count, last_at FROM permission_uses \
                WHERE org = $1 AND principal = $2 AND last_at >= $3 ORDER BY permission, selector, reach";
    let params = vec![scope.org().uuid().into(), principal.into(), since.into()];
    let counted = |mut row: Row| {
        Ok(Counted {
            permission: row.next()?,
            selector: row.next()?,
            reach: row.parse()?,
            count: row.next()?,
            last: row.next()?,
        })
    };
    db.read(scope, sql(text, params)).await?.into_iter().map(counted).collect()
}
