//! What an operation asks for, written as a constant beside its handler.

use std::fmt;

use crate::resource::known;
use crate::text::is_word;
use crate::{Action, Permission, Resource, Selector};

/// A resource of the catalogue and one action: `agents:create`. The object and the reach come with the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    pub resource: Resource,
    pub action: Action,
}

impl Required {
    /// Meant for constants, where a misspelt resource stops the build.
    ///
    /// # Panics
    /// If the text is not `resource:action` with a resource of the catalogue.
    #[expect(clippy::panic, reason = "stops the build: operations hold their requirement as a constant")]
    pub const fn parse(text: &'static str) -> Self {
        let bytes = text.as_bytes();
        let mut colon = 0;
        while colon < bytes.len() && bytes[colon] != b':' {
            colon += 1;
        }
        assert!(colon + 1 < bytes.len(), "expected `resource:action`");
        let (resource, rest) = text.split_at(colon);
        let (_, action) = rest.split_at(1);
        assert!(is_word(action), "an action is a lower-case word of a-z, 0-9, `_` and `-`");
        let resource = match known(resource) {
            Some(resource) => resource,
            None => panic!("the resource is not in the catalogue"),
        };
        Self { resource: Resource::Known(resource), action: Action::of_static(action) }
    }

    /// The permission that a caller must hold for `selector`; its reach depends on the object.
    pub fn on(&self, selector: Selector) -> Permission {
        Permission { resource: self.resource.clone(), selector, action: self.action.clone(), reach: None }
    }
}

impl fmt::Display for Required {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.resource, self.action)
    }
}
