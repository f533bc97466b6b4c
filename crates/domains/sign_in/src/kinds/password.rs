//! `password`: a login and a password, kept as an Argon2id hash.
//!
//! Unknown logins cost as much as known ones: the same hash is computed for nobody.

use futures::future::BoxFuture;
use people::People;
use problem::{FieldError, OVERLOADED, Problem};
use serde_json::{Map, Value};
use types::Secret;

use crate::kind::{Finding, First, Kind, Proven, Visit, text};
use crate::model::email;
use crate::passwords::{Hasher, Overloaded};
use crate::service::SignInParts;
use crate::{EnabledProvider, OpenState, Reason, SignInError, store};

pub(crate) struct Password {
    people: People,
    db: db::Db,
    hasher: Hasher,
}

impl Password {
    pub(crate) fn over(parts: &SignInParts, hasher: Hasher) -> Self {
        Self { people: parts.people.clone(), db: parts.db.clone(), hasher }
    }

    async fn check_password(&self, input: &Map<String, Value>) -> Result<Proven, SignInError> {
        let login = text(input, "login")?;
        let password = Secret::new(text(input, "password")?.to_owned());
        let person = match email(login) {
            Some(address) => self.people.person_by_email(&address).await?,
            None => None,
        };
        let user = person.as_ref().map(|person| person.id);
        let hash = store::password_of(&self.db, user).await?;
        match (self.hasher.verify(password, hash).await?, user) {
            (true, Some(user)) => {
                Ok(Proven { user: Some(user), factor: self.name().to_owned(), ..Proven::default() })
            }
            _ => Err(SignInError::Refused(Reason::WrongProof)),
        }
    }
}

impl From<Overloaded> for SignInError {
    fn from(_: Overloaded) -> Self {
        let detail = "Too many people sign in at this moment. Try again in a second.";
        Problem::new(&OVERLOADED, detail).with_retry_after(1).into()
    }
}

impl Kind for Password {
    fn name(&self) -> &'static str {
        "password"
    }

    fn settings(&self) -> Value {
        super::nothing_to_set()
    }

    fn first(&self) -> First {
        First::login(&["login", "password"])
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<FieldError> {
        super::no_settings(settings)
    }

    fn account(&self, _: Option<&OpenState>, input: &Map<String, Value>) -> Option<String> {
        let login = input.get("login")?.as_str()?;
        Some(login.trim().to_lowercase())
    }

    fn complete<'a>(
        &'a self,
        _: &'a EnabledProvider,
        _: &'a Visit<'a>,
        _: Option<&'a OpenState>,
        input: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Proven, SignInError>> {
        Box::pin(self.check_password(input))
    }

    fn test<'a>(&'a self, _: &'a EnabledProvider) -> BoxFuture<'a, Vec<Finding>> {
        Box::pin(async move {
            let hashed = self.hasher.verify(Secret::new(String::new()), None).await;
            let detail = match &hashed {
                Ok(_) => "Passwords can be checked.".to_owned(),
                Err(error) => error.to_string(),
            };
            vec![Finding { what: "hashing".to_owned(), works: hashed.is_ok(), detail }]
        })
    }
}
