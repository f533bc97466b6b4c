//! The way in: begin, complete, and what a proof becomes – a session, in one change with everything that it used up, or half
//! of one where the person has a second factor.

use db::{Bookkeeping, Change, CommitError, Statement};
use ledger::{Actor, Fact};
use people::{How, Person, SessionKind, Started};
use serde_json::{Map, Value, json};
use types::{OrgId, Secret, Slug, Timestamp, UserId};
use web::Contact;

use crate::kind::{NewState, Next, Proven, Visit, text};
use crate::kinds::issuer_of;
use crate::linking::{self, Known, Who};
use crate::model::{ProviderRef, domain, email};
use crate::service::SIGN_IN;
use crate::states::{For, Frame};
use crate::step_up::Way;
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

/// What a first proof led to.
pub(crate) enum Entered {
    In {
        started: Box<Started>,
        return_to: Option<String>,
    },
    /// The person has a second factor, which is asked for now.
    Half {
        state: Secret<String>,
        expires_at: Timestamp,
        ways: Vec<Way>,
    },
}

/// Guesses of a second factor before the first is asked for again.
const SECOND_TRIES: i64 = 5;

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
        // What begins with an account sends something to it; known or not, it is counted.
        if let Some(account) = provider.kind().account(None, input) {
            self.defence().letter(&account).await?;
        }
        let visit = self.visit(provider, org, contact);
        let handle = self.new_handle();
        let begun = provider.kind().begin(provider, &visit, &handle, input).await?;
        let frame = Frame { provider: Some(provider.id()), org, return_to };
        let kept = self.keep_state_as(handle, For::SignIn, &frame, begun.state).await?;
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
        let by = of.to_string();
        let state = match handle {
            Some(handle) => {
                let taking = self.take_try(For::SignIn, handle);
                Some(self.watched(&by, None, contact, taking).await?)
            }
            None => None,
        };
        let finding = async {
            let provider = match state.as_ref().and_then(|state| state.provider) {
                Some(id) => self.enabled_again(id).await?,
                None => self.enabled(of, org).await?,
            };
            let named = match of {
                ProviderRef::Id(id) => *id == provider.id(),
                ProviderRef::Name(name) => name.as_str() == provider.provider().name,
            };
            // What went away comes back by itself, to the browser that it left.
            let fits = named && !provider.kind().sends_away();
            fits.then_some(provider).ok_or(SignInError::Refused(Reason::NoState))
        };
        let provider = self.watched(&by, None, contact, finding).await?;
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
        let finding = async {
            let state = self.take_try(For::SignIn, handle).await?;
            let id = state.provider.ok_or(SignInError::Refused(Reason::NoState))?;
            Ok((self.enabled_again(id).await?, state))
        };
        let (provider, state) = self.watched("otp", None, contact, finding).await?;
        self.prove(&provider, state.org, Some(&state), input, contact).await
    }

    /// A program shows the token of an issuer that is trusted here.
    pub(crate) async fn complete_external(
        &self,
        token: &str,
        org: Option<OrgId>,
        contact: &Contact,
    ) -> Result<Entered, SignInError> {
        let finding = async {
            let issuer = issuer_of(token).ok_or(SignInError::Refused(Reason::WrongProof))?;
            self.enabled_external(&issuer, org).await
        };
        let provider = self.watched("external", None, contact, finding).await?;
        let input = Map::from_iter([("token".to_owned(), Value::from(token))]);
        self.prove(&provider, org, None, &input, contact).await
    }

    /// The provider sends the browser back: `input` is the query that it brought along.
    pub(crate) async fn come_back(
        &self,
        of: &ProviderRef,
        handle: &str,
        cookie: Option<&str>,
        input: &Map<String, Value>,
        contact: &Contact,
    ) -> Result<(Entered, Option<String>), SignInError> {
        let finding = async {
            let state = self.take_try(For::SignIn, handle).await?;
            // Whoever began elsewhere must not sign this browser in as themselves.
            if !self.is_same_browser(&state, cookie) {
                return Err(SignInError::Refused(Reason::NoState));
            }
            let id = state.provider.ok_or(SignInError::Refused(Reason::NoState))?;
            // Each provider has an address of its own to come back to: what another sent is not taken for its answer.
            if *of != ProviderRef::Id(id) {
                return Err(SignInError::Refused(Reason::NoState));
            }
            Ok((self.enabled_again(id).await?, state))
        };
        let (provider, state) = self.watched("callback", None, contact, finding).await?;
        let entered = self.prove(&provider, state.org, Some(&state), input, contact).await?;
        Ok((entered, state.return_to))
    }

    async fn prove(
        &self,
        provider: &EnabledProvider,
        org: Option<OrgId>,
        state: Option<&OpenState>,
        input: &Map<String, Value>,
        contact: &Contact,
    ) -> Result<Entered, SignInError> {
        let account = provider.kind().account(state, input);
        let proving = Box::pin(async {
            let visit = self.visit(provider, org, contact);
            let mut proven = provider.kind().complete(provider, &visit, state, input).await?;
            let mut used = std::mem::take(&mut proven.used);
            let return_to = state.and_then(|state| state.return_to.clone());
            let guest = self.guest(provider, org, &proven).await?;
            if let Guest::Known { person, .. } = &guest
                && let Some(ways) = self.second_ways(person, &proven).await?
            {
                return self.half(provider, org, state, (&proven, used), person.id, ways).await;
            }
            used.extend(state.map(|state| self.use_up(state.id)));
            let started = self.let_in(provider, guest, &proven, None, used, contact).await?;
            Ok(Entered::In { started: Box::new(started), return_to })
        });
        self.watched(provider.kind().name(), account.as_deref(), contact, proving).await
    }

    /// The second step: `way` is an app's code or a recovery code.
    pub(crate) async fn complete_second(
        &self,
        handle: &str,
        way: Way,
        input: &Map<String, Value>,
        contact: &Contact,
    ) -> Result<Entered, SignInError> {
        let finding = async {
            let state = self.take_try(For::SecondFactor, handle).await?;
            let id = state.provider.ok_or(SignInError::Refused(Reason::NoState))?;
            Ok((self.enabled_again(id).await?, state))
        };
        let (provider, state) = self.watched("second factor", None, contact, finding).await?;
        let proven: Proven = serde_json::from_value(state.data.clone()).map_err(SignInError::internal)?;
        let guest = self.guest(&provider, state.org, &proven).await?;
        let account = match &guest {
            Guest::Known { person, .. } => Some(person.id.to_string()),
            Guest::New { .. } => None,
        };
        let proving = Box::pin(async {
            let Guest::Known { person, .. } = &guest else {
                return Err(SignInError::Refused(Reason::UnknownPerson));
            };
            let mut used = match way {
                Way::Totp => vec![self.check_app(person.id, text(input, "code")?).await?],
                Way::Recovery => vec![self.check_recovery_code(person.id, text(input, "code")?)],
                Way::Passkey | Way::Password | Way::Otp => {
                    return Err(SignInError::invalid("/way", "is none of: totp, recovery"));
                }
            };
            used.push(self.use_up(state.id));
            let second = Some(way);
            let started = self.let_in(&provider, guest, &proven, second, used, contact).await?;
            Ok(Entered::In { started: Box::new(started), return_to: state.return_to.clone() })
        });
        self.watched("second factor", account.as_deref(), contact, proving).await
    }

    /// What else a person must show before they are in; none where the proof holds two factors or they have no second.
    async fn second_ways(&self, person: &Person, proven: &Proven) -> Result<Option<Vec<Way>>, SignInError> {
        if proven.is_multi {
            return Ok(None);
        }
        let means = self.means_of(person).await?;
        if !means.has_app {
            return Ok(None);
        }
        let recovery = means.has_codes.then_some(Way::Recovery);
        Ok(Some([Way::Totp].into_iter().chain(recovery).collect()))
    }

    /// The first proof is used up and kept; nothing of the person is told yet.
    async fn half(
        &self,
        provider: &EnabledProvider,
        org: Option<OrgId>,
        state: Option<&OpenState>,
        (proven, used): (&Proven, Vec<Statement>),
        user: UserId,
        ways: Vec<Way>,
    ) -> Result<Entered, SignInError> {
        if !used.is_empty() {
            let home = self.inner().people.home().await?.id;
            let fact = Fact::new(&facts::FIRST_PROOF_SHOWN, org.unwrap_or(home), Actor::anonymous(""))
                .target("user", user, "")
                .data(json!({ "provider": provider.provider().name }));
            let change = Change::new(SIGN_IN, self.inner().ledger.seal(fact).await?).statements(used);
            self.db().commit(change).await.map_err(|error| match error {
                CommitError::Refused(_) => SignInError::Refused(Reason::NoState),
                other => other.into(),
            })?;
        }
        if let Some(state) = state {
            let now = self.inner().world.now();
            let using =
                Bookkeeping::new(SIGN_IN).statement(store::spend_state(state.id, now).returning("id"));
            if self.db().keep(using).await?.iter().all(Vec::is_empty) {
                return Err(SignInError::Refused(Reason::NoState));
            }
        }
        let new = NewState {
            data: serde_json::to_value(proven).map_err(SignInError::internal)?,
            subject: Some(user.to_string()),
            tries: SECOND_TRIES,
            lifetime: None,
        };
        let return_to = state.and_then(|state| state.return_to.as_deref());
        let frame = Frame { provider: Some(provider.id()), org, return_to };
        let kept = self.keep_state(For::SecondFactor, &frame, new).await?;
        Ok(Entered::Half { state: kept.handle, expires_at: kept.expires_at, ways })
    }

    /// Who stands at the door and where they would go, by the rules of `linking.rs`.
    async fn guest(
        &self,
        provider: &EnabledProvider,
        asked: Option<OrgId>,
        proven: &Proven,
    ) -> Result<Guest, SignInError> {
        let inner = self.inner();
        let known = self.known(provider, proven).await?;
        match linking::who(provider.provider(), proven, known).map_err(SignInError::Refused)? {
            Who::Known { person, link } => {
                if !person.active {
                    return Err(SignInError::Refused(Reason::Suspended));
                }
                let of = inner.people.orgs_of(person.id).await?;
                let org = linking::target(provider.provider().owner, asked, &of);
                let org = org.ok_or(SignInError::Refused(Reason::NotAMember))?;
                Ok(Guest::Known { person, link, org })
            }
            Who::New { email } => {
                let org = match provider.provider().owner {
                    Owner::Org(org) => org,
                    Owner::Instance => inner.people.home().await?.id,
                };
                if asked.is_some_and(|asked| asked != org) {
                    return Err(SignInError::Refused(Reason::NotAMember));
                }
                Ok(Guest::New { email, org })
            }
        }
    }

    /// The session, and the one change that makes it: `used` goes along, so that of many racers one gets in.
    async fn let_in(
        &self,
        provider: &EnabledProvider,
        guest: Guest,
        proven: &Proven,
        second: Option<Way>,
        used: Vec<Statement>,
        contact: &Contact,
    ) -> Result<Started, SignInError> {
        let people = &self.inner().people;
        let mut how = How { factors: proven.factor.clone(), provider: Some(provider.id()), is_step_up: true };
        if let Some(second) = second {
            how.factors = format!("{}+{}", how.factors, second.name());
        }
        let (started, change, link, given) = match guest {
            Guest::Known { person, link, org } => {
                // One of several factors opens less than all that somebody has.
                let ways = self.confirming_ways(&person, org, &proven.factor).await?;
                let has_others = ways.iter().any(|way| way.name() != proven.factor);
                how.is_step_up = proven.is_multi || second.is_some() || !has_others;
                let entering = people.enter(None, org, &person, SessionKind::Browser, &how, contact);
                let (started, mut change) = entering.await?;
                if proven.email_is_ours {
                    change = people::People::verifying_email(change, org, &person);
                }
                (started, change, link, &[][..])
            }
            Guest::New { email, org } => {
                let name = proven.display_name.as_deref().or(email.as_deref()).unwrap_or("Somebody");
                let name = name.split('@').next().unwrap_or(name);
                let roles: Vec<&str> = provider.provider().default_roles.iter().map(String::as_str).collect();
                let (person, joining) = people.newcomer(org, name, email.as_deref(), &roles).await?;
                let entering = people.enter(Some(joining), org, &person, SessionKind::Browser, &how, contact);
                let (started, change) = entering.await?;
                (started, change, proven.identity.is_some(), provider.provider().default_roles.as_slice())
            }
        };
        let change = self.linking(change, provider, proven, link, &started).await?;
        let change = self.following(change, provider, proven, given, &started).await?;
        match self.db().commit(change.statements(used)).await {
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
        started: &Started,
    ) -> Result<Change, SignInError> {
        let (true, Some((issuer, subject))) = (link, &proven.identity) else { return Ok(change) };
        let inner = self.inner();
        let (user, org) = (started.person.id, started.session.org);
        let fact = Fact::new(&facts::IDENTITY_LINKED, org, Actor::user(user, &started.person.display_name))
            .target("user", user, "")
            .data(json!({ "provider": provider.id(), "issuer": issuer }));
        let owner = provider.provider().owner;
        let linked = store::link(owner, issuer, subject, user, inner.world.now());
        Ok(change.fact(inner.ledger.seal(fact).await?).statement(linked))
    }

    /// Roles that follow the groups of the provider's directory. A provider of the instance speaks for the home organization
    /// only: what people may do in the others is theirs to say.
    async fn following(
        &self,
        change: Change,
        provider: &EnabledProvider,
        proven: &Proven,
        given: &[String],
        started: &Started,
    ) -> Result<Change, SignInError> {
        let Some(groups) = &proven.groups else { return Ok(change) };
        let people = &self.inner().people;
        let speaks_for = match provider.provider().owner {
            Owner::Org(org) => org,
            Owner::Instance => people.home().await?.id,
        };
        let org = started.session.org;
        if org != speaks_for {
            return Ok(change);
        }
        let roles = linking::roles_of(&provider.provider().group_roles, groups);
        let source = provider.id().to_string();
        Ok(people.following(change, org, &started.person, &source, &roles, given).await?)
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
            Some(user) => people.person(user).await?.map(|person| Person::clone(&person)),
            None => None,
        };
        let address = proven.email.as_deref().and_then(email);
        let by_email = match &address {
            Some(address) => people.person_by_email(address).await?,
            None => None,
        };
        let domain_proved = match (provider.provider().owner, &address) {
            (Owner::Org(org), Some(address)) => people.has_proved(org, domain(address)).await?,
            _ => false,
        };
        Ok(Known { by_identity, by_email, domain_proved })
    }

    pub(crate) fn visit<'a>(
        &self,
        provider: &EnabledProvider,
        org: Option<OrgId>,
        contact: &'a Contact,
    ) -> Visit<'a> {
        let public_url = &self.inner().settings.public_url;
        Visit { contact, org, callback: format!("{public_url}/api/v1/auth/{}/callback", provider.id()) }
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

/// Who stands at the door, and where they would go.
enum Guest {
    Known { person: Box<Person>, link: bool, org: OrgId },
    New { email: Option<String>, org: OrgId },
}
