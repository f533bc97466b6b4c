//! Signing in: providers, the flows through them, each kind.

#[cfg(feature = "samba")]
mod active_directory;
mod browser;
mod defence;
mod external;
mod factors;
mod flow;
mod hostile;
#[cfg(feature = "keycloak")]
mod keycloak;
mod ldap;
mod oidc;
mod otp;
mod passkey;
mod password;
mod providers;
mod secrecy;
mod step_up;
#[cfg(feature = "vault")]
mod vault;
mod workos;

pub(crate) use factors::App;
pub(crate) use passkey::Authenticator;

use serde_json::{Value, json};
use testing::{Letter, MailSink, TestDatabase};

use crate::support::{Answer, Caller, TestServer};

/// A server whose letters go to a real mail server.
pub(crate) struct Desk {
    pub(crate) server: TestServer,
    pub(crate) sink: MailSink,
}

impl Desk {
    pub(crate) async fn open(database: TestDatabase) -> Self {
        Self::open_with(database, &[]).await
    }

    pub(crate) async fn open_with(database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let sink = MailSink::start();
        let port = sink.port.to_string();
        let mail = [
            ("smtp.host", "127.0.0.1"),
            ("smtp.port", port.as_str()),
            ("smtp.security", "none"),
            ("smtp.from", "papers@example.com"),
        ];
        let server = TestServer::start_with(database, &[&mail[..], settings].concat()).await;
        Self { server, sink }
    }

    /// A browser on one of our own pages that nobody is signed in to.
    pub(crate) fn browser(&self) -> Caller {
        self.server.anonymous().with("origin", self.server.url())
    }

    /// Sets a provider of the instance up.
    pub(crate) async fn provider(&self, body: Value) -> Value {
        let mut whole = json!({ "instance": true });
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        self.server.owner().await.post("/api/v1/auth-providers", whole).await.ok(201)
    }

    /// A member of the home organization with an address.
    pub(crate) async fn member(&self, email: &str) -> people::Person {
        let people = &self.server.house().people;
        people.enrol(self.server.home().await, "Ada", Some(email), &["member"]).await.expect("a person")
    }

    /// Asks for a code and reads it from the letter of this number.
    pub(crate) async fn code(&self, email: &str, number: usize) -> (Value, String) {
        let begun = self.browser().post("/api/v1/auth/otp", json!({ "email": email })).await.ok(202);
        let letter = self.sink.letter(&email.to_lowercase(), number).await;
        (begun, code_in(&letter))
    }

    pub(crate) async fn verify(&self, begun: &Value, code: &str) -> Answer {
        let body = json!({ "state": begun["state"], "code": code });
        self.browser().post("/api/v1/auth/otp/verify", body).await
    }
}

/// The six digits that stand on a line of their own.
pub(crate) fn code_in(letter: &Letter) -> String {
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    letter.text.lines().map(str::trim).find(is_code).expect("a code").to_owned()
}

/// A browser with the cookie that an answer set.
pub(crate) fn with_cookie(server: &TestServer, answer: &Answer) -> Caller {
    let set = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().expect("text"));
    let session = set.filter_map(|line| line.split(';').next());
    let cookie = session.into_iter().find(|pair| pair.starts_with("safeconduct_dev=")).expect("a cookie");
    Caller { cookie: Some(cookie.to_owned()), ..server.anonymous() }
}

/// Facts by kind.
pub(crate) async fn count(server: &TestServer, kind: &str) -> i64 {
    server.house().ledger.drain().await.expect("the ledger drains");
    let tamper = server.database.tamper().await;
    tamper.number(&format!("SELECT count(*) FROM facts WHERE kind = '{kind}'")).await
}
