//! A browser that is sent to an identity provider and comes back, at a real provider's own pages.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::Desk;
use crate::support::{Answer, Caller};

/// A sign-in that left for its provider.
pub(crate) struct Away {
    pub(crate) url: String,
    pub(crate) state: String,
    /// The browser, with the cookie that ties the way back to it.
    pub(crate) browser: Caller,
}

impl Desk {
    /// Tests that speak to real providers need a way out to this machine.
    pub(crate) async fn reaching(database: testing::TestDatabase) -> Self {
        Self::open_with(database, &[("egress.allow_private", "127.0.0.0/8")]).await
    }

    /// The clock of a real provider is the machine's; ours is no further behind than that.
    pub(crate) fn keep_time(&self) {
        let machine = types::World::system().now();
        self.server.clock.advance(machine.since(self.server.house().world.now()));
    }

    pub(crate) async fn leave(&self, provider: &str) -> Away {
        self.leave_with(provider, json!({ "return_to": "/console/agents" })).await
    }

    pub(crate) async fn leave_with(&self, provider: &str, body: Value) -> Away {
        let answer = self.browser().post(&format!("/api/v1/auth/{provider}/begin"), body).await;
        let begun = answer.ok(200);
        assert_eq!(begun["next"]["do"], "redirect", "{begun}");
        let cookie = answer.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        assert!(answer.header("set-cookie").contains("HttpOnly"));
        let browser = Caller { cookie: Some(cookie), ..self.server.anonymous() };
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        Away { url: text(&begun["next"]["url"]), state: text(&begun["state"]), browser }
    }

    /// Leaves, signs in at the provider as `login`, and comes back.
    pub(crate) async fn through(&self, provider: &str, login: &str) -> Answer {
        self.keep_time();
        let away = self.leave(provider).await;
        let back = Visitor::new().sign_in(&away.url, login, &self.server.url()).await;
        away.browser.get(&back).await
    }
}

/// The value of a parameter in an address.
pub(crate) fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').expect("a query").1;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).expect("pairs");
    pairs.into_iter().find(|(known, _)| known == name).expect("the parameter").1
}

/// Somebody at the provider's own pages.
pub(crate) struct Visitor {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    pub(crate) fn new() -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        Self { http: http.expect("a client"), cookies: BTreeMap::new() }
    }

    /// Follows the provider's pages until it sends the browser back to us; the path and query of that.
    pub(crate) async fn sign_in(&mut self, url: &str, login: &str, ours: &str) -> String {
        let issuer = url.split('/').take(3).collect::<Vec<_>>().join("/");
        let mut next = (Method::GET, url.to_owned(), String::new());
        for _ in 0..20 {
            let (method, url, body) = next;
            let answer = self.send(method, &url, body).await;
            if let Some(target) = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()) {
                if let Some(path) = target.strip_prefix(ours) {
                    return path.to_owned();
                }
                let target =
                    if target.starts_with('/') { format!("{issuer}{target}") } else { target.into() };
                next = (Method::GET, target, String::new());
                continue;
            }
            let status = answer.status();
            let page = answer.text().await.expect("a page");
            let action = page.split_once("action=\"").and_then(|(_, rest)| rest.split('"').next());
            let action = action.unwrap_or_else(|| panic!("{status}: {page}")).replace("&amp;", "&");
            // Keycloak's button is called `login`, so its field is asked for first.
            let body = if page.contains("name=\"username\"") {
                format!("username={login}&password=Pass-word-1")
            } else if page.contains("name=\"login\"") {
                format!("prompt=login&login={login}&password=any")
            } else {
                "prompt=consent".to_owned()
            };
            next = (Method::POST, action, body);
        }
        panic!("the provider sends in circles");
    }

    async fn send(&mut self, method: Method, url: &str, body: String) -> Response {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.http.request(method.clone(), url).header(COOKIE, cookies.join("; "));
        let request = match method {
            Method::POST => request.header("content-type", "application/x-www-form-urlencoded").body(body),
            _ => request,
        };
        let answer = request.send().await.expect("the provider answers");
        for set in answer.headers().get_all(SET_COOKIE) {
            let pair = set.to_str().expect("text").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}
