//! Invitations: a link that makes whoever holds it a member, once.
//!
//! `{public_url}/console/invitation#<43 base62>`, good for seven days; stored is the token's HMAC. The link alone proves
//! nothing about an address: a new person's stays unverified, and an account that exists is joined only by somebody who is
//! signed in to it. What an invitation gives, its inviter must still hold when it is accepted.

use std::time::Duration;

use access::{Head, NewGrants};
use db::{AuthorityEntry, Change, CommitError, OrgScope, Statement};
use ledger::{Actor, Fact};
use problem::{ALREADY_EXISTS, INVALID_LINK, Problem};
use serde_json::json;
use types::{Email, Id, InvitationId, OrgId, Secret, Timestamp, UserId};
use web::{Allowance, Contact, Decided, Object, PrincipalId};

use crate::rights::statements_of;
use crate::service::{INSTANCE, SIGN_IN};
use crate::{How, Org, OrgStanding, People, PeopleError, Person, SessionKind, Started, facts, store};

const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationStatus {
    Open,
    Accepted,
    Revoked,
    Expired,
}

impl InvitationStatus {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

impl std::str::FromStr for InvitationStatus {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "open" => Ok(Self::Open),
            "accepted" => Ok(Self::Accepted),
            "revoked" => Ok(Self::Revoked),
            "expired" => Ok(Self::Expired),
            _ => Err(()),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Invitation {
    pub id: InvitationId,
    pub org: OrgId,
    pub email: String,
    pub roles: Vec<String>,
    /// As stored: one that ran out is `open` until somebody looks.
    pub status: InvitationStatus,
    pub invited_by: String,
    pub created_at: Timestamp,
    pub sent_at: Timestamp,
    pub expires_at: Timestamp,
    pub accepted_by: Option<UserId>,
    pub revision: i64,
}

impl Invitation {
    /// What it is by this clock.
    pub fn status_at(&self, now: Timestamp) -> InvitationStatus {
        match self.status {
            InvitationStatus::Open if now >= self.expires_at => InvitationStatus::Expired,
            status => status,
        }
    }

    fn object(&self) -> Object<'static> {
        Object { selector: self.id.to_string().into(), ..Object::default() }
    }
}

/// An invitation with its link, which is shown once.
pub struct Invited {
    pub invitation: Invitation,
    pub link: Secret<String>,
}

/// A signed-in person who joined another organization.
pub struct Joined {
    pub org: std::sync::Arc<Org>,
    pub roles: Vec<String>,
}

impl People {
    fn new_link(&self) -> (Secret<String>, [u8; 32]) {
        let inner = self.inner();
        let token = crypto::base62::encode(&inner.world.bytes::<32>());
        let tag = self.invitation_tag(&token);
        (Secret::new(format!("{}/console/invitation#{token}", inner.settings.public_url)), tag)
    }

    fn invitation_tag(&self, token: &str) -> [u8; 32] {
        self.inner().link_key.tag(&[b"invitation", token.as_bytes()])
    }

