use std::time::Duration;

use serde_json::json;

use super::*;
use crate::apns::{
    Alert, ApnsId, Aps, BundleId, CollapseId, Credentials, DeviceToken, Environment, Expiration,
    HeaderPolicy, KeyId, KeyScope, LiveActivity, Message, MessageBuilder, Payload, Priority, PushType,
    TeamId, Topic,
};
use crate::crypto::Es256Key;
use crate::error::ErrorKind;
use crate::http::Indexing;
use crate::time::UnixTime;

const ID: &str = "123e4567-e89b-12d3-a456-4266554400a0";

fn now() -> Now {
    Now::new(Duration::from_secs(1000), UnixTime::from_secs(1_700_000_000))
}

fn bundle() -> BundleId {
    BundleId::parse("com.example.app").unwrap()
}

fn device() -> DeviceToken {
    DeviceToken::parse(&"ab".repeat(32)).unwrap()
}

fn key(scope: KeyScope, policy: HeaderPolicy) -> Credentials {
    Credentials::token_with(
        KeyId::parse("ABC123DEFG").unwrap(),
        TeamId::parse("DEF123GHIJ").unwrap(),
        Es256Key::from_scalar(&[7; 32]).unwrap(),
        scope,
        policy,
    )
}

fn credentials() -> Credentials {
    key(KeyScope::Team, HeaderPolicy::default())
}

fn alert() -> MessageBuilder {
    Message::builder(PushType::Alert)
        .bundle(bundle())
        .device(device())
        .payload(Aps::new().alert("hi"))
}

/// A payload that goes with each push type.
fn payload(kind: PushType) -> Payload {
    match kind {
        PushType::Alert => Aps::new().alert("hi").into(),
        PushType::Background => Aps::background().into(),
        PushType::Mdm => Payload::mdm("magic"),
        PushType::FileProvider => Payload::file_provider("NSFileProviderRootContainerItemIdentifier", "d"),
        PushType::LiveActivity => Aps::new()
            .live_activity(LiveActivity::update(
                UnixTime::from_secs(1_764_422_709),
                json!({"n": 1}),
            ))
            .into(),
        PushType::Widgets | PushType::Controls => Payload::content_changed(),
        _ => Aps::new().into(),
    }
}

fn made(message: &Message) -> Request {
    request(message, &credentials(), &Environment::Production.hosts(), now()).unwrap()
}

