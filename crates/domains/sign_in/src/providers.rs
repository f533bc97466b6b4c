//! Decisions about providers: setting one up, changing it, trying it out, removing it.

use access::{Head, NewGrants};
use authority::Required;
use db::Change;
use problem::{FieldError, PERMISSION_DENIED, Problem};
use serde_json::{Map, Value, json};
use types::{AuthProviderId, Name};
use web::{Allowance, Decided, Object};

use crate::kind::Finding;
use crate::model::{GroupRoles, Owner, Provider, Source};
use crate::service::SIGN_IN;
use crate::{SignIn, SignInError, facts, store};

/// Settings by name.
pub(crate) type Members = Map<String, Value>;

/// What a caller wants set up; checked by the schema of its operation.
pub(crate) struct Wanted {
    pub(crate) name: Name,
    pub(crate) display_name: Option<String>,
    pub(crate) kind: String,
    pub(crate) instance: bool,
    pub(crate) enabled: bool,
    pub(crate) settings: Map<String, Value>,
    pub(crate) default_roles: Vec<String>,
    pub(crate) create_users: bool,
    pub(crate) allowed_domains: Vec<String>,
    pub(crate) group_roles: GroupRoles,
    pub(crate) trust_email: bool,
}

/// What is `None` stays; settings are merged (RFC 7396).
#[derive(Default)]
pub(crate) struct Patch {
    pub(crate) display_name: Option<String>,
    pub(crate) enabled: Option<bool>,
    pub(crate) settings: Option<Map<String, Value>>,
    pub(crate) default_roles: Option<Vec<String>>,
    pub(crate) create_users: Option<bool>,
    pub(crate) allowed_domains: Option<Vec<String>>,
    /// Replaces the whole map.
    pub(crate) group_roles: Option<GroupRoles>,
    pub(crate) trust_email: Option<bool>,
}

/// What a test found.
pub(crate) struct Tested {
    pub(crate) works: bool,
    pub(crate) findings: Vec<Finding>,
}

impl SignIn {
    pub(crate) async fn create(
        &self,
        by: &Allowance,
        wanted: &Wanted,
    ) -> Result<Decided<Provider>, SignInError> {
        let inner = self.inner();
        let now = inner.world.now();
        let owner = if wanted.instance { Owner::Instance } else { Owner::Org(by.org()) };
        let id: AuthProviderId = inner.world.id();
        by.check(&object(&id.to_string()))?;
        may_touch(by, owner)?;
        let (settings, secrets) = self.checked(owner, &wanted.kind, &wanted.settings).await?;
        let provider = Provider {
            id,
            owner,
            name: wanted.name.to_string(),
            display_name: wanted.display_name.clone().unwrap_or_else(|| wanted.name.to_string()),
            kind: wanted.kind.clone(),
            enabled: wanted.enabled,
            settings,
            has_secrets: !secrets.is_empty(),
            default_roles: wanted.default_roles.clone(),
            create_users: wanted.create_users,
            allowed_domains: folded(&wanted.allowed_domains),
            group_roles: wanted.group_roles.clone(),
            trust_email: wanted.trust_email,
            source: Source::Api,
            created_at: now,
            updated_at: now,
            revision: 1,
        };
        consistent(&provider)?;
        let head = self.may_give(by, &provider).await?;
        let fact =
            by.fact(&facts::PROVIDER_CREATED).target("auth_provider", id, &provider.name).data(json!({
                "name": provider.name,
                "kind": provider.kind,
                "instance": wanted.instance,
                "enabled": provider.enabled,
            }));
        let sealed = self.sealed(&provider, &secrets).await?;
        let change = self
            .change(by, owner, inner.ledger.seal(fact).await?)
            .statement(store::insert(&provider, sealed));
        Ok(Decided::new(head.relied_on(change), provider))
    }

    pub(crate) async fn update(
        &self,
        by: &Allowance,
        id: AuthProviderId,
        patch: &Patch,
    ) -> Result<Decided<Provider>, SignInError> {
        let inner = self.inner();
        let mut provider = self.writable(by, id).await?;
        let mut secrets = self.secrets_of(&provider).await?;
        let mut fields = Vec::new();
        if let Some(changes) = &patch.settings {
            let mut whole = provider.settings.clone();
            whole.extend(secrets.clone());
            merge(&mut whole, changes);
            let before = std::mem::take(&mut provider.settings);
            (provider.settings, secrets) = self.checked(provider.owner, &provider.kind, &whole).await?;
            self.not_carried_elsewhere(&provider, changes, &before, &secrets)?;
            fields.push("settings");
        }
        let mut set = |name: &'static str, changed: bool| changed.then(|| fields.push(name));
        set("display_name", replace(&mut provider.display_name, &patch.display_name));
        set("enabled", replace(&mut provider.enabled, &patch.enabled));
        set("default_roles", replace(&mut provider.default_roles, &patch.default_roles));
        set("create_users", replace(&mut provider.create_users, &patch.create_users));
        set(
            "allowed_domains",
            replace(&mut provider.allowed_domains, &patch.allowed_domains.as_deref().map(folded)),
        );
        set("group_roles", replace(&mut provider.group_roles, &patch.group_roles));
        set("trust_email", replace(&mut provider.trust_email, &patch.trust_email));
        consistent(&provider)?;
        let gives = patch.default_roles.is_some() || patch.group_roles.is_some();
        let head = if gives { Some(self.may_give(by, &provider).await?) } else { None };
        provider.has_secrets = !secrets.is_empty();
        provider.updated_at = inner.world.now();
        provider.revision += 1;
        let fact =
            by.fact(&facts::PROVIDER_UPDATED).target("auth_provider", id, &provider.name).data(json!({
                "name": provider.name,
                "instance": provider.owner == Owner::Instance,
                "enabled": provider.enabled,
                "fields": fields,
            }));
        let sealed = self.sealed(&provider, &secrets).await?;
        let change = self
            .change(by, provider.owner, inner.ledger.seal(fact).await?)
            .statement(store::update(&provider, sealed));
        let change = match head {
            Some(head) => head.relied_on(change),
            None => change,
        };
        Ok(Decided::new(change, provider))
    }

