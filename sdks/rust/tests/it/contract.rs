//! The client held against `openapi/safeconduct.json`: models, filters, and a method for each operation.

use std::collections::{BTreeMap, BTreeSet};

use safeconduct_client as client;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::scripted::{Answer, Scripted};

/// Operations without a method, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("auth.redeem_link", "answers with a cookie, which is for browsers"),
    ("auth.accept_invitation", "answers with a cookie, which is for browsers"),
    ("auth.external", "answers with a cookie, which is for browsers"),
    ("files.open_link", "is for whoever has the link, with any client of HTTP"),
    ("auth.logout", "ends a browser's session"),
    ("auth.switch", "answers with a cookie, which is for browsers"),
    ("access.metadata", "says at which paths of ours the methods of AuthZEN are"),
    ("auth.providers", "is what a sign-in page shows"),
    ("auth.begin", "is for a browser on a page of the server"),
    ("auth.login", "is for a browser on a page of the server"),
    ("auth.callback", "is for a browser on a page of the server"),
    ("auth.send_code", "is for a browser on a page of the server"),
    ("auth.verify_code", "is for a browser on a page of the server"),
    ("auth.second_factor", "is for a browser on a page of the server"),
    ("auth.step_up_ways", "is for a browser on a page of the server"),
    ("auth.begin_step_up", "is for a browser on a page of the server"),
    ("auth.step_up", "is for a browser on a page of the server"),
    ("auth.factors", "is for a browser on a page of the server"),
    ("auth.begin_totp", "is for a browser on a page of the server"),
    ("auth.confirm_totp", "is for a browser on a page of the server"),
    ("auth.begin_passkey", "is for a browser on a page of the server"),
    ("auth.confirm_passkey", "is for a browser on a page of the server"),
    ("auth.rename_factor", "is for a browser on a page of the server"),
    ("auth.remove_factor", "is for a browser on a page of the server"),
    ("auth.renew_recovery_codes", "is for a browser on a page of the server"),
    ("auth.set_password", "is for a browser on a page of the server"),
    ("auth.forgot_password", "is for a browser on a page of the server"),
    ("auth.reset_password", "is for a browser on a page of the server"),
    ("auth.show_device", "is for a browser on a page of the server"),
    ("auth.approve_device", "is for a browser on a page of the server"),
    ("auth.deny_device", "is for a browser on a page of the server"),
    ("auth.authorize", "is for a browser on a page of the server"),
    ("oauth.authorize", "leads a browser on; Auth::authorize_url makes the address"),
    ("oauth.openid", "says what oauth.metadata says"),
    ("oauth.org_openid", "says what oauth.org_metadata says"),
    ("oauth.inserted_metadata", "is oauth.org_metadata at another path"),
    ("hooks.receive", "is for systems that send, which know nothing of us"),
    ("hooks.receive_delete", "is for systems that send, which know nothing of us"),
    ("hooks.receive_get", "is for systems that send, which know nothing of us"),
    ("hooks.receive_patch", "is for systems that send, which know nothing of us"),
    ("hooks.receive_put", "is for systems that send, which know nothing of us"),
    ("scim.agents.create", "is spoken by directories, which bring a client of their own"),
    ("scim.agents.delete", "is spoken by directories, which bring a client of their own"),
    ("scim.agents.get", "is spoken by directories, which bring a client of their own"),
    ("scim.agents.list", "is spoken by directories, which bring a client of their own"),
    ("scim.agents.patch", "is spoken by directories, which bring a client of their own"),
    ("scim.agents.replace", "is spoken by directories, which bring a client of their own"),
    ("scim.agents.search", "is spoken by directories, which bring a client of their own"),
    ("scim.config", "is spoken by directories, which bring a client of their own"),
    ("scim.groups.create", "is spoken by directories, which bring a client of their own"),
    ("scim.groups.delete", "is spoken by directories, which bring a client of their own"),
    ("scim.groups.get", "is spoken by directories, which bring a client of their own"),
    ("scim.groups.list", "is spoken by directories, which bring a client of their own"),
    ("scim.groups.patch", "is spoken by directories, which bring a client of their own"),
    ("scim.groups.replace", "is spoken by directories, which bring a client of their own"),
    ("scim.groups.search", "is spoken by directories, which bring a client of their own"),
    ("scim.resource_types.get", "is spoken by directories, which bring a client of their own"),
    ("scim.resource_types.list", "is spoken by directories, which bring a client of their own"),
    ("scim.schemas.get", "is spoken by directories, which bring a client of their own"),
    ("scim.schemas.list", "is spoken by directories, which bring a client of their own"),
    ("scim.search", "is spoken by directories, which bring a client of their own"),
    ("scim.users.create", "is spoken by directories, which bring a client of their own"),
    ("scim.users.delete", "is spoken by directories, which bring a client of their own"),
    ("scim.users.get", "is spoken by directories, which bring a client of their own"),
    ("scim.users.list", "is spoken by directories, which bring a client of their own"),
    ("scim.users.patch", "is spoken by directories, which bring a client of their own"),
    ("scim.users.replace", "is spoken by directories, which bring a client of their own"),
    ("scim.users.search", "is spoken by directories, which bring a client of their own"),
];

