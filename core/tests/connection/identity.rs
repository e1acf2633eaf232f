//! Client certificates: PEM in every form.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pushcore::ErrorKind;
use pushcore::net::Protocols;
use pushcore::net::tls::{ClientIdentity, TlsConfig};

use crate::certificates::Authority;
use crate::pair::{H2Server, Pair, client_config, client_tls, request, server_config};

/// A folder of its own, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pushcore-identity-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What `openssl` writes to its standard output.
pub(crate) fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl is installed");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "openssl {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A mutual handshake with this identity, one request, and its answer.
pub(crate) fn works(ca: &Authority, identity: ClientIdentity) {
    let expected = identity.certificate().to_vec();
    let config = client_config(client_tls(ca).identity(identity), Protocols::Http2Only);
    let server = server_config(&ca.server(), &["h2"], Some(ca));
    let mut pair = Pair::new(&config, server, H2Server::new(usize::MAX));
    assert_eq!(pair.drive(), ["Ready"]);
    let presented = pair.server.peer_certificates().unwrap();
    assert_eq!(presented[0].as_ref(), expected);
    pair.client.send(&request("/3/device/aa"), pair.now).unwrap();
    assert_eq!(pair.drive(), ["200 /3/device/aa"]);
}

pub(crate) fn kind(result: Result<ClientIdentity, pushcore::Error>) -> ErrorKind {
    result.expect_err("an error").kind()
}

#[test]
fn pem_in_every_form() {
    let ca = Authority::new();
    let client = ca.client();
    let (certificate, pkcs8) = (client.certificate_pem.clone(), client.key_pem.clone());
    let identity = ClientIdentity::from_pem(certificate.as_bytes(), pkcs8.as_bytes()).unwrap();
    assert_eq!(identity.certificate(), client.chain[0].as_ref());
    works(&ca, identity);

    let sec1 = openssl(&["ec"], pkcs8.as_bytes());
    assert!(String::from_utf8_lossy(&sec1).contains("BEGIN EC PRIVATE KEY"));
    works(
        &ca,
        ClientIdentity::from_pem(certificate.as_bytes(), &sec1).unwrap(),
    );

    // One text with everything, the issuer first, and words between the blocks.
    let all = format!(
        "Bag Attributes\n{}{pkcs8}subject=CN = x\r\n{certificate}",
        ca.pem()
    );
    let identity = ClientIdentity::from_pem(all.as_bytes(), all.as_bytes()).unwrap();
    assert_eq!(identity.certificate(), client.chain[0].as_ref());
    assert_eq!(identity.chain().count(), 2);
    works(&ca, identity);
}

#[test]
fn rsa_keys_in_pkcs1_and_pkcs8() {
    let folder = Folder::new("rsa");
    let key = openssl(&["genrsa", "-traditional", "2048"], b"");
    assert!(String::from_utf8_lossy(&key).contains("BEGIN RSA PRIVATE KEY"));
    let key_path = folder.write("key.pem", &key);
    let certificate = openssl(
        &[
            "req",
            "-x509",
            "-new",
            "-key",
            text(&key_path),
            "-subj",
            "/CN=client",
            "-days",
            "30",
        ],
        b"",
    );
    ClientIdentity::from_pem(&certificate, &key).unwrap();
    let pkcs8 = openssl(&["pkey"], &key);
    assert!(String::from_utf8_lossy(&pkcs8).contains("BEGIN PRIVATE KEY"));
    let identity = ClientIdentity::from_pem(&certificate, &pkcs8).unwrap();
    assert!(!identity.certificate().is_empty());
}

#[test]
fn pem_errors_say_what_is_wrong() {
    let ca = Authority::new();
    let (client, other) = (ca.client(), ca.client());
    let certificate = client.certificate_pem.as_bytes();
    let from = |certificate: &[u8], key: &[u8]| kind(ClientIdentity::from_pem(certificate, key));
    assert_eq!(
        from(certificate, other.key_pem.as_bytes()),
        ErrorKind::KeyMismatch
    );
    assert_eq!(from(certificate, b""), ErrorKind::InvalidKey);
    assert_eq!(from(certificate, certificate), ErrorKind::InvalidKey);
    assert_eq!(from(b"", client.key_pem.as_bytes()), ErrorKind::InvalidCredential);
    let two = format!("{}{}", client.key_pem, other.key_pem);
    assert_eq!(from(certificate, two.as_bytes()), ErrorKind::InvalidKey);
    let locked = openssl(
        &["pkey", "-aes256", "-passout", "pass:secret"],
        client.key_pem.as_bytes(),
    );
    assert_eq!(from(certificate, &locked), ErrorKind::EncryptedKey);
    let locked = openssl(
        &["ec", "-aes256", "-passout", "pass:secret"],
        client.key_pem.as_bytes(),
    );
    assert_eq!(from(certificate, &locked), ErrorKind::EncryptedKey);
    let cut = client.key_pem.replace("-----END", "");
    assert_eq!(from(certificate, cut.as_bytes()), ErrorKind::InvalidKey);
    let garbled = client.certificate_pem.replace('M', "!");
    assert_eq!(
        from(garbled.as_bytes(), client.key_pem.as_bytes()),
        ErrorKind::InvalidCredential
    );
    let huge = vec![b' '; 10 * 1024 * 1024 + 1];
    assert_eq!(
        from(&huge, client.key_pem.as_bytes()),
        ErrorKind::InvalidCredential
    );
}

#[test]
fn debug_shows_no_key() {
    let client = Authority::new().client();
    let identity =
        ClientIdentity::from_pem(client.certificate_pem.as_bytes(), client.key_pem.as_bytes()).unwrap();
    assert_eq!(format!("{identity:?}"), "ClientIdentity { certificates: 1, .. }");
}

#[test]
fn roots_are_checked_when_they_are_given() {
    let error = |pem: &[u8]| {
        TlsConfig::builder()
            .without_bundled_roots()
            .add_roots(pem)
            .build()
            .expect_err("an error")
            .kind()
    };
    assert_eq!(error(b""), ErrorKind::InvalidCredential);
    assert_eq!(
        error(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ErrorKind::InvalidCredential
    );
    assert_eq!(
        error(b"-----BEGIN CERTIFICATE-----\nAAAA\n"),
        ErrorKind::InvalidCredential
    );
    assert_eq!(
        error(Authority::new().client().key_pem.as_bytes()),
        ErrorKind::InvalidCredential
    );
    let none = TlsConfig::builder().without_bundled_roots().build();
    assert_eq!(none.expect_err("no root").kind(), ErrorKind::InvalidCredential);
    let two = format!("{}\n{}", Authority::new().pem(), Authority::named("b").pem());
    TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(two)
        .build()
        .unwrap();
    TlsConfig::new().unwrap();
}
