//! The browser's session cookie, and the defence against requests that other sites make with it.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use futures::future::BoxFuture;
use problem::{CROSS_SITE_REQUEST, Problem};
use types::Timestamp;
use web::{Authenticator, Caller, Contact, Link, Means, PrincipalId};

use crate::{People, Session};

/// How the cookie is named and guarded: `__Host-` under https, a development form on plain loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieForm {
    secure: bool,
    /// Scheme, host and port that our own pages have.
    origin: String,
}

impl CookieForm {
    /// `public_url` without trailing slash or path.
    pub fn new(public_url: &str) -> Self {
        Self { secure: public_url.starts_with("https://"), origin: public_url.to_owned() }
    }

    fn name(&self) -> &'static str {
        if self.secure { "__Host-safeconduct" } else { "safeconduct_dev" }
    }

    /// The Set-Cookie value of a session that begins.
    pub fn set(&self, secret: &str, session: &Session, now: Timestamp) -> Option<HeaderValue> {
        let age = session.expires_at.since(now).as_secs();
        self.header(secret, age)
    }

    /// The Set-Cookie value that takes the cookie away.
    pub fn clear(&self) -> Option<HeaderValue> {
        self.header("", 0)
    }

    /// The Set-Cookie value that ties a sign-in that leaves for its provider to this browser. Lax, also where sessions are
    /// strict: the way back is a link of another site.
    pub fn begun(&self, handle: &str) -> Option<HeaderValue> {
        self.begun_header(handle, 900)
    }

    pub fn begun_over(&self) -> Option<HeaderValue> {
        self.begun_header("", 0)
    }

    /// The handle of a sign-in that this browser began.
    pub fn begun_in<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        self.read_named(headers, self.begun_name())
    }

    fn begun_name(&self) -> &'static str {
        if self.secure { "__Host-safeconduct_begun" } else { "safeconduct_dev_begun" }
    }

    fn begun_header(&self, value: &str, age: u64) -> Option<HeaderValue> {
        let secure = if self.secure { "Secure; " } else { "" };
        let name = self.begun_name();
        HeaderValue::try_from(format!(
            "{name}={value}; Path=/; Max-Age={age}; HttpOnly; {secure}SameSite=Lax"
        ))
        .ok()
    }

    fn header(&self, value: &str, age: u64) -> Option<HeaderValue> {
        let guard = if self.secure { "Secure; SameSite=Lax" } else { "SameSite=Strict" };
        HeaderValue::try_from(format!("{}={value}; Path=/; Max-Age={age}; HttpOnly; {guard}", self.name()))
            .ok()
    }

    fn read<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        self.read_named(headers, self.name())
    }

    fn read_named<'a>(&self, headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }

    /// A write with the cookie must come from our own pages: `Origin`, else `Sec-Fetch-Site`, must say so.
    pub fn same_site(&self, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
        if method.is_safe() {
            return Ok(());
        }
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let ours = match (text(header::ORIGIN), text(header::HeaderName::from_static("sec-fetch-site"))) {
            (Some(origin), _) => origin == self.origin,
            (None, Some(site)) => site == "same-origin",
            (None, None) => false,
        };
        if ours {
            return Ok(());
        }
        let detail =
            "A browser session can only be used from this server's own pages. Programs send a token.";
        Err(Problem::new(&CROSS_SITE_REQUEST, detail))
    }
}

/// Recognises people by their cookie, under `/api/v1` only.
pub struct CookieAuthenticator {
    people: People,
    form: CookieForm,
}

impl CookieAuthenticator {
    pub fn new(people: People, form: CookieForm) -> Self {
        Self { people, form }
    }

    async fn caller(&self, session: Session, revision: i64) -> Result<Option<Caller>, Problem> {
        let person = self.people.person(session.user).await?.filter(|person| person.active);
        let Some(person) = person else { return Ok(None) };
        let principal = PrincipalId::User(person.id);
        let held = self.people.inner().access.holding(session.org, principal).await?;
        let (grants, groups) = (held.authority.clone(), held.groups.clone());
        Ok(Some(Caller {
            org: session.org,
            subject: Link { principal, display: person.display_name.as_str().into(), grants, groups },
            actors: Vec::new(),
            functions: Vec::new(),
            trigger: None,
            scope: None,
            means: Means::Session { session: session.id, stepped_up_until: session.stepped_up_until },
            txn: None,
            revision,
        }))
    }
}

impl Authenticator for CookieAuthenticator {
    fn recognise<'a>(
        &'a self,
        request: &'a Parts,
        contact: &'a Contact,
    ) -> BoxFuture<'a, Result<Option<Caller>, Problem>> {
        Box::pin(async move {
            let in_place = request.uri.path().starts_with("/api/v1/")
                && (self.form.secure || contact.peer.is_some_and(web::Peer::is_loopback));
            let Some(secret) = self.form.read(&request.headers).filter(|_| in_place) else { return Ok(None) };
            let revision = self.people.inner().feed.applied();
            let Some(session) = self.people.session_of_cookie(secret).await? else { return Ok(None) };
            self.form.same_site(&request.method, &request.headers)?;
            self.caller(session, revision).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(form: &CookieForm, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        form.same_site(&Method::POST, &map).is_ok()
    }

    #[test]
    fn writes_need_our_own_origin() {
        let form = CookieForm::new("http://127.0.0.1:7717");
        assert!(write(&form, &[("origin", "http://127.0.0.1:7717")]));
        assert!(write(&form, &[("sec-fetch-site", "same-origin")]));
        for refused in [
            vec![],
            vec![("origin", "http://127.0.0.1:7718")],
            vec![("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")],
            vec![("origin", "null")],
            vec![("sec-fetch-site", "same-site")],
            vec![("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "none")],
        ] {
            assert!(!write(&form, &refused), "{refused:?}");
        }
        assert!(form.same_site(&Method::GET, &HeaderMap::new()).is_ok());
    }

    #[test]
    fn https_uses_the_host_prefix() {
        let form = CookieForm::new("https://agents.example");
        let cleared = form.clear().unwrap();
        let text = cleared.to_str().unwrap();
        assert!(text.starts_with("__Host-safeconduct=;") && text.contains("; Secure; SameSite=Lax"));
    }
}
