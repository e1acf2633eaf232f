use serde_json::json;

use super::*;
use crate::apns::{Aps, Environment, KeyId, LiveActivity, TeamId};
use crate::crypto::Es256Key;
use crate::time::UnixTime;

const NOW: u64 = 1_700_000_000;

fn now() -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(NOW))
}

fn builder(policy: StoragePolicy) -> BroadcastBuilder {
    let update = LiveActivity::update(UnixTime::from_secs(NOW), json!({"score": 1}));
    Broadcast::builder(
        BundleId::parse("com.example.app").unwrap(),
        ChannelId::parse("dHN0LXNyY2gtY2hubA==").unwrap(),
        policy,
    )
    .payload(Aps::new().live_activity(update))
}

fn made(broadcast: &Broadcast) -> Result<Request, Error> {
    let credentials = Credentials::token(
        KeyId::parse("ABC123DEFG").unwrap(),
        TeamId::parse("DEF123GHIJ").unwrap(),
        Es256Key::from_scalar(&[7; 32]).unwrap(),
    );
    broadcast_request(broadcast, &credentials, &Environment::Production.hosts(), now())
}

fn until(secs: u64) -> Expiration {
    Expiration::Until(UnixTime::from_secs(secs))
}

#[test]
fn a_broadcast_is_the_request_that_apple_describes() {
    let broadcast = builder(StoragePolicy::MostRecent)
        .expiration(until(NOW + 8 * 3600))
        .id(ApnsId::from_bytes([0; 16]))
        .build()
        .unwrap();
    let request = made(&broadcast).unwrap();
    assert_eq!(request.method.as_str(), "POST");
    assert_eq!(
        request.url(),
        "https://api.push.apple.com/4/broadcasts/apps/com.example.app"
    );
    let headers: Vec<_> = request
        .all_headers()
        .filter(|header| header.name != "authorization")
        .map(|header| (header.name, header.value))
        .collect();
    assert_eq!(
        headers,
        [
            ("apns-channel-id", "dHN0LXNyY2gtY2hubA=="),
            ("apns-push-type", "liveactivity"),
            ("apns-priority", "10"),
            ("apns-expiration", "1700028800"),
            ("apns-request-id", "00000000-0000-0000-0000-000000000000"),
        ],
        "and no apns-topic"
    );
    assert_eq!(
        request.body.as_bytes(),
        br#"{"aps":{"timestamp":1700000000,"event":"update","content-state":{"score":1}}}"#
    );
}

#[test]
fn the_channels_policy_decides_on_the_expiration() {
    let expiration = |policy, expiration: Option<Expiration>| {
        let mut builder = builder(policy);
        builder.expiration = expiration;
        let request = builder.build().and_then(|broadcast| made(&broadcast));
        request.map(|request| request.header("apns-expiration").map(str::to_owned))
    };
    let none = StoragePolicy::NoStorage;
    let recent = StoragePolicy::MostRecent;
    assert_eq!(expiration(none, None).unwrap().as_deref(), Some("0"));
    assert_eq!(
        expiration(none, Some(Expiration::Once)).unwrap().as_deref(),
        Some("0")
    );
    assert_eq!(expiration(recent, None).unwrap().as_deref(), Some("0"));
    assert!(expiration(recent, Some(until(NOW + 8 * 3600))).is_ok());
    assert_eq!(expiration(recent, Some(Expiration::Absent)).unwrap(), None);
    for (policy, bad) in [
        (none, until(NOW + 1)),
        (none, Expiration::Absent),
        (recent, until(NOW + 8 * 3600 + 1)),
        (recent, until(0)),
    ] {
        let error = expiration(policy, Some(bad)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert!(error.context().contains("BadExpirationDate"));
    }
}

#[test]
fn what_a_broadcast_cannot_be_is_refused() {
    let start = LiveActivity::start(UnixTime::from_secs(1), "A", json!({}), json!({}));
    let error = builder(StoragePolicy::NoStorage)
        .payload(Aps::new().alert("x").live_activity(start))
        .build();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Conflict);
    let error = builder(StoragePolicy::NoStorage)
        .priority(Priority::PowerFirst)
        .build();
    assert!(error.unwrap_err().context().contains("BadPriority"));
    let mut suffixed = builder(StoragePolicy::NoStorage);
    suffixed.bundle = BundleId::parse("com.example.app.push-type.liveactivity").unwrap();
    assert!(
        suffixed
            .build()
            .unwrap_err()
            .context()
            .contains("TopicDisallowed")
    );
    let mut empty = builder(StoragePolicy::NoStorage);
    empty.payload = None;
    assert_eq!(empty.build().unwrap_err().kind(), ErrorKind::PayloadEmpty);
}

#[test]
fn a_broadcast_holds_5120_bytes() {
    let build = |len: usize| {
        let json = format!(r#"{{"a":"{}"}}"#, "x".repeat(len - 8)).into_bytes();
        builder(StoragePolicy::NoStorage)
            .payload(Payload::raw(json).unwrap())
            .build()
    };
    assert_eq!(build(5120).unwrap().body().len(), 5120);
    assert_eq!(build(5121).unwrap_err().kind(), ErrorKind::PayloadTooLarge);
}
