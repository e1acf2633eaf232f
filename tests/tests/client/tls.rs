//! Certificates that are not to be trusted: a typed error each, and not a byte of HTTP.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pushcore::ErrorKind;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore_client::Resolver;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;

use crate::world::{LONG, World};

static NUMBER: AtomicUsize = AtomicUsize::new(0);

struct Authority {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        // Two with one name would be told apart by their signatures only.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        params
            .distinguished_name
            .push(DnType::CommonName, format!("authority {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate, key }
    }
}

/// A server that counts what it decrypts.
struct Server {
    address: SocketAddr,
    received: Arc<AtomicUsize>,
}

fn server(authority: &Authority, name: &str, until: i32, alpn: &[&[u8]]) -> Server {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params
        .signed_by(&key, &authority.certificate, &authority.key)
        .expect("a certificate");
    let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("a configuration");
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let received = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&received);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).expect("a server");
            let mut buffer = [0; 4096];
            let mut stream = rustls::Stream::new(&mut tls, &mut stream);
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                counter.fetch_add(count, Ordering::SeqCst);
            }
        }
    });
    Server { address, received }
}

/// What becomes of a push to `server`, by a client that trusts `trusted`.
fn refused(server: &Server, trusted: &Authority) -> ErrorKind {
    let world = World::new();
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(trusted.certificate.pem().into_bytes())
        .build()
        .expect("tls");
    let address = server.address;
    let host = pushcore::http::Authority::new("push.example", address.port()).expect("an authority");
    let client = world.apns_at(host, |config| {
        config.security = Some(Security::Tls(tls));
        config.resolver = Resolver::new(move |_, _| Ok(vec![address]));
    });
    let started = Instant::now();
    let error = client.send(&world.alert("valid")).expect_err("not to be trusted");
    assert!(started.elapsed() < LONG, "it was told at once");
    assert_eq!(error.kind(), ErrorKind::NotSent, "{error}");
    assert_eq!(client.stats().not_sent, 1);
    drop(client);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.received.load(Ordering::SeqCst), 0, "bytes of http");
    error.cause().expect("a cause").kind()
}

#[test]
fn unknown_issuer() {
    let server = server(&Authority::new(), "push.example", 2100, &[b"h2"]);
    assert_eq!(
        refused(&server, &Authority::new()),
        ErrorKind::CertificateUnknownIssuer
    );
}

#[test]
fn expired() {
    let authority = Authority::new();
    let server = server(&authority, "push.example", 2021, &[b"h2"]);
    assert_eq!(refused(&server, &authority), ErrorKind::CertificateExpired);
}

#[test]
fn wrong_name() {
    let authority = Authority::new();
    let server = server(&authority, "other.example", 2100, &[b"h2"]);
    assert_eq!(refused(&server, &authority), ErrorKind::CertificateWrongName);
}

#[test]
fn no_http2() {
    let authority = Authority::new();
    let server = server(&authority, "push.example", 2100, &[b"http/1.1"]);
    assert_eq!(refused(&server, &authority), ErrorKind::NoApplicationProtocol);
}
