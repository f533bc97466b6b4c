//! `/api/v1/auth/…`: which ways in there are, beginning one, completing it.

use axum::extract::{RawQuery, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use people::{
    AUTH_REFUSED, CookieForm, MEMBER_ROLES_CHANGED, OrgView, SESSION_STARTED, SessionView, SignedIn,
    USER_CREATED, UserRef,
};
use problem::{
    CROSS_SITE_REQUEST, NOT_FOUND, PROVIDER_DISABLED, Problem, RATE_LIMITED, SIGN_IN_REFUSED,
    SIGN_IN_UNAVAILABLE,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::{AuthProviderId, Slug, Timestamp};
use utoipa::ToSchema;
use web::{
    Input, Nothing, OAUTH, Operation, Params, Rate, Refusal, Reply, Segment, Spec, Visitor, leaves,
    operation, refuses,
};

use super::Rooms;
use crate::entry::{Entered, Opening};
use crate::kind::{First, Next};
use crate::model::ProviderRef;
use crate::step_up::Way;
use crate::{facts, store};

operation! {
    /// Lists the ways to sign in that are switched on: the instance's, and those of the organization that is asked for.
    pub OfferedProviders[Offer] -> Offered = Spec::get("auth.providers", "/api/v1/auth/providers").open();

    /// Begins to sign in by a provider.
    pub BeginSignIn(Begin) -> BegunView = Spec::post("auth.begin", "/api/v1/auth/{provider}/begin")
        .open().rate(Rate::SignIn).facts(leaves![facts::SIGN_IN_BEGUN])
        .errors(refuses![CROSS_SITE_REQUEST, NOT_FOUND, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_UNAVAILABLE])
        .example(r#"{"input": {"email": "ada@example.com"}, "return_to": "/console/"}"#);

    /// Completes a sign-in; the answer sets the session's cookie.
    pub CompleteSignIn(Complete) -> LoginView = Spec::post("auth.login", "/api/v1/auth/{provider}/login")
        .open().rate(Rate::SignIn).facts(leaves![SESSION_STARTED])
        .further_facts(leaves![facts::IDENTITY_LINKED, USER_CREATED, MEMBER_ROLES_CHANGED, AUTH_REFUSED])
        .errors(refuses![CROSS_SITE_REQUEST, NOT_FOUND, PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_REFUSED, SIGN_IN_UNAVAILABLE])
        .example(r#"{"state": "0000000000000000000000000000000000000000000", "input": {"code": "123456"}}"#);

    /// Where a provider sends the browser back to; leads on to where the sign-in began.
    pub Callback -> Nothing = Spec::get("auth.callback", "/api/v1/auth/{provider}/callback")
        .open().rate(Rate::SignIn).form(OAUTH).status(303)
        .errors(refuses![PROVIDER_DISABLED, RATE_LIMITED, SIGN_IN_REFUSED, SIGN_IN_UNAVAILABLE]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Slug of the organization to sign in to.
    pub org: Option<Slug>,
}

#[derive(Serialize, ToSchema)]
pub struct Offered {
    pub items: Vec<OfferedProvider>,
}

#[derive(Serialize, ToSchema)]
pub struct OfferedProvider {
    pub id: AuthProviderId,
    pub name: String,
    /// For the button.
    pub display_name: String,
    pub kind: String,
    /// What a page asks for first, and where it sends that.
    pub first: First,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// Slug of the organization to sign in to.
    pub org: Option<Slug>,
    /// Where to go afterwards: a path of this server, or an address that the operator listed.
    #[schema(max_length = 2048)]
    pub return_to: Option<String>,
    /// What the kind asks for, such as `email`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub input: Map<String, Value>,
}

#[derive(Serialize, ToSchema)]
pub struct BegunView {
    /// To be sent to `login`.
    pub state: String,
    pub expires_at: Timestamp,
    pub next: Next,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Complete {
    /// From `begin`; left out where there was nothing to begin.
    #[schema(pattern = "^[0-9A-Za-z]{43}$")]
    pub state: Option<String>,
    /// Slug of the organization to sign in to, where there was nothing to begin.
    pub org: Option<Slug>,
    /// What the kind asks for, such as `code`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub input: Map<String, Value>,
}

/// Either somebody is signed in, or their second factor is asked for.
#[derive(Serialize, ToSchema)]
pub struct LoginView {
    pub status: LoginStatus,
    pub user: Option<UserRef>,
    pub org: Option<OrgView>,
    pub session: Option<SessionView>,
    /// Where the sign-in was begun to lead to.
    pub return_to: Option<String>,
    pub second_factor: Option<SecondStep>,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoginStatus {
    SignedIn,
    SecondFactor,
}

#[derive(Serialize, ToSchema)]
pub struct SecondStep {
    /// To be sent to `second-factor`.
    pub state: String,
    pub expires_at: Timestamp,
    pub ways: Vec<Way>,
}

pub async fn offered(
    State(rooms): State<Rooms>,
    _: Visitor<OfferedProviders>,
    Params(offer): Params<OfferedProviders>,
) -> Result<Reply, Refusal> {
    let org = rooms.sign_in.asked_org(offer.org.as_ref()).await?;
    let all = store::offered(rooms.sign_in.db(), org).await?;
    // A kind that this server no longer knows signs nobody in.
    let items = all.into_iter().filter(|provider| provider.enabled).filter_map(|provider| {
        let first = rooms.sign_in.kinds().get(&provider.kind)?.first();
        Some(OfferedProvider {
            id: provider.id,
            name: provider.name,
            display_name: provider.display_name,
            kind: provider.kind,
            first,
        })
    });
    Ok(Reply::of::<OfferedProviders>(&Offered { items: items.collect() })?)
}

pub async fn begin(
    State(rooms): State<Rooms>,
    visitor: Visitor<BeginSignIn>,
    headers: HeaderMap,
    Segment(of): Segment<ProviderRef>,
    Input(body): Input<BeginSignIn>,
) -> Result<Response, Refusal> {
    rooms.form.same_site(&Method::POST, &headers)?;
    let org = rooms.sign_in.asked_org(body.org.as_ref()).await?;
    let provider = rooms.sign_in.enabled(&of, org).await?;
    let begun = rooms.sign_in.begin(&provider, org, body.return_to.as_deref(), &body.input, &visitor.contact);
    opened::<BeginSignIn>(&rooms.form, begun.await?)
}

/// The answer to a begun sign-in; the cookie ties the way back to this browser.
pub(super) fn opened<O: Operation<Answer = BegunView>>(
    form: &CookieForm,
    opening: Opening,
) -> Result<Response, Refusal> {
    let view = BegunView {
        state: opening.state.reveal().clone(),
        expires_at: opening.expires_at,
        next: opening.next,
    };
    let mut response = private(Reply::of::<O>(&view)?.into_response());
    if matches!(view.next, Next::Redirect { .. })
        && let Some(cookie) = form.begun(opening.browser.reveal())
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

pub async fn login(
    State(rooms): State<Rooms>,
    visitor: Visitor<CompleteSignIn>,
    headers: HeaderMap,
    Segment(of): Segment<ProviderRef>,
    Input(body): Input<CompleteSignIn>,
) -> Result<Response, Refusal> {
    // A page of another site must not sign a visitor in as somebody else.
    rooms.form.same_site(&Method::POST, &headers)?;
    let org = rooms.sign_in.asked_org(body.org.as_ref()).await?;
    let completing = rooms.sign_in.complete(&of, body.state.as_deref(), org, &body.input, &visitor.contact);
    let entered = completing.await?;
    came_in::<CompleteSignIn>(&rooms, entered).await
}

/// The answer of a sign-in that succeeded, with the session's cookie.
pub(super) async fn came_in<O: Operation<Answer = LoginView>>(
    rooms: &Rooms,
    entered: Entered,
) -> Result<Response, Refusal> {
    let (started, return_to) = match entered {
        Entered::In { started, return_to } => (started, return_to),
        Entered::Half { state, expires_at, ways } => {
            let step = SecondStep { state: state.reveal().clone(), expires_at, ways };
            let view = LoginView {
                status: LoginStatus::SecondFactor,
                user: None,
                org: None,
                session: None,
                return_to: None,
                second_factor: Some(step),
            };
            return Ok(private(Reply::of::<O>(&view)?.into_response()));
        }
    };
    let people = &rooms.sign_in.inner().people;
    let SignedIn { user, org, session } = people::signed_in(people, &started).await?;
    let view = LoginView {
        status: LoginStatus::SignedIn,
        user: Some(user),
        org: Some(org),
        session: Some(session),
        return_to,
        second_factor: None,
    };
    let mut response = private(Reply::of::<O>(&view)?.into_response());
    let session = &started.session;
    if let Some(cookie) = rooms.form.set(started.secret.reveal(), session, session.created_at) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// No cache may keep it.
pub(super) fn private(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Somebody's browser stands here: what went wrong is said on the sign-in page, by its code in the fragment.
pub async fn callback(
    State(rooms): State<Rooms>,
    visitor: Visitor<Callback>,
    headers: HeaderMap,
    Segment(of): Segment<ProviderRef>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let problem = match came_back(&rooms, &visitor, &headers, &of, query.as_deref().unwrap_or_default()).await
    {
        Ok(response) => return Ok(response),
        Err(problem) => problem,
    };
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accepted.split(',').any(|kind| kind.trim().starts_with("text/html")) {
        return Err(problem.into());
    }
    let mut response = onward(format!("/console/sign-in#error={}", problem.code().name));
    if let Some(over) = rooms.form.begun_over() {
        response.headers_mut().append(SET_COOKIE, over);
    }
    Ok(response)
}

async fn came_back(
    rooms: &Rooms,
    visitor: &Visitor<Callback>,
    headers: &HeaderMap,
    of: &ProviderRef,
    query: &str,
) -> Result<Response, Problem> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let mut input = Map::new();
    for (name, value) in pairs {
        // Of a repeated parameter the first would be checked and the last used, or the other way round: refused below.
        if input.insert(name, Value::String(value)).is_some() {
            return Err(crate::SignInError::Refused(crate::Reason::NoState).into());
        }
    }
    let handle = input.get("state").and_then(Value::as_str).unwrap_or_default().to_owned();
    let cookie = rooms.form.begun_in(headers);
    let (entered, return_to) = rooms.sign_in.come_back(of, &handle, cookie, &input, &visitor.contact).await?;
    let (session, target) = match &entered {
        Entered::In { started, .. } => {
            let session = &started.session;
            let cookie = rooms.form.set(started.secret.reveal(), session, session.created_at);
            (cookie, return_to.unwrap_or_else(|| "/console/".to_owned()))
        }
        // In the fragment: no server log and no Referer holds it.
        Entered::Half { state, .. } => (None, format!("/console/second-factor#{}", state.reveal())),
    };
    let mut response = onward(target);
    [session, rooms.form.begun_over()].into_iter().flatten().for_each(|cookie| {
        response.headers_mut().append(SET_COOKIE, cookie);
    });
    Ok(response)
}

fn onward(target: String) -> Response {
    let mut response = private(StatusCode::SEE_OTHER.into_response());
    if let Ok(location) = HeaderValue::try_from(target) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
