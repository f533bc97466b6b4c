//! `/api/v1/auth/link/token` and `/api/v1/auth/refresh`: tokens for people at a command line.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use problem::{INVALID_LINK, INVALID_TOKEN, Problem, STALE_REVOCATION_FEED, VALIDATION_FAILED};
use serde::{Deserialize, Serialize};
use types::{OrgId, SessionId, Timestamp, UserId};
use utoipa::ToSchema;
use web::{Allowed, Input, Operation, Rate, Refusal, Reply, Spec, Visitor, leaves, operation, refuses};

use crate::person::SignedIn;
use crate::{Oauth, facts};

operation! {
    /// Exchanges the owner link for an access token and a refresh token.
    pub RedeemLinkForToken(LinkToken) -> PersonTokens =
        Spec::post("auth.redeem_link_for_token", "/api/v1/auth/link/token")
            .open().rate(Rate::SignIn).reveals_secret()
            .facts(leaves![facts::TOKEN_ISSUED]).further_facts(leaves![people::SESSION_STARTED, people::USER_CREATED])
            .errors(refuses![INVALID_LINK, STALE_REVOCATION_FEED])
            .example(r#"{"token": "0000000000000000000000000000000000000000000"}"#);

    /// Exchanges a refresh token for the next one and a new access token. Using one twice ends the session.
    pub Refresh(RefreshToken) -> PersonTokens = Spec::post("auth.refresh", "/api/v1/auth/refresh")
        .open().rate(Rate::SignIn).reveals_secret().facts(leaves![facts::TOKEN_ISSUED])
        .errors(refuses![INVALID_TOKEN, STALE_REVOCATION_FEED])
        .example(r#"{"refresh_token": "ses_01h455vb4pex5vsknk084sn02q.0000000000000000000000000000000000000000000"}"#);

    /// Ends a command line's session and begins one in another organization of the same person.
    pub SwitchForToken(SwitchTo) -> PersonTokens = Spec::post("auth.switch_for_token", "/api/v1/auth/switch/token")
        .not_idempotent().reveals_secret()
        .facts(leaves![people::SESSION_ENDED, people::SESSION_STARTED, facts::TOKEN_ISSUED])
        .further_facts(leaves![facts::KEY_CREATED])
        .errors(refuses![STALE_REVOCATION_FEED])
        .example(r#"{"org": "elsewhere-too"}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LinkForToken)]
pub struct LinkToken {
    /// What stands behind `#` in the link.
    #[schema(pattern = "^[0-9A-Za-z]{43}$")]
    pub token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshToken {
    #[schema(pattern = r"^ses_[0-9a-z]{26}\.[0-9A-Za-z]{43}$")]
    pub refresh_token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SwitchForToken)]
pub struct SwitchTo {
    /// Id or slug.
    #[schema(max_length = 40)]
    pub org: String,
}

#[derive(Serialize, ToSchema)]
pub struct PersonTokens {
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    pub scope: String,
    /// Works once; the next answer brings the next.
    pub refresh_token: String,
    pub session: SessionRef,
    pub user: PersonRef,
    pub org: OrgRef,
}

#[derive(Serialize, ToSchema)]
pub struct SessionRef {
    pub id: SessionId,
    /// Refreshing ends here, whatever happens.
    pub expires_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TokenPerson)]
pub struct PersonRef {
    pub id: UserId,
    pub display_name: String,
    pub email: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TokenOrg)]
pub struct OrgRef {
    pub id: OrgId,
    pub slug: String,
    pub name: String,
}

pub async fn redeem(
    State(oauth): State<Oauth>,
    visitor: Visitor<RedeemLinkForToken>,
    Input(link): Input<RedeemLinkForToken>,
) -> Result<Response, Refusal> {
    let signed_in = oauth.redeem_link(&link.token, &visitor.contact).await?;
    answer::<RedeemLinkForToken>(&oauth, signed_in).await
}

pub async fn refresh(
    State(oauth): State<Oauth>,
    visitor: Visitor<Refresh>,
    Input(sent): Input<Refresh>,
) -> Result<Response, Refusal> {
    let signed_in = oauth.refresh(&sent.refresh_token, &visitor.contact).await?;
    answer::<Refresh>(&oauth, signed_in).await
}

pub async fn switch(
    State(oauth): State<Oauth>,
    allowed: Allowed<SwitchForToken>,
    Input(to): Input<SwitchForToken>,
) -> Result<Response, Refusal> {
    let to = to.org.parse().map_err(|_| {
        Problem::new(&VALIDATION_FAILED, "Mend the fields named in errors.")
            .with_error("/org", "must be an organization's id or slug")
    })?;
    let signed_in = oauth.switch(&allowed, &to).await?;
    answer::<SwitchForToken>(&oauth, signed_in).await
}

async fn answer<O: Operation<Answer = PersonTokens>>(
    oauth: &Oauth,
    of: SignedIn,
) -> Result<Response, Refusal> {
    let mut response = Reply::of::<O>(&tokens_of(oauth, of).await?)?.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

pub(super) async fn tokens_of(oauth: &Oauth, of: SignedIn) -> Result<PersonTokens, Problem> {
    let people = &oauth.inner().people;
    let person = people.person(of.session.user).await?;
    let org = people.org(of.session.org).await?;
    let (Some(person), Some(org)) = (person, org) else {
        return Err(Problem::internal("a session without person or organization"));
    };
    Ok(PersonTokens {
        access_token: of.access.access_token,
        token_type: of.access.token_type,
        expires_in: of.access.expires_in,
        scope: of.access.scope.to_string(),
        refresh_token: of.refresh.reveal().clone(),
        session: SessionRef { id: of.session.id, expires_at: of.session.expires_at },
        user: PersonRef {
            id: person.id,
            display_name: person.display_name.clone(),
            email: person.email.clone(),
        },
        org: OrgRef { id: org.id, slug: org.slug.clone(), name: org.name.clone() },
    })
}
