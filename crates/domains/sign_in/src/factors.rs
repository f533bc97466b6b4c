//! Second factors of a person: authenticator apps (RFC 6238) and recovery codes. Setting one up needs a confirmation, using a
//! code uses it up, and what is secret is sealed or kept as a tag.

use std::str::FromStr;

use crypto::seal::Aad;
use crypto::totp::TotpSecret;
use db::{Change, FactRow, Statement};
use people::Person;
use problem::Problem;
use secrets::Purpose;
use serde_json::json;
use types::{FactorId, Id, Secret, Timestamp, UserId};
use web::{Allowance, Decided, PrincipalId};

use crate::kind::NewState;
use crate::service::SIGN_IN;
use crate::states::{For, Frame};
use crate::{Reason, SignIn, SignInError, facts, store};

/// A printed sheet's worth.
const CODES: usize = 10;
/// Symbols of a code: 50 bits.
const CODE_LENGTH: usize = 10;
/// Without those that are taken for others.
const SYMBOLS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// Apps that a person may have at once.
pub(crate) const MOST: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    Totp,
    Passkey,
}

impl FactorKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
        }
    }
}

impl FromStr for FactorKind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "totp" => Ok(Self::Totp),
            "passkey" => Ok(Self::Passkey),
            _ => Err(()),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Factor {
    pub(crate) id: FactorId,
    pub(crate) user: UserId,
    pub(crate) kind: FactorKind,
    pub(crate) label: String,
    /// Sealed.
    pub(crate) secret: Option<Vec<u8>>,
    pub(crate) credential: Option<Vec<u8>>,
    pub(crate) public_key: Option<Vec<u8>>,
    pub(crate) counter: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Option<Timestamp>,
}

/// An app that is being set up: what it shows next must come back.
pub(crate) struct NewApp {
    pub(crate) state: Secret<String>,
    pub(crate) secret: Secret<String>,
    /// For the QR code (`otpauth://`, as authenticator apps read it).
    pub(crate) uri: Secret<String>,
    pub(crate) expires_at: Timestamp,
}

/// A factor that was set up, with recovery codes if there were none.
pub(crate) struct NewFactor {
    pub(crate) factor: Factor,
    pub(crate) codes: Vec<String>,
}

impl SignIn {
    pub(crate) async fn factors(&self, by: &Allowance) -> Result<(Vec<Factor>, i64), SignInError> {
        let user = person_of(by)?;
        let factors = store::factors_of(self.db(), user).await?;
        Ok((factors, store::recovery_codes_left(self.db(), user).await?))
    }

    pub(crate) async fn begin_app(&self, by: &Allowance) -> Result<NewApp, SignInError> {
        let user = person_of(by)?;
        let inner = self.inner();
        if store::factors_of(self.db(), user).await?.len() >= MOST {
            let detail = "You have ten factors already. Remove one that you do not use.";
            return Err(Problem::new(&problem::CONFLICT, detail).into());
        }
        let secret = TotpSecret::generate(&inner.world);
        let shown = secret.base32();
        let account = by.caller().subject.display.to_string();
        let data = json!({ "user": user, "secret": shown.reveal() });
        let state = NewState { data, subject: Some(user.to_string()), tries: 5, lifetime: None };
        let kept = self.keep_state(For::Enrolment, &Frame::default(), state).await?;
        Ok(NewApp {
            state: kept.handle,
            uri: Secret::new(uri(&account, &inner.settings.public_url, shown.reveal())),
            secret: shown,
            expires_at: kept.expires_at,
        })
    }

    /// The app's first code proves that it has the secret.
    pub(crate) async fn confirm_app(
        &self,
        by: &Allowance,
        handle: &str,
        code: &str,
        label: Option<&str>,
    ) -> Result<Decided<NewFactor>, SignInError> {
        let user = person_of(by)?;
        let inner = self.inner();
        let state = self.take_try(For::Enrolment, handle).await?;
        let text = |name: &str| state.data[name].as_str().unwrap_or_default();
        if text("user") != user.to_string() {
            return Err(SignInError::Refused(Reason::NoState));
        }
        let secret = TotpSecret::from_base32(text("secret")).ok_or(SignInError::Refused(Reason::NoState))?;
        let now = inner.world.now();
        let step = secret.check(&digits(code), now, 0).ok_or(SignInError::Refused(Reason::WrongProof))?;
        let id: FactorId = inner.world.id();
        let sealed = self.seal_secret(id, secret.bytes()).await?;
        let factor = Factor {
            id,
            user,
            kind: FactorKind::Totp,
            label: label.unwrap_or("Authenticator app").to_owned(),
            secret: Some(sealed),
            credential: None,
            public_key: None,
            counter: step,
            created_at: now,
            last_used_at: None,
        };
        self.adding(by, factor, vec![self.use_up(state.id)]).await
    }

