//! Whatever a peer or a user sends, Web Push answers with a value or an error.
//! Seeded, so that a failure can be repeated.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use pushcore::crypto::Es256Key;
use pushcore::http::Response;
use pushcore::webpush::{
    self, Credentials, Declarative, Endpoint, EndpointPolicy, Message, Padding, Received, ReceiverKeys,
    Subscription, Topic,
};
use pushcore::{ErrorKind, Now, UnixTime};

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// Some bytes changed, some cut off, some added.
    fn mangle(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(out.len());
            match self.below(4) {
                0 => out.truncate(at),
                1 => out.insert(at, self.next().to_le_bytes()[0]),
                2 if !out.is_empty() => out[at] = b"\0\r\n\"{}[]:@#%\\ \xff"[self.below(15)],
                _ if !out.is_empty() => out[at] ^= 1 << self.below(8),
                _ => {}
            }
        }
        out
    }
}

fn now() -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000))
}

const URL: &str = "https://fcm.googleapis.com/fcm/send/abc:def";

#[test]
fn every_payload_comes_through_and_no_changed_body_does() {
    let mut random = Random(1);
    let policy = EndpointPolicy::default();
    let credentials = Credentials::new(Es256Key::generate().unwrap(), "mailto:push@example.com").unwrap();
    for round in 0..150 {
        let keys = ReceiverKeys::generate().unwrap();
        let subscription = Subscription::parse(keys.subscription_json(URL).as_bytes(), &policy).unwrap();
        let len = random.below(3994);
        let payload = random.bytes(len);
        let padding = match random.below(3) {
            0 => Padding::None,
            1 => Padding::ToMultipleOf(random.below(5000)),
            _ => Padding::ToLength(random.below(5000)),
        };
        let message = Message::builder(subscription)
            .payload(payload.clone())
            .padding(padding)
            .build()
            .unwrap();
        let request = webpush::request(&message, &credentials, now()).unwrap();
        let body = request.body.as_bytes();
        assert!(body.len() <= 4096 && body.len() == message.template().body_len());
        assert_eq!(keys.decrypt(body).unwrap(), payload, "round {round}");
        for _ in 0..10 {
            let changed = random.mangle(body);
            // All but the record size is bound to the result: a larger one reads the same.
            let size_only =
                changed.len() == body.len() && changed[..16] == body[..16] && changed[20..] == body[20..];
            if changed != body && !size_only {
                let kind = keys.decrypt(&changed).expect_err("changed").kind();
                assert!(matches!(
                    kind,
                    ErrorKind::InvalidCiphertext | ErrorKind::DecryptionFailed
                ));
            }
        }
    }
}

#[test]
fn hostile_input_never_panics_and_never_gets_past_the_policy() {
    let mut random = Random(2);
    let keys = ReceiverKeys::generate().unwrap();
    let policy = EndpointPolicy::default();
    let json = keys.subscription_json(URL);
    let mut declarative = Declarative::new("title", "https://example.com/x");
    declarative.app_badge = Some(7);
    let declarative = declarative.to_json().unwrap();
    for _ in 0..20_000 {
        let changed = random.mangle(json.as_bytes());
        if let Ok(subscription) = Subscription::parse(&changed, &policy) {
            let host = subscription.endpoint().authority().host();
            assert!(host == "fcm.googleapis.com", "{host}");
        }
        let url = String::from_utf8_lossy(&random.mangle(URL.as_bytes())).into_owned();
        if let Ok(endpoint) = Endpoint::parse(&url) {
            // What was read is what would be sent, and reads the same again.
            assert_eq!(Endpoint::parse(&endpoint.url()).unwrap(), endpoint);
            assert_eq!(
                endpoint.join(endpoint.path()).is_ok(),
                !endpoint.path().starts_with("//")
            );
            if policy.check(&endpoint).is_ok() {
                assert_eq!(endpoint.authority().as_str(), "fcm.googleapis.com");
            }
        }
        let changed = random.mangle(declarative.as_bytes());
        let _ = Received::parse(changed.clone());
        if let Ok(message) = Declarative::parse(&changed) {
            assert!(message.to_json().is_ok());
        }
        let len = random.below(200);
        let noise = random.bytes(len);
        assert!(keys.decrypt(&noise).is_err());
        let text = String::from_utf8_lossy(&noise);
        assert!(keys.decrypt_aesgcm(&noise, &text, &text).is_err());
        if let Ok(topic) = Topic::new(&text) {
            assert!(topic.as_str().len() <= 32);
        }
    }
}

#[test]
fn every_answer_is_an_outcome() {
    let mut random = Random(3);
    let bodies = [
        r#"{"code":410,"errno":103,"error":"Gone","message":"m","more_info":"u"}"#,
        r#"{"reason":"VapidPkHashMismatch"}"#,
        "push subscription has unsubscribed or expired.",
        "",
    ];
    let headers = [
        "x-wns-notificationstatus",
        "retry-after",
        "ttl",
        "location",
        "apns-id",
        "content-type",
        "link",
        "date",
        "x-wns-error-description",
    ];
    let values = [
        "</r/3Z>; rel=\"urn:ietf:params:push:receipt\"",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "120",
        "channelthrottled",
    ];
    for _ in 0..20_000 {
        let status = u16::try_from(random.below(1000)).unwrap();
        let body = bodies[random.below(bodies.len())];
        let body = random.mangle(body.as_bytes());
        let value = match values.get(random.below(values.len() + 1)) {
            Some(value) => random.mangle(value.as_bytes()),
            None => random.bytes(12),
        };
        let response = Response::new(status, body.clone()).with_header(
            headers[random.below(headers.len())],
            &String::from_utf8_lossy(&value),
        );
        let outcome = webpush::outcome(&response, now());
        assert_eq!((outcome.status(), outcome.body()), (status, &body[..]));
        // RFC 8030 §5: a 2xx takes the message. WNS alone says in a header of a 200 that it was dropped, or that it throttles.
        let by_wns = response.header("x-wns-notificationstatus").is_some();
        if !by_wns {
            assert_eq!(
                outcome.is_accepted(),
                (200..=299).contains(&status),
                "{status}: {outcome:?}"
            );
        }
        assert!(
            !outcome.is_accepted() || (200..=299).contains(&status),
            "{status}"
        );
        if outcome.name() == "token_gone" {
            assert!((400..=499).contains(&status), "{status}");
        }
        assert!(outcome.reason().is_none_or(|reason| reason.as_str().len() <= 160));
    }
}
