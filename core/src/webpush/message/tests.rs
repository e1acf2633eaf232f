use std::time::Duration;

use super::*;
use crate::crypto::Es256Key;
use crate::error::ErrorKind::{MissingField, PayloadTooLarge};
use crate::http::Body;
use crate::webpush::{self, Credentials, EndpointPolicy, ReceiverKeys, Topic};
use crate::{Now, UnixTime};

const FCM: &str = "https://fcm.googleapis.com/fcm/send/x";
const APPLE: &str = "https://web.push.apple.com/x";
const WNS: &str = "https://wns2-par02p.notify.windows.com/w/?token=BQ%2bY";
const MOZILLA: &str = "https://updates.push.services.mozilla.com/wpush/v2/x";

fn subscription(keys: &ReceiverKeys, endpoint: &str) -> Subscription {
    let json = keys.subscription_json(endpoint);
    Subscription::parse(json.as_bytes(), &EndpointPolicy::default()).unwrap()
}

fn credentials() -> Credentials {
    Credentials::new(Es256Key::generate().unwrap(), "mailto:push@example.com").unwrap()
}

fn now() -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000))
}

fn written(message: &Message) -> Request {
    let mut request = Request::new();
    message.write(&mut request).unwrap();
    request
}

/// All that this build can send.
fn encodings() -> Vec<Encoding> {
    vec![
        Encoding::Aes128Gcm,
        #[cfg(feature = "aesgcm")]
        Encoding::AesGcm {
            vapid: *Es256Key::generate().unwrap().public_key(),
        },
    ]
}

/// RFC 8291: header 86, delimiter 1, tag 16. The draft: padding length 2, tag 16.
fn overhead(encoding: Encoding) -> usize {
    match encoding {
        Encoding::Aes128Gcm => 103,
        #[cfg(feature = "aesgcm")]
        Encoding::AesGcm { .. } => 18,
    }
}

#[test]
fn the_request_of_a_message() {
    let keys = ReceiverKeys::generate().unwrap();
    let message = Message::builder(subscription(&keys, WNS))
        .payload("hello")
        .ttl(Duration::from_secs(60))
        .urgency(Urgency::High)
        .topic(Topic::new("upd").unwrap())
        .receipt(true)
        .build()
        .unwrap();
    let request = webpush::request(&message, &credentials(), now()).unwrap();
    assert_eq!(request.method, Method::Post);
    assert_eq!(request.url(), WNS);
    let mut names = Vec::new();
    for header in request.all_headers() {
        names.push((header.name, if header.sensitive { "" } else { header.value }));
    }
    assert_eq!(
        names,
        [
            ("authorization", ""),
            ("ttl", "60"),
            ("content-length", "108"),
            ("content-type", "application/octet-stream"),
            ("content-encoding", "aes128gcm"),
            ("urgency", "high"),
            ("topic", "upd"),
            ("prefer", "respond-async"),
            ("x-wns-cache-policy", "cache"),
        ]
    );
    assert_eq!(keys.decrypt(request.body.as_bytes()).unwrap(), b"hello");
    assert!(!format!("{message:?} {request:?}").contains("token="));
}

#[test]
fn the_limit_is_exact() {
    let keys = ReceiverKeys::generate().unwrap();
    let build = |len, encoding| {
        Message::builder(subscription(&keys, FCM))
            .payload(vec![7; len])
            .encoding(encoding)
            .build()
    };
    for encoding in encodings() {
        let limit = 4096 - overhead(encoding);
        let message = build(limit, encoding).unwrap();
        assert_eq!(written(&message).body.len(), 4096);
        assert_eq!(message.template().body_len(), 4096);
        let error = build(limit + 1, encoding).unwrap_err();
        assert_eq!(error.kind(), PayloadTooLarge);
        assert!(error.to_string().contains("1 bytes over"), "{error}");
    }
    let message = build(3993, Encoding::Aes128Gcm).unwrap();
    assert_eq!(
        keys.decrypt(written(&message).body.as_bytes()).unwrap(),
        vec![7; 3993]
    );
}