    /// Invites an address with roles that the caller holds.
    pub(crate) async fn invite(
        &self,
        by: &Allowance,
        email: &Email,
        roles: &[String],
    ) -> Result<Decided<Invited>, PeopleError> {
        let inner = self.inner();
        let now = inner.world.now();
        let (link, tag) = self.new_link();
        let invitation = Invitation {
            id: inner.world.id(),
            org: by.org(),
            email: email.to_string(),
            roles: roles.to_vec(),
            status: InvitationStatus::Open,
            invited_by: by.caller().principal().to_string(),
            created_at: now,
            sent_at: now,
            expires_at: now.plus(LIFETIME),
            accepted_by: None,
            revision: 1,
        };
        by.check(&invitation.object())?;
        let org = self.standing_org(by).await?;
        let giving = self.giving(by, roles).await?;
        if store::is_members_address(&inner.db, &by.scope(), email.as_str()).await? {
            return Err(Problem::new(&ALREADY_EXISTS, "A member has this address already.").into());
        }
        let fact = by
            .fact(&facts::INVITATION_CREATED)
            .target("invitation", invitation.id, &invitation.email)
            .data(json!({ "roles": roles, "expires_at": invitation.expires_at }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .guard("orgs", org.id, org.revision)
            .statement(store::lapse_invitations(org.id, email.as_str(), now))
            .statement(store::insert_invitation(&invitation, tag));
        Ok(Decided::new(giving.guarded(change), Invited { invitation, link }))
    }

    /// The invitation, if the caller may do its operation to it.
    pub(crate) async fn find_invitation(
        &self,
        by: &Allowance,
        id: InvitationId,
    ) -> Result<Invitation, PeopleError> {
        let found = store::invitation(&self.inner().db, &by.scope(), id).await?;
        let invitation = found.ok_or(PeopleError::UnknownInvitation)?;
        by.check(&invitation.object())?;
        Ok(invitation)
    }

    /// A new link with new seven days; the old one is void.
    pub(crate) async fn resend(
        &self,
        by: &Allowance,
        id: InvitationId,
    ) -> Result<Decided<Invited>, PeopleError> {
        let inner = self.inner();
        let mut invitation = self.find_invitation(by, id).await?;
        by.expect_revision(invitation.revision)?;
        if invitation.status != InvitationStatus::Open {
            return Err(PeopleError::InvitationEnded(invitation.status.name()));
        }
        let org = self.standing_org(by).await?;
        // Whoever sends it again answers for what it gives.
        let giving = self.giving(by, &invitation.roles).await?;
        let now = inner.world.now();
        let (link, tag) = self.new_link();
        invitation.invited_by = by.caller().principal().to_string();
        (invitation.sent_at, invitation.expires_at) = (now, now.plus(LIFETIME));
        invitation.revision += 1;
        let fact = by
            .fact(&facts::INVITATION_RESENT)
            .target("invitation", invitation.id, &invitation.email)
            .data(json!({ "expires_at": invitation.expires_at }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .guard("orgs", org.id, org.revision)
            .statement(store::resend_invitation(&invitation, tag));
        Ok(Decided::new(giving.guarded(change), Invited { invitation, link }))
    }

    pub(crate) async fn revoke_invitation(
        &self,
        by: &Allowance,
        id: InvitationId,
    ) -> Result<Decided<Invitation>, PeopleError> {
        let inner = self.inner();
        let mut invitation = self.find_invitation(by, id).await?;
        by.expect_revision(invitation.revision)?;
        if invitation.status != InvitationStatus::Open {
            return Err(PeopleError::InvitationEnded(invitation.status.name()));
        }
        invitation.status = InvitationStatus::Revoked;
        invitation.revision += 1;
        let fact = by.fact(&facts::INVITATION_REVOKED).target("invitation", invitation.id, &invitation.email);
        let change = Change::new(by.scope(), inner.ledger.seal(fact.data(json!({}))).await?)
            .statement(store::revoke_invitation(&invitation, inner.world.now()));
        Ok(Decided::new(change, invitation))
    }

    /// For a person who is signed in: becomes a member, and may switch over. Of a hundred that try at once, exactly one
    /// succeeds.
    pub(crate) async fn accept_signed_in(
        &self,
        by: &Allowance,
        token: &str,
    ) -> Result<Decided<Joined>, PeopleError> {
        let inner = self.inner();
        let (user, _) = Self::own_session(by)?;
        let (tag, open) = self.open_invitation(token).await?;
        if store::membership(&inner.db, INSTANCE, open.invitation.org, user).await?.is_some() {
            return Err(
                Problem::new(&ALREADY_EXISTS, "You are a member of that organization already.").into()
            );
        }
        let person = self.person(user).await?.ok_or(PeopleError::UnknownMember)?;
        let fact = by
            .fact_in(open.invitation.org, &facts::INVITATION_ACCEPTED)
            .target("invitation", open.invitation.id, &open.invitation.email)
            .data(json!({ "user": user, "roles": open.invitation.roles }));
        let change = Change::new(INSTANCE, inner.ledger.seal(fact).await?)
            .guard("users", user, person.revision)
            .statement(store::accept_invitation(tag, user, inner.world.now()));
        let joined = Joined { roles: open.invitation.roles.clone(), org: open.org.clone() };
        Ok(Decided::new(self.joined(change, &open, user), joined))
    }

    /// For somebody new: makes the person, the membership and the first session.
    pub(crate) async fn accept_as_new(
        &self,
        token: &str,
        display_name: Option<&str>,
        kind: SessionKind,
        contact: &Contact,
    ) -> Result<Started, PeopleError> {
        let accepted = self.try_accept_as_new(token, display_name, kind, contact).await;
        if matches!(accepted, Err(PeopleError::InvalidInvitation)) {
            self.refused("invitation", "used, revoked or expired", contact).await?;
        }
        accepted
    }

    async fn try_accept_as_new(
        &self,
        token: &str,
        display_name: Option<&str>,
        kind: SessionKind,
        contact: &Contact,
    ) -> Result<Started, PeopleError> {
        let inner = self.inner();
        let (tag, open) = self.open_invitation(token).await?;
        let email = &open.invitation.email;
        let local = email.split('@').next().unwrap_or(email);
        let person = self.new_person(display_name.unwrap_or(local), Some(email));
        let actor = || Actor::user(person.id, &person.display_name);
        let accepted = Fact::new(&facts::INVITATION_ACCEPTED, open.invitation.org, actor())
            .origin(&contact.origin())
            .target("invitation", open.invitation.id, email)
            .data(json!({ "user": person.id, "roles": open.invitation.roles }));
        let created = Fact::new(&facts::USER_CREATED, open.invitation.org, actor())
            .origin(&contact.origin())
            .target("user", person.id, &person.display_name)
            .data(json!({ "roles": open.invitation.roles }));
        let (started, session) =
            self.start(open.invitation.org, &person, kind, &How::by("invitation"), contact).await?;
        // The invitation first: who comes too late hears so, not that the address is taken.
        let change = Change::new(SIGN_IN, inner.ledger.seal(accepted).await?)
            .fact(inner.ledger.seal(created).await?)
            .fact(session)
            .statement(store::accept_invitation(tag, person.id, inner.world.now()))
            .statement(store::insert_person(&person).unique_or(&problem::SIGN_IN_FIRST));
        let change = self
            .joined(change, &open, person.id)
            .statement(store::insert_session(&started.session, started.tag));
        match inner.db.commit(change).await {
            Ok(_) => Ok(started),
            Err(CommitError::Refused(code)) if *code == INVALID_LINK => Err(PeopleError::InvalidInvitation),
            // Somebody changed the organization or the inviter in this very moment.
            Err(CommitError::Stale) => Err(PeopleError::InvalidInvitation),
            Err(error) => Err(error.into()),
        }
    }

    /// Membership and roles of whoever accepted; holds as long as organization and inviter are as they were read.
    fn joined(&self, change: Change, open: &Open, user: UserId) -> Change {
        let inner = self.inner();
        let (org, now) = (open.invitation.org, inner.world.now());
        let by = &open.invitation.invited_by;
        let membership = store::insert_membership_by(inner.world.id(), org, user, now, Some(by), None);
        let gifts: Vec<Statement> = statements_of(&inner.world, &open.grants, org, user, by, now);
        open.head
            .relied_on(change)
            .guard("orgs", org, open.org.revision)
            .guard(open.inviter.0, types::RequestId::from_uuid(open.inviter.1), open.inviter.2)
            .statement(membership)
            .statements(gifts)
            .authority(AuthorityEntry::changed(org, "user", user.uuid()))
    }

    /// The invitation behind a token, if it can be accepted now.
    async fn open_invitation(&self, token: &str) -> Result<([u8; 32], Open), PeopleError> {
        let inner = self.inner();
        let tag = self.invitation_tag(token);
        let found = store::invitation_by_tag(&inner.db, INSTANCE, tag).await?;
        let now = inner.world.now();
        let open = found.filter(|one| one.status_at(now) == InvitationStatus::Open);
        let invitation = open.ok_or(PeopleError::InvalidInvitation)?;
        let org = store::org_by_id(&inner.db, INSTANCE, invitation.org).await?;
        let org =
            org.filter(|org| org.standing == OrgStanding::Active).ok_or(PeopleError::InvalidInvitation)?;
        let inviter: PrincipalId =
            invitation.invited_by.parse().map_err(|_| PeopleError::InvalidInvitation)?;
        let table = match inviter {
            PrincipalId::User(_) => "users",
            PrincipalId::Agent(_) => "agents",
        };
        let revision = store::active_revision(&inner.db, INSTANCE, table, inviter.uuid()).await?;
        let revision = revision.ok_or(PeopleError::InvalidInvitation)?;
        // Nobody gives what they do not hold – also not later.
        let scope = OrgScope::proven(invitation.org);
        let head = inner.access.head(&scope).await?;
        let grants = inner.access.gifts(&scope, &invitation.roles, &[]).await;
        let grants = grants.map_err(|_| PeopleError::InvalidInvitation)?;
        let held = inner.access.authority_now(&scope, inviter).await?;
        grants.held_by(&held).map_err(|_| PeopleError::InvalidInvitation)?;
        if let PrincipalId::User(user) = inviter
            && store::membership(&inner.db, INSTANCE, invitation.org, user).await?.is_none()
        {
            return Err(PeopleError::InvalidInvitation);
        }
        let inviter = (table, inviter.uuid(), revision);
        Ok((tag, Open { invitation, org: std::sync::Arc::new(org), grants, inviter, head }))
    }
}

/// An invitation that can be accepted, with what that relies on.
struct Open {
    invitation: Invitation,
    org: std::sync::Arc<Org>,
    grants: NewGrants,
    /// Table, id and revision of whoever invited.
    inviter: (&'static str, types::Uuid, i64),
    head: Head,
}

impl People {
    /// An address was proved, by a code or by a provider that is trusted with it: it signs the person in from now on. All
    /// sessions that began before end, because whoever began them had not proved it.
    pub async fn email_proved(&self, person: &Person, contact: &Contact) -> Result<Person, PeopleError> {
        let inner = self.inner();
        if person.email_verified {
            return Ok(person.clone());
        }
        let proved = Person { email_verified: true, revision: person.revision + 1, ..person.clone() };
        let home = self.home().await?;
        let org = store::first_org_of(&inner.db, INSTANCE, person.id).await?.unwrap_or(home.id);
        let fact = Fact::new(&facts::EMAIL_PROVED, org, Actor::user(person.id, &person.display_name))
            .origin(&contact.origin())
            .target("user", person.id, &person.display_name)
            .data(json!({}));
        let change = Change::new(SIGN_IN, inner.ledger.seal(fact).await?)
            .statement(store::prove_email(&proved))
            .statement(store::end_sessions_everywhere(person.id, inner.world.now()))
            .authority(AuthorityEntry::changed(org, "user", person.id.uuid()).died());
        inner.db.commit(change).await?;
        Ok(proved)
    }
}
