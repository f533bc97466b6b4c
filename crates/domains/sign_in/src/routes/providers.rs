//! `/api/v1/auth-providers`: the organization's sign-in providers, and for operators the instance's.

use axum::extract::State;
use problem::{AUTHORITY_EXCEEDED, CONFLICT, PERMISSION_DENIED, Problem, STALE_REVISION};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::{AuthProviderId, Name, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Refusal, Reply, Segment, Spec, leaves, operation, page, page_size, refuses,
};

use super::Rooms;
use crate::kind::{Finding, First, Kind};
use crate::model::{GroupRoles, Owner, Provider};
use crate::providers::{Patch, Tested, Wanted, may_see_instance};
use crate::{SignInError, facts, store};

operation! {
    /// Sets up a way to sign in, for the organization or – as operator – for the whole instance.
    pub CreateProvider(NewProvider) -> ProviderView =
        Spec::create("auth_providers.create", "/api/v1/auth-providers")
            .needs("auth_providers:create").step_up().in_person().facts(leaves![facts::PROVIDER_CREATED])
            .errors(refuses![problem::ALREADY_EXISTS, AUTHORITY_EXCEEDED, PERMISSION_DENIED])
            .example(r#"{"name": "mail", "kind": "otp", "display_name": "Code by e-mail", "default_roles": ["member"]}"#);

    /// Lists the organization's sign-in providers, or the instance's.
    pub ListProviders[ProviderFilter] -> Page<ProviderView> =
        Spec::get("auth_providers.list", "/api/v1/auth-providers").needs("auth_providers:read");

    /// Lists the kinds of sign-in providers that this server knows, with the settings of each as JSON Schema; secret ones are
    /// `writeOnly`.
    pub ListKinds -> KindsView =
        Spec::get("auth_providers.kinds", "/api/v1/auth-providers/kinds").needs("auth_providers:read");

    /// Shows a sign-in provider; never its secrets.
    pub GetProvider -> ProviderView =
        Spec::get("auth_providers.get", "/api/v1/auth-providers/{auth_provider}").needs("auth_providers:read");

    /// Changes a sign-in provider (JSON Merge Patch); in force at once.
    pub UpdateProvider(ProviderPatch) -> ProviderView =
        Spec::patch("auth_providers.update", "/api/v1/auth-providers/{auth_provider}")
            .needs("auth_providers:update").step_up().in_person().facts(leaves![facts::PROVIDER_UPDATED])
            .errors(refuses![AUTHORITY_EXCEEDED, CONFLICT, PERMISSION_DENIED, STALE_REVISION])
            .example(r#"{"enabled": false}"#);

    /// Removes a sign-in provider. Sessions that began with it live on; end them where that is meant.
    pub DeleteProvider -> ProviderView =
        Spec::delete("auth_providers.delete", "/api/v1/auth-providers/{auth_provider}")
            .needs("auth_providers:delete").step_up().in_person().facts(leaves![facts::PROVIDER_DELETED])
            .errors(refuses![CONFLICT, PERMISSION_DENIED, STALE_REVISION]);

    /// Tries a sign-in provider out: connections, discovery, binds – whatever can be tried without a person.
    pub TestProvider -> TestView =
        Spec::post("auth_providers.test", "/api/v1/auth-providers/{auth_provider}/test")
            .needs("auth_providers:update").step_up().facts(leaves![facts::PROVIDER_TESTED])
            .errors(refuses![PERMISSION_DENIED]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProvider {
    /// Unique in its organization, or among the instance's; people see it in addresses.
    pub name: Name,
    /// On the button.
    #[schema(min_length = 1, max_length = 100)]
    pub display_name: Option<String>,
    /// Such as `otp`; the guides say which there are and what each needs.
    #[schema(max_length = 40)]
    pub kind: String,
    /// For everybody on this server; needs `system:update`.
    #[serde(default)]
    pub instance: bool,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// As the kind defines them. Secret ones are kept sealed and never shown again.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
    /// What newcomers get; whoever sets this up must hold it.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub default_roles: Vec<String>,
    /// Whether somebody without an account gets one.
    #[serde(default)]
    pub create_users: bool,
    /// Refuses addresses outside of these domains.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub allowed_domains: Vec<String>,
    /// Roles of members that follow their groups in the provider's directory: given to who is in a group, taken from who is
    /// not any more, at their next sign-in. Built-in roles without `owner`; whoever sets this up must hold them.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Vec<String>>)]
    pub group_roles: GroupRoles,
    /// Believes the addresses that the provider asserts. The operator's, for providers of the instance only.
    #[serde(default)]
    pub trust_email: bool,
}

fn yes() -> bool {
    true
}

/// What is left out stays. `settings` is merged (RFC 7396), lists are replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderPatch {
    #[schema(min_length = 1, max_length = 100)]
    pub display_name: Option<String>,
    pub enabled: Option<bool>,
    #[schema(value_type = Option<Object>)]
    pub settings: Option<Map<String, Value>>,
    #[schema(max_items = 20)]
    pub default_roles: Option<Vec<String>>,
    pub create_users: Option<bool>,
    #[schema(max_items = 100)]
    pub allowed_domains: Option<Vec<String>>,
    /// Replaces the whole map.
    #[schema(value_type = Option<std::collections::HashMap<String, Vec<String>>>)]
    pub group_roles: Option<GroupRoles>,
    pub trust_email: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderFilter {
    /// The instance's providers instead of the organization's; needs `system:read`.
    pub instance: Option<bool>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct KindsView {
    pub items: Vec<KindView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuthProviderKind)]
pub struct KindView {
    /// The word for `kind`.
    pub name: &'static str,
    #[schema(value_type = Object)]
    pub settings: Value,
    pub first: First,
}

impl From<&dyn Kind> for KindView {
    fn from(kind: &dyn Kind) -> Self {
        let mut settings = kind.settings();
        for secret in kind.secrets() {
            if let Some(Value::Object(property)) = settings.pointer_mut(&format!("/properties/{secret}")) {
                property.insert("writeOnly".to_owned(), Value::Bool(true));
            }
        }
        Self { name: kind.name(), settings, first: kind.first() }
    }
}

#[derive(Serialize, ToSchema)]
pub struct ProviderView {
    pub id: AuthProviderId,
    pub name: String,
    pub display_name: String,
    pub kind: String,
    /// Whether it is the instance's; else it is the organization's.
    pub instance: bool,
    pub enabled: bool,
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
    /// Whether there are secret settings besides those shown.
    pub has_secrets: bool,
    pub default_roles: Vec<String>,
    pub create_users: bool,
    pub allowed_domains: Vec<String>,
    #[schema(value_type = std::collections::HashMap<String, Vec<String>>)]
    pub group_roles: GroupRoles,
    pub trust_email: bool,
    /// `api`, or `file`: then only the server's file changes it.
    pub source: &'static str,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: i64,
}

impl From<Provider> for ProviderView {
    fn from(provider: Provider) -> Self {
        Self {
            id: provider.id,
            instance: provider.owner == Owner::Instance,
            name: provider.name,
            display_name: provider.display_name,
            kind: provider.kind,
            enabled: provider.enabled,
            settings: provider.settings,
            has_secrets: provider.has_secrets,
            default_roles: provider.default_roles,
            create_users: provider.create_users,
            allowed_domains: provider.allowed_domains,
            group_roles: provider.group_roles,
            trust_email: provider.trust_email,
            source: provider.source.name(),
            created_at: provider.created_at,
            updated_at: provider.updated_at,
            revision: provider.revision,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct TestView {
    /// Whether everything that was tried worked.
    pub works: bool,
    pub findings: Vec<Finding>,
}

impl From<Tested> for TestView {
    fn from(tested: Tested) -> Self {
        Self { works: tested.works, findings: tested.findings }
    }
}

pub async fn create(
    State(rooms): State<Rooms>,
    allowed: Allowed<CreateProvider>,
    Input(new): Input<CreateProvider>,
) -> Result<Reply, Refusal> {
    let wanted = Wanted {
        name: new.name,
        display_name: new.display_name,
        kind: new.kind,
        instance: new.instance,
        enabled: new.enabled,
        settings: new.settings,
        default_roles: new.default_roles,
        create_users: new.create_users,
        allowed_domains: new.allowed_domains,
        group_roles: new.group_roles,
        trust_email: new.trust_email,
    };
    allowed.settle::<CreateProvider, _, _, _>(|| rooms.sign_in.create(&allowed, &wanted)).await
}

pub async fn list(
    State(rooms): State<Rooms>,
    allowed: Allowed<ListProviders>,
    Params(filter): Params<ListProviders>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let after = allowed.after::<AuthProviderId>(filter.cursor.as_deref())?;
    let db = rooms.sign_in.db();
    let rows = if filter.instance == Some(true) {
        if !may_see_instance(&allowed) {
            let detail = "Providers of the whole instance are the operator's to see.";
            return Err(Problem::new(&PERMISSION_DENIED, detail)
                .with_member("permission", "system:read")
                .into());
        }
        store::list_of_instance(db, after, limit + 1).await?
    } else {
        store::list(db, &allowed, after, limit + 1).await?
    };
    let cursor = |provider: &Provider| allowed.cursor(&[json!(provider.id)]);
    Ok(Reply::of::<ListProviders>(&page(rows, limit, cursor, ProviderView::from))?)
}

pub async fn kinds(State(rooms): State<Rooms>, _: Allowed<ListKinds>) -> Result<Reply, Refusal> {
    let items = rooms.sign_in.kinds().iter().map(KindView::from).collect();
    Ok(Reply::of::<ListKinds>(&KindsView { items })?)
}

pub async fn get(
    State(rooms): State<Rooms>,
    allowed: Allowed<GetProvider>,
    Segment(id): Segment<AuthProviderId>,
) -> Result<Reply, Refusal> {
    let provider = rooms.sign_in.find(&allowed, id).await?;
    Ok(Reply::of::<GetProvider>(&ProviderView::from(provider))?)
}

pub async fn update(
    State(rooms): State<Rooms>,
    allowed: Allowed<UpdateProvider>,
    Segment(id): Segment<AuthProviderId>,
    Input(changes): Input<UpdateProvider>,
) -> Result<Reply, Refusal> {
    let patch = Patch {
        display_name: changes.display_name,
        enabled: changes.enabled,
        settings: changes.settings,
        default_roles: changes.default_roles,
        create_users: changes.create_users,
        allowed_domains: changes.allowed_domains,
        group_roles: changes.group_roles,
        trust_email: changes.trust_email,
    };
    allowed.settle::<UpdateProvider, _, _, _>(|| rooms.sign_in.update(&allowed, id, &patch)).await
}

pub async fn delete(
    State(rooms): State<Rooms>,
    allowed: Allowed<DeleteProvider>,
    Segment(id): Segment<AuthProviderId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteProvider, _, _, _>(|| rooms.sign_in.delete(&allowed, id)).await
}

pub async fn test(
    State(rooms): State<Rooms>,
    allowed: Allowed<TestProvider>,
    Segment(id): Segment<AuthProviderId>,
) -> Result<Reply, Refusal> {
    let decide = async || Ok::<_, SignInError>(rooms.sign_in.test(&allowed, id).await?);
    allowed.settle::<TestProvider, _, _, _>(decide).await
}
