//! For whoever uses secrets: taking them into use, letting go of them, and reading them.

use authority::{Reach, Required, Selector};
use db::{Change, OrgScope, Statement};
use ledger::{Actor, Fact, Origin};
use serde_json::json;
use types::{Secret, Uuid};
use web::{Allowance, Object, PrincipalId};

use crate::act::target;
use crate::model::{NamedSecret, SecretName};
use crate::{NamedSecrets, SecretError, facts, store};

/// Permission to have a secret used, which says nothing about seeing it.
const USE: Required = Required::parse("secrets:use");

/// Something that uses secrets.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// What it is, such as `function`.
    pub kind: &'static str,
    pub id: Uuid,
    /// As people call it.
    pub label: &'a str,
}

/// On whose behalf a value is read, for the ledger.
#[derive(Clone, Debug)]
pub struct Reading {
    pub actor: Actor,
    pub origin: Origin,
    /// `code`, or `request`.
    pub given_to: &'static str,
    pub attempt: i64,
}

impl NamedSecrets {
    /// The secrets of these names, if the caller may use each; `field` is where the names stand in the request.
    pub async fn usable(
        &self,
        by: &Allowance,
        names: &[SecretName],
        field: &str,
    ) -> Result<Vec<NamedSecret>, SecretError> {
        let found = store::by_names(&self.inner().db, &by.scope(), names).await?;
        for (place, name) in names.iter().enumerate() {
            let secret = found.iter().find(|secret| secret.name == *name);
            let object = secret.map_or_else(
                || Object { selector: name.as_str().into(), ..Object::default() },
                NamedSecret::object,
            );
            let refused = by.check_for(&USE, &object).err();
            // What one may not even see is told like what is not there.
            if let Some(problem) = refused.filter(|problem| problem.status() != 404) {
                return Err(problem.into());
            }
            if secret.is_none() || by.check_for(&USE, &object).is_err() {
                let reason = format!("there is no secret {name} that you may use");
                return Err(SecretError::invalid(format!("{field}/{place}"), reason));
            }
        }
        Ok(found)
    }

    /// Adds to the change of `user` that these secrets, and no others, are what it uses from now on.
    pub fn take_into_use(
        &self,
        mut change: Change,
        of: Use<'_>,
        org: types::OrgId,
        held: &[NamedSecret],
    ) -> Change {
        change = change.statement(store::end_uses(org, of.kind, of.id));
        for secret in held {
            change = change
                .guard("secrets", secret.id, secret.revision)
                .statement(store::begin_use(org, secret.id, of.kind, of.id, of.label));
        }
        change
    }

    /// The statement with which something ends that used secrets.
    pub fn let_go(&self, org: types::OrgId, kind: &'static str, id: Uuid) -> Statement {
        store::end_uses(org, kind, id)
    }

    /// The secret of this name, if whoever answers for its use still may.
    pub async fn standing(
        &self,
        scope: &OrgScope,
        name: &SecretName,
        author: PrincipalId,
    ) -> Result<Option<NamedSecret>, SecretError> {
        let inner = self.inner();
        let names = std::slice::from_ref(name);
        let Some(secret) = store::by_names(&inner.db, scope, names).await?.pop() else { return Ok(None) };
        if !inner.access.stands(scope.org(), author).await? {
            return Ok(None);
        }
        let grants = inner.access.grants(scope.org(), author).await?;
        let Ok(selector) = Selector::object([name.as_str()]) else { return Ok(None) };
        let needs = if secret.owner == author { Reach::Own } else { Reach::All };
        let may = grants.reach_for(&USE, &selector).is_some_and(|reach| reach >= needs);
        Ok(may.then_some(secret))
    }

    /// The value, once the ledger has heard of it.
    pub async fn read(
        &self,
        scope: &OrgScope,
        secret: &NamedSecret,
        reading: &Reading,
    ) -> Result<Secret<String>, SecretError> {
        let value = self.open(scope, secret).await?;
        let data = json!({
            "name": secret.name, "version": secret.version, "given_to": reading.given_to,
            "attempt": reading.attempt,
        });
        let fact = Fact::new(&facts::SECRET_READ, scope.org(), reading.actor.clone()).origin(&reading.origin);
        self.inner().ledger.append(target(fact, secret).data(data)).await?;
        metrics::counter!("safeconduct_secrets_read_total", "given_to" => reading.given_to).increment(1);
        Ok(value)
    }
}
