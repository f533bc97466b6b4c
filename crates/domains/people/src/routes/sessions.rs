//! `/api/v1/auth/sessions`: the caller's own sessions.

use axum::extract::State;
use serde::Serialize;
use types::{AuthProviderId, SessionId, Timestamp};
use utoipa::ToSchema;
use web::{Allowed, Decided, Page, Refusal, Reply, Segment, Spec, leaves, operation};

use super::Rooms;
use crate::{Session, facts};

operation! {
    /// Lists the caller's own living sessions.
    pub ListSessions -> Page<SessionView> = Spec::get("sessions.list", "/api/v1/auth/sessions").in_person();

    /// Ends one of the caller's own sessions; tokens made from it die with it.
    pub RevokeSession -> SessionView = Spec::delete("sessions.revoke", "/api/v1/auth/sessions/{session}")
        .in_person().facts(leaves![facts::SESSION_ENDED]);

    /// Signs the caller out everywhere: ends all their sessions in every organization, this one too.
    pub RevokeAllSessions -> EndedSessions = Spec::delete("sessions.revoke_all", "/api/v1/auth/sessions")
        .in_person().facts(leaves![facts::SESSION_ENDED]);
}

#[derive(Serialize, ToSchema)]
pub struct EndedSessions {
    pub ended: i64,
}

impl From<i64> for EndedSessions {
    fn from(ended: i64) -> Self {
        Self { ended }
    }
}

#[derive(Serialize, ToSchema)]
pub struct SessionView {
    pub id: SessionId,
    /// `browser` or `cli`.
    pub kind: &'static str,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub user_agent: Option<String>,
    /// What proved the person: `link`, or kinds of factors with `+` between, such as `password+totp`.
    pub factors: String,
    /// The sign-in provider, if it was one.
    pub provider: Option<AuthProviderId>,
    /// Until when acts that need a step-up are open.
    pub stepped_up_until: Timestamp,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            kind: session.kind.name(),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
            user_agent: session.user_agent,
            factors: session.factors,
            provider: session.provider,
            stepped_up_until: session.stepped_up_until,
        }
    }
}

pub async fn list(State(rooms): State<Rooms>, allowed: Allowed<ListSessions>) -> Result<Reply, Refusal> {
    let sessions = rooms.people.sessions(&allowed).await?;
    let items = sessions.into_iter().map(SessionView::from).collect();
    Ok(Reply::of::<ListSessions>(&Page { items, next_cursor: None, total: None })?)
}

pub async fn revoke(
    State(rooms): State<Rooms>,
    allowed: Allowed<RevokeSession>,
    Segment(id): Segment<SessionId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<RevokeSession, _, _, _>(|| rooms.people.end(&allowed, id)).await
}

pub async fn revoke_all(
    State(rooms): State<Rooms>,
    allowed: Allowed<RevokeAllSessions>,
) -> Result<Reply, Refusal> {
    let decide = async || {
        let (change, count) = rooms.people.ending_all(&allowed).await?;
        Ok::<_, crate::PeopleError>(Decided::new(change, count))
    };
    allowed.settle::<RevokeAllSessions, _, _, _>(decide).await
}
