//! The owner link: how the first owner gets in, and an owner who lost every other way.
//!
//! `{public_url}/console/welcome#<43 base62>`: single use, 30 minutes, a newer one voids the older. The token stands in the
//! fragment, so no server log and no Referer ever holds it; stored is its HMAC.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use db::{Change, CommitError};
use ledger::{Actor, Fact, Outcome};
use serde_json::json;
use types::{OwnerLinkId, Secret, Timestamp};
use web::Contact;

use crate::service::SIGN_IN;
use crate::{How, People, PeopleError, Person, SessionKind, Started, facts, store};

const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// A fresh link; shown on the terminal, never logged.
pub struct OwnerLink {
    pub url: Secret<String>,
    pub expires_at: Timestamp,
}

impl People {
    /// At start: a link if nobody owns the home organization yet.
    pub async fn link_for_first_owner(&self) -> Result<Option<OwnerLink>, PeopleError> {
        let home = self.home().await?;
        match store::first_holder(&self.inner().db, SIGN_IN, home.id, "owner").await? {
            Some(_) => Ok(None),
            None => self.make_link().await.map(Some),
        }
    }

    /// Makes a link and voids all earlier ones; also writes it to `<data>/owner-link` (0600).
    pub async fn make_link(&self) -> Result<OwnerLink, PeopleError> {
        let inner = self.inner();
        let home = self.home().await?;
        let token = crypto::base62::encode(&inner.world.bytes::<32>());
        let tag = inner.link_key.tag(&[token.as_bytes()]);
        let now = inner.world.now();
        let expires_at = now.plus(LIFETIME);
        let fact = Fact::new(&facts::LINK_MADE, home.id, Actor::system("people"))
            .data(json!({ "expires_at": expires_at }));
        let change = Change::new(SIGN_IN, inner.ledger.seal(fact).await?)
            .statement(store::void_links(now))
            .statement(store::insert_link(inner.world.id::<OwnerLinkId>(), tag, now, expires_at));
        inner.db.commit(change).await?;
        let url = Secret::new(format!("{}/console/welcome#{token}", inner.settings.public_url));
        self.write_link(&url)?;
        Ok(OwnerLink { url, expires_at })
    }

    /// Exchanges a link's token for a session. Of a hundred that try at once, exactly one succeeds.
    pub async fn redeem(
        &self,
        token: &str,
        kind: SessionKind,
        contact: &Contact,
    ) -> Result<Started, PeopleError> {
        let redeemed = self.try_redeem(token, kind, contact).await;
        if matches!(redeemed, Err(PeopleError::InvalidLink)) {
            self.refused("link", "used, replaced or expired", contact).await?;
        }
        redeemed
    }

    async fn try_redeem(
        &self,
        token: &str,
        kind: SessionKind,
        contact: &Contact,
    ) -> Result<Started, PeopleError> {
        let inner = self.inner();
        let home = self.home().await?;
        let now = inner.world.now();
        let tag = inner.link_key.tag(&[token.as_bytes()]);
        if !store::link_is_open(&inner.db, SIGN_IN, tag, now).await? {
            return Err(PeopleError::InvalidLink);
        }
        let known = store::first_holder(&inner.db, SIGN_IN, home.id, "owner").await?;
        let (person, joining) = match known {
            Some(person) => (person, None),
            None => {
                let person = self.first_owner();
                let by = Actor::user(person.id, &person.display_name);
                let joining = self.joining(home.id, &person, &["owner", "operator"], by).await?;
                (person, Some(joining))
            }
        };
        let (started, change) =
            self.enter(joining, home.id, &person, kind, &How::by("link"), contact).await?;
        let change = change.statement(store::redeem_link(tag, now));
        match inner.db.commit(change).await {
            Ok(_) => {}
            Err(CommitError::Refused(code)) if *code == problem::INVALID_LINK => {
                return Err(PeopleError::InvalidLink);
            }
            Err(error) => return Err(error.into()),
        }
        // A file that is gone already is as good.
        let _ = std::fs::remove_file(inner.settings.data_dir.join("owner-link"));
        Ok(started)
    }

    fn first_owner(&self) -> Person {
        let email = self.inner().settings.owner_email.as_deref();
        let name = email.and_then(|email| email.split('@').next()).unwrap_or("Owner");
        self.new_person(name, email)
    }

    /// A refused sign-in is a fact, coalesced per source.
    pub async fn refused(&self, by: &str, reason: &str, contact: &Contact) -> Result<(), PeopleError> {
        let inner = self.inner();
        let home = self.home().await?;
        let fact = Fact::new(&facts::AUTH_REFUSED, home.id, Actor::anonymous(""))
            .origin(&contact.origin())
            .outcome(Outcome::Denied)
            .data(json!({ "by": by, "reason": reason }));
        let source = contact.ip.unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        Ok(inner.ledger.refuse(fact, source).await?)
    }

    fn write_link(&self, url: &Secret<String>) -> Result<(), PeopleError> {
        let path = self.inner().settings.data_dir.join("owner-link");
        let write = || {
            // Another's file, or wider rights, must not survive: always a new file.
            let _ = std::fs::remove_file(&path);
            let mut file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            writeln!(file, "{}", url.reveal())
        };
        write().map_err(|error| PeopleError::Io { path: path.display().to_string(), error })
    }
}
