//! The log's name and the key that signs its checkpoints: made once, sealed under a key of the instance.

use std::sync::Arc;

use crypto::jws::{Algorithm, SigningKey};
use crypto::seal::Aad;
use merkle::NoteSigner;
use secrets::Purpose;

use crate::{Inner, LedgerError, store};

const PLACE: Aad<'static> = Aad { table: "log_keys", column: "sealed", org: None, row: b"1" };

impl Inner {
    pub(crate) async fn signer(&self) -> Result<Arc<NoteSigner>, LedgerError> {
        self.signer.get_or_try_init(|| self.load_signer()).await.cloned()
    }

    async fn load_signer(&self) -> Result<Arc<NoteSigner>, LedgerError> {
        if store::log_key(&self.db).await?.is_none() {
            self.make_key().await?;
        }
        let (origin, sealed) =
            store::log_key(&self.db).await?.ok_or(LedgerError::Key("it is not stored".into()))?;
        let key = self.keyring.open_sealed(Purpose::Records, &PLACE, &sealed).await;
        let key = key.map_err(|error| LedgerError::Key(error.to_string()))?;
        let key = types::Secret::new(key);
        let key = SigningKey::from_pkcs8(Algorithm::EdDSA, key.reveal())
            .map_err(|error| LedgerError::Key(error.to_string()))?;
        Ok(Arc::new(NoteSigner::new(&origin, key).map_err(|error| LedgerError::Key(error.to_string()))?))
    }

    async fn make_key(&self) -> Result<(), LedgerError> {
        let key =
            SigningKey::generate(Algorithm::EdDSA).map_err(|error| LedgerError::Key(error.to_string()))?;
        let sealed = self.keyring.seal(Purpose::Records, &PLACE, key.to_pkcs8().reveal()).await?;
        let origin = match &self.settings.origin {
            Some(origin) => origin.clone(),
            None => format!("safeconduct/{}", hex::encode(self.world.bytes::<8>())),
        };
        Ok(store::keep_log_key(&self.db, &origin, sealed, self.world.now()).await?)
    }
}