fn document() -> Value {
    serde_json::from_str(include_str!("../../../../openapi/safeconduct.json")).unwrap()
}

/// A value with every member that the schema names.
fn sample(document: &Value, schema: &Value) -> Value {
    if let Some(path) = schema["$ref"].as_str() {
        return sample(document, document.pointer(&path[1..]).unwrap());
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let members = parts.iter().map(|part| sample(document, part));
        return Value::from(
            members.flat_map(|part| part.as_object().cloned().unwrap()).collect::<Map<_, _>>(),
        );
    }
    let choices = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    if let Some(choice) = choices.and_then(|all| all.iter().find(|one| one["type"] != "null")) {
        return sample(document, choice);
    }
    if let Some(word) = schema["enum"].as_array().and_then(|words| words.first()) {
        return word.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").cloned().unwrap(),
        kind => kind.clone(),
    };
    match kind.as_str() {
        Some("string") | None => json!("text"),
        Some("integer") => json!(7),
        Some("number") => json!(0.5),
        Some("boolean") => json!(true),
        Some("array") => json!([sample(document, &schema["items"])]),
        Some("object") => match schema["properties"].as_object() {
            Some(members) => {
                members.iter().map(|(name, member)| (name.clone(), sample(document, member))).collect()
            }
            None if schema["additionalProperties"].is_object() => {
                json!({ "any": sample(document, &schema["additionalProperties"]) })
            }
            None => json!({ "any": 1 }),
        },
        Some(other) => panic!("a schema of type {other}"),
    }
}

/// Whether the model reads and writes every member of the schema.
fn same<T: Serialize + DeserializeOwned>(document: &Value, name: &str) {
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "there is no schema {name}");
    let sample = sample(document, schema);
    let model: T =
        serde_json::from_value(sample.clone()).unwrap_or_else(|error| panic!("{name}: {error}\n{sample:#}"));
    assert_eq!(serde_json::to_value(&model).unwrap(), sample, "{name}");
}

