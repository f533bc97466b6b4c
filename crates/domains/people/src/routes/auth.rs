//! `/api/v1/auth`: redeem a link, who am I, sign out.

use access::names_of;
use authority::Permission;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use problem::{INVALID_LINK, PERMISSION_DENIED, Problem};
use serde::{Deserialize, Serialize};
use types::{OrgId, SessionId, Timestamp, UserId};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Means, PrincipalId, Rate, Refusal, Reply, Spec, Visitor, leaves, operation, refuses,
};

use super::Rooms;
use super::sessions::SessionView;
use crate::{People, SessionKind, Started, facts};

operation! {
    /// Exchanges the owner link for a browser session.
    pub RedeemLink(LinkToken) -> SignedIn = Spec::post("auth.redeem_link", "/api/v1/auth/link")
        .open().rate(Rate::SignIn)
        .facts(leaves![facts::SESSION_STARTED]).further_facts(leaves![facts::USER_CREATED])
        .errors(refuses![INVALID_LINK, problem::CROSS_SITE_REQUEST])
        .example(r#"{"token": "0000000000000000000000000000000000000000000"}"#);

    /// Says who the caller is, where, and what it may do.
    pub Me -> MeView = Spec::get("auth.me", "/api/v1/auth/me");

    /// Ends the session that the request came with.
    pub Logout -> SessionView = Spec::post("auth.logout", "/api/v1/auth/logout")
        .not_idempotent().in_person().facts(leaves![facts::SESSION_ENDED]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkToken {
    /// What stands behind `#` in the link.
    #[schema(pattern = "^[0-9A-Za-z]{43}$")]
    pub token: String,
}

#[derive(Serialize, ToSchema)]
pub struct SignedIn {
    pub user: UserRef,
    pub org: OrgRef,
    pub session: SessionView,
}

impl SignedIn {
    pub(super) async fn of(rooms: &Rooms, started: &Started) -> Result<Self, Problem> {
        signed_in(&rooms.people, started).await
    }
}

/// What every way of signing a browser in answers, beside its cookie.
pub async fn signed_in(people: &People, started: &Started) -> Result<SignedIn, Problem> {
    let org = people.org(started.session.org).await?;
    let org = org.ok_or_else(|| Problem::internal("a session without organization"))?;
    Ok(SignedIn {
        user: UserRef {
            id: started.person.id,
            display_name: started.person.display_name.clone(),
            email: started.person.email.clone(),
        },
        org: OrgRef { id: org.id, slug: org.slug.clone(), name: org.name.clone() },
        session: SessionView::from(started.session.clone()),
    })
}

#[derive(Serialize, ToSchema)]
pub struct UserRef {
    pub id: UserId,
    pub display_name: String,
    pub email: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct OrgRef {
    pub id: OrgId,
    pub slug: String,
    pub name: String,
}

#[derive(Serialize, ToSchema)]
pub struct MeView {
    pub principal: PrincipalView,
    pub org: OrgRef,
    pub roles: Vec<String>,
    #[schema(value_type = Vec<String>)]
    pub permissions: Vec<Permission>,
    /// Only for a browser session.
    pub session: Option<MySession>,
}

#[derive(Serialize, ToSchema)]
pub struct PrincipalView {
    /// `user` or `agent`.
    pub kind: &'static str,
    pub id: String,
    pub display: String,
}

#[derive(Serialize, ToSchema)]
pub struct MySession {
    pub id: SessionId,
    pub stepped_up_until: Timestamp,
}

pub async fn redeem(
    State(rooms): State<Rooms>,
    visitor: Visitor<RedeemLink>,
    headers: axum::http::HeaderMap,
    Input(link): Input<RedeemLink>,
) -> Result<Response, Refusal> {
    // A page of another site must not sign a visitor in as somebody else.
    rooms.form.same_site(&axum::http::Method::POST, &headers)?;
    let started = rooms.people.redeem(&link.token, SessionKind::Browser, &visitor.contact).await?;
    let cookie = rooms.form.set(started.secret.reveal(), &started.session, started.session.created_at);
    let answer = SignedIn::of(&rooms, &started).await?;
    let mut response = Reply::of::<RedeemLink>(&answer)?.into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

pub async fn me(State(rooms): State<Rooms>, allowed: Allowed<Me>) -> Result<Reply, Refusal> {
    let caller = allowed.caller();
    let org = rooms
        .people
        .org(caller.org)
        .await?
        .ok_or_else(|| Problem::internal("a caller without organization"))?;
    let db = &rooms.people.inner().db;
    let (roles, _) = names_of(db, allowed.scope(), caller.org, caller.principal()).await?;
    let session = match caller.means {
        Means::Session { session, stepped_up_until } => Some(MySession { id: session, stepped_up_until }),
        Means::Token { .. } | Means::Key { .. } | Means::Trigger => None,
    };
    let principal = PrincipalView {
        kind: caller.principal().kind(),
        id: caller.principal().to_string(),
        display: caller.subject.display.to_string(),
    };
    let org = OrgRef { id: org.id, slug: org.slug.clone(), name: org.name.clone() };
    let permissions = access::effective(caller).permissions().to_vec();
    Ok(Reply::of::<Me>(&MeView { principal, org, roles, permissions, session })?)
}

pub async fn logout(State(rooms): State<Rooms>, allowed: Allowed<Logout>) -> Result<Response, Refusal> {
    let (Means::Session { session, .. }, PrincipalId::User(_)) =
        (&allowed.caller().means, allowed.caller().principal())
    else {
        let detail = "Only a browser session can be ended here. Revoke a token at /oauth2/revoke.";
        return Err(Problem::new(&PERMISSION_DENIED, detail).into());
    };
    let reply = allowed.settle::<Logout, _, _, _>(|| rooms.people.end(&allowed, *session)).await?;
    let mut response = reply.into_response();
    if let Some(cookie) = rooms.form.clear() {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}
