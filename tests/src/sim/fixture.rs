//! Credentials and messages that are good enough for servers that check neither.

use std::ops::Range;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pushcore::Now;
use pushcore::apns::{
    ApnsId, Aps, BundleId, Credentials, DeviceToken, Environment, KeyId, Message, PushType, TeamId,
};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority as Host;
use pushcore::net::Security;
use pushcore::net::h2::PingPolicy;
use pushcore::net::tls::{TlsConfig, TlsConfigBuilder};
use pushcore::session::{Session, SessionConfig};
use pushcore::webpush::EndpointPolicy;
use pushcore::{fcm, webpush};
use pushcore_client::{Client, ClientConfig};

use super::certificates::Authority;
use super::log::token_of;
use super::rng::Rng;

const KEY_ID: &str = "ABC123DEFG";
const TEAM_ID: &str = "DEF123GHIJ";

/// A key of our own: the scalar 7, seven times over.
pub fn credentials() -> Credentials {
    let key = Es256Key::from_scalar(&[7; 32]).expect("a scalar below the order of P-256");
    let key_id = KeyId::parse(KEY_ID).expect("a key id");
    let team_id = TeamId::parse(TEAM_ID).expect("a team id");
    Credentials::token(key_id, team_id, key)
}

/// A session of APNs.
pub fn session(credentials: Credentials, config: SessionConfig, security: Security, now: Now) -> Session {
    let hosts = Environment::Sandbox.hosts();
    Session::new(
        pushcore::apns::Service::new(credentials, hosts),
        security,
        config,
        now,
    )
    .expect("a session")
}

/// Gives [`credentials`] a provider token of `now` that is the same in every run. An ES256 signature is
/// random, and with its letters the length of the header block varies (Huffman); this one is drawn from
/// the time alone. The servers of the simulator check none.
pub fn import_token(credentials: &Credentials, now: Now) {
    let issued_at = now.unix.as_secs();
    let mut rng = Rng::new(issued_at);
    let signature: Vec<u8> = (0..8).flat_map(|_| rng.next_u64().to_be_bytes()).collect();
    let claims = format!(r#"{{"iss":"{TEAM_ID}","iat":{issued_at}}}"#);
    let header = format!(r#"{{"alg":"ES256","kid":"{KEY_ID}"}}"#);
    let parts = [header.as_bytes(), claims.as_bytes(), &signature];
    let token = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    // `false` where the calendar was set back: the token of before is as good.
    let _ = credentials.import_token(&token, now).expect("a provider token");
}

/// TLS that trusts `ca` and nobody else.
pub fn trusting(ca: &Authority) -> TlsConfigBuilder {
    TlsConfig::builder().without_bundled_roots().add_roots(ca.pem())
}

/// A client of the servers of `ca` at `host`: one connection at a time, little patience between them.
pub fn client(ca: &Authority, host: &str, change: impl FnOnce(&mut ClientConfig)) -> Client {
    let mut config = ClientConfig::new();
    config.security = Some(Security::Tls(trusting(ca).build().expect("a configuration")));
    config.session.max_connections = 1;
    config.session.first_backoff = Duration::from_millis(10);
    change(&mut config);
    let hosts = Environment::Sandbox
        .hosts()
        .with_device(Host::parse(host).expect("a host"));
    Client::new(pushcore::apns::Service::new(credentials(), hosts), config).expect("a client")
}

/// Asks a connection that has been silent for `idle` with pushes in flight, and gives it up after
/// `acknowledge`.
pub fn ping(config: &mut ClientConfig, idle: Duration, acknowledge: Duration) {
    let http2 = config.session.http2.get_or_insert_default();
    http2.ping = Some(PingPolicy::new(idle, acknowledge));
}

/// Messages with a device and an id each, whose bodies are about `size` octets long.
pub fn messages(size: usize, numbers: Range<usize>) -> impl Iterator<Item = (usize, Message)> {
    let template = message(size);
    numbers.map(move |number| (number, template.to(device(number)).with_id(id(number))))
}

/// The hosts of the push services of [`web_push_session`].
pub const PUSH_HOSTS: [&str; 2] = ["db5p.notify.windows.com", "push.example"];

fn policy() -> EndpointPolicy {
    PUSH_HOSTS.iter().fold(EndpointPolicy::default(), |policy, host| {
        policy.trust(Host::parse(host).expect("an authority"))
    })
}

/// A session of Web Push.
pub fn web_push_session(config: SessionConfig, now: Now) -> Session {
    let key = Es256Key::from_scalar(&[9; 32]).expect("a scalar below the order of P-256");
    let credentials = webpush::Credentials::new(key, "mailto:ops@example.org").expect("credentials");
    Session::new(
        pushcore::webpush::Service::new(credentials, policy()),
        Security::Cleartext,
        config,
        now,
    )
    .expect("a session")
}

/// A push without a payload to the subscription of message `number` at `host`.
pub fn web_push_message(host: &str, number: usize) -> webpush::Message {
    let endpoint = format!("https://{host}/p/{}", token_of(number));
    let subscription = webpush::Subscription::without_keys(&endpoint, &policy()).expect("a subscription");
    webpush::Message::builder(subscription)
        .build()
        .expect("a message")
}

/// Where [`fcm_session`] fetches its tokens.
pub fn token_authority() -> Host {
    Host::parse("token.example").expect("an authority")
}

/// A session of FCM, with the key of a service account that was made for tests.
pub fn fcm_session(config: SessionConfig, now: Now) -> Session {
    let file = include_bytes!("../../../core/tests/data/fcm_service_account.json");
    let credentials = fcm::Credentials::service_account(file)
        .expect("credentials")
        .with_token_authority(token_authority());
    let hosts = fcm::Hosts::all(&Host::parse("fcm.example").expect("an authority"));
    Session::new(
        fcm::Service::new(credentials, hosts),
        Security::Cleartext,
        config,
        now,
    )
    .expect("a session")
}

/// A push of FCM, to whom it may concern.
pub fn fcm_message() -> fcm::Message {
    let notification = fcm::Notification::new().title("Hello").body("world");
    let builder = fcm::Message::builder().notification(notification);
    builder.build(fcm_target(0)).expect("a message")
}

/// The registration token of message `number`.
pub fn fcm_target(number: usize) -> fcm::Target {
    fcm::Target::token(&token_of(number)).expect("a target")
}

/// A push whose body is about `size` octets long.
pub fn message(size: usize) -> Message {
    let bundle = BundleId::parse("org.example.app").expect("a bundle id");
    let builder = Message::builder(PushType::Alert)
        .bundle(bundle)
        .payload(Aps::new().alert("x".repeat(size).as_str()));
    builder.device(device(0)).build().expect("a message")
}

/// The device of message `number`.
pub fn device(number: usize) -> DeviceToken {
    DeviceToken::parse(&token_of(number)).expect("a device token")
}

/// The `apns-id` of message `number`.
pub fn id(number: usize) -> ApnsId {
    let mut uuid = [0x40; 16];
    uuid[8..].copy_from_slice(&(number as u64).to_be_bytes());
    ApnsId::from_bytes(uuid)
}
