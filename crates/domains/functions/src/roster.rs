//! All functions of an organization in short, for those who ask about rights.

use db::{DbError, OrgScope, Row, sql};
use types::Id;
use web::PrincipalId;

use crate::Functions;
use crate::model::principal;

/// A function as far as rights depend on it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// `namespace/name`
    pub path: String,
    pub owner: PrincipalId,
}

impl Functions {
    /// Every function, by path.
    pub async fn roster(&self, scope: &OrgScope) -> Result<Vec<Listed>, DbError> {
        let text = "SELECT namespace || '/' || name, owner_kind, owner FROM functions \
                    WHERE org = $1 AND deleted_at IS NULL ORDER BY namespace, name";
        let rows = self.inner().db.read(scope, sql(text, vec![scope.org().uuid().into()])).await?;
        let listed = |mut row: Row| {
            let (path, kind): (String, String) = (row.next()?, row.next()?);
            Ok(Listed { path, owner: principal(&kind, row.next()?) })
        };
        rows.into_iter().map(listed).collect()
    }
}
