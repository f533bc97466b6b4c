//! Groups as holders of rights: the facade that `people` calls in the change that makes, fills, empties or ends a group.
//!
//! `people` owns what a group is called, who leads it and what the directory says of it. Here stands only which groups
//! there are and who is in them, because rights follow from it. Each function adds to a change both the rows and the
//! news that puts them in force: on this node before the commit is answered, on the others within a second.

use std::collections::HashMap;

use db::{AuthorityEntry, Change, DbError, OrgScope, Select, Statement, sql};
use problem::{ALREADY_EXISTS, NOT_FOUND, Problem};
use types::{GroupId, Id, OrgId, Timestamp};
use web::{Allowance, PrincipalId};

use crate::head::{advance, insert_head};
use crate::{Access, Head, HolderId};

/// One member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub principal: PrincipalId,
    pub added_by: String,
    pub added_at: Timestamp,
}

/// An organization begins: goes into the change that founds it.
#[must_use]
pub fn found_org(change: Change, org: OrgId) -> Change {
    change.statement(insert_head(org))
}

/// A group begins; it holds nothing and has no members.
#[must_use]
pub fn found_group(change: Change, org: OrgId, group: GroupId, at: Timestamp) -> Change {
    let text = "INSERT INTO group_heads (org, id, created_at) VALUES ($1, $2, $3)";
    change.statement(sql(text, vec![org.uuid().into(), group.uuid().into(), at.into()]))
}

/// A principal joins; `409 already_exists` if it is in the group already. Ask [`Access::may_join`] first.
#[must_use]
pub fn join(
    change: Change,
    org: OrgId,
    group: GroupId,
    member: PrincipalId,
    by: &str,
    at: Timestamp,
) -> Change {
    let text = "INSERT INTO group_members (org, group_id, principal_kind, principal, added_by, added_at) \
                VALUES ($1, $2, $3, $4, $5, $6)";
    let params = vec![
        org.uuid().into(),
        group.uuid().into(),
        member.kind().into(),
        member.uuid().into(),
        by.into(),
        at.into(),
    ];
    change.statement(sql(text, params).unique_or(&ALREADY_EXISTS)).authority(news(org, member.into()))
}

/// A principal leaves; `404` if it is not in the group.
#[must_use]
pub fn leave(change: Change, org: OrgId, group: GroupId, member: PrincipalId) -> Change {
    let text = "DELETE FROM group_members WHERE org = $1 AND group_id = $2 AND principal = $3";
    let params = vec![org.uuid().into(), group.uuid().into(), member.uuid().into()];
    advance(change, org)
        .statement(sql(text, params).one_row_or(&NOT_FOUND))
        .authority(news(org, member.into()))
}

/// A group ends: its members lose what they held through it, its grants go.
#[must_use]
pub fn dissolve(change: Change, org: OrgId, group: GroupId) -> Change {
    let of = |text: &'static str| sql(text, vec![org.uuid().into(), group.uuid().into()]);
    advance(change, org)
        .statement(of("DELETE FROM group_members WHERE org = $1 AND group_id = $2"))
        .statement(of("DELETE FROM grants WHERE org = $1 AND principal = $2"))
        .statement(of("DELETE FROM group_heads WHERE org = $1 AND id = $2"))
        .authority(news(org, group.into()))
}

/// Takes every grant that a holder has itself. The change advances the head and brings the news itself.
pub fn take_all(org: OrgId, holder: impl Into<HolderId>) -> Statement {
    let params = vec![org.uuid().into(), holder.into().uuid().into()];
    sql("DELETE FROM grants WHERE org = $1 AND principal = $2", params)
}

/// A principal leaves the organization: its grants, its places in groups and its API keys go. For people ask
/// [`Access::keeps_an_owner`] first.
#[must_use]
pub fn depart(change: Change, org: OrgId, principal: PrincipalId, at: Timestamp) -> Change {
    let of = |text: &'static str| sql(text, vec![org.uuid().into(), principal.uuid().into()]);
    let keys = "UPDATE api_keys SET revoked_at = $3, revision = revision + 1 \
                WHERE org = $1 AND owner = $2 AND revoked_at IS NULL";
    advance(change, org)
        .statement(sql(keys, vec![org.uuid().into(), principal.uuid().into(), at.into()]))
        .statement(of("DELETE FROM group_members WHERE org = $1 AND principal = $2"))
        .statement(of("DELETE FROM grants WHERE org = $1 AND principal = $2"))
        .authority(news(org, principal.into()))
}

