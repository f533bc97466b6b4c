//! E-mail domains that an organization proves to hold by a TXT record. Only inside them may it create, link or suspend
//! people; elsewhere it manages memberships and nothing else.

use db::Change;
use dns::DnsError;
use problem::{DOMAIN_TAKEN, DOMAIN_UNPROVED, OUTSIDE_DOMAINS, Problem, RESOLVER_SILENT};
use serde_json::json;
use types::{DomainId, DomainName, Timestamp};
use web::{Allowance, Decided, Object};

use crate::{People, PeopleError, Person, facts, store};

/// The record stands at this label under the domain.
const LABEL: &str = "_safeconduct";
const MARK: &str = "safeconduct-domain=";

#[derive(Clone, Debug)]
pub struct Domain {
    pub id: DomainId,
    pub name: String,
    /// What the TXT record must say.
    pub challenge: String,
    pub proved_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: i64,
}

impl Domain {
    /// Name of the TXT record.
    pub fn record(&self) -> String {
        format!("{LABEL}.{}", self.name)
    }
}

/// A proved domain that a decision about a person relied on.
pub(crate) struct Proved {
    pub(crate) id: DomainId,
    pub(crate) revision: i64,
}

fn own(by: &Allowance) -> Object<'static> {
    Object { selector: by.org().to_string().into(), ..Object::default() }
}

impl People {
    pub(crate) async fn domains(&self, by: &Allowance) -> Result<Vec<Domain>, PeopleError> {
        by.check(&own(by))?;
        Ok(store::domains(&self.inner().db, &by.scope()).await?)
    }

    pub(crate) async fn find_domain(&self, by: &Allowance, id: DomainId) -> Result<Domain, PeopleError> {
        let found = store::domain(&self.inner().db, &by.scope(), id).await?;
        by.check(&own(by))?;
        found.ok_or(PeopleError::UnknownDomain)
    }

    /// Claims a domain: says which record would prove it.
    pub(crate) async fn claim_domain(
        &self,
        by: &Allowance,
        name: &DomainName,
    ) -> Result<Decided<Domain>, PeopleError> {
        let inner = self.inner();
        by.check(&own(by))?;
        let domain = Domain {
            id: inner.world.id(),
            name: name.to_string(),
            challenge: format!("{MARK}{}", crypto::base62::encode(&inner.world.bytes::<24>())),
            proved_at: None,
            created_at: inner.world.now(),
            revision: 1,
        };
        let fact = by
            .fact(&facts::DOMAIN_CLAIMED)
            .target("domain", domain.id, &domain.name)
            .data(json!({ "name": domain.name }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?).statement(store::insert_domain(
            &domain,
            by.org(),
            &by.caller().principal().to_string(),
        ));
        Ok(Decided::new(change, domain))
    }

    /// Looks for the record. A domain is proved for one organization at a time.
    pub(crate) async fn prove_domain(
        &self,
        by: &Allowance,
        id: DomainId,
    ) -> Result<Decided<Domain>, PeopleError> {
        let inner = self.inner();
        let mut domain = self.find_domain(by, id).await?;
        by.expect_revision(domain.revision)?;
        let texts = inner.records.txt(&domain.record()).await.map_err(unheard)?;
        if !texts.iter().any(|text| text.trim() == domain.challenge) {
            let detail = format!(
                "There is no TXT record {} that says {:?}. It may take a while until a new record is seen.",
                domain.record(),
                domain.challenge
            );
            let problem = Problem::new(&DOMAIN_UNPROVED, detail).with_member("record", domain.record());
            return Err(problem.with_member("value", domain.challenge).into());
        }
        domain.proved_at = Some(inner.world.now());
        domain.revision += 1;
        let fact = by
            .fact(&facts::DOMAIN_PROVED)
            .target("domain", domain.id, &domain.name)
            .data(json!({ "name": domain.name }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::prove_domain(&domain, by.org()).unique_or(&DOMAIN_TAKEN));
        Ok(Decided::new(change, domain))
    }

    pub(crate) async fn let_domain_go(
        &self,
        by: &Allowance,
        id: DomainId,
    ) -> Result<Decided<Domain>, PeopleError> {
        let inner = self.inner();
        let domain = self.find_domain(by, id).await?;
        by.expect_revision(domain.revision)?;
        let fact = by
            .fact(&facts::DOMAIN_REMOVED)
            .target("domain", domain.id, &domain.name)
            .data(json!({ "name": domain.name }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::delete_domain(&domain, by.org()));
        Ok(Decided::new(change, domain))
    }

    /// The proved domain of the caller's organization that an address lies in.
    pub(crate) async fn proved_domain(
        &self,
        by: &Allowance,
        email: &str,
    ) -> Result<Option<Proved>, PeopleError> {
        let domain = email.rsplit('@').next().unwrap_or_default();
        Ok(store::proved_domain(&self.inner().db, &by.scope(), domain).await?)
    }

    /// Refused with `403 outside_domains` unless the person's address lies in a domain that the organization proved.
    pub(crate) async fn in_proved_domain(
        &self,
        by: &Allowance,
        person: &Person,
    ) -> Result<Proved, PeopleError> {
        let proved = match &person.email {
            Some(email) => self.proved_domain(by, email).await?,
            None => None,
        };
        proved.ok_or_else(|| outside().into())
    }
}

pub(crate) fn outside() -> Problem {
    let detail = "The address lies outside the domains that your organization has proved. Prove the domain, or invite.";
    Problem::new(&OUTSIDE_DOMAINS, detail)
}

fn unheard(error: DnsError) -> Problem {
    match error {
        DnsError::Name(_) => Problem::internal(error),
        DnsError::Silent(_) | DnsError::Refused(_) => {
            let detail =
                "The server's DNS resolver does not answer. Try again; an operator can set dns.servers.";
            Problem::new(&RESOLVER_SILENT, detail).with_retry_after(5).with_context(error)
        }
    }
}

/// For the row of a domain that a change relies on.
pub(crate) fn relied_on(change: Change, proved: &Proved) -> Change {
    change.guard("domains", proved.id, proved.revision)
}

#[cfg(test)]
mod tests {
    use types::Id;

    use super::*;

    #[test]
    fn the_record_stands_under_the_domain() {
        let domain = Domain {
            id: DomainId::from_uuid(types::Uuid::nil()),
            name: "example.com".into(),
            challenge: String::new(),
            proved_at: None,
            created_at: Timestamp::from_millis(0),
            revision: 1,
        };
        assert_eq!(domain.record(), "_safeconduct.example.com");
    }
}
