//! Confirming: a person who is signed in proves once more who they are, with another factor than their first where they have
//! one. And the second step of a sign-in, which asks the same question before there is a session.

use db::{CommitError, Statement};
use people::{Person, SteppedUp};
use serde::Serialize;
use serde_json::{Map, Value};
use types::OrgId;
use utoipa::ToSchema;
use web::{Allowance, Contact};

use crate::entry::Opening;
use crate::factors::person_of;
use crate::kind::{Proven, text};
use crate::states::{For, Frame};
use crate::{EnabledProvider, OpenState, Reason, SignIn, SignInError};

/// A way to prove oneself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Totp,
    Recovery,
    Passkey,
    Password,
    Otp,
}

impl Way {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Recovery => "recovery",
            Self::Passkey => "passkey",
            Self::Password => "password",
            Self::Otp => "otp",
        }
    }
}

impl SignIn {
    /// What a person could prove themselves by here and now; ways by a provider only while it is switched on.
    pub(crate) async fn ways_of(&self, person: &Person, org: OrgId) -> Result<Vec<Way>, SignInError> {
        let means = self.means_of(person).await?;
        let mut ways = Vec::new();
        let candidates = [
            (Way::Totp, means.has_app, false),
            (Way::Passkey, means.has_passkey, true),
            (Way::Password, means.has_password, true),
            (Way::Otp, person.email.is_some(), true),
            (Way::Recovery, means.has_codes, false),
        ];
        for (way, has, by_provider) in candidates {
            let open = has && (!by_provider || self.enabled_of_kind(way.name(), Some(org)).await.is_ok());
            if open {
                ways.push(way);
            }
        }
        Ok(ways)
    }

    /// What may confirm a session that began with these factors: others than the first if there are any, else the first.
    pub(crate) async fn confirming_ways(
        &self,
        person: &Person,
        org: OrgId,
        factors: &str,
    ) -> Result<Vec<Way>, SignInError> {
        let first = factors.split('+').next().unwrap_or_default();
        let ways = self.ways_of(person, org).await?;
        let (firsts, others): (Vec<Way>, Vec<Way>) = ways.into_iter().partition(|way| way.name() == first);
        Ok(if others.is_empty() { firsts } else { others })
    }

    /// For a signed-in caller.
    pub(crate) async fn step_up_ways(&self, by: &Allowance) -> Result<Vec<Way>, SignInError> {
        let (person, session) = self.at_browser(by).await?;
        self.confirming_ways(&person, session.org, &session.factors).await
    }

    /// Sends a code, or makes the options of a passkey.
    pub(crate) async fn begin_step_up(&self, by: &Allowance, way: Way) -> Result<Opening, SignInError> {
        let (person, session) = self.at_browser(by).await?;
        self.offered_way(&person, session.org, &session.factors, way).await?;
        let provider = self.enabled_of_kind(way.name(), Some(session.org)).await?;
        self.begin_for(For::StepUp, &provider, &person, session.org, by.contact()).await
    }

    pub(crate) async fn begin_for(
        &self,
        purpose: For,
        provider: &EnabledProvider,
        person: &Person,
        org: OrgId,
        contact: &Contact,
    ) -> Result<Opening, SignInError> {
        let mut input = Map::new();
        if let Some(email) = &person.email {
            input.insert("email".to_owned(), Value::String(email.clone()));
        }
        if let Some(mailbox) = provider.kind().account(None, &input) {
            self.defence().letter(&mailbox).await?;
        }
        let visit = self.visit(provider, Some(org), contact);
        let handle = self.new_handle();
        let begun = provider.kind().begin(provider, &visit, &handle, &input).await?;
        let frame = Frame { provider: Some(provider.id()), org: Some(org), return_to: None };
        let kept = self.keep_state_as(handle, purpose, &frame, begun.state).await?;
        Ok(Opening {
            state: kept.handle,
            browser: kept.browser,
            expires_at: kept.expires_at,
            next: begun.next,
        })
    }

