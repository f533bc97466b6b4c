//! Permissions, roles, grants, API keys.

mod api_keys;
mod grants;
mod groups;
mod permissions;
mod roles;