#[test]
fn models_have_every_member_of_their_schema() {
    let document = document();
    macro_rules! models {
        ($($schema:literal = $model:ident,)+) => { $(same::<client::$model>(&document, $schema);)+ };
    }
    models! {
        "AdviceAnswer" = AccessAdvice,
        "AgentPatch" = AgentPatch,
        "EnvironmentView" = PackageEnvironment,
        "PackageLockView" = PackageLock,
        "PackageView" = Package,
        "DeviceAnswer" = DeviceAuthorization,
        "EndedSessions" = EndedSessions,
        "NewProvider" = NewAuthProvider,
        "ProviderPatch" = AuthProviderPatch,
        "ProviderView" = AuthProvider,
        "TestView" = ProviderTest,
        "AgentView" = Agent,
        "ApiKeyView" = ApiKey,
        "CatalogueView" = FactKinds,
        "CheckpointView" = SignedCheckpoint,
        "ConsistencyView" = Consistency,
        "CredentialView" = Credential,
        "DomainView" = Domain,
        "EffectivePermissions" = EffectivePermissions,
        "FactDetail" = FactDetail,
        "FactView" = Fact,
        "FunctionSummary" = FunctionSummary,
        "FunctionView" = Function,
        "Introspection" = Introspection,
        "GroupMemberView" = GroupMember,
        "GroupView" = Group,
        "Import" = UserImport,
        "ImportView" = ImportReport,
        "InvitationView" = Invitation,
        "InvitedView" = Invited,
        "GrantView" = Grant,
        "HeldPermissions" = HeldPermissions,
        "IssuedApiKey" = IssuedApiKey,
        "GraphAnswer" = AccessGraph,
        "IssuedView" = IssuedCredential,
        "JoinedView" = Joined,
        "JwkSet" = KeySet,
        "KillView" = Kill,
        "LogLineView" = LogLine,
        "MeView" = Me,
        "KnownView" = KnownUser,
        "MemberView" = Member,
        "Metadata" = Metadata,
        "NewAgent" = NewAgent,
        "NewApiKey" = NewApiKey,
        "NewCredential" = NewCredential,
        "NewGroup" = NewGroup,
        "NewInvitation" = NewInvitation,
        "NewOrg" = NewOrg,
        "NewFunction" = NewFunction,
        "NewUser" = NewUser,
        "NewGrant" = NewGrant,
        "NewPrefix" = NewResourcePrefix,
        "NewRole" = NewRole,
        "NewVersion" = NewVersion,
        "OrgSummary" = OrgSummary,
        "OrgView" = Org,
        "PermissionAnswer" = PermissionAnswer,
        "PermissionCatalogue" = PermissionCatalogue,
        "PersonTokens" = PersonTokens,
        "PrefixChange" = ResourcePrefixPatch,
        "PrefixView" = ResourcePrefix,
        "PolicyBundle" = PolicyBundle,
        "PolicyDetail" = PolicyDetail,
        "PolicyValidity" = PolicyValidity,
        "PolicyView" = Policy,
        "ProofView" = FactProof,
        "RoleChange" = RolePatch,
        "RoleView" = Role,
        "RotatedView" = RotatedKeys,
        "Rotation" = Rotation,
        "RunView" = Run,
        "NewSchedule" = NewSchedule,
        "SchedulePreview" = SchedulePreview,
        "ScheduleTickView" = ScheduleTick,
        "ScheduleTiming" = ScheduleTiming,
        "ScheduleView" = Schedule,
        "SecretView" = NamedSecret,
        "SecretDetail" = SecretDetail,
        "NewSecret" = NewSecret,
        "NewSecretValue" = NewSecretValue,
        "VaultPlace" = VaultPlace,
        "EgressRule" = EgressRule,
        "SessionView" = Session,
        "Simulation" = Simulation,
        "SimulationAnswer" = SimulationAnswer,
        "SigningKeyView" = TokenKey,
        "FileCollectionView" = FileCollection,
        "FileLinkShown" = FileLinkShown,
        "FileLinkView" = FileLink,
        "FileUploadView" = FileUpload,
        "FileVersionView" = FileVersion,
        "FileView" = StoredFile,
        "NewFileCollection" = NewFileCollection,
        "NewFileUpload" = NewFileUpload,
        "NewNamespace" = NewStateNamespace,
        "NewStateEntry" = NewStateEntry,
        "HookDelivery" = HookDelivery,
        "HookRequest" = HookRequest,
        "HookRoute" = HookRoute,
        "HookRouteDeclined" = HookRouteDeclined,
        "HookRouteTest" = HookRouteTest,
        "HookTrial" = HookTrial,
        "HookTried" = HookTried,
        "HookView" = Hook,
        "NewHook" = NewHook,
        "StateBatchView" = StateBatch,
        "StateEntryView" = StateEntry,
        "StateNamespaceView" = StateNamespace,
        "StateRevisionView" = StateRevision,
        "TokenAct" = TokenAct,
        "TokenAnswer" = IssuedToken,
        "UserView" = User,
        "VerifyView" = Verification,
        "VersionView" = FunctionVersion,
        "WhatIfAnswer" = WhatIfAnswer,
        "WhatIfQuestion" = WhatIf,
    }
}

