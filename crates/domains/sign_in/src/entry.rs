//! The way in: begin, complete, and what a proof becomes – a session, in one change with everything that it used up.

use db::{Change, CommitError, Statement};
use ledger::{Actor, Fact};
use people::{How, SessionKind, Started};
use serde_json::{Map, Value, json};
use types::{OrgId, Secret, Slug, Timestamp};
use web::Contact;

use crate::kind::{Next, Proven, Visit};
use crate::linking::{self, Known, Who};
use crate::model::{ProviderRef, email};
use crate::states::{For, Frame};
use crate::{EnabledProvider, OpenState, Owner, Reason, SignIn, SignInError, facts, store};

/// What a browser is told when it begins.
pub(crate) struct Opening {
    /// Names the sign-in to `login`.
    pub(crate) state: Secret<String>,
    /// For the cookie that ties the way back to this browser.
    pub(crate) browser: Secret<String>,
    pub(crate) expires_at: Timestamp,
    pub(crate) next: Next,
}

/// Somebody who came in.
pub(crate) struct Entered {
    pub(crate) started: Started,
    pub(crate) return_to: Option<String>,
}

impl SignIn {
    /// The organization that a sign-in is for; unknown ones are refused as unknown providers are.
    pub(crate) async fn asked_org(&self, slug: Option<&Slug>) -> Result<Option<OrgId>, SignInError> {
        let Some(slug) = slug else { return Ok(None) };
        let found = self.inner().people.org_by_slug(slug.as_str()).await?;
        found.map(|org| Some(org.id)).ok_or(SignInError::UnknownProvider)
    }

    pub(crate) async fn begin(
        &self,
        provider: &EnabledProvider,
        org: Option<OrgId>,
        return_to: Option<&str>,
        input: &Map<String, Value>,
        contact: &Contact,
    ) -> Result<Opening, SignInError> {
        if return_to.is_some_and(|target| !self.inner().redirects.allows(target)) {
            let reason = "is neither a path of this server nor listed in sign_in.return_to";
            return Err(SignInError::invalid("/return_to", reason));
        }
        let visit = self.visit(provider, org, contact);
        let begun = provider.kind().begin(provider, &visit, input).await?;
        let frame = Frame { provider: Some(provider.id()), org, return_to };
        let kept = self.keep_state(For::SignIn, &frame, begun.state).await?;
        self.note_begun(provider, contact).await?;
        Ok(Opening {
            state: kept.handle,
            browser: kept.browser,
            expires_at: kept.expires_at,
            next: begun.next,
        })
    }

    /// Completes a sign-in that was begun, or one that has a single step.
    pub(crate) async fn complete(
        &self,
        of: &ProviderRef,
        handle: Option<&str>,
        org: Option<OrgId>,
        input: &Map<String, Value>,
        contact: &Contact,
    ) -> Result<Entered, SignInError> {
        let completed = self.try_complete(of, handle, org, input, contact).await;
        self.noted(&of.to_string(), completed, contact).await
    }

    async fn try_complete(
        &self,
        of: &ProviderRef,
        handle: Option<&str>,
        org: Option<OrgId>,
        input: &Map<String, Value>,
        contact: &Contact,
    ) -> Result<Entered, SignInError> {
        let state = match handle {
            Some(handle) => Some(self.take_try(For::SignIn, handle).await?),
            None => None,
        };
        let provider = match state.as_ref().and_then(|state| state.provider) {
            Some(id) => self.enabled_again(id).await?,
            None => self.enabled(of, org).await?,
        };
        let named = match of {
            ProviderRef::Id(id) => *id == provider.id(),
            ProviderRef::Name(name) => name.as_str() == provider.provider().name,
        };
        if !named {
            return Err(SignInError::Refused(Reason::NoState));
        }
        let org = state.as_ref().map_or(org, |state| state.org);
        self.prove(&provider, org, state.as_ref(), input, contact).await
    }

