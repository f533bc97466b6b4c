//! Client of Safeconduct, the control plane that gives AI agents papers.
//!
//! Owns the way to a server: tokens that renew themselves, one [`Error`], retries, pages, event streams, and a typed
//! method per operation, named as the operation is (`agents.create` is `client.agents().create(…)`). Reads tolerantly:
//! members that a newer server adds are ignored, words that it adds are kept as text. Knows nothing of the server's code.

mod agents;
mod api_keys;
mod audit;
mod auth;
mod auth_providers;
mod call;
mod client;
mod config;
mod credentials;
mod domains;
mod error;
mod events;
mod files;
mod functions;
mod grants;
mod groups;
mod hooks;
mod invitations;
mod key;
mod kills;
mod logins;
mod members;
mod orgs;
mod packages;
mod page;
mod permissions;
mod policies;
mod resource_prefixes;
mod roles;
mod runs;
mod schedules;
mod secrets;
mod signing_keys;
mod sse;
mod state;
mod token;
mod tokens;
mod users;
mod words;

pub use agents::{Agent, AgentFilter, AgentPatch, AgentStatus, Agents, NewAgent, Owner};
pub use api_keys::{ApiKey, ApiKeyFilter, ApiKeys, IssuedApiKey, NewApiKey};
pub use audit::{
    Audit, Consistency, DataHash, Download, ExportQuery, Fact, FactActor, FactDetail, FactFilter, FactKind,
    FactKinds, FactProof, FactTarget, Repeated, SignedCheckpoint, Verification, VerifyRange,
};
pub use auth::{
    Auth, EndedSessions, Me, MySession, OrgName, Person, PersonTokens, Principal, Session, SessionEnd,
};
pub use auth_providers::{
    AuthProvider, AuthProviderFilter, AuthProviderPatch, AuthProviders, FirstStep, NewAuthProvider,
    ProviderFinding, ProviderKind, ProviderKinds, ProviderTest,
};
pub use client::{Client, ClientBuilder};
pub use config::{
    Config, ConfigAdoption, ConfigChange, ConfigDrift, ConfigDriftItem, ConfigExport, ConfigExportQuery,
    ConfigFieldChange, ConfigFinding, ConfigManner, ConfigPlan, ConfigText, ConfigValidation,
};
pub use credentials::{
    Credential, CredentialFilter, CredentialKind, CredentialStatus, Credentials, IssuedCredential,
    NewCredential, Rotation,
};
pub use domains::{Domain, Domains};
pub use error::{Error, FieldError};
pub use events::Events;
pub use files::{
    FileAbout, FileCollection, FileCollectionFilter, FileFilter, FileLink, FileLinkShown, FileUpload,
    FileVersion, Files, NewFileCollection, NewFileUpload, StoredFile,
};
pub use functions::{
    EgressRule, Execution, Function, FunctionFilter, FunctionSummary, FunctionVersion, Functions,
    NewFunction, NewVersion, Rate, Retry,
};
pub use grants::{Grant, GrantFilter, Grants, NewGrant};
pub use groups::{Group, GroupFilter, GroupMember, GroupPatch, Groups, NewGroup};
pub use hooks::{
    Hook, HookAuthentication, HookDeduplication, HookDelivery, HookDeliveryFilter, HookFilter, HookInput,
    HookRequest, HookRoute, HookRouteDeclined, HookRouteTest, HookTarget, HookTrial, HookTried, Hooks,
    NewHook, NewHookTarget,
};
pub use invitations::{Invitation, InvitationFilter, Invitations, Invited, Joined, NewInvitation};
pub use key::SigningKey;
pub use kills::{DeadTokens, Kill, KillNode, Kills};
pub use logins::{COMMAND_LINE, DeviceAuthorization};
pub use members::{Member, MemberFilter, Members};
pub use orgs::{NewOrg, Org, OrgFilter, OrgPatch, OrgSettings, OrgSummary, Orgs};
pub use packages::{
    LockedPackage, Package, PackageBuild, PackageBuildStep, PackageEnvironment, PackageFilter, PackageLock,
    Packages,
};
pub use page::Page;
pub use permissions::{
    EffectivePermissions, HeldPermissions, OpenedOperation, OpenedOperations, PermissionAnswer,
    PermissionCatalogue, PermissionOperation, PermissionResult, PermissionSource, Permissions, Resource,
};
pub use policies::{
    Access, AccessAdvice, AccessGraph, ChangedDecision, FiredRule, PermissionUse, Policies, Policy,
    PolicyBundle, PolicyDetail, PolicyFilter, PolicyModule, PolicyValidity, ReachingAgent, SimulatedResource,
    Simulation, SimulationAnswer, WhatIf, WhatIfAnswer,
};
pub use resource_prefixes::{
    NewResourcePrefix, OutsideResource, ResourcePrefix, ResourcePrefixPatch, ResourcePrefixes,
};
pub use roles::{NewRole, Role, RoleFilter, RolePatch, Roles};
pub use runs::{
    LogLine, LogStream, Pools, Progress, Question, Queue, Queues, Recycled, Run, RunError, RunFilter,
    RunMove, RunStatus, RunStream, Runs, Usage, WarmInterpreter, Worker, Workers,
};
pub use schedules::{
    NewSchedule, Schedule, ScheduleFilter, SchedulePreview, ScheduleTick, ScheduleTiming, Schedules,
};
pub use secrets::{NamedSecret, NewSecret, NewSecretValue, SecretDetail, SecretFilter, Secrets, VaultPlace};
pub use signing_keys::{RotatedKeys, SigningKeys, TokenKey};
pub use sse::Event;
pub use state::{
    Expected, NewStateEntry, NewStateNamespace, State, StateBatch, StateEntry, StateEntryFilter,
    StateNamespace, StateNamespaceFilter, StateRevision,
};
pub use token::{Token, TokenFuture, TokenSource};
pub use tokens::{
    Introspection, IssuedToken, KeySet, Metadata, TokenAct, TokenActor, TokenRequest, TokenTarget, Tokens,
};
pub use users::{
    ImportEntry, ImportOutcome, ImportReport, KnownUser, NewUser, User, UserFilter, UserImport, UserSearch,
    Users,
};
pub use words::Time;

/// The example of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
