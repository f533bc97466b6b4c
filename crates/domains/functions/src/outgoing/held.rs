//! The secrets of one run: each asked for anew, since whoever wrote the version may have lost them.

use std::collections::BTreeMap;

use db::OrgScope;
use named_secrets::{NamedSecrets, Reading, SecretError, SecretName};
use problem::Problem;
use runs::{Ending, RunError, Task};
use tokio::sync::OnceCell;
use types::Secret;
use web::PrincipalId;

use super::http::Usable;
use crate::model::Version;

pub(crate) struct Held {
    /// For `context.secrets`.
    pub(crate) given: BTreeMap<String, Secret<String>>,
    /// For requests.
    pub(crate) usable: BTreeMap<SecretName, Usable>,
    pub(crate) reading: Reading,
}

/// Reads what code is given – the ledger hears of it first – and leaves the rest until a request needs it.
pub(crate) async fn hold(
    secrets: &NamedSecrets,
    scope: &OrgScope,
    task: &Task,
    version: &Version,
) -> Result<Held, Ending> {
    let reading = |given_to| Reading {
        actor: task.mandate.actor.clone(),
        origin: task.mandate.origin(task.run.id),
        given_to,
        attempt: task.run.attempts,
    };
    let mut held = Held { given: BTreeMap::new(), usable: BTreeMap::new(), reading: reading("request") };
    if version.secrets.is_empty() {
        return Ok(held);
    }
    let author: PrincipalId = version.author.parse().map_err(|error| Ending::Again(format!("{error}")))?;
    for name in &version.secrets {
        let standing = secrets.standing(scope, name, author).await.map_err(away)?;
        let Some(secret) = standing else {
            let message = format!(
                "There is no secret {name} that {author}, who wrote this version, may use any more. Publish it anew."
            );
            return Err(Ending::Failed(RunError::new("secret_unavailable", message)));
        };
        let value = OnceCell::new();
        if !secret.is_bound() {
            let read = secrets.read(scope, &secret, &reading("code")).await.map_err(away)?;
            held.given.insert(name.to_string(), read.clone());
            let _ = value.set(read);
        }
        held.usable.insert(name.clone(), Usable { secret, value });
    }
    Ok(held)
}

/// A Vault or database that is away is worth another attempt; a reference that leads nowhere is not.
fn away(error: SecretError) -> Ending {
    let again = error.passes();
    let problem = Problem::from(error);
    if again || problem.status() >= 500 {
        return Ending::Again(problem.to_string());
    }
    Ending::Failed(RunError::new("secret_unavailable", problem.detail().to_owned()))
}
