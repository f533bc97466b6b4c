//! Who comes in, given what was proved. The rules of takeover stand here, once, for every kind:
//!
//! - An identity (issuer, subject) finds whom it was linked to, and is looked up only among what the provider's own owner
//!   was told.
//! - An address finds its person only if it was proved to us, if the operator vouches for the provider (`trust_email`), or –
//!   for an organization's provider – if it lies inside a domain that the organization proved. What a provider merely
//!   asserts about an address is never enough.
//! - An organization's provider signs in to that organization and no other.

use people::Person;
use types::OrgId;

use crate::kind::Proven;
use crate::model::{GroupRoles, Provider, domain};
use crate::{Owner, Reason};

/// What the rules look at beside the provider and the proof.
pub(crate) struct Known {
    /// Whom the proof names itself (a password's owner), or whom the identity is linked to.
    pub(crate) by_identity: Option<Person>,
    pub(crate) by_email: Option<Person>,
    /// The address lies inside a domain that the provider's organization proved.
    pub(crate) domain_proved: bool,
}

/// Who it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A person of ours; the identity is linked to them from now on if it is not yet.
    Known { person: Box<Person>, link: bool },
    /// Somebody new; their address is kept only if it may be believed.
    New { email: Option<String> },
}

pub(crate) fn who(provider: &Provider, proven: &Proven, known: Known) -> Result<Who, Reason> {
    let email = proven.email.as_deref();
    if !provider.allowed_domains.is_empty() {
        let of = known.by_identity.as_ref().and_then(|person| person.email.as_deref());
        let inside = |email: &str| provider.allowed_domains.iter().any(|allowed| allowed == domain(email));
        if !email.or(of).is_some_and(inside) {
            return Err(Reason::OtherDomain);
        }
    }
    if let Some(person) = known.by_identity {
        return Ok(Who::Known { person: Box::new(person), link: false });
    }
    let believed = match provider.owner {
        _ if proven.email_is_ours => true,
        Owner::Instance => provider.trust_email,
        Owner::Org(_) => known.domain_proved,
    };
    match (known.by_email, believed) {
        (Some(person), true) => Ok(Who::Known { person: Box::new(person), link: proven.identity.is_some() }),
        (Some(_), false) => Err(Reason::EmailTaken),
        // Without an identity only a believed address says who it is.
        (None, _) if !provider.create_users => Err(Reason::UnknownPerson),
        (None, false) if proven.identity.is_none() => Err(Reason::UnknownPerson),
        (None, believed) => Ok(Who::New { email: email.filter(|_| believed).map(str::to_owned) }),
    }
}

/// Which organization a person signs in to: `of` are those that they belong to.
pub(crate) fn target(owner: Owner, asked: Option<OrgId>, of: &[OrgId]) -> Option<OrgId> {
    match owner {
        Owner::Org(org) => (asked.is_none_or(|asked| asked == org) && of.contains(&org)).then_some(org),
        Owner::Instance => match asked {
            Some(asked) => of.contains(&asked).then_some(asked),
            None => of.first().copied(),
        },
    }
}

/// The roles of somebody in these groups, each once. Directories compare names without regard to case.
pub(crate) fn roles_of(map: &GroupRoles, groups: &[String]) -> Vec<String> {
    let groups: Vec<String> = groups.iter().map(|group| group.to_lowercase()).collect();
    let of = map.iter().filter(|(group, _)| groups.contains(&group.to_lowercase()));
    let mut roles: Vec<String> = of.flat_map(|(_, roles)| roles.iter().cloned()).collect();
    roles.sort();
    roles.dedup();
    roles
}

#[cfg(test)]
mod tests;
