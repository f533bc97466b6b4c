//! The one way on which facts leave: a run of an organization's own order, with a fact that names it. Their leaves stay.

use db::{Change, OrgScope, Statement, SystemScope, sql};
use evidence::{Erasure, PURGED};
use serde_json::json;
use types::{FactId, Id, OrgId};

use crate::fact::{Actor, Fact};
use crate::store::{self, int};
use crate::{Inner, Ledger, LedgerError};

const SCOPE: SystemScope = SystemScope::new("ledger purge");

crate::fact_kinds! {
    pub AUDIT_PURGED = "audit.purged", Warning, "Records of the ledger were erased; their places in the log stay.", {
        first: Integer,
        last: Integer,
        reason: Text,
    };
    pub ORG_ERASED = "org.erased", Critical,
        "An organization and all that it recorded were erased, its keys destroyed; its leaves stay in the log.", {
        org: Text,
        slug: Text,
        first: Integer,
        last: Integer,
    };
}

impl Ledger {
    /// The change that ends an organization: it erases every fact that has its place in the log, and `rows` with them.
    /// The fact that says so stands in the ledger of `heir`, because the organization's own keys go, too.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if the organization has recorded nothing.
    pub async fn extinguish(
        &self,
        org: OrgId,
        slug: &str,
        heir: OrgId,
        rows: Vec<Statement>,
    ) -> Result<Change, LedgerError> {
        let newest = store::last_leaf(&self.0.db, org).await?.ok_or(LedgerError::Unknown)?;
        let range = Erasure { first: 1, last: newest.org_seq };
        let data = json!({"org": org, "slug": slug, "first": range.first, "last": range.last});
        let fact = Fact::new(&ORG_ERASED, heir, Actor::system("ledger")).target("org", org, slug).data(data);
        let fact = self.seal(fact).await?;
        let id = fact.id;
        let mut statements = self.0.erase(org, range);
        // While the permit stands: rows that are insert-only ask for it as facts do.
        let behind_the_facts = statements.len().min(2);
        statements.splice(behind_the_facts..behind_the_facts, rows);
        Ok(Change::new(SCOPE, fact).statements(statements).with(note(org, range, id)))
    }

    /// Erases the facts numbered `range` of the organization, in one transaction with the fact that says so.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if the range is not wholly sequenced or holds the newest record.
    pub async fn purge(
        &self,
        scope: &OrgScope,
        range: Erasure,
        actor: Actor,
        reason: &str,
    ) -> Result<FactId, LedgerError> {
        let newest = self.newest(scope).await?;
        if range.first == 0 || range.first > range.last || range.last >= newest {
            return Err(LedgerError::Unknown);
        }
        let org = scope.org();
        let data = json!({"first": range.first, "last": range.last, "reason": reason});
        let fact = self.seal(Fact::new(&AUDIT_PURGED, org, actor).data(data)).await?;
        let id = fact.id;
        let change = Change::new(SCOPE, fact).statements(self.0.erase(org, range)).with(note(org, range, id));
        self.0.db.commit(change).await?;
        Ok(id)
    }
}

/// Where the fact of a purge is found again; what it says, only the fact itself does.
fn note(org: OrgId, range: Erasure, fact: FactId) -> Statement {
    let text = "INSERT INTO purges (org, first, last, fact) VALUES ($1, $2, $3, $4)";
    sql(text, vec![org.uuid().into(), int(range.first).into(), int(range.last).into(), fact.uuid().into()])
}

impl Inner {
    fn erase(&self, org: OrgId, range: Erasure) -> Vec<Statement> {
        let params = || vec![org.uuid().into(), int(range.first).into(), int(range.last).into()];
        if self.db.is_postgres() {
            return vec![sql("SELECT safeconduct_purge($1, $2, $3)", params())];
        }
        let facts = "DELETE FROM facts WHERE id IN \
                     (SELECT fact FROM leaves WHERE org = $1 AND org_seq BETWEEN $2 AND $3)";
        vec![
            sql("INSERT INTO purge_permits (org, first, last) VALUES ($1, $2, $3)", params()),
            sql(facts, params()),
            sql("DELETE FROM audit_index WHERE org = $1 AND org_seq BETWEEN $2 AND $3", params()),
            sql("DELETE FROM audit_terms WHERE org = $1 AND org_seq BETWEEN $2 AND $3", params()),
            sql("DELETE FROM purge_permits", vec![]),
        ]
    }

    /// What purges have erased of the organization, as their facts say.
    pub(crate) async fn erasures(&self, org: OrgId) -> Result<Vec<Erasure>, LedgerError> {
        let mut erasures = Vec::new();
        for (fact, sealed) in store::purge_facts(&self.db, org).await? {
            let Ok(private) = self.open_private(&fact, &sealed).await else { continue };
            let of_its_own = fact.kind == PURGED && fact.org == org;
            if of_its_own || (fact.kind == ORG_ERASED.name && is_about(&private, org)) {
                erasures.extend(erasure(&private));
            }
        }
        Ok(erasures)
    }
}

/// Whether the fact of an organization's end, which stands in another's ledger, means this organization.
fn is_about(private: &[u8], org: OrgId) -> bool {
    #[derive(serde::Deserialize)]
    struct Private {
        data: Data,
    }
    #[derive(serde::Deserialize)]
    struct Data {
        org: OrgId,
    }
    serde_json::from_slice(private).is_ok_and(|private: Private| private.data.org == org)
}

/// What the private part of a purge's fact says was erased.
pub(crate) fn erasure(private: &[u8]) -> Option<Erasure> {
    #[derive(serde::Deserialize)]
    struct Private {
        data: Erasure,
    }
    serde_json::from_slice(private).ok().map(|private: Private| private.data)
}