    /// Completes a sign-in by a code that the short way sent.
    pub(crate) async fn complete_code(
        &self,
        handle: &str,
        input: &Map<String, Value>,
        contact: &Contact,
    ) -> Result<Entered, SignInError> {
        let coded = async {
            let state = self.take_try(For::SignIn, handle).await?;
            let id = state.provider.ok_or(SignInError::Refused(Reason::NoState))?;
            let provider = self.enabled_again(id).await?;
            self.prove(&provider, state.org, Some(&state), input, contact).await
        };
        let completed = coded.await;
        self.noted("otp", completed, contact).await
    }

    /// The provider sends the browser back: `input` is the query that it brought along.
    pub(crate) async fn come_back(
        &self,
        handle: &str,
        cookie: Option<&str>,
        input: &Map<String, Value>,
        contact: &Contact,
    ) -> Result<Entered, SignInError> {
        let back = async {
            let state = self.take_try(For::SignIn, handle).await?;
            // Whoever began elsewhere must not sign this browser in as themselves.
            if !self.is_same_browser(&state, cookie) {
                return Err(SignInError::Refused(Reason::NoState));
            }
            let id = state.provider.ok_or(SignInError::Refused(Reason::NoState))?;
            let provider = self.enabled_again(id).await?;
            self.prove(&provider, state.org, Some(&state), input, contact).await
        };
        let came = back.await;
        self.noted("callback", came, contact).await
    }

    async fn prove(
        &self,
        provider: &EnabledProvider,
        org: Option<OrgId>,
        state: Option<&OpenState>,
        input: &Map<String, Value>,
        contact: &Contact,
    ) -> Result<Entered, SignInError> {
        let visit = self.visit(provider, org, contact);
        let proven = provider.kind().complete(provider, &visit, state, input).await?;
        let used: Vec<Statement> = state.map(|state| self.use_up(state.id)).into_iter().collect();
        let started = self.admit_person(provider, org, &proven, used, contact).await?;
        Ok(Entered { started, return_to: state.and_then(|state| state.return_to.clone()) })
    }

    /// From what was proved to a session, by the rules of `linking.rs`. `used` goes into the same change.
    async fn admit_person(
        &self,
        provider: &EnabledProvider,
        asked: Option<OrgId>,
        proven: &Proven,
        used: Vec<Statement>,
        contact: &Contact,
    ) -> Result<Started, SignInError> {
        let inner = self.inner();
        let known = self.known(provider, proven).await?;
        let who = linking::who(provider.provider(), proven, known).map_err(SignInError::Refused)?;
        let how = How { factors: proven.factor.clone(), provider: Some(provider.id()), is_step_up: true };
        let (started, change) = match who {
            Who::Known { person, link } => {
                if !person.active {
                    return Err(SignInError::Refused(Reason::Suspended));
                }
                let of = inner.people.orgs_of(person.id).await?;
                let org = linking::target(provider.provider().owner, asked, &of);
                let org = org.ok_or(SignInError::Refused(Reason::NotAMember))?;
                let entering = inner.people.enter(None, org, &person, SessionKind::Browser, &how, contact);
                let (started, change) = entering.await?;
                (started, self.linking(change, provider, proven, link, person.id, org).await?)
            }
            Who::New { email } => {
                let org = match provider.provider().owner {
                    Owner::Org(org) => org,
                    Owner::Instance => inner.people.home().await?.id,
                };
                if asked.is_some_and(|asked| asked != org) {
                    return Err(SignInError::Refused(Reason::NotAMember));
                }
                let name = proven.display_name.as_deref().or(email.as_deref()).unwrap_or("Somebody");
                let name = name.split('@').next().unwrap_or(name);
                let roles: Vec<&str> = provider.provider().default_roles.iter().map(String::as_str).collect();
                let (person, joining) = inner.people.newcomer(org, name, email.as_deref(), &roles).await?;
                let entering =
                    inner.people.enter(Some(joining), org, &person, SessionKind::Browser, &how, contact);
                let (started, change) = entering.await?;
                let link = proven.identity.is_some();
                (started, self.linking(change, provider, proven, link, person.id, org).await?)
            }
        };
        match inner.db.commit(change.statements(used)).await {
            Ok(_) => Ok(started),
            Err(CommitError::Refused(code)) if *code == problem::SIGN_IN_REFUSED => {
                Err(SignInError::Refused(Reason::NoState))
            }
            // Another sign-in of the same newcomer was first; theirs stands, this one begins anew.
            Err(CommitError::Refused(_)) => Err(SignInError::Refused(Reason::EmailTaken)),
            Err(error) => Err(error.into()),
        }
    }

