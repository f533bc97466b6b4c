//! Signing people in, and who the caller is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::token::Token;
use crate::{Client, Error, Page, Time};

/// Tokens of a person. No `Debug`: it holds secrets.
#[derive(Clone, Serialize, Deserialize)]
pub struct PersonTokens {
    pub access_token: String,
    pub token_type: String,
    /// Seconds.
    pub expires_in: u64,
    pub scope: String,
    /// Works once; the next answer brings the next.
    pub refresh_token: String,
    pub session: SessionEnd,
    pub user: Person,
    pub org: OrgName,
}

/// A session and when refreshing ends, whatever happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnd {
    pub id: String,
    pub expires_at: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: String,
    pub display_name: String,
    pub email: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrgName {
    pub id: String,
    pub slug: String,
    pub name: String,
}

/// Who the caller is, where, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub principal: Principal,
    pub org: OrgName,
    pub roles: Vec<String>,
    pub permissions: Vec<String>,
    /// Only for a browser session.
    pub session: Option<MySession>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// `user` or `agent`.
    pub kind: String,
    pub id: String,
    pub display: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MySession {
    pub id: String,
    pub stepped_up_until: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: String,
    /// `browser` or `cli`.
    pub kind: String,
    pub created_at: Time,
    pub last_seen_at: Time,
    pub expires_at: Time,
    pub user_agent: Option<String>,
    /// What proved the person: `link`, or kinds of factors with `+` between.
    #[serde(default)]
    pub factors: String,
    /// The sign-in provider, if it was one.
    #[serde(default)]
    pub provider: Option<String>,
    /// Until when acts that need a confirmation are open.
    pub stepped_up_until: Time,
}

/// How many sessions were ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSessions {
    pub ended: i64,
}

impl PersonTokens {
    pub(crate) fn token(&self) -> Token {
        Token {
            access_token: Zeroizing::new(self.access_token.clone()),
            expires_in: Some(Duration::from_secs(self.expires_in)),
        }
    }
}

/// `client.auth()`.
#[derive(Clone, Copy)]
pub struct Auth<'a>(&'a Client);

impl Client {
    pub fn auth(&self) -> Auth<'_> {
        Auth(self)
    }
}

impl<'a> Auth<'a> {
    pub(crate) fn client(&self) -> &'a Client {
        self.0
    }
}

impl Auth<'_> {
    /// Exchanges the owner link's token – what stands behind its `#` – for tokens. It works once.
    pub async fn redeem_link_for_token(&self, token: &str) -> Result<PersonTokens, Error> {
        self.0.post(&path(&["link", "token"])).json(&Link { token }).answer().await
    }

    /// Exchanges a refresh token; using one twice ends its session.
    pub async fn refresh(&self, refresh_token: &str) -> Result<PersonTokens, Error> {
        self.0.post(&path(&["refresh"])).json(&Refresh { refresh_token }).answer().await
    }

    pub async fn me(&self) -> Result<Me, Error> {
        self.0.get(&path(&["me"])).answer().await
    }

    /// The caller's own living sessions.
    pub async fn sessions(&self) -> Result<Page<Session>, Error> {
        self.0.get(&path(&["sessions"])).answer().await
    }

    /// Signs the caller out everywhere: ends all their sessions in every organization, this one too.
    pub async fn revoke_all_sessions(&self) -> Result<EndedSessions, Error> {
        self.0.delete(&path(&["sessions"])).answer().await
    }

    /// Ends one of the caller's own sessions; tokens made from it die with it.
    pub async fn revoke_session(&self, session: &str) -> Result<Session, Error> {
        self.0.delete(&path(&["sessions", session])).answer().await
    }
}

fn path<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["api", "v1", "auth"], rest].concat()
}

#[derive(Serialize)]
struct Link<'a> {
    token: &'a str,
}

#[derive(Serialize)]
struct Refresh<'a> {
    refresh_token: &'a str,
}
