use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::apns::{
    BundleId, Credentials, DeviceToken, Environment, Message, MessageBuilder, Payload, Topic, request,
};
use crate::http::Request;
use crate::time::{Now, UnixTime};

/// A self-signed certificate made by OpenSSL, with Apple's extensions as Apple encodes them.
fn certificate(name: &str, uid: Option<&str>, extensions: &str) -> (Vec<u8>, Vec<u8>) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = format!("pushcore-apns-{}-{number}-{name}", std::process::id());
    let directory = std::env::temp_dir().join(directory);
    std::fs::create_dir_all(&directory).unwrap();
    let path = |file: &str| directory.join(file).to_str().unwrap().to_owned();
    let uid = uid.map(|uid| format!("UID = {uid}\n")).unwrap_or_default();
    let config = format!(
        "[req]\ndistinguished_name = dn\nprompt = no\nx509_extensions = ext\n\
         [dn]\n{uid}CN = Apple Push Services\n[ext]\nbasicConstraints = CA:FALSE\n{extensions}"
    );
    std::fs::write(path("config"), config).unwrap();
    let output = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args([
            "-config",
            &path("config"),
            "-keyout",
            &path("key"),
            "-out",
            &path("cert"),
            "-days",
            "2",
        ])
        .output()
        .expect("openssl is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let read = |file: &str| std::fs::read_to_string(path(file)).unwrap().into_bytes();
    let pair = (read("cert"), read("key"));
    std::fs::remove_dir_all(directory).unwrap();
    pair
}

const UNIVERSAL: &str = "1.2.840.113635.100.6.3.6 = ASN1:SEQUENCE:topics\n\
    [topics]\na = UTF8:com.example.app\nb = SEQUENCE:app\nc = UTF8:com.example.app.voip\nd = SEQUENCE:voip\n\
    e = UTF8:com.example.app.complication\nf = SEQUENCE:complication\n\
    [app]\na = UTF8:app\n[voip]\na = UTF8:voip\n[complication]\na = UTF8:complication\n";

fn universal() -> ClientCertificate {
    let (certificate, key) = certificate("universal", Some("com.example.app"), UNIVERSAL);
    ClientCertificate::from_pem(&certificate, &key).unwrap()
}

fn sent(builder: MessageBuilder, certificate: &ClientCertificate) -> Result<Request, Error> {
    let message = builder.device(DeviceToken::parse("ab").unwrap()).build().unwrap();
    let now = Now::new(std::time::Duration::ZERO, UnixTime::from_secs(1));
    let credentials = Credentials::certificate(certificate.clone());
    request(&message, &credentials, &Environment::Production.hosts(), now)
}

fn message(kind: PushType) -> MessageBuilder {
    Message::builder(kind)
        .bundle(BundleId::parse("com.example.app").unwrap())
        .payload(Payload::raw(b"{}".to_vec()).unwrap())
}

#[test]
fn topics_are_read_from_apples_extension() {
    let certificate = universal();
    assert_eq!(certificate.uid(), Some("com.example.app"));
    assert_eq!(
        certificate.topics(),
        [
            "com.example.app",
            "com.example.app.voip",
            "com.example.app.complication"
        ]
    );
    assert!(sent(message(PushType::Voip), &certificate).is_ok());
    assert!(sent(message(PushType::Complication), &certificate).is_ok());
    let error = sent(message(PushType::LiveActivity), &certificate).unwrap_err();
    assert!(error.context().contains("TopicDisallowed"));
    let error = sent(message(PushType::Alert).topic_of_certificate(), &certificate).unwrap_err();
    assert!(
        error.context().contains("MissingTopic"),
        "several topics: none is the default"
    );
}

#[test]
fn a_certificate_needs_no_authorization_and_cannot_ask_for_locations() {
    let request = sent(message(PushType::Alert), &universal()).unwrap();
    assert!(request.authorization.is_none() && request.header("authorization").is_none());
    let error = sent(message(PushType::Location), &universal()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredential);
    let now = Now::new(std::time::Duration::ZERO, UnixTime::from_secs(1));
    let token = Credentials::certificate(universal()).provider_token(now);
    assert_eq!(token.unwrap_err().kind(), ErrorKind::Misuse);
}

#[test]
fn older_certificates_are_for_their_uid() {
    let (certificate, key) = certificate("single", Some("com.example.app"), "");
    let single = ClientCertificate::from_pem(&certificate, &key).unwrap();
    assert_eq!(single.topics(), ["com.example.app"]);
    let request = sent(message(PushType::Alert).topic_of_certificate(), &single).unwrap();
    assert_eq!(request.header("apns-topic"), None);
    assert!(sent(message(PushType::Voip), &single).is_err());

    let (certificate, key) = self::certificate(
        "voip",
        Some("com.example.app"),
        "1.2.840.113635.100.6.3.4 = ASN1:NULL\n",
    );
    let voip = ClientCertificate::from_pem(&certificate, &key).unwrap();
    assert_eq!(voip.topics(), ["com.example.app", "com.example.app.voip"]);
}

#[test]
fn an_mdm_push_goes_to_the_uid() {
    let uid = "com.apple.mgmt.External.6f0b1ae6-2b5c-4c1f";
    let (certificate, key) = certificate("mdm", Some(uid), "");
    let mdm = ClientCertificate::from_pem(&certificate, &key).unwrap();
    let builder = Message::builder(PushType::Mdm)
        .topic(Topic::parse(mdm.uid().unwrap()).unwrap())
        .payload(Payload::mdm("magic"));
    assert_eq!(sent(builder, &mdm).unwrap().header("apns-topic"), Some(uid));
}

#[test]
fn a_strangers_certificate_leaves_the_judgement_to_apns() {
    let extension = "1.2.840.113635.100.6.3.6 = DER:30:05:0c:03:61\n";
    for (name, extensions) in [("bare", ""), ("broken", extension)] {
        let (certificate, key) = certificate(name, None, extensions);
        let stranger = ClientCertificate::from_pem(&certificate, &key).unwrap();
        assert!(stranger.uid().is_none() && stranger.topics().is_empty());
        assert!(sent(message(PushType::Alert), &stranger).is_ok());
    }
}

#[test]
fn what_is_no_certificate_is_named() {
    let (certificate, key) = certificate("named", None, "");
    let kind =
        |certificate: &[u8], key: &[u8]| ClientCertificate::from_pem(certificate, key).unwrap_err().kind();
    assert_eq!(kind(b"", &key), ErrorKind::InvalidKey);
    assert_eq!(kind(&key, &key), ErrorKind::InvalidKey);
    assert_eq!(kind(&certificate, &certificate), ErrorKind::InvalidKey);
    let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert_eq!(kind(&certificate, encrypted), ErrorKind::EncryptedKey);
    let garbage = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    assert_eq!(kind(garbage, &key), ErrorKind::InvalidKey);
    let both = [certificate, key].concat();
    assert_eq!(
        ClientCertificate::from_pem(&both, &both).unwrap().chain().len(),
        1
    );
}