#[test]
fn an_empty_payload_is_a_message_and_none_is_a_wake_up() {
    let keys = ReceiverKeys::generate().unwrap();
    let empty = Message::builder(subscription(&keys, FCM))
        .payload("")
        .build()
        .unwrap();
    let request = written(&empty);
    assert_eq!(request.body.len(), 103);
    assert_eq!(keys.decrypt(request.body.as_bytes()).unwrap(), b"");

    let bare = Subscription::without_keys(FCM, &EndpointPolicy::default()).unwrap();
    let wake = Message::builder(bare.clone()).build().unwrap();
    let request = webpush::request(&wake, &credentials(), now()).unwrap();
    assert!(request.body.is_empty() && request.header("content-encoding").is_none());
    assert!(request.header("authorization").is_some(), "signed all the same");
    assert_eq!(request.header("ttl"), Some("2419200"));
    assert_eq!(request.header("content-length"), Some("0"));
    assert_eq!(request.header("content-encoding"), None);
    let error = Message::builder(bare.clone()).payload("x").build().unwrap_err();
    assert_eq!(error.kind(), MissingField);
    assert_eq!(empty.to(bare).unwrap_err().kind(), MissingField);
}

#[test]
fn padding_hides_the_length() {
    let keys = ReceiverKeys::generate().unwrap();
    for encoding in encodings() {
        let overhead = overhead(encoding);
        let limit = 4096 - overhead;
        for (padding, len, padded) in [
            (Padding::None, 5, 5),
            (Padding::ToMultipleOf(128), 0, 0),
            (Padding::ToMultipleOf(128), 1, 128),
            (Padding::ToMultipleOf(128), 128, 128),
            (Padding::ToMultipleOf(128), 129, 256),
            (Padding::ToMultipleOf(0), 5, 5),
            (Padding::ToMultipleOf(usize::MAX), 5, limit),
            (Padding::ToMultipleOf(4096), 3000, limit),
            (Padding::ToLength(1000), 5, 1000),
            (Padding::ToLength(1000), 1001, 1001),
            (Padding::ToLength(usize::MAX), 5, limit),
        ] {
            let payload = vec![0; len];
            let message = Message::builder(subscription(&keys, FCM))
                .payload(payload.clone())
                .padding(padding)
                .encoding(encoding)
                .build()
                .unwrap();
            let request = written(&message);
            assert_eq!(request.body.len(), padded + overhead, "{padding:?} {len}");
            let told = request.header("content-length").unwrap();
            assert_eq!(told, request.body.len().to_string());
            let body = request.body.as_bytes();
            let plain = match encoding {
                Encoding::Aes128Gcm => keys.decrypt(body),
                #[cfg(feature = "aesgcm")]
                Encoding::AesGcm { .. } => {
                    let header = |name| request.header(name).unwrap();
                    keys.decrypt_aesgcm(body, header("crypto-key"), header("encryption"))
                }
            };
            assert_eq!(plain.unwrap(), payload);
        }
    }
}

#[test]
fn each_service_gets_what_it_takes() {
    let keys = ReceiverKeys::generate().unwrap();
    let ttl = |endpoint, ttl| {
        let message = Message::builder(subscription(&keys, endpoint))
            .ttl(ttl)
            .build()
            .unwrap();
        written(&message).header("ttl").unwrap().to_owned()
    };
    for (endpoint, longest) in [
        (FCM, "2419200"),
        (APPLE, "2592000"),
        (MOZILLA, "2592000"),
        (WNS, "2592000"),
    ] {
        assert_eq!(ttl(endpoint, Duration::MAX), longest);
        assert_eq!(ttl(endpoint, Duration::from_millis(1999)), "1");
        assert_eq!(ttl(endpoint, Duration::ZERO), "0");
    }
    let other = Subscription::without_keys(
        "https://push.example.net/x",
        &EndpointPolicy::default().allow_host("push.example.net"),
    )
    .unwrap();
    let message = Message::builder(other).ttl(Duration::MAX).build().unwrap();
    assert_eq!(written(&message).header("ttl"), Some("2147483647"));

    let now_or_never = Message::builder(subscription(&keys, WNS))
        .ttl(Duration::ZERO)
        .build()
        .unwrap();
    assert_eq!(
        written(&now_or_never).header("x-wns-cache-policy"),
        Some("no-cache")
    );
    let elsewhere = now_or_never.to(subscription(&keys, FCM)).unwrap();
    assert_eq!(written(&elsewhere).header("x-wns-cache-policy"), None);

    let template = Template::builder()
        .topic(Topic::new("hello").unwrap())
        .build()
        .unwrap();
    let topic = |endpoint| {
        let message = template.to(subscription(&keys, endpoint)).unwrap();
        written(&message).header("topic").unwrap().to_owned()
    };
    assert_eq!(topic(FCM), "hello");
    assert_eq!(
        topic(APPLE),
        Topic::hashed("hello").as_str(),
        "five characters are no base64"
    );
}

