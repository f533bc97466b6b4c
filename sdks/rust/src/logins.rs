//! Signing a person in at a command line by way of a browser.

use serde::{Deserialize, Serialize};

use crate::auth::Auth;
use crate::{Error, PersonTokens};

/// Our own command line: a public client, the same in every installation.
pub const COMMAND_LINE: &str = "cli_01jc000000e008000000000001";

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// RFC 8628 §3.2. No `Debug`: it holds a secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct DeviceAuthorization {
    pub device_code: String,
    /// To be typed at `verification_uri`.
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: String,
    /// Seconds.
    pub expires_in: u64,
    /// Seconds between two questions.
    pub interval: u64,
}

impl Auth<'_> {
    /// Starts to sign in without a browser of one's own; the person types the code at any browser.
    pub async fn begin_device(&self) -> Result<DeviceAuthorization, Error> {
        self.client()
            .post(&["oauth2", "device_authorization"])
            .form(&Device { client_id: COMMAND_LINE })
            .answer()
            .await
    }

    /// Asks whether the person has let the device in. Until then the error's code is `authorization_pending` (ask again
    /// after the interval) or `slow_down` (ask less often).
    pub async fn device_tokens(&self, device_code: &str) -> Result<PersonTokens, Error> {
        let form = DeviceToken { grant_type: DEVICE_GRANT, client_id: COMMAND_LINE, device_code };
        self.client().post(&["oauth2", "token"]).form(&form).answer().await
    }

    /// Where to send the browser for the authorization code flow with PKCE: `redirect_uri` is
    /// `http://127.0.0.1:<port>/callback`, `challenge` the verifier's SHA-256 in base64url.
    pub fn authorize_url(&self, redirect_uri: &str, challenge: &str, state: &str) -> Result<String, Error> {
        let query = AuthorizeQuery {
            response_type: "code",
            client_id: COMMAND_LINE,
            redirect_uri,
            code_challenge: challenge,
            code_challenge_method: "S256",
            state,
        };
        let query = serde_urlencoded::to_string(query).map_err(|error| {
            Error::new("unwritable_request", "The request could not be written", error.to_string())
        })?;
        Ok(format!("{}/oauth2/authorize?{query}", self.client().url()))
    }

    /// Exchanges the code that came back; it works once, within a minute.
    pub async fn exchange_code(
        &self,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<PersonTokens, Error> {
        let form = Exchange {
            grant_type: "authorization_code",
            client_id: COMMAND_LINE,
            code,
            code_verifier: verifier,
            redirect_uri,
        };
        self.client().post(&["oauth2", "token"]).form(&form).answer().await
    }
}

#[derive(Serialize)]
struct Device<'a> {
    client_id: &'a str,
}

#[derive(Serialize)]
struct DeviceToken<'a> {
    grant_type: &'a str,
    client_id: &'a str,
    device_code: &'a str,
}

#[derive(Serialize)]
struct AuthorizeQuery<'a> {
    response_type: &'a str,
    client_id: &'a str,
    redirect_uri: &'a str,
    code_challenge: &'a str,
    code_challenge_method: &'a str,
    state: &'a str,
}

#[derive(Serialize)]
struct Exchange<'a> {
    grant_type: &'a str,
    client_id: &'a str,
    code: &'a str,
    code_verifier: &'a str,
    redirect_uri: &'a str,
}
