//! Trust anchors, client certificate, resumption: what connections share.

use std::fmt;
use std::sync::Arc;

use rustls::client::{ClientConfig, Resumption};
use rustls::sign::SingleCertAndKey;
use rustls::{CipherSuite, RootCertStore, crypto};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::clock::Clock;
use super::identity::{self, ClientIdentity};
use crate::error::{Error, ErrorKind};

/// How connections authenticate the server, and themselves. Built once, shared by `Arc`.
///
/// TLS 1.2 and 1.3 with `ring`'s cipher suites; the process-wide default provider
/// of rustls is neither read nor set. Server certificates are always verified:
/// there is no switch to turn that off. Revocation is not checked.
pub struct TlsConfig {
    pub(super) client: Arc<ClientConfig>,
    pub(super) clock: Arc<Clock>,
    identity: Option<ClientIdentity>,
}

impl TlsConfig {
    /// The bundled Mozilla trust anchors, no client certificate, resumption on.
    ///
    /// # Errors
    /// As [`TlsConfigBuilder::build`].
    pub fn new() -> Result<Arc<Self>, Error> {
        Self::builder().build()
    }

    /// Starts from what [`TlsConfig::new`] gives.
    pub fn builder() -> TlsConfigBuilder {
        TlsConfigBuilder {
            bundled_roots: true,
            own_roots: Vec::new(),
            identity: None,
            resumption: true,
        }
    }

    /// The client certificate, if there is one.
    pub fn identity(&self) -> Option<&ClientIdentity> {
        self.identity.as_ref()
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// Collects what a [`TlsConfig`] is made of.
#[derive(Debug)]
#[must_use = "nothing happens before `build`"]
pub struct TlsConfigBuilder {
    bundled_roots: bool,
    own_roots: Vec<Vec<u8>>,
    identity: Option<ClientIdentity>,
    resumption: bool,
}

impl TlsConfigBuilder {
    /// Also trusts the certificates in this PEM text: one or many, at most 10 MiB.
    /// Text between the PEM blocks is ignored.
    pub fn add_roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.own_roots.push(pem.into());
        self
    }

    /// Does not trust the bundled Mozilla roots: only those given by
    /// [`add_roots`](Self::add_roots).
    pub fn without_bundled_roots(mut self) -> Self {
        self.bundled_roots = false;
        self
    }

    /// Presents this certificate when the server asks for one.
    pub fn identity(mut self, identity: ClientIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Whether a connection may resume an earlier one's session; on by default.
    pub fn resumption(mut self, on: bool) -> Self {
        self.resumption = on;
        self
    }

    /// The shared configuration.
    ///
    /// # Errors
    /// `InvalidCredential` when a PEM text of own roots is broken, too large, or holds no
    /// usable certificate, or when no root is left at all.
    pub fn build(self) -> Result<Arc<TlsConfig>, Error> {
        let mut roots = RootCertStore::empty();
        if self.bundled_roots {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for pem in &self.own_roots {
            add_pem(&mut roots, pem)?;
        }
        if roots.is_empty() {
            return Err(invalid(
                "no trust anchor: add a CA certificate or keep the bundled roots",
            ));
        }
        let clock = Arc::new(Clock::default());
        let mut provider = crypto::ring::default_provider();
        // Where the server leaves it to us: no weaker against anything known, and a quarter cheaper. The
        // order of browsers, too. The sort keeps the rest as it is.
        provider
            .cipher_suites
            .sort_by_key(|suite| !uses_aes_128(suite.suite()));
        let builder = ClientConfig::builder_with_details(Arc::new(provider), Arc::clone(&clock) as _)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::new(ErrorKind::Internal, "ring has no tls suite").with_source(error))?
            .with_root_certificates(roots);
        let mut client = match &self.identity {
            Some(identity) => builder
                .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&identity.certified)))),
            None => builder.with_no_client_auth(),
        };
        if !self.resumption {
            client.resumption = Resumption::disabled();
        }
        Ok(Arc::new(TlsConfig {
            client: Arc::new(client),
            clock,
            identity: self.identity,
        }))
    }
}

fn uses_aes_128(suite: CipherSuite) -> bool {
    matches!(
        suite,
        CipherSuite::TLS13_AES_128_GCM_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
            | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    )
}

fn add_pem(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), Error> {
    if pem.len() > identity::MAX_PEM {
        return Err(invalid("pem text of ca certificates is larger than 10 MiB"));
    }
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate
            .map_err(|error| invalid("pem text of ca certificates is broken").with_source(error))?;
        roots
            .add(certificate)
            .map_err(|error| invalid("a ca certificate cannot be read").with_source(error))?;
    }
    match roots.len() > before {
        true => Ok(()),
        false => Err(invalid(
            "pem text holds no ca certificate (BEGIN CERTIFICATE is missing)",
        )),
    }
}

fn invalid(context: &'static str) -> Error {
    Error::new(ErrorKind::InvalidCredential, context)
}
