//! Certificates made for one test run.

use std::sync::Arc;

use base64::Engine as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

/// The names that a server certificate is for, where a test says nothing else.
pub const NAMES: [&str; 3] = ["api.sandbox.push.apple.com", "localhost", "127.0.0.1"];

/// A certificate and its key, in PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its key, PKCS#8.
    pub key: String,
    /// The same certificate in DER.
    pub der: Vec<u8>,
}

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

    /// A new key under this name.
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
        let (leaf, key) = self.issue_server(change);
        let verifier = asks.then(|| {
            let verifier = WebPkiClientVerifier::builder_with_provider(self.roots(), provider()).build();
            verifier.expect("a verifier")
        });
        config(rustls::ALL_VERSIONS, alpn, verifier, leaf, &key)
    }

    /// A server that asks for a client certificate and has the one with this serial number on its list
    /// of revoked ones.
    pub fn server_that_revoked(&self, alpn: &[&str], serial: u64) -> Arc<ServerConfig> {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2025, 6, 1),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2025, 6, 1),
            next_update: date_time_ymd(2035, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.certificate, &self.key).expect("a list");
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots(), provider())
            .with_crls([list.der().clone()])
            .build();
        let (leaf, key) = self.issue_server(|_| {});
        let versions = rustls::ALL_VERSIONS;
        config(versions, alpn, Some(verifier.expect("a verifier")), leaf, &key)
    }

    /// A server certificate and its key, for servers that read files.
    pub fn server_files(&self) -> Issued {
        let (leaf, key) = self.issue_server(|_| {});
        let text = base64::engine::general_purpose::STANDARD.encode(&leaf);
        Issued {
            certificate: format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"),
            key: key.serialize_pem(),
            der: leaf.to_vec(),
        }
    }

    /// A server that speaks TLS 1.2 and nothing newer.
    pub fn server_of_tls12(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let (leaf, key) = self.issue_server(|_| {});
        config(&[&rustls::version::TLS12], alpn, None, leaf, &key)
    }

    /// A client certificate with this serial number.
    pub fn client(&self, serial: u64, change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        let name = "Apple Push Services: org.example.app";
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(SerialNumber::from(serial));
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2035, 1, 1);
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params
            .signed_by(&key, &self.certificate, &self.key)
            .expect("a certificate");
        Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().to_vec(),
        }
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
        config(rustls::ALL_VERSIONS, alpn, None, certificate.der().clone(), &key)
    }

    /// A server whose certificate was changed after it had been signed.
    pub fn server_with_bad_signature(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let (leaf, key) = self.issue_server(|_| {});
        let mut der = leaf.to_vec();
        // The dates are text: another year of the same length.
        let year = der
            .windows(7)
            .position(|text| text == b"3501010")
            .expect("a date in 2035");
        der[year + 1] = b'4';
        config(rustls::ALL_VERSIONS, alpn, None, CertificateDer::from(der), &key)
    }

    fn issue_server(
        &self,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (CertificateDer<'static>, KeyPair) {
        let mut params = CertificateParams::new(NAMES.map(str::to_owned)).expect("names");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2035, 1, 1);
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params
            .signed_by(&key, &self.certificate, &self.key)
            .expect("a certificate");
        (certificate.der().clone(), key)
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).expect("a root");
        Arc::new(roots)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn config(
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&str],
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    leaf: CertificateDer<'static>,
    key: &KeyPair,
) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .expect("versions");
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
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

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