/// The news that somebody's rights changed; nothing dies of it.
pub(crate) fn news(org: OrgId, holder: HolderId) -> AuthorityEntry {
    AuthorityEntry::changed(org, holder.kind(), holder.uuid())
}

fn of_groups(head: &'static str, scope: &OrgScope, groups: &[GroupId]) -> Option<Select> {
    let places = vec!["{}"; groups.len()].join(", ");
    let ids = groups.iter().map(|group| group.uuid().into());
    let select = Select::new(head).and("org = {}", scope.org().uuid());
    (!groups.is_empty()).then(|| select.and_text(format!("group_id IN ({places})"), ids))
}

impl Access {
    /// Whoever puts somebody into a group hands on what the group holds: refused with `403 authority_exceeded` if the
    /// caller does not hold it all. Let the head guard the change: `head.relied_on(join(change, …))`.
    pub async fn may_join(&self, by: &Allowance, group: GroupId) -> Result<Head, Problem> {
        let giver = self.giver(by).await?;
        giver.holds(&self.authority_now(&by.scope(), group).await?)?;
        Ok(giver.head)
    }

    /// The members of a group in the order of their ids, from behind `after`.
    pub async fn members(
        &self,
        scope: &OrgScope,
        group: GroupId,
        after: Option<PrincipalId>,
        limit: i64,
    ) -> Result<Vec<Member>, Problem> {
        let select = Select::new("SELECT principal_kind, principal, added_by, added_at FROM group_members")
            .and("org = {}", scope.org().uuid())
            .and("group_id = {}", group.uuid())
            .and_some("principal > {}", after.map(PrincipalId::uuid))
            .order("principal")
            .limit(limit);
        let mut members = Vec::new();
        for mut row in self.inner().db.read(scope, select).await? {
            let (kind, id): (String, _) = (row.next()?, row.next()?);
            let principal = HolderId::of(&kind, id).and_then(HolderId::principal);
            let principal = principal.ok_or_else(|| DbError::Internal(format!("a member of kind {kind}")))?;
            members.push(Member { principal, added_by: row.next()?, added_at: row.next()? });
        }
        Ok(members)
    }

    /// Of each of these groups how many are in it and when the latest came. Both together change whenever the members do:
    /// a leave counts down, and what joins instead is later than all before.
    pub async fn marks_of(
        &self,
        scope: &OrgScope,
        groups: &[GroupId],
    ) -> Result<HashMap<GroupId, (i64, Timestamp)>, Problem> {
        let head = "SELECT group_id, count(*), max(added_at) FROM group_members";
        let Some(select) = of_groups(head, scope, groups) else { return Ok(HashMap::new()) };
        let select = select.group("group_id");
        let mut marks = HashMap::new();
        for mut row in self.inner().db.read(scope, select).await? {
            marks.insert(row.id()?, (row.next()?, row.next()?));
        }
        Ok(marks)
    }

    /// Who is in these groups, in the order of their ids.
    pub async fn members_of_all(
        &self,
        scope: &OrgScope,
        groups: &[GroupId],
    ) -> Result<HashMap<GroupId, Vec<PrincipalId>>, Problem> {
        let head = "SELECT group_id, principal_kind, principal FROM group_members";
        let Some(select) = of_groups(head, scope, groups) else { return Ok(HashMap::new()) };
        let mut all: HashMap<GroupId, Vec<PrincipalId>> = HashMap::new();
        for mut row in self.inner().db.read(scope, select.order("principal")).await? {
            let (group, kind, id): (_, String, _) = (row.id()?, row.next()?, row.next()?);
            all.entry(group).or_default().extend(HolderId::of(&kind, id).and_then(HolderId::principal));
        }
        Ok(all)
    }

    /// The groups that a principal is in, as the index has them.
    pub async fn groups_of(&self, org: OrgId, principal: PrincipalId) -> Result<Vec<GroupId>, Problem> {
        Ok(self.holding(org, principal).await?.groups.to_vec())
    }
}
