//! Groups: what they are called and who is in them. What a group holds, and that its members hold it, is `access`'s.

use access::{Member as InGroup, dissolve, found_group, join, leave};
use authority::Required;
use db::Change;
use ledger::FactKind;
use problem::{GROUP_IN_USE, Problem, VALIDATION_FAILED};
use serde_json::json;
use types::{GroupId, Id, Timestamp};
use web::{Allowance, Decided, Object, PrincipalId, Search};

use crate::domains::relied_on;
use crate::{People, PeopleError, Person, facts, store};

#[derive(Clone, Debug)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    pub description: String,
    /// Its id in the directory that it comes from.
    pub external_group_id: Option<String>,
    /// Members whose proved address lies in this domain belong to it from when they join.
    pub email_domain: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: i64,
}

impl Group {
    fn object(&self) -> Object<'static> {
        Object { selector: self.id.to_string().into(), group: Some(self.id), ..Object::default() }
    }
}

#[derive(Clone, Debug)]
pub struct WantedGroup {
    pub name: String,
    pub description: String,
    pub external_group_id: Option<String>,
    pub email_domain: Option<String>,
}

/// A merge patch; the outer `None` leaves the field alone.
#[derive(Clone, Debug, Default)]
pub struct GroupPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub external_group_id: Option<Option<String>>,
    pub email_domain: Option<Option<String>>,
}

impl GroupPatch {
    fn is_empty(&self) -> bool {
        self.name.is_none()
            && self.description.is_none()
            && self.external_group_id.is_none()
            && self.email_domain.is_none()
    }
}

impl People {
    /// The group, if the caller may do its operation to it.
    pub async fn find_group(&self, by: &Allowance, id: GroupId) -> Result<Group, PeopleError> {
        let found = store::group(&self.inner().db, &by.scope(), id).await?;
        let group = found.ok_or(PeopleError::UnknownGroup)?;
        by.check(&group.object())?;
        Ok(group)
    }