    /// Whoever may change a provider may not thereby have its secrets sent to an address of theirs.
    fn not_carried_elsewhere(
        &self,
        provider: &Provider,
        changes: &Members,
        before: &Members,
        secrets: &Members,
    ) -> Result<(), SignInError> {
        let Some(kind) = self.kinds().get(&provider.kind) else { return Ok(()) };
        let leads = |name: &&&str| provider.settings.get(**name) != before.get(**name);
        let is_held = |name: &str| secrets.contains_key(name) || provider.settings.contains_key(name);
        let kept = kind.secrets().iter().find(|name| is_held(name) && !changes.contains_key(**name));
        match (kind.leads_to().iter().find(leads), kept) {
            (Some(moved), Some(secret)) => {
                let reason = format!("must be sent again, because {moved} leads elsewhere now");
                Err(SignInError::invalid(&format!("/settings/{secret}"), &reason))
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn delete(
        &self,
        by: &Allowance,
        id: AuthProviderId,
    ) -> Result<Decided<Provider>, SignInError> {
        let provider = self.writable(by, id).await?;
        let fact = by
            .fact(&facts::PROVIDER_DELETED)
            .target("auth_provider", id, &provider.name)
            .data(json!({ "name": provider.name, "instance": provider.owner == Owner::Instance }));
        let change = self
            .change(by, provider.owner, self.inner().ledger.seal(fact).await?)
            .statement(store::delete(&provider));
        Ok(Decided::new(change, provider))
    }

    /// Tries a provider out, also one that is not switched on yet.
    pub(crate) async fn test(
        &self,
        by: &Allowance,
        id: AuthProviderId,
    ) -> Result<Decided<Tested>, SignInError> {
        let provider = self.find(by, id).await?;
        may_touch(by, provider.owner)?;
        let (owner, name) = (provider.owner, provider.name.clone());
        let opened = self.opened(provider).await?;
        let findings = opened.kind().test(&opened).await;
        let works = findings.iter().all(|finding| finding.works);
        let fact = by
            .fact(&facts::PROVIDER_TESTED)
            .target("auth_provider", id, &name)
            .data(json!({ "name": name, "works": works }));
        let change = self.change(by, owner, self.inner().ledger.seal(fact).await?);
        Ok(Decided::new(change, Tested { works, findings }))
    }

    /// One of the caller's organization, or of the instance if they may see it.
    pub(crate) async fn find(&self, by: &Allowance, id: AuthProviderId) -> Result<Provider, SignInError> {
        let found = store::by_id(self.db(), id).await?.ok_or(SignInError::UnknownProvider)?;
        match found.owner {
            Owner::Org(org) if org != by.org() => return Err(SignInError::UnknownProvider),
            Owner::Instance if !may_see_instance(by) => return Err(SignInError::UnknownProvider),
            _ => {}
        }
        by.check(&object(&id.to_string()))?;
        Ok(found)
    }

    /// Nobody hands out by way of newcomers or of a directory what they do not hold.
    async fn may_give(&self, by: &Allowance, provider: &Provider) -> Result<Head, SignInError> {
        let giver = self.inner().access.giver(by).await?;
        giver.holds(newcomers(&provider.default_roles)?.authority())?;
        for roles in provider.group_roles.values() {
            giver.holds(newcomers(roles)?.authority())?;
        }
        Ok(giver.head)
    }

    async fn writable(&self, by: &Allowance, id: AuthProviderId) -> Result<Provider, SignInError> {
        let provider = self.find(by, id).await?;
        may_touch(by, provider.owner)?;
        by.expect_revision(provider.revision)?;
        if provider.source == Source::File {
            let detail = "This provider comes from the server's file (sign_in.providers_file). Change it there and restart.";
            return Err(Problem::new(&problem::CONFLICT, detail).into());
        }
        Ok(provider)
    }

    /// What belongs to the instance is no organization's row.
    fn change(&self, by: &Allowance, owner: Owner, fact: db::FactRow) -> Change {
        match owner {
            Owner::Org(_) => Change::new(by.scope(), fact),
            Owner::Instance => Change::new(SIGN_IN, fact),
        }
    }

    /// Settings as the kind wants them, parted into open and secret ones. References to a Vault are open; what they lead to is
    /// held against the kind's rules too.
    pub(crate) async fn checked(
        &self,
        owner: Owner,
        kind: &str,
        settings: &Map<String, Value>,
    ) -> Result<(Members, Members), SignInError> {
        let Some(found) = self.kinds().get(kind).cloned() else {
            let reason = format!("is none of {}", self.kinds().names().join(", "));
            return Err(SignInError::invalid("/kind", &reason));
        };
        let referred = self.referred(&*found, owner, settings)?;
        let errors: Vec<FieldError> = found.check(&self.resolved(settings, &referred).await?);
        if !errors.is_empty() {
            return Err(SignInError::Invalid(errors));
        }
        let mut settings = settings.clone();
        self.put_away(&mut settings, &referred).await?;
        let is_secret = |name: &str, value: &Value| found.secrets().contains(&name) && !value.is_object();
        let (secrets, open) =
            settings.into_iter().partition(|(name, value): &(String, Value)| is_secret(name, value));
        Ok((open, secrets))
    }
}

const SEE_INSTANCE: &str = "system:read";
const TOUCH_INSTANCE: &str = "system:update";

pub(crate) fn may_see_instance(by: &Allowance) -> bool {
    by.check_for(&Required::parse(SEE_INSTANCE), &object("auth_providers")).is_ok()
}

/// What the whole instance signs in by is the operator's.
fn may_touch(by: &Allowance, owner: Owner) -> Result<(), Problem> {
    if owner == Owner::Instance
        && by.check_for(&Required::parse(TOUCH_INSTANCE), &object("auth_providers")).is_err()
    {
        let detail = "Providers of the whole instance are the operator's. Leave out `instance` for one of your organization.";
        return Err(Problem::new(&PERMISSION_DENIED, detail).with_member("permission", TOUCH_INSTANCE));
    }
    Ok(())
}

/// What newcomers get. Roles of an organization's own may change under a provider, so only built-in ones are taken.
pub(crate) fn newcomers(roles: &[String]) -> Result<NewGrants, SignInError> {
    let names: Vec<&str> = roles.iter().map(String::as_str).collect();
    let unknown = names.iter().position(|name| NewGrants::built_in(&[*name]).gifts.is_empty());
    match unknown {
        Some(at) => Err(SignInError::invalid(&format!("/default_roles/{at}"), "is no built-in role")),
        None => Ok(NewGrants::built_in(&names)),
    }
}

/// A directory gives built-in roles, but makes nobody an owner: an emptied group would leave the organization without one.
fn followed(group_roles: &GroupRoles) -> Result<(), SignInError> {
    for (group, roles) in group_roles {
        let names: Vec<&str> = roles.iter().map(String::as_str).collect();
        let unfit = |name: &&str| *name == "owner" || NewGrants::built_in(&[*name]).gifts.is_empty();
        if let Some(at) = names.iter().position(unfit) {
            let field = format!("/group_roles/{}/{at}", group.replace('~', "~0").replace('/', "~1"));
            return Err(SignInError::invalid(&field, "is no built-in role that a directory can give"));
        }
    }
    Ok(())
}

fn object(id: &str) -> Object<'_> {
    Object { selector: id.into(), ..Object::default() }
}

pub(crate) fn consistent(provider: &Provider) -> Result<(), SignInError> {
    newcomers(&provider.default_roles)?;
    followed(&provider.group_roles)?;
    if provider.trust_email && provider.owner != Owner::Instance {
        let reason = "is the operator's to set, on providers of the instance; prove the domain instead";
        return Err(SignInError::invalid("/trust_email", reason));
    }
    let wrong = provider.allowed_domains.iter().position(|domain| {
        !domain.contains('.') || domain.contains(['@', '*', '/']) || domain.contains(char::is_whitespace)
    });
    match wrong {
        Some(at) => {
            Err(SignInError::invalid(&format!("/allowed_domains/{at}"), "is no domain such as example.com"))
        }
        None => Ok(()),
    }
}

pub(crate) fn folded(domains: &[String]) -> Vec<String> {
    domains.iter().map(|domain| domain.trim().to_lowercase()).collect()
}

fn replace<T: Clone + PartialEq>(value: &mut T, with: &Option<T>) -> bool {
    match with {
        Some(with) if with != value => {
            value.clone_from(with);
            true
        }
        _ => false,
    }
}

/// RFC 7396.
fn merge(into: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, value) in changes {
        match value {
            Value::Null => {
                into.remove(name);
            }
            Value::Object(inner) => {
                let place = into.entry(name.clone()).or_insert_with(|| json!({}));
                if !place.is_object() {
                    *place = json!({});
                }
                if let Value::Object(place) = place {
                    merge(place, inner);
                }
            }
            other => {
                into.insert(name.clone(), other.clone());
            }
        }
    }
}
