//! All members of an organization, for those who ask about rights.

use db::{DbError, OrgScope, sql};
use types::{Id, UserId};

use crate::People;

impl People {
    pub async fn roster(&self, scope: &OrgScope) -> Result<Vec<UserId>, DbError> {
        let text = "SELECT user_id FROM memberships WHERE org = $1 ORDER BY user_id";
        let rows = self.inner().db.read(scope, sql(text, vec![scope.org().uuid().into()])).await?;
        rows.into_iter().map(|mut row| row.id()).collect()
    }
}