#[test]
fn a_campaign_shares_everything_but_the_body() {
    let template = Template::builder().payload("news").build().unwrap();
    let receivers: Vec<_> = (0..20).map(|_| ReceiverKeys::generate().unwrap()).collect();
    let credentials = credentials();
    let mut request = Request::new();
    let mut shared = std::collections::HashSet::new();
    let mut bodies = std::collections::HashSet::new();
    for keys in &receivers {
        for _ in 0..2 {
            let message = template.to(subscription(keys, FCM)).unwrap();
            webpush::request_into(&mut request, &message, &credentials, now()).unwrap();
            shared.insert((
                request.common.as_ref().unwrap().id(),
                request.authorization.as_ref().unwrap().id(),
            ));
            assert!(
                bodies.insert(request.body.as_bytes().to_vec()),
                "each body is new"
            );
            assert_eq!(keys.decrypt(request.body.as_bytes()).unwrap(), b"news");
        }
    }
    assert_eq!(shared.len(), 1);
    assert!(matches!(&request.body, Body::Own(bytes) if bytes.capacity() >= 107));
}

#[test]
fn templates_are_shared_between_threads() {
    let template = Template::builder().payload("news").build().unwrap();
    let keys = ReceiverKeys::generate().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let message = template.to(subscription(&keys, FCM)).unwrap();
                assert_eq!(keys.decrypt(written(&message).body.as_bytes()).unwrap(), b"news");
            });
        }
    });
}

#[test]
fn receipts_are_asked_for_together_at_their_own_service_only() {
    let keys = ReceiverKeys::generate().unwrap();
    let policy = EndpointPolicy::default()
        .allow_host("push.example.net")
        .allow_host("push.example.org");
    let subscription = |host| {
        let json = keys.subscription_json(&format!("https://{host}/push/x"));
        Subscription::parse(json.as_bytes(), &policy).unwrap()
    };
    let (net, org) = (subscription("push.example.net"), subscription("push.example.org"));
    let receipts = net.endpoint().join("/receipt-subscription/3ZtI").unwrap();
    let template = Template::builder().receipts_at(receipts).build().unwrap();
    let request = written(&template.to(net).unwrap());
    assert_eq!(request.header("prefer"), Some("respond-async"));
    assert_eq!(
        request.header("link"),
        Some(r#"<https://push.example.net/receipt-subscription/3ZtI>; rel="urn:ietf:params:push:receipt""#)
    );
    let request = written(&template.to(org).unwrap());
    assert_eq!(request.header("prefer"), Some("respond-async"));
    assert_eq!(request.header("link"), None);
}

/// The words are RFC 8030 §5.3's.
#[test]
fn every_urgency_is_written_as_it_was_said() {
    let keys = ReceiverKeys::generate().unwrap();
    let table = [
        (Some(Urgency::VeryLow), Some("very-low")),
        (Some(Urgency::Low), Some("low")),
        (Some(Urgency::Normal), Some("normal")),
        (Some(Urgency::High), Some("high")),
        (None, None),
    ];
    for (urgency, expected) in table {
        let mut builder = Message::builder(subscription(&keys, MOZILLA)).payload("x");
        if let Some(urgency) = urgency {
            builder = builder.urgency(urgency);
        }
        let request = webpush::request(&builder.build().unwrap(), &credentials(), now()).unwrap();
        let said = request.all_headers().find(|header| header.name == "urgency");
        assert_eq!(said.map(|header| header.value), expected, "{urgency:?}");
    }
}
