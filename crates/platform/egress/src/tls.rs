//! Whose certificates are believed.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::EgressError;

pub(crate) struct Trust {
    roots: RootCertStore,
    client: Arc<ClientConfig>,
}

impl Trust {
    pub(crate) fn load(further: Option<&[u8]>) -> Result<Self, EgressError> {
        let mut roots = RootCertStore::empty();
        // A machine without authorities can still call those that it is told to trust.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        add(&mut roots, further)?;
        let client = client(roots.clone())?;
        Ok(Self { roots, client })
    }

    pub(crate) fn client(&self, further: Option<&[u8]>) -> Result<Arc<ClientConfig>, EgressError> {
        if further.is_none() {
            return Ok(Arc::clone(&self.client));
        }
        let mut roots = self.roots.clone();
        add(&mut roots, further)?;
        client(roots)
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