    pub(crate) async fn step_up(
        &self,
        by: &Allowance,
        way: Way,
        handle: Option<&str>,
        input: &Map<String, Value>,
    ) -> Result<SteppedUp, SignInError> {
        let (person, session) = self.at_browser(by).await?;
        let confirmed = async {
            self.offered_way(&person, session.org, &session.factors, way).await?;
            let state = match handle {
                Some(handle) => Some(self.take_try(For::StepUp, handle).await?),
                None => None,
            };
            let used = self.proof(&person, session.org, way, state.as_ref(), input, by.contact()).await?;
            let (stepped, change) = self.inner().people.stepping_up(by, session.id, way.name()).await?;
            self.commit_proof(change.statements(used)).await?;
            Ok(stepped)
        };
        let account = person.id.to_string();
        self.watched("step-up", Some(&account), by.contact(), confirmed).await
    }

    /// Checks one more proof of a person whom we know; what it uses up goes into the change that it leads to.
    pub(crate) async fn proof(
        &self,
        person: &Person,
        org: OrgId,
        way: Way,
        state: Option<&OpenState>,
        input: &Map<String, Value>,
        contact: &Contact,
    ) -> Result<Vec<Statement>, SignInError> {
        match way {
            Way::Totp => Ok(vec![self.check_app(person.id, text(input, "code")?).await?]),
            Way::Recovery => Ok(vec![self.check_recovery_code(person.id, text(input, "code")?)]),
            Way::Passkey | Way::Password | Way::Otp => {
                let provider = match state.and_then(|state| state.provider) {
                    Some(id) => self.enabled_again(id).await?,
                    None => self.enabled_of_kind(way.name(), Some(org)).await?,
                };
                if provider.kind().name() != way.name() {
                    return Err(SignInError::Refused(Reason::NoState));
                }
                let mut input = input.clone();
                if let (Way::Password, Some(email)) = (way, &person.email) {
                    input.insert("login".to_owned(), Value::String(email.clone()));
                }
                let visit = self.visit(&provider, Some(org), contact);
                let proven = provider.kind().complete(&provider, &visit, state, &input).await?;
                if !is_of(&proven, person) {
                    return Err(SignInError::Refused(Reason::WrongProof));
                }
                let used = state.map(|state| self.use_up(state.id));
                Ok(used.into_iter().chain(proven.used).collect())
            }
        }
    }

    pub(crate) async fn commit_proof(&self, change: db::Change) -> Result<(), SignInError> {
        match self.inner().db.commit(change).await {
            Ok(_) => Ok(()),
            Err(CommitError::Refused(code)) if *code == problem::SIGN_IN_REFUSED => {
                Err(SignInError::Refused(Reason::WrongProof))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn offered_way(
        &self,
        person: &Person,
        org: OrgId,
        factors: &str,
        way: Way,
    ) -> Result<(), SignInError> {
        let ways = self.confirming_ways(person, org, factors).await?;
        if ways.contains(&way) {
            return Ok(());
        }
        let names: Vec<&str> = ways.iter().map(|way| way.name()).collect();
        let reason = match names.is_empty() {
            true => "you have no factor yet; sign in anew, by a link if by nothing else".to_owned(),
            false => format!("does not confirm this session; use one of: {}", names.join(", ")),
        };
        Err(SignInError::invalid("/way", &reason))
    }

    /// The person and session of a caller at a browser.
    async fn at_browser(&self, by: &Allowance) -> Result<(Person, people::Session), SignInError> {
        let user = person_of(by)?;
        let session = self.inner().people.session_at_browser(by).await?;
        let person = self.inner().people.person(user).await?;
        let person = person.ok_or_else(|| SignInError::internal("a session without person"))?;
        Ok((Person::clone(&person), session))
    }
}

fn is_of(proven: &Proven, person: &Person) -> bool {
    match (proven.user, &proven.email) {
        (Some(user), _) => user == person.id,
        (None, Some(email)) => proven.email_is_ours && person.email.as_ref() == Some(email),
        (None, None) => false,
    }
}
