//! Every code that this server can answer with. `xtask tidy` holds each against its page in `docs/errors/`.

use crate::Code;

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        $(pub static $name: Code = Code { name: $code, status: $status, title: $title };)+

        /// All codes, in the order of their status.
        pub static CATALOGUE: &[&Code] = &[$(&$name,)+];
    };
}

codes! {
    MALFORMED_JSON = "malformed_json", 400, "The body is not JSON";
    MALFORMED_REQUEST = "malformed_request", 400, "The request could not be read";
    INVALID_CURSOR = "invalid_cursor", 400, "The cursor is not one of ours";
    INVALID_SYNTAX = "invalid_syntax", 400, "The message is not as SCIM has it";
    INVALID_FILTER = "invalid_filter", 400, "The filter is not understood";
    INVALID_PATH = "invalid_path", 400, "The path is not understood";
    INVALID_VALUE = "invalid_value", 400, "A value does not fit its attribute";
    NO_TARGET = "no_target", 400, "Nothing matches the path";
    READ_ONLY = "read_only", 400, "The attribute cannot be written";
    OUTSIDE_RETENTION = "outside_retention", 400, "The time lies before what is kept";
    UNAUTHENTICATED = "unauthenticated", 401, "Sign in or send a token";
    INVALID_TOKEN = "invalid_token", 401, "The token is not valid";
    INVALID_API_KEY = "invalid_api_key", 401, "The API key is not valid";
    INVALID_LINK = "invalid_link", 401, "The link is not valid any more";
    HOOK_UNAUTHENTICATED = "hook_unauthenticated", 401, "The delivery did not prove where it comes from";
    SIGN_IN_REFUSED = "sign_in_refused", 401, "That did not sign you in";
    PERMISSION_DENIED = "permission_denied", 403, "A permission is missing";
    AUTHORITY_EXCEEDED = "authority_exceeded", 403, "Nobody grants what they do not hold";
    CROSS_SITE_REQUEST = "cross_site_request", 403, "The request came from another site";
    STEP_UP_REQUIRED = "step_up_required", 403, "Confirm that it is you";
    POLICY_DENIED = "policy_denied", 403, "A policy does not allow it";
    APPROVAL_REQUIRED = "approval_required", 403, "Somebody must approve it first";
    POLICY_FAILED = "policy_failed", 403, "The policy could not decide";
    PROVIDER_DISABLED = "provider_disabled", 403, "The sign-in provider is switched off";
    PLAN_LIMIT_REACHED = "plan_limit_reached", 403, "The plan's limit is reached";
    OUTSIDE_DOMAINS = "outside_domains", 403, "The address lies outside the organization's domains";
    NOT_FOUND = "not_found", 404, "No such thing here";
    UNKNOWN_ROUTE = "unknown_route", 404, "No such path";
    FEATURE_DISABLED = "feature_disabled", 404, "The feature is switched off";
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "The path does not know this method";
    CONFLICT = "conflict", 409, "Somebody else changed it meanwhile";
    ALREADY_EXISTS = "already_exists", 409, "It exists already";
    AGENT_EXISTS = "agent_exists", 409, "An agent of this name exists";
    AGENT_DECOMMISSIONED = "agent_decommissioned", 409, "The agent is decommissioned";
    AGENT_NOT_ACTIVE = "agent_not_active", 409, "The agent is not active";
    AGENT_NOT_SUSPENDED = "agent_not_suspended", 409, "The agent is not suspended";
    AGENT_NOT_PENDING = "agent_not_pending", 409, "The agent is not waiting for approval";
    CREDENTIAL_REVOKED = "credential_revoked", 409, "The credential is revoked";
    CREDENTIAL_KIND = "credential_kind", 409, "The credential is of another kind";
    TOO_MANY_CREDENTIALS = "too_many_credentials", 409, "The agent has as many credentials as it may";
    LAST_OWNER = "last_owner", 409, "An organization keeps at least one owner";
    OWN_ACCOUNT = "own_account", 409, "Nobody does this to themselves";
    HOME_ORGANIZATION = "home_organization", 409, "The home organization stays";
    ORGANIZATION_LEAVING = "organization_leaving", 409, "The organization is on its way out";
    ORGANIZATION_ACTIVE = "organization_active", 409, "The organization is not on its way out";
    ACTIVE_AGENTS = "active_agents", 409, "The organization still has active agents";
    DOMAIN_UNPROVED = "domain_unproved", 409, "The record that proves the domain is not there";
    DOMAIN_TAKEN = "domain_taken", 409, "Another organization has proved the domain";
    GROUP_IN_USE = "group_in_use", 409, "Agents belong to the group";
    INVITATION_ENDED = "invitation_ended", 409, "The invitation has ended";
    SIGN_IN_FIRST = "sign_in_first", 409, "An account with this address exists";
    USER_SUSPENDED = "user_suspended", 409, "The person is suspended";
    USER_ACTIVE = "user_active", 409, "The person is active";
    ROLE_BUILT_IN = "role_built_in", 409, "A built-in role cannot be changed";
    ROLE_IN_USE = "role_in_use", 409, "Somebody holds the role";
    PREFIX_IN_USE = "prefix_in_use", 409, "Something names a resource of the prefix";
    API_KEY_REVOKED = "api_key_revoked", 409, "The API key is revoked";
    FUNCTION_EXISTS = "function_exists", 409, "A function of this name exists";
    POLICY_ACTIVE = "policy_active", 409, "The version is in force already";
    POLICY_NOT_ACTIVE = "policy_not_active", 409, "The version is not in force";
    NAMESPACE_EXISTS = "namespace_exists", 409, "A namespace of this name exists";
    SCHEDULE_EXISTS = "schedule_exists", 409, "A schedule of this name exists";
    VERSION_LIVE = "version_live", 409, "The version is live already";
    RUN_OPEN = "run_open", 409, "A run of it is still open";
    NAMESPACE_NOT_EMPTY = "namespace_not_empty", 409, "The namespace still has entries";
    NAMESPACE_FULL = "namespace_full", 409, "The namespace has no room for this";
    VALUE_KIND = "value_kind", 409, "The value is of another kind";
    COLLECTION_EXISTS = "collection_exists", 409, "A collection of this name exists";
    COLLECTION_NOT_EMPTY = "collection_not_empty", 409, "The collection still has files";
    COLLECTION_FULL = "collection_full", 409, "The collection has no room for this";
    UPLOAD_OFFSET = "upload_offset", 409, "The upload stands elsewhere";
    RUN_ENDED = "run_ended", 409, "The run has ended";
    RUN_NOT_FAILED = "run_not_failed", 409, "The run has not failed";
    RUN_NOT_AWAITING = "run_not_awaiting", 409, "The run does not wait for this answer";
    RUN_NOT_DEAD = "run_not_dead", 409, "The run is no dead letter";
    IDEMPOTENCY_IN_FLIGHT = "idempotency_in_flight", 409, "The first request with this key is still running";
    ALREADY_CREATED = "already_created", 409, "The first request with this key succeeded";
    HOOK_EXISTS = "hook_exists", 409, "Another hook answers such paths";
    MANAGED_ELSEWHERE = "managed_elsewhere", 409, "It comes from another file of configuration";
    DELIVERY_NOT_KEPT = "delivery_not_kept", 409, "The delivery is not one to replay";
    DELIVERY_NOT_ROUTED = "delivery_not_routed", 409, "No route takes the delivery";
    GONE = "gone", 410, "It was here and is no more";
    TRIGGER_ORPHANED = "trigger_orphaned", 410, "Nobody stands behind it any more";
    STALE_REVISION = "stale_revision", 412, "The thing changed since you read it";
    BODY_TOO_LARGE = "body_too_large", 413, "The body is too large";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "The body has a type that is not read here";
    RANGE_UNSATISFIABLE = "range_unsatisfiable", 416, "There is no such part";
    VALIDATION_FAILED = "validation_failed", 422, "Some fields are wrong";
    OWNER_UNKNOWN = "owner_unknown", 422, "Nobody answers for the agent";
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch", 422, "The key was used with another body";
    SYNTAX_ERROR = "syntax_error", 422, "The code does not parse";
    INVALID_SCHEMA = "invalid_schema", 422, "The JSON Schema is not valid";
    INVALID_POLICY = "invalid_policy", 422, "The policy does not compile";
    INPUT_INVALID = "input_invalid", 422, "The input does not match the schema";
    CONFIG_INVALID = "config_invalid", 422, "The configuration cannot be applied as it is written";
    HASH_MISMATCH = "hash_mismatch", 422, "What arrived is not what was said";
    RATE_LIMITED = "rate_limited", 429, "Too many requests";
    INTERNAL = "internal", 500, "Something failed on our side";
    HOOK_FAILED = "hook_failed", 502, "The hook's function gave no answer";
    SANDBOX_UNAVAILABLE = "sandbox_unavailable", 503, "Functions cannot run here";
    SIGN_IN_UNAVAILABLE = "sign_in_unavailable", 503, "The sign-in provider does not work now";
    DATABASE_UNAVAILABLE = "database_unavailable", 503, "The database does not answer";
    STALE_REVOCATION_FEED = "stale_revocation_feed", 503, "This node has not heard of revocations lately";
    VAULT_UNAVAILABLE = "vault_unavailable", 503, "The Vault does not answer";
    BLOBS_UNAVAILABLE = "blobs_unavailable", 503, "The store of large contents does not answer";
    RESOLVER_SILENT = "resolver_silent", 503, "The DNS resolver does not answer";
    OVERLOADED = "overloaded", 503, "The server is too busy";
    STORAGE_FULL = "storage_full", 507, "The disk is full";
}
