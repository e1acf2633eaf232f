//! Certificates made for one test run.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// The names that a server certificate is for, where a test says nothing else.
pub const NAMES: [&str; 3] = ["api.sandbox.push.apple.com", "localhost", "127.0.0.1"];

/// A certificate authority.
pub struct Authority {
    params: CertificateParams,
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    /// A new key under the name `Test CA`.
    pub fn new() -> Self {
        Self::named("Test CA")
    }

    /// A new key under that name.
    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.clone().self_signed(&key).expect("a certificate");
        Self {
            params,
            certificate,
            key,
        }
    }

    /// For clients that are to trust it.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A server that speaks `alpn`, with a certificate that `change` makes wrong.
    pub fn server(&self, alpn: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Arc<ServerConfig> {
        self.server_with(alpn, false, change)
    }

    /// The same; `asks` for a client certificate of this authority.
    pub fn server_with(
        &self,
        alpn: &[&str],
        asks: bool,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(NAMES.map(str::to_owned)).expect("names");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2035, 1, 1);
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params
            .signed_by(&key, &self.certificate, &self.key)
            .expect("a certificate");
        self.config(alpn, asks, certificate.der().clone(), &key)
    }

    /// A server that shows the authority's own certificate as its own.
    pub fn server_with_ca_as_leaf(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let mut params = self.params.clone();
        params.subject_alt_names = CertificateParams::new(NAMES.map(str::to_owned))
            .expect("names")
            .subject_alt_names;
        params
            .distinguished_name
            .push(DnType::CommonName, "Test CA as a leaf");
        let key = KeyPair::generate().expect("a key");
        let certificate = params
            .signed_by(&key, &self.certificate, &self.key)
            .expect("a certificate");
        self.config(alpn, false, certificate.der().clone(), &key)
    }

    /// A server whose certificate was changed after it had been signed.
    pub fn server_with_bad_signature(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(NAMES.map(str::to_owned)).expect("names");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2035, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params
            .signed_by(&key, &self.certificate, &self.key)
            .expect("a certificate");
        let mut der = certificate.der().to_vec();
        // The dates are text: another year of the same length.
        let year = der
            .windows(7)
            .position(|text| text == b"3501010")
            .expect("a date in 2035");
        der[year + 1] = b'4';
        self.config(alpn, false, CertificateDer::from(der), &key)
    }

    fn config(
        &self,
        alpn: &[&str],
        asks: bool,
        leaf: CertificateDer<'static>,
        key: &KeyPair,
    ) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .expect("versions");
        let builder = if asks {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.der().clone()).expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = builder
            .with_single_cert(vec![leaf], key)
            .expect("a key that fits");
        // So that the simulator can send an alert of its choice.
        config.enable_secret_extraction = true;
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