#[test]
fn filters_have_every_parameter_of_their_operation() {
    let document = document();
    for (operation, filter) in [
        ("agents.list", json!(client::AgentFilter::default())),
        ("auth_providers.list", json!(client::AuthProviderFilter::default())),
        ("credentials.search", json!(client::CredentialFilter::default())),
        ("groups.list", json!(client::GroupFilter::default())),
        ("invitations.list", json!(client::InvitationFilter::default())),
        ("members.list", json!(client::MemberFilter::default())),
        ("system.users.list", json!(client::UserSearch::default())),
        ("orgs.list", json!(client::OrgFilter::default())),
        ("roles.list", json!(client::RoleFilter::default())),
        ("grants.list", json!(client::GrantFilter::default())),
        ("api_keys.list", json!(client::ApiKeyFilter::default())),
        ("policies.list", json!(client::PolicyFilter::default())),
        ("collections.list", json!(client::FileCollectionFilter::default())),
        ("files.list", json!(client::FileFilter::default())),
        ("files.put", json!(client::FileAbout::default())),
        ("hooks.list", json!(client::HookFilter::default())),
        ("hooks.deliveries.list", json!(client::HookDeliveryFilter::default())),
        ("state.list", json!(client::StateNamespaceFilter::default())),
        ("state.entries.list", json!(client::StateEntryFilter::default())),
        ("schedules.list", json!(client::ScheduleFilter::default())),
        ("secrets.list", json!(client::SecretFilter::default())),
        ("users.list", json!(client::UserFilter::default())),
        ("functions.list", json!(client::FunctionFilter::default())),
        ("runs.list", json!(client::RunFilter::default())),
        ("config.export", json!(client::ConfigExportQuery::default())),
        ("audit.events.list", json!(client::FactFilter::default())),
        ("audit.export", json!(client::ExportQuery::default())),
        ("audit.verify", json!(client::VerifyRange::default())),
    ] {
        let (_, _, described) = &operations(&document)[operation];
        let parameters = described["parameters"].as_array().unwrap().iter();
        let named: BTreeSet<&str> =
            parameters.filter(|one| one["in"] == "query").map(|one| one["name"].as_str().unwrap()).collect();
        let known: BTreeSet<&str> = filter.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(known, named, "{operation}");
    }
}

/// Method, path and description by id.
fn operations(document: &Value) -> BTreeMap<String, (String, String, Value)> {
    let mut operations = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            if let Some(id) = described["operationId"].as_str() {
                operations.insert(id.to_owned(), (method.to_uppercase(), path.clone(), described.clone()));
            }
        }
    }
    operations
}

