//! Whose certificates are believed.

use std::sync::{Arc, OnceLock};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::EgressError;

pub(crate) struct Trust {
    /// The operator's own authorities, read at the start: what is wrong with them stops it.
    own: RootCertStore,
    /// Those and the machine's: some hundred files, read when the first call needs them.
    roots: OnceLock<RootCertStore>,
    client: OnceLock<Arc<ClientConfig>>,
}

impl Trust {
    pub(crate) fn load(own: Option<&[u8]>) -> Result<Self, EgressError> {
        let mut roots = RootCertStore::empty();
        add(&mut roots, own)?;
        Ok(Self { own: roots, roots: OnceLock::new(), client: OnceLock::new() })
    }

    pub(crate) fn client(&self, further: Option<&[u8]>) -> Result<Arc<ClientConfig>, EgressError> {
        if further.is_none() {
            if let Some(client) = self.client.get() {
                return Ok(Arc::clone(client));
            }
            let made = client(self.roots().clone())?;
            return Ok(Arc::clone(self.client.get_or_init(|| made)));
        }
        let mut roots = self.roots().clone();
        add(&mut roots, further)?;
        client(roots)
    }

    fn roots(&self) -> &RootCertStore {
        self.roots.get_or_init(|| {
            let mut roots = self.own.clone();
            // A machine without authorities can still call those that it is told to trust.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        })
    }
}

fn client(roots: RootCertStore) -> Result<Arc<ClientConfig>, EgressError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| EgressError::Trust(error.to_string()))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

fn add(roots: &mut RootCertStore, pem: Option<&[u8]>) -> Result<(), EgressError> {
    let Some(pem) = pem else { return Ok(()) };
    let mut some = false;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| EgressError::Trust(error.to_string()))?;
        roots.add(certificate).map_err(|error| EgressError::Trust(error.to_string()))?;
        some = true;
    }
    if some { Ok(()) } else { Err(EgressError::Trust("there is no certificate in PEM".to_owned())) }
}
