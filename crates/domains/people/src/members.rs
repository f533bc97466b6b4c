//! Who belongs to an organization, with which roles, and how somebody stops belonging.

use access::{Head, depart};
use db::{AuthorityEntry, Change};
use serde_json::json;
use types::{Id, OrgId, Timestamp, UserId};
use web::{Allowance, Decided, Object, PrincipalId};

use crate::dependents::{Heir, LeftBehind};
use crate::rights::Giving;
use crate::store::MembershipRow;
use crate::{People, PeopleError, Person, facts, store};

/// What the organization's directory says of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// What the directory calls the member; unique in the organization, whatever its case.
    pub user_name: Option<String>,
    /// Its id there; unique in the organization.
    pub external_id: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
}

/// A person as a member of one organization.
#[derive(Clone, Debug)]
pub struct Member {
    pub person: Person,
    pub directory: DirectoryEntry,
    /// Since when the member holds nothing here; what the person is elsewhere stays.
    pub suspended_at: Option<Timestamp>,
    pub roles: Vec<String>,
    pub joined_at: Timestamp,
    pub invited_by: Option<String>,
    pub provider: Option<String>,
    pub(crate) row: MembershipRow,
}

impl Member {
    /// May it act here? Neither it nor the person is suspended.
    pub fn acts(&self) -> bool {
        self.person.active && self.suspended_at.is_none()
    }

    /// Of the membership and of the person.
    pub fn revisions(&self) -> (i64, i64) {
        (self.row.revision, self.person.revision)
    }

    pub(crate) fn object(&self) -> Object<'static> {
        let id = self.person.id;
        Object { selector: id.to_string().into(), is: Some(id.uuid()), ..Object::default() }
    }
}

const OWNER: &str = "owner";

/// Roles that a member gets and loses, by somebody who holds them all.
pub(crate) struct RolesChange {
    added: Vec<String>,
    taken: Vec<String>,
    kept: Option<Head>,
    giving: Giving,
}

impl RolesChange {
    pub(crate) fn data(&self) -> serde_json::Value {
        json!({ "added": self.added, "taken": self.taken, "by": null })
    }

    pub(crate) fn made(
        &self,
        people: &People,
        change: Change,
        org: OrgId,
        user: UserId,
        now: Timestamp,
    ) -> Change {
        let change = change
            .statements(self.taken.iter().map(|role| store::take_role(org, user, role)))
            .statements(self.giving.statements(people, org, user, now))
            .authority(AuthorityEntry::changed(org, "user", user.uuid()));
        let change = self.giving.guarded(change);
        match self.kept {
            Some(kept) => kept.advanced(change),
            None => change,
        }
    }
}

impl People {
    /// The member, if the caller may do its operation to it.
    pub async fn find_member(&self, by: &Allowance, user: UserId) -> Result<Member, PeopleError> {
        let found = store::member(&self.inner().db, &by.scope(), user).await?;
        let member = found.ok_or(PeopleError::UnknownMember)?;
        by.check(&member.object())?;
        Ok(member)
    }

    /// Gives a member exactly these roles. Whoever gives or takes one must hold it.
    pub(crate) async fn change_roles(
        &self,
        by: &Allowance,
        user: UserId,
        roles: &[String],
    ) -> Result<Decided<Member>, PeopleError> {
        let inner = self.inner();
        let org = by.org();
        let mut member = self.find_member(by, user).await?;
        by.expect_revision(member.row.revision)?;
        let roles_change = self.roles_change(by, &member, roles).await?;
        let now = inner.world.now();
        let fact = by
            .fact(&facts::MEMBER_ROLES_CHANGED)
            .target("user", user, &member.person.display_name)
            .data(roles_change.data());
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::touch_membership(member.row));
        let change = roles_change.made(self, change, org, user, now);
        member.roles = roles.to_vec();
        member.roles.sort();
        member.roles.dedup();
        member.row.revision += 1;
        Ok(Decided::new(change, member))
    }

    /// What it takes to give a member exactly these roles.
    pub(crate) async fn roles_change(
        &self,
        by: &Allowance,
        member: &Member,
        roles: &[String],
    ) -> Result<RolesChange, PeopleError> {
        let access = &self.inner().access;
        let missing = |from: &[String], role: &&String| !from.contains(role);
        let added: Vec<String> = roles.iter().filter(|role| missing(&member.roles, role)).cloned().collect();
        let taken: Vec<String> = member.roles.iter().filter(|role| missing(roles, role)).cloned().collect();
        // Before anything about rights is read.
        let kept = match taken.as_slice() {
            [] => None,
            taken if taken.iter().any(|role| role == OWNER) => {
                Some(access.keeps_an_owner(&by.scope(), member.person.id).await?)
            }
            _ => Some(access.head(&by.scope()).await?),
        };
        let giving = self.giving(by, &added).await?;
        // An administrator does not dismiss an owner.
        self.giving(by, &taken).await?;
        Ok(RolesChange { added, taken, kept, giving })
    }

    /// The person stops belonging to the organization: its sessions here end, its rights go, its agents pass to the heir or
    /// stop. What it is elsewhere stays.
    pub async fn remove_member(
        &self,
        by: &Allowance,
        user: UserId,
        heir: Option<Heir>,
    ) -> Result<Decided<Member>, PeopleError> {
        let inner = self.inner();
        let org = by.org();
        let mut member = self.find_member(by, user).await?;
        by.expect_revision(member.row.revision)?;
        if heir == Some(Heir::User(user)) {
            let reason = "must be somebody who stays".into();
            return Err(PeopleError::Invalid { field: "/agents_to", reason });
        }
        let kept = inner.access.keeps_an_owner(&by.scope(), user).await?;
        // Whoever takes rights away must hold them.
        if by.caller().principal().uuid() != user.uuid() {
            self.giving(by, &member.roles).await?;
        }
        let now = inner.world.now();
        let sessions = store::living_sessions(&inner.db, &by.scope(), user, now).await?;
        let fact = by
            .fact(&facts::MEMBER_REMOVED)
            .target("user", user, &member.person.display_name)
            .data(json!({ "roles": member.roles, "sessions": sessions.len() }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            // Agents that are just being given to the person are finished first, and seen below.
            .guard_count("users", user, member.person.revision);
        let LeftBehind { change, .. } = self.leave_behind(by, user, heir, kept.advanced(change)).await?;
        let dead =
            |session: &types::SessionId| AuthorityEntry::changed(org, "session", session.uuid()).died();
        let change = change
            .statement(store::end_sessions_of(org, user, now))
            .statement(store::delete_membership(member.row, org, user));
        let change = depart(change, org, PrincipalId::User(user), now);
        let change = sessions.iter().map(dead).fold(change, Change::authority);
        member.roles.clear();
        member.row.revision += 1;
        Ok(Decided::new(change, member))
    }
}
