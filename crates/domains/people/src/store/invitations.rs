//! SQL of invitations.

use db::{Db, DbError, OrgScope, Row, Scope, Select, Statement, SystemScope, sql};
use types::{Id, InvitationId, OrgId, Timestamp, UserId, Uuid};
use web::{Allowance, Columns, SelectorColumn};

use crate::invitations::{Invitation, InvitationStatus};

const INVITATION: &str = "SELECT id, org, email, roles, status, invited_by, created_at, sent_at, expires_at, \
                          accepted_by, revision FROM invitations";

fn invitation_of(mut row: Row) -> Result<Invitation, DbError> {
    Ok(Invitation {
        id: row.id()?,
        org: row.id()?,
        email: row.next()?,
        roles: row.json()?,
        status: row.parse()?,
        invited_by: row.next()?,
        created_at: row.next()?,
        sent_at: row.next()?,
        expires_at: row.next()?,
        accepted_by: row.optional_id()?,
        revision: row.next()?,
    })
}

/// Newest first. Whether an open one has run out, the clock says.
pub(crate) async fn invitations(
    db: &Db,
    by: &Allowance,
    status: Option<InvitationStatus>,
    now: Timestamp,
    before: Option<InvitationId>,
    limit: i64,
) -> Result<Vec<Invitation>, DbError> {
    const COLUMNS: Columns = Columns {
        selector: SelectorColumn::id::<InvitationId>("id"),
        owner: None,
        is: None,
        named: Some("invited_by"),
        group: None,
        visible: None,
    };
    let select = Select::new(INVITATION).and("org = {}", by.org().uuid());
    let select = match status {
        None => select,
        Some(InvitationStatus::Open) => select.and("status = 'open' AND expires_at > {}", now),
        Some(InvitationStatus::Expired) => {
            select.and("status = 'expired' OR (status = 'open' AND expires_at <= {})", now)
        }
        Some(status) => select.and("status = {}", status.name()),
    };
    let select = select.and_some("id < {}", before.map(Id::uuid)).order("id DESC").limit(limit);
    db.read(by.scope(), by.narrow(select, &COLUMNS)).await?.into_iter().map(invitation_of).collect()
}

pub(crate) async fn invitation(
    db: &Db,
    scope: &OrgScope,
    id: InvitationId,
) -> Result<Option<Invitation>, DbError> {
    let select = Select::new(INVITATION).and("org = {}", scope.org().uuid()).and("id = {}", id.uuid());
    db.read_one(scope, select).await?.map(invitation_of).transpose()
}

pub(crate) async fn invitation_by_tag(
    db: &Db,
    scope: SystemScope,
    tag: [u8; 32],
) -> Result<Option<Invitation>, DbError> {
    db.read_one(scope, Select::new(INVITATION).and("secret_tag = {}", tag))
        .await?
        .map(invitation_of)
        .transpose()
}

/// One open invitation for an address; those that ran out make room.
pub(crate) fn lapse_invitations(org: OrgId, email: &str, now: Timestamp) -> Statement {
    let text = "UPDATE invitations SET status = 'expired', ended_at = $3, revision = revision + 1 \
                WHERE org = $1 AND email = $2 AND status = 'open' AND expires_at <= $3";
    sql(text, vec![org.uuid().into(), email.into(), now.into()])
}

pub(crate) fn insert_invitation(invitation: &Invitation, tag: [u8; 32]) -> Statement {
    let text = "INSERT INTO invitations (org, id, email, roles, secret_tag, status, invited_by, created_at, sent_at, \
                expires_at, revision) VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $9, $10)";
    let params = vec![
        invitation.org.uuid().into(),
        invitation.id.uuid().into(),
        invitation.email.as_str().into(),
        super::text(&invitation.roles),
        tag.into(),
        invitation.invited_by.as_str().into(),
        invitation.created_at.into(),
        invitation.sent_at.into(),
        invitation.expires_at.into(),
        invitation.revision.into(),
    ];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

/// `invitation.revision` is the new one.
pub(crate) fn resend_invitation(invitation: &Invitation, tag: [u8; 32]) -> Statement {
    let text = "UPDATE invitations SET secret_tag = $3, invited_by = $4, sent_at = $5, expires_at = $6, revision = $7 \
                WHERE org = $1 AND id = $2 AND revision = $7 - 1 AND status = 'open'";
    let params = vec![
        invitation.org.uuid().into(),
        invitation.id.uuid().into(),
        tag.into(),
        invitation.invited_by.as_str().into(),
        invitation.sent_at.into(),
        invitation.expires_at.into(),
        invitation.revision.into(),
    ];
    sql(text, params).fresh()
}

pub(crate) fn revoke_invitation(invitation: &Invitation, now: Timestamp) -> Statement {
    let text = "UPDATE invitations SET status = 'revoked', ended_at = $3, revision = $4 \
                WHERE org = $1 AND id = $2 AND revision = $4 - 1 AND status = 'open'";
    let params = vec![
        invitation.org.uuid().into(),
        invitation.id.uuid().into(),
        now.into(),
        invitation.revision.into(),
    ];
    sql(text, params).fresh()
}

/// The one atomic step: whoever comes second touches no row.
pub(crate) fn accept_invitation(tag: [u8; 32], user: UserId, now: Timestamp) -> Statement {
    let text = "UPDATE invitations SET status = 'accepted', accepted_by = $2, ended_at = $3, revision = revision + 1 \
                WHERE secret_tag = $1 AND status = 'open' AND expires_at > $3";
    sql(text, vec![tag.into(), user.uuid().into(), now.into()]).one_row_or(&problem::INVALID_LINK)
}

pub(crate) async fn is_members_address(db: &Db, scope: &OrgScope, email: &str) -> Result<bool, DbError> {
    let text = "SELECT 1 FROM users JOIN memberships ON memberships.user_id = users.id \
                WHERE memberships.org = $1 AND users.email = $2";
    Ok(db.read_one(scope, sql(text, vec![scope.org().uuid().into(), email.into()])).await?.is_some())
}

/// Revision of a principal that is active.
pub(crate) async fn active_revision(
    db: &Db,
    scope: impl Into<Scope>,
    table: &'static str,
    id: Uuid,
) -> Result<Option<i64>, DbError> {
    let text = format!("SELECT revision FROM {table} WHERE id = $1 AND status = 'active'");
    db.read_one(scope, sql(text, vec![id.into()])).await?.map(|mut row| row.next()).transpose()
}

/// `person.revision` is the new one.
pub(crate) fn prove_email(person: &crate::Person) -> Statement {
    let text = "UPDATE users SET email_verified = true, revision = $2 WHERE id = $1 AND revision = $2 - 1";
    sql(text, vec![person.id.uuid().into(), person.revision.into()]).fresh()
}
