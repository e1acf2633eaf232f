//! A client for the tests: the `h2` crate over `tokio-rustls`, tokens signed and
//! bodies sealed with `ring`, which the sandbox itself does not use for either.

#![allow(dead_code, missing_docs, unreachable_pub)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use pushcore_sandbox::{Config, Record, Sandbox};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub fn start() -> Sandbox {
    Sandbox::start(Config::default()).expect("the sandbox starts")
}

pub fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime")
        .block_on(future)
}

/// Text at a JSON pointer of the ready line.
pub fn at<'a>(ready: &'a Value, pointer: &str) -> &'a str {
    ready
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {pointer}"))
}

pub fn now() -> i64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("clock");
    i64::try_from(now.as_secs()).expect("clock")
}

pub fn b64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn from_b64url(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// A compact ES256 token.
pub fn es256(pem_file: &str, header: &Value, claims: &Value) -> String {
    let pem = std::fs::read_to_string(pem_file).expect("key file");
    let der = pkcs8(&pem);
    let key =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &SystemRandom::new()).expect("key");
    let signed = format!(
        "{}.{}",
        b64url(header.to_string().as_bytes()),
        b64url(claims.to_string().as_bytes())
    );
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).expect("sign");
    format!("{signed}.{}", b64url(signature.as_ref()))
}

/// A compact ES256 token whose signature is DER, as some clients send it.
pub fn es256_der(pem: &str, header: &Value, claims: &Value) -> String {
    let algorithm = &ring::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
    let key = EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8(pem), &SystemRandom::new()).expect("key");
    let signed = format!(
        "{}.{}",
        b64url(header.to_string().as_bytes()),
        b64url(claims.to_string().as_bytes())
    );
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).expect("sign");
    format!("{signed}.{}", b64url(signature.as_ref()))
}

/// A compact RS256 token with the key of a service-account file.
pub fn rs256(account: &Value, header: &Value, claims: &Value) -> String {
    let der = pkcs8(account["private_key"].as_str().expect("key"));
    let key = RsaKeyPair::from_pkcs8(&der).expect("key");
    let signed = format!(
        "{}.{}",
        b64url(header.to_string().as_bytes()),
        b64url(claims.to_string().as_bytes())
    );
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .expect("sign");
    format!("{signed}.{}", b64url(&signature))
}

fn pkcs8(pem: &str) -> Vec<u8> {
    rustls::pki_types::PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
        .expect("PKCS#8")
        .secret_pkcs8_der()
        .to_vec()
}

pub async fn tls(
    sandbox: &Sandbox,
    authority: &str,
    alpn: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(sandbox.ca_pem().as_bytes()).expect("CA"))
        .expect("CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let (_, port) = authority.rsplit_once(':').expect("port");
    let tcp = TcpStream::connect(("127.0.0.1", port.parse::<u16>().expect("port"))).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").expect("name");
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// One HTTP/2 connection.
pub struct Client {
    pub sender: h2::client::SendRequest<Bytes>,
    authority: String,
    pub driver: tokio::task::JoinHandle<Result<(), h2::Error>>,
}

impl Client {
    pub async fn connect(sandbox: &Sandbox, authority: &str) -> Self {
        let tls = tls(sandbox, authority, &[b"h2"]).await.expect("TLS");
        Self::over(tls, authority).await
    }

    pub async fn over(tls: TlsStream<TcpStream>, authority: &str) -> Self {
        let (sender, connection) = h2::client::Builder::new().handshake(tls).await.expect("h2");
        let driver = tokio::spawn(connection);
        Self {
            sender,
            authority: authority.to_owned(),
            driver,
        }
    }

    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, h2::Error> {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("https://{}{path}", self.authority));
        for (name, value) in headers {
            // From bytes: text outside ASCII is legal (RFC 9110 §5.5), `from_str` refuses it.
            let value = http::HeaderValue::from_bytes(value.as_bytes()).expect("a header's value");
            request = request.header(*name, value);
        }
        let body = body.into();
        let mut sender = self.sender.clone().ready().await?;
        let (response, mut stream) =
            sender.send_request(request.body(()).expect("request"), body.is_empty())?;
        if !body.is_empty() {
            stream.send_data(body, true)?;
        }
        let (parts, mut incoming) = response.await?.into_parts();
        let mut body = Vec::new();
        while let Some(chunk) = incoming.data().await {
            let chunk = chunk?;
            incoming.flow_control().release_capacity(chunk.len())?;
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }
}

pub fn last(sandbox: &Sandbox) -> Record {
    sandbox.log().last().expect("something was logged").clone()
}

/// A good provider token.
pub fn provider_token(ready: &Value) -> String {
    let header = json!({ "alg": "ES256", "kid": at(ready, "/apns/key_id") });
    let claims = json!({ "iss": at(ready, "/apns/team_id"), "iat": now() });
    format!("bearer {}", es256(at(ready, "/apns/p8_file"), &header, &claims))
}
