//! All agents of an organization in short, for those who ask about rights.

use db::{DbError, OrgScope, Row, sql};
use types::{AgentId, Id, UserId};

use crate::Agents;

/// An agent as far as rights depend on it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: AgentId,
    /// `namespace/name`
    pub path: String,
    pub owner: UserId,
}

impl Agents {
    /// Every agent that is not retired, by path.
    pub async fn roster(&self, scope: &OrgScope) -> Result<Vec<Listed>, DbError> {
        let text = "SELECT id, namespace || '/' || name, owner FROM agents \
                    WHERE org = $1 AND status <> 'decommissioned' ORDER BY namespace, name";
        let rows = self.inner().db.read(scope, sql(text, vec![scope.org().uuid().into()])).await?;
        let listed = |mut row: Row| Ok(Listed { id: row.id()?, path: row.next()?, owner: row.id()? });
        rows.into_iter().map(listed).collect()
    }
}