#[test]
fn a_request_is_what_apple_describes() {
    let message = alert()
        .id(ApnsId::parse(ID).unwrap())
        .expiration(Expiration::Until(UnixTime::from_millis(1_800_000_000_999)))
        .priority(Priority::PowerAware)
        .collapse_id(CollapseId::parse("score").unwrap())
        .build()
        .unwrap();
    let request = made(&message);
    assert_eq!(request.method.as_str(), "POST");
    assert_eq!(
        request.url(),
        format!("https://api.push.apple.com/3/device/{}", "ab".repeat(32))
    );
    let bearer = request.header("authorization").unwrap();
    assert!(bearer.starts_with("bearer ") && bearer.split('.').count() == 3);
    assert_eq!(request.header("apns-topic"), Some("com.example.app"));
    assert_eq!(request.header("apns-push-type"), Some("alert"));
    assert_eq!(request.header("apns-priority"), Some("5"));
    assert_eq!(request.header("apns-collapse-id"), Some("score"));
    assert_eq!(request.header("apns-expiration"), Some("1800000000"));
    assert_eq!(request.header("apns-id"), Some(ID));
    assert_eq!(request.all_headers().count(), 7, "no header is there twice");
    assert_eq!(request.body.as_bytes(), br#"{"aps":{"alert":"hi"}}"#);
    let sandbox = super::request(&message, &credentials(), &Environment::Sandbox.hosts(), now()).unwrap();
    assert!(
        sandbox
            .url()
            .starts_with("https://api.sandbox.push.apple.com/3/device/")
    );
}

#[test]
fn what_is_not_said_is_not_sent() {
    let request = made(&alert().build().unwrap());
    let mut names: Vec<_> = request.all_headers().map(|header| header.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["apns-push-type", "apns-topic", "authorization"]);
}

#[test]
fn expirations_are_three_things() {
    let header = |expiration| {
        let message = alert().expiration(expiration).build().unwrap();
        made(&message).header("apns-expiration").map(str::to_owned)
    };
    assert_eq!(header(Expiration::Absent), None);
    assert_eq!(header(Expiration::Once).as_deref(), Some("0"));
    for secs in [
        1_000_000_000,
        (1 << 31) - 1,
        1 << 31,
        (1 << 32) - 1,
        1 << 32,
        10_413_791_999,
    ] {
        let until = Expiration::Until(UnixTime::from_secs(secs));
        assert_eq!(header(until), Some(secs.to_string()));
    }
    let year = Expiration::after(Duration::from_secs(3600), now());
    assert_eq!(header(year), Some((now().unix.as_secs() + 3600).to_string()));
    assert_eq!(
        Expiration::after(Duration::from_millis(999), now()),
        Expiration::Once
    );
    for millis in [0, 999, 3_600_000, 1_764_422_709_000_000, u64::MAX] {
        let error = alert()
            .expiration(Expiration::Until(UnixTime::from_millis(millis)))
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert!(error.context().contains("BadExpirationDate"));
    }
}

#[test]
fn every_push_type_makes_its_own_topic_and_headers() {
    for kind in PushType::ALL.iter().copied() {
        let message = Message::builder(kind)
            .bundle(bundle())
            .device(device())
            .payload(payload(kind))
            .build()
            .unwrap();
        let request = made(&message);
        let name = kind.as_str();
        assert_eq!(request.header("apns-push-type"), Some(name));
        assert_eq!(
            request.header("apns-topic"),
            Some(format!("com.example.app{}", kind.topic_suffix()).as_str())
        );
        let priority = match kind {
            PushType::Background => Some("5"),
            PushType::PushToTalk => Some("10"),
            _ => None,
        };
        assert_eq!(request.header("apns-priority"), priority, "{name}");
        let once = (kind == PushType::PushToTalk).then_some("0");
        assert_eq!(request.header("apns-expiration"), once, "{name}");
    }
}

#[test]
fn priorities_that_the_push_type_excludes_are_refused() {
    for kind in PushType::ALL.iter().copied() {
        for number in [1, 5, 10] {
            let priority = Priority::from_u8(number).unwrap();
            let built = Message::builder(kind)
                .bundle(bundle())
                .device(device())
                .payload(payload(kind))
                .priority(priority)
                .build();
            match built {
                Ok(message) => {
                    assert!(kind.priorities().contains(&priority));
                    let sent = made(&message).header("apns-priority").map(str::to_owned);
                    assert_eq!(sent, Some(number.to_string()));
                }
                Err(error) => {
                    assert!(!kind.priorities().contains(&priority));
                    assert!(error.context().contains("BadPriority"));
                }
            }
        }
    }
}

#[test]
fn a_whole_topic_must_carry_the_suffix() {
    let voip = |topic: &str| {
        Message::builder(PushType::Voip)
            .topic(Topic::parse(topic).unwrap())
            .device(device())
            .payload(Aps::new())
            .build()
    };
    let message = voip("com.example.app.voip").unwrap();
    assert_eq!(message.topic(), Some("com.example.app.voip"));
    for topic in ["com.example.app", ".voip"] {
        let error = voip(topic).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidTopic);
        assert!(error.context().contains("BadTopic"), "{error}");
    }
}

#[test]
fn what_is_missing_is_named_in_apples_words() {
    let text = |builder: MessageBuilder| builder.build().unwrap_err().to_string();
    let bare = || Message::builder(PushType::Alert);
    assert!(text(bare().device(device()).payload(Aps::new().alert("x"))).contains("MissingTopic"));
    assert!(text(bare().bundle(bundle()).payload(Aps::new().alert("x"))).contains("MissingDeviceToken"));
    assert!(text(bare().bundle(bundle()).device(device())).contains("PayloadEmpty"));
    let message = alert().topic_of_certificate().build().unwrap();
    let error = request(&message, &credentials(), &Environment::Production.hosts(), now()).unwrap_err();
    assert!(error.context().contains("MissingTopic"));
}

