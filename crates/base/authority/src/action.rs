//! What may be done with a resource.

use std::borrow::Cow;
use std::fmt;

use crate::text::{is_word, same};

/// One action, or several under one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// `*`: every action, also those not known yet.
    Any,
    Read,
    Create,
    Update,
    Delete,
    /// Create and update.
    Write,
    /// Read, create, update and delete.
    Manage,
    Execute,
    Chat,
    Approve,
    /// A word of its own, such as `kill` or `enrol`.
    Custom(Cow<'static, str>),
}

/// How many single actions have a bit of their own.
pub(crate) const BITS: usize = 7;

const READ: u8 = 1;
const CREATE: u8 = 1 << 1;
const UPDATE: u8 = 1 << 2;
const DELETE: u8 = 1 << 3;
const EXECUTE: u8 = 1 << 4;
const CHAT: u8 = 1 << 5;
const APPROVE: u8 = 1 << 6;

impl Action {
    /// Every action of the catalogue; custom ones are not listed anywhere.
    pub const ALL: &[Self] = &[
        Self::Any,
        Self::Read,
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Write,
        Self::Manage,
        Self::Execute,
        Self::Chat,
        Self::Approve,
    ];

    /// The word in the grammar.
    pub fn name(&self) -> &str {
        match self {
            Self::Custom(name) => name,
            listed => listed.listed_name(),
        }
    }

    /// Does `self` allow all that `other` allows?
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (_, Self::Any) => false,
            (Self::Custom(ours), Self::Custom(theirs)) => ours == theirs,
            (Self::Custom(_), _) | (_, Self::Custom(_)) => false,
            _ => other.bits() & !self.bits() == 0,
        }
    }

    /// What both allow. One name is always enough: the composites are nested (`create` in `write` in `manage`).
    pub(crate) fn meet(&self, other: &Self) -> Option<Self> {
        if self.covers(other) {
            return Some(other.clone());
        }
        other.covers(self).then(|| self.clone())
    }

    /// The single actions inside, one bit each; none for `*` and custom words.
    pub(crate) const fn bits(&self) -> u8 {
        match self {
            Self::Read => READ,
            Self::Create => CREATE,
            Self::Update => UPDATE,
            Self::Delete => DELETE,
            Self::Write => CREATE | UPDATE,
            Self::Manage => READ | CREATE | UPDATE | DELETE,
            Self::Execute => EXECUTE,
            Self::Chat => CHAT,
            Self::Approve => APPROVE,
            Self::Any | Self::Custom(_) => 0,
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let listed = Self::ALL.iter().find(|action| action.name() == text);
        listed.cloned().or_else(|| is_word(text).then(|| Self::Custom(Cow::Owned(text.to_owned()))))
    }

    /// As [`Self::parse`], for texts in the code.
    pub(crate) const fn of_static(text: &'static str) -> Self {
        if same(text, "*") {
            Self::Any
        } else if same(text, "read") {
            Self::Read
        } else if same(text, "create") {
            Self::Create
        } else if same(text, "update") {
            Self::Update
        } else if same(text, "delete") {
            Self::Delete
        } else if same(text, "write") {
            Self::Write
        } else if same(text, "manage") {
            Self::Manage
        } else if same(text, "execute") {
            Self::Execute
        } else if same(text, "chat") {
            Self::Chat
        } else if same(text, "approve") {
            Self::Approve
        } else {
            Self::Custom(Cow::Borrowed(text))
        }
    }

    const fn listed_name(&self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Write => "write",
            Self::Manage => "manage",
            Self::Execute => "execute",
            Self::Chat => "chat",
            Self::Approve => "approve",
            Self::Custom(_) => "",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
