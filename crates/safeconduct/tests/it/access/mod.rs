//! Permissions, roles, grants, API keys.

mod groups;