#[tokio::test]
async fn every_operation_has_a_method_that_calls_it() {
    let server = Scripted::new(|_, _| Answer::Http(404, "", "{}".into()));
    let client = server.builder().build().unwrap();
    let (agents, credentials, tokens) = (client.agents(), client.credentials(), client.tokens());
    let (auth, audit, permissions) = (client.auth(), client.audit(), client.permissions());
    let (functions, runs, keys) = (client.functions(), client.runs(), client.signing_keys());
    let packages = client.packages();
    let (roles, grants, prefixes) = (client.roles(), client.grants(), client.resource_prefixes());
    let (api_keys, state, schedules) = (client.api_keys(), client.state(), client.schedules());
    let files = client.files();
    let (about, nothing) = (client::FileAbout::default(), bytes::Bytes::from_static(b"x"));
    let (hooks, secrets) = (client.hooks(), client.secrets());
    let (policies, access) = (client.policies(), client.access());
    let providers = client.auth_providers();
    let (config, text, manner) =
        (client.config(), client::ConfigText::default(), client::ConfigManner::default());
    let home = client.tokens_of(Some("x"));
    let wanted = client::TokenRequest::default();
    let mut called: BTreeMap<&str, String> = BTreeMap::new();
    macro_rules! calls {
        ($($id:literal => $call:expr,)+) => {$(
            // What comes back is a refusal; what was sent counts.
            assert!($call.await.is_err(), $id);
            called.insert($id, server.seen().last().unwrap().line.clone());
        )+};
    }
    calls! {
        "access.evaluation" => access.evaluate(&json!({})),
        "access.evaluations" => access.evaluate_many(&json!({})),
        "access.graph" => access.graph("agents:read"),
        "access.search_action" => access.search("action", &json!({})),
        "access.search_resource" => access.search("resource", &json!({})),
        "access.search_subject" => access.search("subject", &json!({})),
        "agents.access_advice" => access.advice("x", None),
        "agents.activity" => audit.activity("x", None, None),
        "agents.approve" => agents.approve("x"),
        "agents.reject" => agents.reject("x", None),
        "agents.create" => agents.create(&client::NewAgent::default()),
        "agents.decommission" => agents.decommission("x"),
        "agents.get" => agents.get("x"),
        "agents.kill" => agents.kill("x", None),
        "agents.list" => agents.list(&client::AgentFilter::default()),
        "agents.reactivate" => agents.reactivate("x"),
        "agents.suspend" => agents.suspend("x", None),
        "agents.update" => agents.update("x", &client::AgentPatch::default(), None),
        "api_keys.create" => api_keys.create(&client::NewApiKey::default()),
        "api_keys.get" => api_keys.get("x"),
        "api_keys.list" => api_keys.list(&client::ApiKeyFilter::default()),
        "api_keys.revoke" => api_keys.revoke("x"),
        "audit.checkpoint" => audit.checkpoint(),
        "audit.events.get" => audit.get("x"),
        "audit.events.list" => audit.list(&client::FactFilter::default()),
        "audit.export" => audit.export(&client::ExportQuery::default()),
        "audit.proof.consistency" => audit.prove_consistency(1, 2),
        "audit.proof.inclusion" => audit.prove_inclusion("x"),
        "audit.stream" => audit.stream(None).next(),
        "audit.tile" => audit.tile("x"),
        "audit.verify" => audit.verify(&client::VerifyRange::default()),
        "audit.verify_log" => audit.verify_log(false),
        "auth_providers.create" => providers.create(&client::NewAuthProvider::default()),
        "auth_providers.delete" => providers.delete("x"),
        "auth_providers.get" => providers.get("x"),
        "auth_providers.kinds" => providers.kinds(),
        "auth_providers.list" => providers.list(&client::AuthProviderFilter::default()),
        "auth_providers.test" => providers.test("x"),
        "auth_providers.update" => providers.update("x", &client::AuthProviderPatch::default(), None),
        "auth.me" => auth.me(),
        "auth.redeem_link_for_token" => auth.redeem_link_for_token("x"),
        "auth.refresh" => auth.refresh("x"),
        "credentials.create" => credentials.create("x", &client::NewCredential::secret("x")),
        "credentials.list" => credentials.list("x", &client::CredentialFilter::default()),
        "credentials.revoke" => credentials.revoke("x", "x"),
        "credentials.rotate" => credentials.rotate("x", "x", &client::Rotation::default()),
        "credentials.search" => credentials.search(&client::CredentialFilter::default()),
        "domains.create" => client.domains().create("x"),
        "domains.delete" => client.domains().delete("x"),
        "domains.get" => client.domains().get("x"),
        "domains.list" => client.domains().list(),
        "domains.prove" => client.domains().prove("x"),
        "events.catalogue" => audit.catalogue(),
        "functions.create" => functions.create(&client::NewFunction::default()),
        "functions.delete" => functions.delete("x"),
        "functions.execute" => functions.execute("x", &json!({})),
        "functions.get" => functions.get("x"),
        "functions.list" => functions.list(&client::FunctionFilter::default()),
        "functions.make_live" => functions.make_live("x", "x"),
        "functions.publish" => functions.publish("x", &client::NewVersion::default()),
        "functions.version" => functions.version("x", "x"),
        "functions.versions" => functions.versions("x", None, None),
        "grants.create" => grants.create(&client::NewGrant::default()),
        "grants.delete" => grants.delete("x"),
        "grants.get" => grants.get("x"),
        "grants.list" => grants.list(&client::GrantFilter::default()),
        "kills.get" => client.kills().get("x"),
        "oauth.device_authorization" => auth.begin_device(),
        "oauth.introspect" => tokens.introspect("x"),
        "oauth.keys" => tokens.keys(),
        "oauth.metadata" => tokens.metadata(),
        "oauth.org_introspect" => home.introspect("x"),
        "oauth.org_keys" => home.keys(),
        "oauth.org_metadata" => home.metadata(),
        "oauth.org_revoke" => home.revoke("x"),
        "oauth.org_token" => home.issue("x", "x", &wanted),
        "oauth.revoke" => tokens.revoke("x"),
        "oauth.token" => tokens.issue("x", "x", &wanted),
        "auth.switch_for_token" => client.orgs().switch("x"),
        "groups.add" => client.groups().add("x", "x"),
        "groups.create" => client.groups().create(&client::NewGroup::default()),
        "groups.delete" => client.groups().delete("x"),
        "groups.get" => client.groups().get("x"),
        "groups.list" => client.groups().list(&client::GroupFilter::default()),
        "groups.members" => client.groups().members("x", None),
        "groups.remove" => client.groups().remove("x", "x"),
        "groups.update" => client.groups().update("x", &client::GroupPatch::default(), None),
        "invitations.accept" => client.invitations().accept("x"),
        "invitations.create" => client.invitations().create(&client::NewInvitation::default()),
        "invitations.get" => client.invitations().get("x"),
        "invitations.list" => client.invitations().list(&client::InvitationFilter::default()),
        "invitations.resend" => client.invitations().resend("x"),
        "invitations.revoke" => client.invitations().revoke("x"),
        "members.get" => client.members().get("x"),
        "members.list" => client.members().list(&client::MemberFilter::default()),
        "members.remove" => client.members().remove("x", None),
        "members.update" => client.members().update("x", &[], None),
        "system.users.get" => client.users().known("x"),
        "system.users.list" => client.users().search(&client::UserSearch::default()),
        "system.users.reactivate" => client.users().reactivate("x"),
        "system.users.suspend" => client.users().suspend("x", None),
        "users.create" => client.users().create(&client::NewUser::default()),
        "users.import" => client.users().import(&client::UserImport::default()),
        "users.reactivate" => client.users().reactivate_inside("x"),
        "users.suspend" => client.users().suspend_inside("x", None),
        "users.get" => client.users().get("x"),
        "orgs.create" => client.orgs().create(&client::NewOrg::default()),
        "orgs.current" => client.orgs().current(),
        "orgs.delete" => client.orgs().delete("x", "x"),
        "orgs.get" => client.orgs().get("x"),
        "orgs.list" => client.orgs().list(&client::OrgFilter::default()),
        "orgs.restore" => client.orgs().restore("x"),
        "orgs.update" => client.orgs().update("x", &client::OrgPatch::default(), None),
        "permissions.catalogue" => permissions.catalogue(),
        "permissions.check" => permissions.check(&[], "all"),
        "permissions.me" => permissions.me(),
        "permissions.of" => permissions.of("x"),
        "permissions.opens" => permissions.opens(&[]),
        "resource_prefixes.create" => prefixes.create(&client::NewResourcePrefix::default()),
        "resource_prefixes.delete" => prefixes.delete("x"),
        "resource_prefixes.get" => prefixes.get("x"),
        "resource_prefixes.list" => prefixes.list(),
        "resource_prefixes.update" => prefixes.update("x", &client::ResourcePrefixPatch::default()),
        "roles.create" => roles.create(&client::NewRole::default()),
        "roles.delete" => roles.delete("x"),
        "roles.get" => roles.get("x"),
        "roles.list" => roles.list(&client::RoleFilter::default()),
        "roles.update" => roles.update("x", &client::RolePatch::default(), None),
        "config.apply" => config.apply(&text, manner),
        "config.drift" => config.drift(None),
        "config.export" => config.export(&client::ConfigExportQuery::default()),
        "config.plan" => config.plan(&text, manner),
        "config.schema" => config.schema(),
        "config.validate" => config.validate(&text),
        "policies.activate" => policies.activate("x"),
        "policies.create" => policies.create(&client::PolicyBundle::default(), None),
        "policies.deactivate" => policies.deactivate("x"),
        "policies.get" => policies.get("x"),
        "policies.list" => policies.list(&client::PolicyFilter::default()),
        "policies.simulate" => policies.simulate(&client::Simulation::default()),
        "policies.validate" => policies.validate(&client::PolicyBundle::default()),
        "policies.what_if" => policies.what_if(&client::WhatIf::default()),
        "roles.list" => client.roles().list(&client::RoleFilter::default()),
        "queues.dead" => client.queues().dead("x", None, None),
        "queues.list" => client.queues().list(),
        "pools.list" => client.pools().list(),
        "pools.recycle" => client.pools().recycle(None),
        "workers.list" => client.workers().list(),
        "runs.cancel" => runs.cancel("x"),
        "runs.continue" => runs.answer("x", None, &serde_json::Value::Null),
        "runs.flush" => runs.flush("x"),
        "runs.replay" => runs.replay("x"),
        "runs.retry" => runs.retry("x"),
        "runs.events" => runs.wait("x"),
        "runs.get" => runs.get("x"),
        "runs.list" => runs.list(&client::RunFilter::default()),
        "runs.logs" => runs.logs("x", None, None),
        "runs.output" => runs.output("x"),
        "sessions.list" => auth.sessions(),
        "sessions.revoke_all" => auth.revoke_all_sessions(),
        "sessions.revoke" => auth.revoke_session("x"),
        "secrets.create" => secrets.create(&client::NewSecret::default()),
        "secrets.delete" => secrets.delete("x"),
        "secrets.get" => secrets.get("x"),
        "secrets.list" => secrets.list(&client::SecretFilter::default()),
        "secrets.replace" => secrets.replace("x", &client::NewSecretValue::default(), None),
        "secrets.update" => secrets.update("x", &json!({}), None),
        "schedules.create" => schedules.create(&client::NewSchedule::default()),
        "schedules.delete" => schedules.delete("x"),
        "schedules.get" => schedules.get("x"),
        "schedules.list" => schedules.list(&client::ScheduleFilter::default()),
        "schedules.pause" => schedules.pause("x"),
        "schedules.preview" => schedules.preview(&client::SchedulePreview::default()),
        "schedules.resume" => schedules.resume("x"),
        "schedules.run" => schedules.run("x"),
        "schedules.ticks" => schedules.ticks("x", None, None),
        "schedules.update" => schedules.update("x", &json!({}), None),
        "signing_keys.list" => keys.list(),
        "signing_keys.rotate" => keys.rotate(None),
        "collections.create" => files.create_collection(&client::NewFileCollection::default()),
        "collections.delete" => files.delete_collection("x"),
        "collections.get" => files.collection("x"),
        "collections.list" => files.collections(&client::FileCollectionFilter::default()),
        "collections.update" => files.update_collection("x", &json!({}), None),
        "files.delete" => files.delete("x", "x", None),
        "files.download" => files.download("x", "x", None),
        "files.get" => files.get("x", "x"),
        "files.link" => files.link("x", "x", 1, None),
        "files.links" => files.links("x", "x", None, None),
        "files.list" => files.list("x", &client::FileFilter::default()),
        "files.put" => files.put("x", "x", "text/plain", nothing.clone(), &about, client::Expected::Absent),
        "files.restore" => files.restore("x", "x", "x"),
        "files.revoke_link" => files.revoke_link("x"),
        "files.update" => files.update("x", "x", &json!({}), None),
        "files.versions" => files.versions("x", "x", None, None),
        "uploads.append" => files.append("x", 0, nothing),
        "uploads.cancel" => files.cancel_upload("x"),
        "uploads.create" => files.begin_upload("x", &client::NewFileUpload::default(), client::Expected::Anything),
        "uploads.get" => files.upload_status("x"),
        "environments.build" => packages.build(&[]).next(),
        "packages.approve" => packages.approve("x", None),
        "packages.get" => packages.get("x"),
        "packages.list" => packages.list(&client::PackageFilter::default()),
        "packages.refuse" => packages.refuse("x", None),
        "packages.remove" => packages.remove("x"),
        "packages.request" => packages.request("x", None),
        "hooks.create" => hooks.create(&client::NewHook::default()),
        "hooks.delete" => hooks.delete("x"),
        "hooks.deliveries.get" => hooks.delivery("x", "x"),
        "hooks.deliveries.list" => hooks.deliveries("x", &client::HookDeliveryFilter::default()),
        "hooks.deliveries.replay" => hooks.replay("x", "x"),
        "hooks.get" => hooks.get("x"),
        "hooks.list" => hooks.list(&client::HookFilter::default()),
        "hooks.openapi" => hooks.openapi(),
        "openapi.mine" => hooks.mine(),
        "hooks.try" => hooks.attempt("x", &client::HookTrial::default()),
        "hooks.rotate" => hooks.rotate("x", None, None),
        "hooks.update" => hooks.update("x", &json!({}), None),
        "state.create" => state.create(&client::NewStateNamespace::default()),
        "state.delete" => state.delete("x"),
        "state.entries.append" => state.append("x", "x", &[], None),
        "state.entries.batch" => state.batch("x", &[]),
        "state.entries.delete" => state.remove("x", "x", None),
        "state.entries.get" => state.entry("x", "x"),
        "state.entries.history" => state.history("x", "x", None, None),
        "state.entries.increment" => state.increment("x", "x", 1),
        "state.entries.list" => state.entries("x", &client::StateEntryFilter::default()),
        "state.entries.patch" => state.patch("x", "x", &json!({}), None),
        "state.entries.put" => state.put("x", "x", &client::NewStateEntry::default(), client::Expected::Absent),
        "state.entries.watch" => state.watch("x", None).next(),
        "state.get" => state.get("x"),
        "state.list" => state.list(&client::StateNamespaceFilter::default()),
        "state.update" => state.update("x", &json!({}), None),
        "tokens.activity" => tokens.activity("x", None, None),
        "users.list" => client.users().list(&client::UserFilter::default()),
    }
    let document = document();
    let operations = operations(&document);
    for (id, (method, path, _)) in &operations {
        let Some(line) = called.remove(id.as_str()) else {
            assert!(LEFT_OUT.iter().any(|(known, _)| known == id), "{id} has no method");
            continue;
        };
        let sent = line.split([' ', '?']).take(2).collect::<Vec<_>>().join(" ");
        let segments: Vec<&str> =
            path.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment }).collect();
        assert_eq!(sent, format!("{method} {}", segments.join("/")), "{id}");
    }
    assert!(called.is_empty(), "no such operations: {called:?}");
    let stale: Vec<_> = LEFT_OUT.iter().filter(|(id, _)| !operations.contains_key(*id)).collect();
    assert!(stale.is_empty(), "no such operations: {stale:?}");
}
