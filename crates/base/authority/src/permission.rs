//! One permission: `resource[/selector]:action[:reach]`.

use std::fmt;
use std::str::FromStr;

use crate::text::string_on_the_wire;
use crate::{Action, InvalidSelector, Reach, Resource, Selector};

/// The longest text that is read as a permission, in bytes.
pub const MAX_LENGTH: usize = 1024;

/// What may be done, with which objects, how far.
///
/// Without a reach a permission is a ceiling that takes the reach of what it is laid over: as far as the
/// principal's grants go. As a ceiling it equals `all`, so it covers and is covered by the same permission with
/// `:all`, and [`Permission::meet`] hands it the other side's reach.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Permission {
    pub resource: Resource,
    pub selector: Selector,
    pub action: Action,
    pub reach: Option<Reach>,
}

/// The text is no permission. The message says what to mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPermission {
    #[error("expected `resource[/selector]:action[:reach]`, such as `agents:read:own`")]
    Form,
    #[error("a permission has at most {MAX_LENGTH} characters")]
    TooLong,
    #[error("unknown resource `{0}`: a resource of your own carries a dot, such as `titan.courses`")]
    Resource(String),
    #[error(transparent)]
    Selector(#[from] InvalidSelector),
    #[error("`{0}` is no action: a lower-case word such as `read`, `write`, `execute`, or `*`")]
    Action(String),
    #[error("`{0}` is no reach: `own`, `group` or `all`")]
    Reach(String),
}

impl Permission {
    /// Does whoever holds `self` hold `other` as well? A preorder: reflexive and transitive.
    pub fn covers(&self, other: &Self) -> bool {
        self.resource.covers(&other.resource)
            && self.action.covers(&other.action)
            && self.ceiling() >= other.ceiling()
            && self.selector.covers(&other.selector)
    }

    pub fn is_subset_of(&self, other: &Self) -> bool {
        other.covers(self)
    }

    /// The greatest permission that both cover, if any.
    pub fn meet(&self, other: &Self) -> Option<Self> {
        Some(Self {
            resource: self.resource.meet(&other.resource)?,
            selector: self.selector.meet(&other.selector)?,
            action: self.action.meet(&other.action)?,
            reach: match (self.reach, other.reach) {
                (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
                (ours, theirs) => ours.or(theirs),
            },
        })
    }

    /// The furthest reach that it lets through.
    pub fn ceiling(&self) -> Reach {
        self.reach.unwrap_or(Reach::All)
    }

    /// Is any part left open by `*` or `**`? Acts that need a permission spelled out refuse such.
    pub fn has_wildcard(&self) -> bool {
        self.resource == Resource::Any || self.action == Action::Any || self.selector.has_wildcard()
    }
}

impl FromStr for Permission {
    type Err = InvalidPermission;

    fn from_str(text: &str) -> Result<Self, InvalidPermission> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidPermission::TooLong);
        }
        let mut parts = text.split(':');
        let (Some(object), Some(action), reach, None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidPermission::Form);
        };
        let (resource, selector) = match object.split_once('/') {
            Some((resource, selector)) => (resource, Selector::parse(selector)?),
            None => (object, Selector::every()),
        };
        Ok(Self {
            resource: Resource::parse(resource)
                .ok_or_else(|| InvalidPermission::Resource(resource.to_owned()))?,
            selector,
            action: Action::parse(action).ok_or_else(|| InvalidPermission::Action(action.to_owned()))?,
            reach: match reach {
                Some(reach) => {
                    Some(Reach::parse(reach).ok_or_else(|| InvalidPermission::Reach(reach.to_owned()))?)
                }
                None => None,
            },
        })
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.resource)?;
        if !self.selector.is_every() {
            write!(out, "/{}", self.selector)?;
        }
        write!(out, ":{}", self.action)?;
        match self.reach {
            Some(reach) => write!(out, ":{reach}"),
            None => Ok(()),
        }
    }
}

string_on_the_wire!(
    Permission,
    "a permission such as `agents:read:own`",
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .description(Some("`resource[/selector]:action[:reach]`"))
        .pattern(Some(
            "^[a-z*][a-z0-9_.-]*(/[A-Za-z0-9._~%*/-]+)?:(\\*|[a-z][a-z0-9_-]*)(:(own|group|all))?$"
        ))
        .max_length(Some(MAX_LENGTH))
);