    /// The change that adds a factor, with recovery codes if the person has none.
    pub(crate) async fn adding(
        &self,
        by: &Allowance,
        factor: Factor,
        used: Vec<Statement>,
    ) -> Result<Decided<NewFactor>, SignInError> {
        let fact = by
            .fact(&facts::FACTOR_ADDED)
            .target("factor", factor.id, &factor.label)
            .data(json!({ "kind": factor.kind.name() }));
        let mut change = Change::new(SIGN_IN, self.inner().ledger.seal(fact).await?)
            .statements(used)
            .statement(store::insert_factor(&factor));
        let mut codes = Vec::new();
        if store::recovery_codes_left(self.db(), factor.user).await? == 0 {
            let (statements, fresh, fact) = self.fresh_codes(by, factor.user).await?;
            change = change.fact(fact).statements(statements);
            codes = fresh;
        }
        Ok(Decided::new(change, NewFactor { factor, codes }))
    }

    pub(crate) async fn rename_factor(
        &self,
        by: &Allowance,
        id: FactorId,
        label: &str,
    ) -> Result<Decided<Factor>, SignInError> {
        let (factor, _) = self.own_factor(by, id).await?;
        let factor = Factor { label: label.to_owned(), ..factor };
        let fact = by
            .fact(&facts::FACTOR_RENAMED)
            .target("factor", factor.id, &factor.label)
            .data(json!({ "kind": factor.kind.name() }));
        let change = Change::new(SIGN_IN, self.inner().ledger.seal(fact).await?)
            .statement(store::rename_factor(&factor));
        Ok(Decided::new(change, factor))
    }

    /// One of the caller's own, and how many others they have.
    async fn own_factor(&self, by: &Allowance, id: FactorId) -> Result<(Factor, usize), SignInError> {
        let all = store::factors_of(self.db(), person_of(by)?).await?;
        let others = all.len().saturating_sub(1);
        let found = all.into_iter().find(|factor| factor.id == id);
        let factor = found.ok_or_else(|| {
            Problem::new(
                &problem::NOT_FOUND,
                "There is no such factor of yours. GET /api/v1/auth/factors lists them.",
            )
        })?;
        Ok((factor, others))
    }

    pub(crate) async fn remove_factor(
        &self,
        by: &Allowance,
        id: FactorId,
    ) -> Result<Decided<Factor>, SignInError> {
        let (factor, others) = self.own_factor(by, id).await?;
        let fact = by
            .fact(&facts::FACTOR_REMOVED)
            .target("factor", factor.id, &factor.label)
            .data(json!({ "kind": factor.kind.name() }));
        let mut change = Change::new(SIGN_IN, self.inner().ledger.seal(fact).await?)
            .statement(store::delete_factor(&factor));
        if others == 0 {
            // Codes stand in for factors; without any there is nothing to recover.
            change = change.statement(store::forget_recovery_codes(factor.user));
        }
        Ok(Decided::new(change, factor))
    }

    /// New recovery codes; the old ones are void.
    pub(crate) async fn renew_codes(&self, by: &Allowance) -> Result<Decided<Vec<String>>, SignInError> {
        let user = person_of(by)?;
        let (statements, codes, fact) = self.fresh_codes(by, user).await?;
        let change = Change::new(SIGN_IN, fact).statements(statements);
        Ok(Decided::new(change, codes))
    }

    async fn fresh_codes(
        &self,
        by: &Allowance,
        user: UserId,
    ) -> Result<(Vec<Statement>, Vec<String>, FactRow), SignInError> {
        let inner = self.inner();
        let now = inner.world.now();
        let codes: Vec<String> = (0..CODES).map(|_| self.draw_code()).collect();
        let mut statements = vec![store::forget_recovery_codes(user)];
        statements.extend(
            codes.iter().map(|code| store::insert_recovery_code(user, self.code_tag(user, code), now)),
        );
        let fact =
            by.fact(&facts::RECOVERY_CODES_MADE).target("user", user, "").data(json!({ "count": CODES }));
        Ok((statements, codes, inner.ledger.seal(fact).await?))
    }

