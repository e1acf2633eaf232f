//! Credentials and messages that are good enough for servers that check neither.

use pushcore::Now;
use pushcore::apns::{
    ApnsId, Aps, BundleId, Credentials, DeviceToken, Environment, KeyId, Message, PushType, TeamId,
};
use pushcore::crypto::Es256Key;
use pushcore::net::Security;
use pushcore::session::{Session, SessionConfig};

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