    async fn linking(
        &self,
        change: Change,
        provider: &EnabledProvider,
        proven: &Proven,
        link: bool,
        user: types::UserId,
        org: OrgId,
    ) -> Result<Change, SignInError> {
        let (true, Some((issuer, subject))) = (link, &proven.identity) else { return Ok(change) };
        let inner = self.inner();
        let fact = Fact::new(&facts::IDENTITY_LINKED, org, Actor::user(user, ""))
            .target("user", user, "")
            .data(json!({ "provider": provider.id(), "issuer": issuer }));
        let owner = provider.provider().owner;
        let linked = store::link(owner, issuer, subject, user, inner.world.now());
        Ok(change.fact(inner.ledger.seal(fact).await?).statement(linked))
    }

    async fn known(&self, provider: &EnabledProvider, proven: &Proven) -> Result<Known, SignInError> {
        let people = &self.inner().people;
        let user = match (&proven.user, &proven.identity) {
            (Some(user), _) => Some(*user),
            (None, Some((issuer, subject))) => {
                store::linked(self.db(), provider.provider().owner, issuer, subject).await?
            }
            (None, None) => None,
        };
        let by_identity = match user {
            Some(user) => people.person(user).await?.map(|person| people::Person::clone(&person)),
            None => None,
        };
        let address = proven.email.as_deref().and_then(email);
        let by_email = match &address {
            Some(address) => people.person_by_email(address).await?,
            None => None,
        };
        Ok(Known { by_identity, by_email, domain_proved: false })
    }

    fn visit<'a>(&self, provider: &EnabledProvider, org: Option<OrgId>, contact: &'a Contact) -> Visit<'a> {
        let public_url = &self.inner().settings.public_url;
        Visit { contact, org, callback: format!("{public_url}/api/v1/auth/{}/callback", provider.id()) }
    }

    /// Every attempt is a fact: those that came in left `session.started`, the others leave `auth.refused`.
    async fn noted<T>(
        &self,
        by: &str,
        attempt: Result<T, SignInError>,
        contact: &Contact,
    ) -> Result<T, SignInError> {
        let outcome = match &attempt {
            Ok(_) => "success",
            Err(SignInError::Refused(_) | SignInError::Disabled) => "refused",
            Err(_) => "failed",
        };
        metrics::counter!("safeconduct_sign_ins_total", "outcome" => outcome).increment(1);
        let reason = match &attempt {
            Err(SignInError::Refused(reason)) => reason.text(),
            Err(SignInError::Disabled) => "provider switched off",
            Err(SignInError::TooMany(_)) => "too many attempts",
            _ => return attempt,
        };
        self.inner().people.refused(by, reason, contact).await?;
        attempt
    }

    async fn note_begun(&self, provider: &EnabledProvider, contact: &Contact) -> Result<(), SignInError> {
        let inner = self.inner();
        let org = match provider.provider().owner {
            Owner::Org(org) => org,
            Owner::Instance => inner.people.home().await?.id,
        };
        let fact = Fact::new(&facts::SIGN_IN_BEGUN, org, Actor::anonymous(""))
            .origin(&contact.origin())
            .target("auth_provider", provider.id(), "")
            .data(json!({ "provider": provider.provider().name, "kind": provider.provider().kind }));
        let source = contact.ip.unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        Ok(inner.ledger.refuse(fact, source).await?)
    }
}