    fn draw_code(&self) -> String {
        let bytes: [u8; CODE_LENGTH] = self.inner().world.bytes();
        let symbols = bytes.iter().map(|byte| char::from(SYMBOLS[usize::from(byte & 31)]));
        let mut code: String = symbols.collect();
        code.insert(CODE_LENGTH / 2, '-');
        code
    }

    fn code_tag(&self, user: UserId, code: &str) -> [u8; 32] {
        let folded: String =
            code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        self.inner().state_key.tag(&[b"recovery", user.uuid().as_bytes(), folded.as_bytes()])
    }

    /// What uses up the code of an app, if it is one of the person's and was not used before.
    pub(crate) async fn check_app(&self, user: UserId, code: &str) -> Result<Statement, SignInError> {
        let now = self.inner().world.now();
        let mut found = None;
        for factor in store::factors_of(self.db(), user).await? {
            let Some(sealed) = factor.secret.as_deref().filter(|_| factor.kind == FactorKind::Totp) else {
                continue;
            };
            let secret = TotpSecret::from_bytes(self.open_secret(factor.id, sealed).await?);
            if let Some(step) = secret.check(&digits(code), now, factor.counter) {
                found = Some(store::use_factor(factor.id, step, now));
            }
        }
        found.ok_or(SignInError::Refused(Reason::WrongProof))
    }

    /// What uses up a recovery code; whether there is one, the change itself finds out.
    pub(crate) fn check_recovery_code(&self, user: UserId, code: &str) -> Statement {
        store::use_recovery_code(user, self.code_tag(user, code), self.inner().world.now())
    }

    async fn seal_secret(&self, factor: FactorId, secret: &[u8]) -> Result<Vec<u8>, SignInError> {
        let row = factor.uuid();
        Ok(self.inner().keyring.seal(Purpose::Records, &place(row.as_bytes()), secret).await?)
    }

    async fn open_secret(&self, factor: FactorId, sealed: &[u8]) -> Result<Vec<u8>, SignInError> {
        let row = factor.uuid();
        Ok(self.inner().keyring.open_sealed(Purpose::Records, &place(row.as_bytes()), sealed).await?)
    }
}

/// The person at a browser; agents and tokens have no factors.
pub(crate) fn person_of(by: &Allowance) -> Result<UserId, Problem> {
    match (by.caller().principal(), &by.caller().means) {
        (PrincipalId::User(user), web::Means::Session { .. }) => Ok(user),
        _ => {
            let detail = "Only people at a browser session have factors. Sign in to the console.";
            Err(Problem::new(&problem::PERMISSION_DENIED, detail))
        }
    }
}

fn place(row: &[u8]) -> Aad<'_> {
    Aad { table: "factors", column: "secret", org: None, row }
}

fn digits(code: &str) -> String {
    code.chars().filter(char::is_ascii_digit).collect()
}

/// Key URI format of authenticator apps: issuer and account tell entries apart.
fn uri(account: &str, public_url: &str, secret: &str) -> String {
    let host = public_url.split("://").nth(1).unwrap_or(public_url);
    let escape = |text: &str| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        text.bytes()
            .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect::<String>()
    };
    let issuer = escape(&format!("Safeconduct ({host})"));
    format!(
        "otpauth://totp/{issuer}:{}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        escape(account)
    )
}

/// Kept for whoever asks what a person could prove besides.
pub(crate) struct Means {
    pub(crate) has_app: bool,
    pub(crate) has_codes: bool,
    pub(crate) has_passkey: bool,
    pub(crate) has_password: bool,
}

impl SignIn {
    pub(crate) async fn means_of(&self, person: &Person) -> Result<Means, SignInError> {
        let factors = store::factors_of(self.db(), person.id).await?;
        let has = |kind: FactorKind| factors.iter().any(|factor| factor.kind == kind);
        Ok(Means {
            has_app: has(FactorKind::Totp),
            has_codes: store::recovery_codes_left(self.db(), person.id).await? > 0,
            has_passkey: has(FactorKind::Passkey),
            has_password: store::password_of(self.db(), Some(person.id)).await?.is_some(),
        })
    }
}
