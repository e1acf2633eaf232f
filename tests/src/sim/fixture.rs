//! Credentials and messages that are good enough for servers that check neither.

use pushcore::Now;
use pushcore::apns::{
    ApnsId, Aps, BundleId, Credentials, DeviceToken, Environment, KeyId, Message, PushType, TeamId,
};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::session::{Session, SessionConfig};
use pushcore::webpush::EndpointPolicy;
use pushcore::{fcm, webpush};

use super::log::token_of;

/// A key of our own: the scalar 7, seven times over.
pub fn credentials() -> Credentials {
    let key = Es256Key::from_scalar(&[7; 32]).expect("a scalar below the order of P-256");
    let key_id = KeyId::parse("ABC123DEFG").expect("a key id");
    let team_id = TeamId::parse("DEF123GHIJ").expect("a team id");
    Credentials::token(key_id, team_id, key)
}

/// A session of APNs.
pub fn session(config: SessionConfig, security: Security, now: Now) -> Session {
    let hosts = Environment::Sandbox.hosts();
    Session::apns(credentials(), hosts, security, config, now).expect("a session")
}

/// The hosts of the push services of [`web_push_session`].
pub const PUSH_HOSTS: [&str; 2] = ["db5p.notify.windows.com", "push.example"];

fn policy() -> EndpointPolicy {
    PUSH_HOSTS.iter().fold(EndpointPolicy::default(), |policy, host| {
        policy.trust(Authority::parse(host).expect("an authority"))
    })
}

/// A session of Web Push.
pub fn web_push_session(config: SessionConfig, now: Now) -> Session {
    let key = Es256Key::from_scalar(&[9; 32]).expect("a scalar below the order of P-256");
    let credentials = webpush::Credentials::new(key, "mailto:ops@example.org").expect("credentials");
    Session::web_push(credentials, policy(), Security::Cleartext, config, now).expect("a session")
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
pub fn token_authority() -> Authority {
    Authority::parse("token.example").expect("an authority")
}

/// A session of FCM, with the key of a service account that was made for tests.
pub fn fcm_session(config: SessionConfig, now: Now) -> Session {
    let file = include_bytes!("../../../core/tests/data/fcm_service_account.json");
    let credentials = fcm::Credentials::service_account(file)
        .expect("credentials")
        .with_token_authority(token_authority());
    let hosts = fcm::Hosts::all(&Authority::parse("fcm.example").expect("an authority"));
    Session::fcm(credentials, hosts, Security::Cleartext, config, now).expect("a session")
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