#[test]
fn payload_limits_are_exact() {
    for kind in PushType::ALL.iter().copied() {
        let limit = kind.payload_limit();
        let build = |len: usize| {
            let json = format!(r#"{{"a":"{}"}}"#, "x".repeat(len - 8));
            assert_eq!(json.len(), len);
            Message::builder(kind)
                .bundle(bundle())
                .device(device())
                .payload(Payload::raw(json.into_bytes()).unwrap())
                .build()
        };
        assert_eq!(build(limit).unwrap().body().len(), limit);
        let error = build(limit + 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PayloadTooLarge);
        assert!(
            error
                .context()
                .contains("1 more than apns takes (PayloadTooLarge)"),
            "{error}"
        );
    }
    // The same for a typed one: `{"aps":{"alert":""}}` is 20 bytes, the text 2 for each letter.
    let typed = |text: String| alert().payload(Aps::new().alert(text.as_str())).build();
    assert_eq!(typed("é".repeat(2038)).unwrap().body().len(), 4096);
    let error = typed("é".repeat(2038) + "x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PayloadTooLarge);
}

#[test]
fn a_campaign_encodes_once_and_reuses_its_buffers() {
    let template = alert().template().unwrap();
    let first = template.to(device());
    let second = first.to(DeviceToken::parse(&"cd".repeat(32)).unwrap());
    assert!(std::sync::Arc::ptr_eq(first.body(), second.body()));
    let hosts = Environment::Production.hosts();
    let mut request = Request::new();
    let id = ApnsId::parse(ID).unwrap();
    let until = |secs| Expiration::Until(UnixTime::from_secs(secs));
    first
        .clone()
        .with_id(id)
        .with_expiration(until(1_764_422_799))
        .write(&hosts, &mut request)
        .unwrap();
    let (path, common) = (request.path.as_ptr(), request.common.as_ref().unwrap().id());
    request.clear();
    second
        .with_id(id)
        .with_expiration(until(1_764_422_705))
        .write(&hosts, &mut request)
        .unwrap();
    assert_eq!(request.path.as_ptr(), path, "the path's buffer is used again");
    assert_eq!(
        request.common.as_ref().unwrap().id(),
        common,
        "and the constant headers"
    );
    assert_eq!(request.path, format!("/3/device/{}", "cd".repeat(32)));
    assert_eq!(request.header("apns-expiration"), Some("1764422705"));
}

#[test]
fn an_expiration_of_its_own_replaces_the_campaigns() {
    let message = alert().expiration(Expiration::Once).build().unwrap();
    for (own, sent) in [
        (Expiration::Absent, None),
        (
            Expiration::Until(UnixTime::from_secs(1_764_422_707)),
            Some("1764422707"),
        ),
    ] {
        let request = made(&message.clone().with_expiration(own));
        let all: Vec<_> = request
            .all_headers()
            .filter(|h| h.name == "apns-expiration")
            .collect();
        assert_eq!(all.first().map(|h| h.value), sent);
        assert!(all.len() <= 1);
    }
    let bad = message.with_expiration(Expiration::Until(UnixTime::from_secs(0)));
    assert!(request(&bad, &credentials(), &Environment::Production.hosts(), now()).is_err());
}

#[test]
fn both_header_policies_reach_the_request() {
    for (policy, constant) in [
        (HeaderPolicy::Connection, Indexing::Incremental),
        (HeaderPolicy::Sending, Indexing::Without),
    ] {
        let message = alert()
            .header_policy(policy)
            .id(ApnsId::parse(ID).unwrap())
            .expiration(Expiration::Once)
            .collapse_id(CollapseId::parse("c").unwrap())
            .build()
            .unwrap();
        let hosts = Environment::Production.hosts();
        let request = request(&message, &key(KeyScope::Team, policy), &hosts, now()).unwrap();
        for header in request.all_headers() {
            let expected = match header.name {
                "apns-id" => Indexing::Without,
                "authorization" | "apns-expiration" | "apns-collapse-id" => constant,
                _ => Indexing::Incremental,
            };
            assert_eq!(header.indexing, expected, "{}", header.name);
            assert_eq!(header.sensitive, header.name == "authorization");
        }
    }
}

#[test]
fn a_topic_key_sends_for_its_apps_only() {
    let hosts = Environment::Production.hosts();
    let scoped = key(KeyScope::Topics(vec![bundle()]), HeaderPolicy::default());
    let voip = |app: &str| {
        Message::builder(PushType::Voip)
            .bundle(BundleId::parse(app).unwrap())
            .device(device())
            .payload(Aps::new())
            .build()
            .unwrap()
    };
    assert!(request(&voip("com.example.app"), &scoped, &hosts, now()).is_ok());
    let error = request(&voip("com.example.other"), &scoped, &hosts, now()).unwrap_err();
    assert!(error.context().contains("TopicDisallowed"));
}

#[test]
fn a_token_that_is_not_hex_reaches_the_service() {
    let text = "ghijklmnopqrstuvwxyz0123456789ghijklmnopqrstuvwxyz0123456789ghij";
    assert!(DeviceToken::parse(text).is_err());
    let message = alert()
        .device(DeviceToken::lenient(text).unwrap())
        .build()
        .unwrap();
    assert_eq!(made(&message).path, format!("/3/device/{text}"));
}

#[test]
fn an_onesignal_shaped_payload_with_buttons_can_be_said() {
    let aps = Aps::new()
        .alert(Alert::new().title("Heading").subtitle("Sub").body("Message"))
        .sound("default")
        .mutable_content();
    let payload = Payload::new(aps)
        .custom("custom", json!({"a": {"notification_id": ID}}))
        .and_then(|payload| {
            payload.custom(
                "buttons",
                json!([{"i": "helpful", "n": "Helpful"}, {"i": "not_helpful", "n": "Not helpful"}]),
            )
        })
        .unwrap();
    let message = alert().payload(payload).build().unwrap();
    let expected = concat!(
        r#"{"aps":{"alert":{"title":"Heading","subtitle":"Sub","body":"Message"},"sound":"default","mutable-content":1},"#,
        r#""custom":{"a":{"notification_id":"123e4567-e89b-12d3-a456-4266554400a0"}},"#,
        r#""buttons":[{"i":"helpful","n":"Helpful"},{"i":"not_helpful","n":"Not helpful"}]}"#
    );
    assert_eq!(std::str::from_utf8(message.body()).unwrap(), expected);
}

#[test]
fn nothing_personal_is_printed() {
    let message = alert().build().unwrap();
    let request = made(&message);
    let token = request.header("authorization").unwrap().to_owned();
    for text in [
        format!("{message:?}"),
        format!("{request:?}"),
        format!("{:?}", credentials()),
    ] {
        assert!(
            !text.contains("abab") && !text.contains(&token) && !text.contains("hi\""),
            "{text}"
        );
    }
}

#[test]
fn a_bundle_id_with_the_suffix_is_refused() {
    for kind in PushType::ALL.iter().copied() {
        let suffix = kind.topic_suffix();
        let bundle = BundleId::parse(&format!("com.example.app{suffix}")).unwrap();
        let made = Message::builder(kind)
            .bundle(bundle)
            .device(device())
            .payload(payload(kind))
            .build();
        match made {
            Ok(message) => assert_eq!((suffix, message.topic()), ("", Some("com.example.app"))),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidTopic);
                assert!(error.to_string().contains(suffix) && !suffix.is_empty());
            }
        }
    }
}

#[test]
fn a_body_of_custom_keys_alone_is_bare_where_the_type_wants_it() {
    let body = |kind| {
        let payload = Payload::new(Aps::new()).custom("mdm", "magic").unwrap();
        let message = Message::builder(kind)
            .bundle(bundle())
            .device(device())
            .payload(payload)
            .build();
        String::from_utf8(message.unwrap().body().to_vec()).unwrap()
    };
    assert_eq!(body(PushType::Mdm), r#"{"mdm":"magic"}"#);
    assert_eq!(body(PushType::FileProvider), r#"{"mdm":"magic"}"#);
    assert_eq!(body(PushType::Voip), r#"{"aps":{},"mdm":"magic"}"#);
}
