//! The facade, and what its parts share.

use std::sync::Arc;

use access::Access;
use crypto::seal::Aad;
use db::{Db, OrgScope};
use ledger::Ledger;
use secrets::{Keyring, Purpose, Vault};
use types::{Id, Secret, World};
use web::{Allowance, Details};

use crate::model::{NamedSecret, SecretRef};
use crate::{SecretError, store};

/// What secrets stand on in this process.
pub struct SecretsGround {
    pub db: Db,
    pub ledger: Ledger,
    pub keyring: Keyring,
    pub vault: Vault,
    pub access: Access,
    pub world: World,
}

/// The named secrets of every organization; clones share it.
#[derive(Clone)]
pub struct NamedSecrets(Arc<SecretsGround>);

impl NamedSecrets {
    pub fn new(ground: SecretsGround) -> Self {
        Self(Arc::new(ground))
    }

    pub(crate) fn inner(&self) -> &SecretsGround {
        &self.0
    }

    /// The secret, if the caller may do its operation to it.
    pub(crate) async fn find(&self, by: &Allowance, of: &SecretRef) -> Result<NamedSecret, SecretError> {
        let found = store::find(&self.0.db, &by.scope(), of).await?.ok_or(SecretError::Unknown)?;
        let attributes = || found.attributes();
        by.check_with(&found.object(), Details { attributes: Some(&attributes), arguments: None })?;
        Ok(found)
    }

    pub(crate) async fn seal(
        &self,
        secret: &NamedSecret,
        value: &Secret<String>,
    ) -> Result<Vec<u8>, SecretError> {
        let row = secret.id.uuid();
        Ok(self
            .0
            .keyring
            .seal(Purpose::Records, &place(secret, row.as_bytes()), value.reveal().as_bytes())
            .await?)
    }

    /// The value itself. Whoever is given it has told the ledger before.
    pub(crate) async fn open(
        &self,
        scope: &OrgScope,
        secret: &NamedSecret,
    ) -> Result<Secret<String>, SecretError> {
        if let Some(reference) = &secret.vault {
            self.0.vault.admit(Some(secret.org), reference)?;
            return Ok(self.0.vault.read(reference).await?);
        }
        // A replaced value is not the one that was admitted.
        let sealed = store::sealed(&self.0.db, scope, secret).await?.ok_or(SecretError::Unknown)?;
        let row = secret.id.uuid();
        let opened =
            self.0.keyring.open_sealed(Purpose::Records, &place(secret, row.as_bytes()), &sealed).await?;
        Ok(Secret::new(String::from_utf8_lossy(&opened).into_owned()))
    }
}

fn place<'a>(secret: &NamedSecret, row: &'a [u8]) -> Aad<'a> {
    Aad { table: "secrets", column: "sealed", org: Some(secret.org), row }
}
