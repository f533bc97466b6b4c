//! `/api/v1/invitations`: bringing people in by a link.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use problem::{
    ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, CROSS_SITE_REQUEST, INVALID_CURSOR, INVALID_LINK,
    INVITATION_ENDED, ORGANIZATION_LEAVING, SIGN_IN_FIRST, STALE_REVISION,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{Email, InvitationId, Timestamp, UserId};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Rate, Refusal, Reply, Segment, Spec, Visitor, leaves, operation, page,
    page_size, refuses,
};

use super::Rooms;
use super::auth::{OrgRef, SignedIn};
use crate::invitations::{Invitation, InvitationStatus, Invited, Joined};
use crate::{SessionKind, facts, store};

operation! {
    /// Invites an address. The answer shows the link, once.
    pub CreateInvitation(NewInvitation) -> InvitedView = Spec::create("invitations.create", "/api/v1/invitations")
        .needs("members:create").step_up().reveals_secret().facts(leaves![facts::INVITATION_CREATED])
        .errors(refuses![ALREADY_EXISTS, AUTHORITY_EXCEEDED, ORGANIZATION_LEAVING, CONFLICT])
        .example(r#"{"email": "ada@example.com", "roles": ["member"]}"#);

    /// Lists invitations, newest first.
    pub ListInvitations[InvitationQuery] -> Page<InvitationView> =
        Spec::get("invitations.list", "/api/v1/invitations").needs("members:read").errors(refuses![INVALID_CURSOR]);

    /// Shows an invitation.
    pub GetInvitation -> InvitationView =
        Spec::get("invitations.get", "/api/v1/invitations/{invitation}").needs("members:read");

    /// Makes a new link for seven more days and voids the old one.
    pub ResendInvitation -> InvitedView =
        Spec::post("invitations.resend", "/api/v1/invitations/{invitation}/resend")
            .needs("members:create").step_up().reveals_secret().facts(leaves![facts::INVITATION_RESENT])
            .errors(refuses![AUTHORITY_EXCEEDED, INVITATION_ENDED, ORGANIZATION_LEAVING, CONFLICT, STALE_REVISION]);

    /// Takes an invitation back: its link is void.
    pub RevokeInvitation -> InvitationView =
        Spec::delete("invitations.revoke", "/api/v1/invitations/{invitation}")
            .needs("members:delete").facts(leaves![facts::INVITATION_REVOKED])
            .errors(refuses![INVITATION_ENDED, CONFLICT, STALE_REVISION]);

    /// Makes the signed-in person a member of the organization that invited.
    pub AcceptInvitation(InvitationToken) -> JoinedView =
        Spec::post("invitations.accept", "/api/v1/invitations/accept")
            .rate(Rate::SignIn).facts(leaves![facts::INVITATION_ACCEPTED])
            .errors(refuses![ALREADY_EXISTS, INVALID_LINK, CONFLICT])
            .example(r#"{"token": "0000000000000000000000000000000000000000000"}"#);

    /// Makes a new person a member of the organization that invited, and begins a browser session.
    pub AcceptAsNew(NewMember) -> SignedIn = Spec::post("auth.accept_invitation", "/api/v1/auth/invitation")
        .open().rate(Rate::SignIn)
        .facts(leaves![facts::INVITATION_ACCEPTED, facts::USER_CREATED, facts::SESSION_STARTED])
        .errors(refuses![INVALID_LINK, SIGN_IN_FIRST, CROSS_SITE_REQUEST])
        .example(r#"{"token": "0000000000000000000000000000000000000000000", "display_name": "Ada Lovelace"}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    pub email: Email,
    /// Must be held by whoever invites.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub roles: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationQuery {
    pub status: Option<InvitationState>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    Open,
    Accepted,
    Revoked,
    Expired,
}

impl From<InvitationState> for InvitationStatus {
    fn from(state: InvitationState) -> Self {
        match state {
            InvitationState::Open => Self::Open,
            InvitationState::Accepted => Self::Accepted,
            InvitationState::Revoked => Self::Revoked,
            InvitationState::Expired => Self::Expired,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationToken {
    /// What stands behind `#` in the link.
    #[schema(pattern = "^[0-9A-Za-z]{43}$")]
    pub token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// What stands behind `#` in the link.
    #[schema(pattern = "^[0-9A-Za-z]{43}$")]
    pub token: String,
    /// What stands before the `@` if left out.
    #[schema(min_length = 1, max_length = 200)]
    pub display_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct InvitationView {
    pub id: InvitationId,
    pub email: String,
    pub roles: Vec<String>,
    /// `open`, `accepted`, `revoked` or `expired`.
    pub status: &'static str,
    pub invited_by: String,
    pub created_at: Timestamp,
    /// When its link was made.
    pub sent_at: Timestamp,
    pub expires_at: Timestamp,
    pub accepted_by: Option<UserId>,
    pub revision: i64,
}

#[derive(Serialize, ToSchema)]
pub struct InvitedView {
    #[serde(flatten)]
    pub invitation: InvitationView,
    /// Shown once; works once.
    pub link: String,
}

#[derive(Serialize, ToSchema)]
pub struct JoinedView {
    pub org: OrgRef,
    pub roles: Vec<String>,
}

impl InvitationView {
    fn of(invitation: Invitation, status: InvitationStatus) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            roles: invitation.roles,
            status: status.name(),
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            sent_at: invitation.sent_at,
            expires_at: invitation.expires_at,
            accepted_by: invitation.accepted_by,
            revision: invitation.revision,
        }
    }
}

/// One that was just written: its stored status is its status.
impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        let status = invitation.status;
        Self::of(invitation, status)
    }
}

impl From<Invited> for InvitedView {
    fn from(invited: Invited) -> Self {
        Self { invitation: invited.invitation.into(), link: invited.link.reveal().clone() }
    }
}

impl From<Joined> for JoinedView {
    fn from(joined: Joined) -> Self {
        let org = &joined.org;
        Self {
            org: OrgRef { id: org.id, slug: org.slug.clone(), name: org.name.clone() },
            roles: joined.roles,
        }
    }
}

pub async fn create(
    State(rooms): State<Rooms>,
    allowed: Allowed<CreateInvitation>,
    Input(new): Input<CreateInvitation>,
) -> Result<Reply, Refusal> {
    let decide = || rooms.people.invite(&allowed, &new.email, &new.roles);
    allowed.settle::<CreateInvitation, _, _, _>(decide).await
}

pub async fn list(
    State(rooms): State<Rooms>,
    allowed: Allowed<ListInvitations>,
    Params(query): Params<ListInvitations>,
) -> Result<Reply, Refusal> {
    let limit = page_size(query.limit)?;
    let before = allowed.after::<InvitationId>(query.cursor.as_deref())?;
    let inner = rooms.people.inner();
    let now = inner.world.now();
    let status = query.status.map(InvitationStatus::from);
    let rows = store::invitations(&inner.db, &allowed, status, now, before, limit + 1).await?;
    let cursor = |invitation: &Invitation| allowed.cursor(&[json!(invitation.id)]);
    let view = |invitation: Invitation| {
        let status = invitation.status_at(now);
        InvitationView::of(invitation, status)
    };
    Ok(Reply::of::<ListInvitations>(&page(rows, limit, cursor, view))?)
}

pub async fn get(
    State(rooms): State<Rooms>,
    allowed: Allowed<GetInvitation>,
    Segment(id): Segment<InvitationId>,
) -> Result<Reply, Refusal> {
    let invitation = rooms.people.find_invitation(&allowed, id).await?;
    let status = invitation.status_at(rooms.people.inner().world.now());
    Ok(Reply::of::<GetInvitation>(&InvitationView::of(invitation, status))?)
}

pub async fn resend(
    State(rooms): State<Rooms>,
    allowed: Allowed<ResendInvitation>,
    Segment(id): Segment<InvitationId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<ResendInvitation, _, _, _>(|| rooms.people.resend(&allowed, id)).await
}

pub async fn revoke(
    State(rooms): State<Rooms>,
    allowed: Allowed<RevokeInvitation>,
    Segment(id): Segment<InvitationId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<RevokeInvitation, _, _, _>(|| rooms.people.revoke_invitation(&allowed, id)).await
}

pub async fn accept(
    State(rooms): State<Rooms>,
    allowed: Allowed<AcceptInvitation>,
    Input(sent): Input<AcceptInvitation>,
) -> Result<Reply, Refusal> {
    let decide = || rooms.people.accept_signed_in(&allowed, &sent.token);
    allowed.settle::<AcceptInvitation, _, _, _>(decide).await
}

pub async fn accept_as_new(
    State(rooms): State<Rooms>,
    visitor: Visitor<AcceptAsNew>,
    headers: axum::http::HeaderMap,
    Input(new): Input<AcceptAsNew>,
) -> Result<Response, Refusal> {
    // A page of another site must not sign a visitor in as somebody else.
    rooms.form.same_site(&axum::http::Method::POST, &headers)?;
    let name = new.display_name.as_deref();
    let accepted = rooms.people.accept_as_new(&new.token, name, SessionKind::Browser, &visitor.contact);
    let started = accepted.await?;
    let cookie = rooms.form.set(started.secret.reveal(), &started.session, started.session.created_at);
    let mut response = Reply::of::<AcceptAsNew>(&SignedIn::of(&rooms, &started).await?)?.into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}
