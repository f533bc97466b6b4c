//! One row that only the right key-encryption key opens: a wrong key is found at the start, not at the first secret.

use crypto::envelope::{KeyEncryptionKey, KeyLabel, UnwrapError};
use crypto::seal::DataKey;
use db::{Bookkeeping, Db, SystemScope, sql};
use types::World;

use crate::SecretsError;

const SCOPE: SystemScope = SystemScope::new("key check");
const LABEL: KeyLabel<'_> = KeyLabel { org: None, purpose: "check" };

/// Whether anything in this database was ever sealed.
pub(crate) async fn sealed_before(db: &Db) -> Result<bool, SecretsError> {
    let text = "SELECT EXISTS (SELECT 1 FROM key_check), EXISTS (SELECT 1 FROM data_keys)";
    let Some(mut row) = db.read_one(SCOPE, sql(text, vec![])).await? else { return Ok(false) };
    let (check, keys): (bool, bool) = (row.next()?, row.next()?);
    if keys && !check { Err(SecretsError::MissingCheck) } else { Ok(check) }
}

/// Holds the key against the check row, which the first start writes; of two first starts one writes it.
pub(crate) async fn hold(db: &Db, world: &World, kek: &KeyEncryptionKey) -> Result<(), SecretsError> {
    let wrapped = kek.wrap(world, &LABEL, &DataKey::generate(world, 1));
    let text = "INSERT INTO key_check (singleton, wrapped, created_at) VALUES (1, $1, $2) \
                ON CONFLICT (singleton) DO NOTHING";
    db.keep(Bookkeeping::new(SCOPE).statement(sql(text, vec![wrapped.into(), world.now().into()]))).await?;
    let stored = db.read_one(SCOPE, sql("SELECT wrapped FROM key_check", vec![])).await?;
    let wrapped: Vec<u8> = stored.ok_or(SecretsError::MissingCheck)?.next()?;
    match kek.unwrap(&LABEL, 1, &wrapped) {
        Ok(_) => Ok(()),
        Err(UnwrapError::OtherKey { found, tried }) => {
            Err(SecretsError::WrongKey { needed: found, loaded: tried })
        }
        Err(error) => Err(error.into()),
    }
}