    pub(crate) async fn create_group(
        &self,
        by: &Allowance,
        wanted: &WantedGroup,
    ) -> Result<Decided<Group>, PeopleError> {
        let inner = self.inner();
        let now = inner.world.now();
        let group = Group {
            id: inner.world.id(),
            name: wanted.name.clone(),
            description: wanted.description.clone(),
            external_group_id: wanted.external_group_id.clone(),
            email_domain: wanted.email_domain.clone(),
            created_at: now,
            updated_at: now,
            revision: 1,
        };
        by.check(&group.object())?;
        let fact = by
            .fact(&facts::GROUP_CREATED)
            .target("group", group.id, &group.name)
            .data(json!({ "name": group.name, "email_domain": group.email_domain }));
        let created_by = by.caller().principal().to_string();
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?).statement(store::insert_group(
            &group,
            by.org(),
            &created_by,
        ));
        let change = self.with_rule(by, found_group(change, by.org(), group.id, now), &group).await?;
        Ok(Decided::new(change, group))
    }

    pub(crate) async fn update_group(
        &self,
        by: &Allowance,
        id: GroupId,
        patch: &GroupPatch,
    ) -> Result<Decided<Group>, PeopleError> {
        let group = self.find_group(by, id).await?;
        by.expect_revision(group.revision)?;
        self.patched(by, group, patch).await
    }

    async fn patched(
        &self,
        by: &Allowance,
        mut group: Group,
        patch: &GroupPatch,
    ) -> Result<Decided<Group>, PeopleError> {
        let inner = self.inner();
        let mut fields = Vec::new();
        macro_rules! take {
            ($($field:ident),+) => {$(
                if let Some(value) = &patch.$field {
                    group.$field.clone_from(value);
                    fields.push(stringify!($field));
                }
            )+};
        }
        take!(name, description, external_group_id, email_domain);
        group.updated_at = inner.world.now();
        group.revision += 1;
        let fact = by
            .fact(&facts::GROUP_UPDATED)
            .target("group", group.id, &group.name)
            .data(json!({ "fields": fields }));
        let mut change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::update_group(&group, by.org()));
        if patch.email_domain.is_some() {
            change = self.with_rule(by, change, &group).await?;
        }
        Ok(Decided::new(change, group))
    }

    /// A rule hands on what the group holds to people who are still to come: whoever makes it must hold that, and the
    /// domain must be proved.
    async fn with_rule(&self, by: &Allowance, change: Change, group: &Group) -> Result<Change, PeopleError> {
        let Some(domain) = &group.email_domain else { return Ok(change) };
        let head = self.inner().access.may_join(by, group.id).await?;
        let proved = store::proved_domain(&self.inner().db, &by.scope(), domain).await?;
        let proved = proved.ok_or_else(crate::domains::outside)?;
        Ok(head.relied_on(relied_on(change, &proved)))
    }

    /// The group ends, unless agents belong to it.
    pub async fn delete_group(&self, by: &Allowance, id: GroupId) -> Result<Decided<Group>, PeopleError> {
        let inner = self.inner();
        let group = self.find_group(by, id).await?;
        by.expect_revision(group.revision)?;
        let agents = store::agents_of_group(&inner.db, &by.scope(), id).await?;
        if agents > 0 {
            let detail = format!("{agents} agents belong to the group. Give them to somebody else first.");
            return Err(Problem::new(&GROUP_IN_USE, detail).with_member("agents", agents).into());
        }
        let fact = by
            .fact(&facts::GROUP_DELETED)
            .target("group", group.id, &group.name)
            .data(json!({ "name": group.name }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            // Agents that are just being given to the group are finished first, and seen below.
            .guard_count("groups", group.id, group.revision)
            .statement(store::delete_group(&group, by.org()));
        Ok(Decided::new(dissolve(change, by.org(), group.id), group))
    }

    pub(crate) async fn group_members(
        &self,
        by: &Allowance,
        id: GroupId,
        after: Option<PrincipalId>,
        limit: i64,
    ) -> Result<Vec<InGroup>, PeopleError> {
        self.find_group(by, id).await?;
        Ok(self.inner().access.members(&by.scope(), id, after, limit).await?)
    }

    /// Whoever puts somebody into a group must hold what the group holds.
    pub(crate) async fn add_to_group(
        &self,
        by: &Allowance,
        id: GroupId,
        member: PrincipalId,
    ) -> Result<Decided<InGroup>, PeopleError> {
        let group = self.find_group(by, id).await?;
        let (added_by, added_at) = (by.caller().principal().to_string(), self.inner().world.now());
        let change = self.joining_group(by, None, &group, &[member]).await?;
        let change = change.ok_or(PeopleError::UnknownMember)?;
        Ok(Decided::new(change, InGroup { principal: member, added_by, added_at }))
    }

    pub(crate) async fn remove_from_group(
        &self,
        by: &Allowance,
        id: GroupId,
        member: PrincipalId,
    ) -> Result<Decided<InGroup>, PeopleError> {
        let group = self.find_group(by, id).await?;
        let before = store::group_member(&self.inner().db, &by.scope(), id, member).await?;
        let (added_by, added_at) = before.ok_or(PeopleError::UnknownMember)?;
        let change = self.leaving_group(by, None, &group, &[member]).await?;
        let change = change.ok_or(PeopleError::UnknownMember)?;
        Ok(Decided::new(change, InGroup { principal: member, added_by, added_at }))
    }

    /// Adds to a change – or begins one – that these principals are put into a group.
    async fn joining_group(
        &self,
        by: &Allowance,
        mut change: Option<Change>,
        group: &Group,
        members: &[PrincipalId],
    ) -> Result<Option<Change>, PeopleError> {
        let inner = self.inner();
        if members.is_empty() {
            return Ok(change);
        }
        let head = inner.access.may_join(by, group.id).await?;
        let (now, added_by) = (inner.world.now(), by.caller().principal().to_string());
        for (member, (table, revision)) in self.rows_of(by, members).await? {
            let told = self.told_of_member(by, change, &facts::GROUP_MEMBER_ADDED, group, member).await?;
            let told = told.guard(table, types::RequestId::from_uuid(member.uuid()), revision);
            change = Some(join(told, by.org(), group.id, member, &added_by, now));
        }
        Ok(change.map(|change| head.relied_on(change).guard("groups", group.id, group.revision)))
    }

    /// Table and revision of each; refused if one of them is none of the organization's.
    async fn rows_of(
        &self,
        by: &Allowance,
        members: &[PrincipalId],
    ) -> Result<Vec<(PrincipalId, (&'static str, i64))>, PeopleError> {
        let rows = store::principal_rows(&self.inner().db, &by.scope(), members).await?;
        let row_of = |member: &PrincipalId| {
            let row = rows.get(&member.uuid()).copied().ok_or_else(|| {
                Problem::new(&VALIDATION_FAILED, "Mend the fields named in errors.")
                    .with_error("/member", "must be a member or an agent of the organization")
            })?;
            Ok::<_, PeopleError>((*member, row))
        };
        members.iter().map(row_of).collect()
    }

    async fn leaving_group(
        &self,
        by: &Allowance,
        mut change: Option<Change>,
        group: &Group,
        members: &[PrincipalId],
    ) -> Result<Option<Change>, PeopleError> {
        for member in members {
            let told = self.told_of_member(by, change, &facts::GROUP_MEMBER_REMOVED, group, *member).await?;
            change = Some(leave(told, by.org(), group.id, *member));
        }
        Ok(change)
    }

    async fn told_of_member(
        &self,
        by: &Allowance,
        change: Option<Change>,
        kind: &'static FactKind,
        group: &Group,
        member: PrincipalId,
    ) -> Result<Change, PeopleError> {
        let data = json!({ "member": member.to_string() });
        let fact = by.fact(kind).target("group", group.id, &group.name).data(data);
        let fact = self.inner().ledger.seal(fact).await?;
        Ok(match change {
            Some(change) => change.fact(fact),
            None => Change::new(by.scope(), fact),
        })
    }

    /// A group as a directory wants it, with its members; all in one change.
    pub async fn provision_group(
        &self,
        by: &Allowance,
        wanted: &WantedGroup,
        members: &[PrincipalId],
    ) -> Result<Decided<Group>, PeopleError> {
        let Decided { mut change, answer: group } = self.create_group(by, wanted).await?;
        // Nobody has given a group anything that is not there yet, so there is nothing that the caller must hold.
        for (member, (table, revision)) in self.rows_of(by, members).await? {
            let told =
                self.told_of_member(by, Some(change), &facts::GROUP_MEMBER_ADDED, &group, member).await?;
            let told = told.guard(table, types::RequestId::from_uuid(member.uuid()), revision);
            let added_by = by.caller().principal().to_string();
            change = join(told, by.org(), group.id, member, &added_by, group.created_at);
        }
        Ok(Decided::new(change, group))
    }

    /// The same for a group that there is; no change if there is nothing to do.
    pub async fn reprovision_group(
        &self,
        by: &Allowance,
        group: Group,
        patch: &GroupPatch,
        joining: &[PrincipalId],
        leaving: &[PrincipalId],
    ) -> Result<(Option<Change>, Group), PeopleError> {
        let (before, mut after, mut change) = (group.clone(), group.clone(), None);
        if !patch.is_empty() {
            let decided = self.patched(by, before.clone(), patch).await?;
            (change, after) = (Some(decided.change), decided.answer);
        } else if !joining.is_empty() || !leaving.is_empty() {
            let told = by.fact(&facts::GROUP_UPDATED).target("group", group.id, &group.name);
            let told = self.inner().ledger.seal(told.data(json!({ "fields": ["members"] }))).await?;
            change = Some(Change::new(by.scope(), told));
        }
        let change = self.leaving_group(by, change, &before, leaving).await?;
        let change = self.joining_group(by, change, &before, joining).await?;
        Ok((change, after))
    }

    /// A page of groups and how many there are. The condition may name columns of `groups`.
    pub async fn search_groups(
        &self,
        by: &Allowance,
        required: &Required,
        search: &Search,
    ) -> Result<(Vec<Group>, i64), PeopleError> {
        Ok(store::search_groups(&self.inner().db, by, required, search).await?)
    }

    /// Puts somebody who joins the organization into the groups whose rule holds for a proved address.
    pub(crate) async fn by_rule(
        &self,
        mut change: Change,
        org: types::OrgId,
        person: &Person,
    ) -> Result<Change, PeopleError> {
        let Some(email) = person.email.as_ref().filter(|_| person.email_verified) else { return Ok(change) };
        let domain = email.rsplit('@').next().unwrap_or_default();
        let inner = self.inner();
        for (group, revision) in store::groups_of_domain(&inner.db, org, domain).await? {
            change = change.guard("groups", group, revision);
            change = join(change, org, group, PrincipalId::User(person.id), "domain rule", inner.world.now());
        }
        Ok(change)
    }
}
