//! How far a permission goes among the objects of a resource.

use std::fmt;

/// `own` ⊂ `group` ⊂ `all`; the order of the variants is the order of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reach {
    /// The principal itself and what it owns.
    Own,
    /// Also what belongs to one of its groups.
    Group,
    /// Every object of the organization.
    All,
}

impl Reach {
    pub const ALL: &[Self] = &[Self::Own, Self::Group, Self::All];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Group => "group",
            Self::All => "all",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reach| reach.name() == text)
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
