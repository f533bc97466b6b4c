//! A set of permissions: what a principal holds, or what a token's scope lets through.

use std::fmt;
use std::str::FromStr;

use crate::index::Index;
use crate::text::string_on_the_wire;
use crate::{Action, InvalidPermission, Permission, Reach, Required, Resource, Selector};

/// Permissions in canonical order without any that the others cover already. What is held by name stays beside a
/// wildcard, since acts that people step up for count names only.
///
/// `write` is covered by `create` and `update` together, also from different permissions. Paths are not joined:
/// `a/*` and `a/*/**` together do not cover `a/**`. On the wire it is a scope: permissions parted by spaces.
#[derive(Clone, Debug, Default)]
pub struct Authority {
    permissions: Vec<Permission>,
    index: Index,
}

impl Authority {
    /// Nothing at all.
    pub fn none() -> Self {
        Self::default()
    }

    pub fn is_empty(&self) -> bool {
        self.permissions.is_empty()
    }

    /// The permissions, none of which the others cover; names count for names only.
    pub fn permissions(&self) -> &[Permission] {
        &self.permissions
    }

    pub fn covers(&self, permission: &Permission) -> bool {
        let reach = self.widest_reach(&permission.resource, &permission.action, &permission.selector);
        reach >= Some(permission.ceiling())
    }

    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.permissions.iter().all(|permission| other.covers(permission))
    }

    /// What both allow. A permission of `other` without a reach takes the reach held here.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        if other.is_subset_of(self) {
            return other.clone();
        }
        let pairs = self
            .permissions
            .iter()
            .flat_map(|ours| other.permissions.iter().map(move |theirs| (ours, theirs)));
        pairs.filter_map(|(ours, theirs)| ours.meet(theirs)).collect()
    }

    /// How far `action` goes over all objects of `selector`; `None` if it is not allowed there.
    pub fn widest_reach(&self, resource: &Resource, action: &Action, selector: &Selector) -> Option<Reach> {
        self.index.widest_reach(resource, action, selector)
    }

    /// The same for what an operation asks.
    pub fn reach_for(&self, required: &Required, selector: &Selector) -> Option<Reach> {
        self.widest_reach(&required.resource, &required.action, selector)
    }

    /// The permissions that allow `required` for some object: what a list is filtered by, and whether asking makes
    /// sense at all.
    pub fn grants_for<'a>(&'a self, required: &'a Required) -> impl Iterator<Item = &'a Permission> {
        self.permissions.iter().filter(|permission| {
            permission.resource.covers(&required.resource) && permission.action.covers(&required.action)
        })
    }

    /// Is `required` held by name, not by `*` or an open path? Tokens need this where people step up.
    pub fn spells_out(&self, required: &Required) -> bool {
        self.grants_for(required).any(|permission| !permission.has_wildcard())
    }

    /// RFC 6749 §3.3: the permissions parted by spaces.
    pub fn to_scope_string(&self) -> String {
        self.to_string()
    }
}

impl FromIterator<Permission> for Authority {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let permissions = minimal(permissions.into_iter().collect());
        let mut index = Index::default();
        permissions.iter().for_each(|permission| index.insert(permission));
        Self { permissions, index }
    }
}

impl PartialEq for Authority {
    fn eq(&self, other: &Self) -> bool {
        self.permissions == other.permissions
    }
}

impl Eq for Authority {}

impl FromStr for Authority {
    type Err = InvalidPermission;

    fn from_str(scope: &str) -> Result<Self, InvalidPermission> {
        scope.split(' ').filter(|text| !text.is_empty()).map(str::parse).collect()
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, permission) in self.permissions.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(out, "{space}{permission}")?;
        }
        Ok(())
    }
}

string_on_the_wire!(
    Authority,
    "permissions parted by spaces",
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .description(Some("Permissions parted by spaces, as an OAuth scope"))
);

/// Drops what the rest covers. Wide ones are looked at first and kept, so that `write` outlives `create` and
/// `update`; a stated `:all` outlives the same permission without a reach. Names are dropped for other names only.
fn minimal(mut permissions: Vec<Permission>) -> Vec<Permission> {
    permissions.sort_by_cached_key(ToString::to_string);
    permissions.dedup();
    permissions.sort_by_key(|permission| (std::cmp::Reverse(width(permission)), permission.reach.is_none()));
    let mut kept: Vec<Permission> = Vec::with_capacity(permissions.len());
    let (mut all, mut named) = (Index::default(), Index::default());
    for permission in permissions {
        let is_named = !permission.has_wildcard();
        let seen = if is_named { &named } else { &all };
        let reach = seen.widest_reach(&permission.resource, &permission.action, &permission.selector);
        if reach < Some(permission.ceiling()) {
            all.insert(&permission);
            if is_named {
                named.insert(&permission);
            }
            kept.push(permission);
        }
    }
    kept.sort_by_cached_key(ToString::to_string);
    kept
}

/// Grows with everything that `covers` compares, the action last: what covers another alone is wider, and what
/// covers another together with its like differs in the action only.
type Width = (bool, (bool, bool, std::cmp::Reverse<usize>, usize), Reach, u32);

fn width(permission: &Permission) -> Width {
    let action = match &permission.action {
        Action::Any => u8::BITS,
        Action::Custom(_) => 1,
        named => named.bits().count_ones(),
    };
    (permission.resource == Resource::Any, selector_width(&permission.selector), permission.ceiling(), action)
}

fn selector_width(selector: &Selector) -> (bool, bool, std::cmp::Reverse<usize>, usize) {
    let has_rest = selector.as_str().ends_with("**");
    let length = if has_rest { selector.segments().count() } else { 0 };
    let open = selector.segments().filter(|segment| *segment == "*").count();
    (selector.is_every(), has_rest, std::cmp::Reverse(length), open)
}
