//! The decision over a chain: everyone in it must be allowed, each for themselves.

use crate::{Authority, Reach, Required, Selector};

/// How a principal stands to the object. Its crate looks that up; here it only counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// The principal is the object or its owner.
    pub own: bool,
    /// The object's group is one of the principal's.
    pub group: bool,
}

impl Relation {
    /// The narrowest reach that holds the object.
    pub fn needs(self) -> Reach {
        match self {
            Self { own: true, .. } => Reach::Own,
            Self { group: true, .. } => Reach::Group,
            Self { .. } => Reach::All,
        }
    }
}

/// One principal of the chain: its live grants, and how it stands to the object.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    pub authority: &'a Authority,
    pub relation: Relation,
}

/// Whether the act is allowed, and if not, by whom it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a decision that nobody reads protects nothing"]
pub enum Decision {
    Allowed,
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The chain is empty: nobody acts.
    Nobody,
    /// The hop at this place (0 = the subject, then the actors) holds too little.
    Hop(usize),
    /// The token's scope does not let it through.
    Scope,
}

impl Decision {
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }
}

/// The decisions of all hops are intersected, never their permissions: `own` means something else for each hop.
/// `hops` starts with the subject, whose relation also settles a reach that the scope states. `scope` is `None` for
/// callers without a token (a session of a person).
pub fn decide(
    hops: &[Hop<'_>],
    scope: Option<&Authority>,
    required: &Required,
    object: &Selector,
) -> Decision {
    let reaches = |authority: &Authority, relation: Relation| {
        authority.reach_for(required, object).is_some_and(|reach| reach >= relation.needs())
    };
    let Some(subject) = hops.first() else {
        return Decision::Refused(Refusal::Nobody);
    };
    if let Some(at) = hops.iter().position(|hop| !reaches(hop.authority, hop.relation)) {
        return Decision::Refused(Refusal::Hop(at));
    }
    match scope {
        Some(scope) if !reaches(scope, subject.relation) => Decision::Refused(Refusal::Scope),
        _ => Decision::Allowed,
    }
}
