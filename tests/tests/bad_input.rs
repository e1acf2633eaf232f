//! Rows of `docs/bad-input.md` that cross rooms: every service gets the same bad bytes.

use std::time::Duration;

use pushcore::apns::{self, Alert, Aps, DeviceToken, Payload, PushType};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::{Error, ErrorKind, Now, UnixTime, adm, baidu, fcm, webpush};

const TOKEN: &str = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

type Reader = fn(&str) -> Result<(), Error>;

/// Every text of the callers that ends in a header, a path, a form or a JWT.
const READERS: &[(&str, Reader)] = &[
    ("apns token", |t| apns::DeviceToken::parse(t).map(drop)),
    ("apns topic", |t| apns::Topic::parse(t).map(drop)),
    ("bundle id", |t| apns::BundleId::parse(t).map(drop)),
    ("collapse id", |t| apns::CollapseId::parse(t).map(drop)),
    ("apns id", |t| apns::ApnsId::parse(t).map(drop)),
    ("key id", |t| apns::KeyId::parse(t).map(drop)),
    ("team id", |t| apns::TeamId::parse(t).map(drop)),
    ("channel id", |t| apns::ChannelId::parse(t).map(drop)),
    ("web push topic", |t| webpush::Topic::new(t).map(drop)),
    ("project id", |t| fcm::ProjectId::new(t).map(drop)),
    ("fcm topic", |t| fcm::Topic::new(t).map(drop)),
    ("fcm token", |t| fcm::RegistrationId::new(t).map(drop)),
    ("adm registration", |t| adm::RegistrationId::new(t).map(drop)),
    ("adm client", |t| adm::Credentials::new(t, "secret").map(drop)),
    ("adm secret", |t| adm::Credentials::new("client", t).map(drop)),
    ("baidu key", |t| baidu::Credentials::new(t, "secret").map(drop)),
    ("baidu channel", |t| baidu::Target::device(t).map(drop)),
    ("host", |t| Authority::parse(t).map(drop)),
];

/// One lower-case line of printable ASCII that does not repeat the input.
fn is_presentable(error: &Error, input: &str) {
    let text = error.to_string();
    assert!(text.len() <= 256, "{text}");
    assert!(text.bytes().all(|b| (0x20..0x7f).contains(&b)), "{text:?}");
    assert!(
        input.len() < 8 || !text.contains(input),
        "{text:?} repeats its input"
    );
    assert!(error.kind().code() < 300, "{text}: {}", error.kind());
}

#[test]
fn control_characters_are_refused_everywhere() {
    let mut cases = 0;
    for (name, read) in READERS {
        for control in ["\r", "\n", "\r\nx-evil: 1", "\0", "\u{7f}", "\u{1b}[2J"] {
            for input in [
                format!("abcdefghij{control}"),
                format!("abcde{control}fghij"),
                format!("{control}abcdefghij"),
            ] {
                let error = read(&input)
                    .err()
                    .unwrap_or_else(|| panic!("{name} takes {input:?}"));
                is_presentable(&error, &input);
                cases += 1;
            }
        }
    }
    assert!(cases >= 90, "{cases}");
}

#[test]
fn edges_of_headers_are_refused() {
    let headers = [
        "apns topic",
        "bundle id",
        "collapse id",
        "apns id",
        "key id",
        "team id",
        "web push topic",
        "host",
    ];
    for (name, read) in READERS.iter().filter(|(name, _)| headers.contains(name)) {
        for input in [
            " abcdefghi",
            "abcdefghi ",
            "abcdefghi\t",
            "abcdefgh\u{e9}",
            "abcdefgh\u{ff11}",
            "abcdefgh\u{85}",
            "abcdefgh\u{a0}",
            "",
        ] {
            // Apple's collapse ids are UTF-8, the one header here that is not plain ASCII.
            if *name == "collapse id" && input.ends_with(['\u{e9}', '\u{ff11}']) {
                assert!(read(input).is_ok(), "{input:?}");
                continue;
            }
            let error = read(input)
                .err()
                .unwrap_or_else(|| panic!("{name} takes {input:?}"));
            is_presentable(&error, input);
        }
        let long = "a".repeat(1024 * 1024);
        is_presentable(&read(&long).expect_err("a megabyte"), &long);
    }
}

/// What takes a caller's JSON as it is.
type Taker = fn(&[u8]) -> Result<(), Error>;

const TAKERS: &[(&str, Taker)] = &[
    ("apns", |json| apns::Payload::raw(json.to_vec()).map(drop)),
    ("adm", |json| adm::Message::builder().notification(json).map(drop)),
    ("baidu", |json| baidu::Message::android_raw(json).map(drop)),
];

fn wrapped(value: &[u8]) -> Vec<u8> {
    [&b"{\"title\":\"t\",\"description\":\"d\",\"v\":"[..], value, b"}"].concat()
}

#[test]
fn broken_json_is_refused() {
    let broken: &[&[u8]] = &[
        b"",
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b"[1",
        b"[\"a\"",
        b"[",
        b"]",
        b"{",
        b"{\"a\":1,}",
        b"{\"a\" 1}",
        b"{a:1}",
        b"{'a':1}",
        b"{1:1}",
        b"{\"a\":}",
        b"{\"a\"}",
        b"{:1}",
        b"{\"a\":1 \"b\":2}",
        b"'a'",
        b"\"a",
        b"a\"",
        b"\"\\x\"",
        b"\"\\u12\"",
        b"\"\\uD800\"",
        b"\"\\uDC00\\uD800\"",
        b"\"\\ud800\\n\"",
        b"\"\t\"",
        b"\"\n\"",
        b"\"\0\"",
        b"\"\x1f\"",
        b"\"\xff\"",
        b"\"\xc0\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xe9\"",
        b"\"\xf4\xbf\xbf\xbf\"",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"nul",
        b"True",
        b"undefined",
        b"1.",
        b".5",
        b"+1",
        b"01",
        b"-",
        b"-01",
        b"1e",
        b"1e+",
        b"0x10",
        b"1_000",
        b"1e400",
        b"1,",
        b"1}",
        b"1 // comment",
        b"/* comment */ 1",
        b"# 1",
        b"1 2",
        b"\xef\xbb\xbf1",
        b"\xc2\xa01",
        b"\x0c1",
        b"\x0b1",
    ];
    for (name, take) in TAKERS {
        for value in broken {
            let error = take(&wrapped(value))
                .err()
                .unwrap_or_else(|| panic!("{name} takes {}", value.escape_ascii()));
            assert_eq!(
                error.kind(),
                ErrorKind::InvalidPayload,
                "{name}: {}",
                value.escape_ascii()
            );
            is_presentable(&error, "");
        }
        let with_mark = [b"\xef\xbb\xbf", wrapped(b"1").as_slice()].concat();
        for text in [&with_mark[..], b"{}{}", b"{} x", b"\xff\xfe{\0}\0", b" "] {
            assert!(take(text).is_err(), "{name} takes {}", text.escape_ascii());
        }
    }
}

#[test]
fn good_json_is_taken() {
    let good: &[&[u8]] = &[
        b"1",
        b"-0",
        b"-1.5e-3",
        b"1E+2",
        b"0.1e1",
        b"true",
        b"null",
        b"\"\"",
        b"[]",
        b"{}",
        b"[ ]",
        b" [1 , 2 ] ",
        b"\r\n\t1",
        b"\"\\u0000\"",
        b"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        b"\"\\uD801\\udc37\"",
        b"\"\\uFFFF\"",
        b"\"\x7f\"",
        "\"\u{2028}\u{ffff}\u{10ffff}\"".as_bytes(),
        b"{\"\":0}",
        b"{\"a\\u0000b\":0}",
        b"{\"a\":[{\"b\":null}]}",
        b"123456789012345678901234567890",
        b"1e-400",
    ];
    for (name, take) in TAKERS {
        for value in good {
            take(&wrapped(value)).unwrap_or_else(|error| panic!("{name} {}: {error}", value.escape_ascii()));
        }
    }
}

#[test]
fn json_that_is_good_and_still_refused() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    for (name, take) in TAKERS {
        for text in [
            &b"[]"[..],
            b"1",
            b"\"{}\"",
            b"null",
            &wrapped(b"{\"a\":1,\"a\":1}"),
            &wrapped(b"{\"a\":1,\"\\u0061\":2}"),
            &wrapped(&nested(128)),
            &wrapped(&vec![b'['; 100_000]),
        ] {
            let error = take(text).err().unwrap_or_else(|| panic!("{name} takes it"));
            assert_eq!(error.kind(), ErrorKind::InvalidPayload, "{name}: {error}");
        }
        take(&wrapped(&nested(100))).expect("a depth that people use");
    }
}

/// 0, both edges of 31 and 32 bits, and what does not fit into milliseconds or nanoseconds.
fn lifetimes() -> impl Iterator<Item = Duration> {
    let bits = [
        0,
        1,
        2_419_200,
        2_419_201,
        (1 << 31) - 1,
        1 << 31,
        (1 << 32) - 1,
        1 << 32,
        (1 << 63) - 1,
        u64::MAX,
    ];
    bits.into_iter().map(Duration::from_secs).chain([Duration::MAX])
}

/// The digits after `name` in a body.
fn number_after(body: &str, name: &str) -> Option<u64> {
    let rest = &body[body.find(name)? + name.len()..];
    let digits: String = rest
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

#[test]
fn no_lifetime_wraps() {
    let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));
    // The services' own bounds: built and said to the second within them, refused beyond. Chrome's push service alone
    // keeps a message for 28 days when asked for more, as RFC 8030 §5.2 lets it, so that the header says 28 days.
    let bounded = |what: &str,
                   life: Duration,
                   bounds: std::ops::RangeInclusive<u64>,
                   sent: Result<u64, pushcore::Error>| {
        match sent {
            Ok(sent) => assert!(
                bounds.contains(&life.as_secs()) && sent == life.as_secs(),
                "{what}: {life:?} became {sent}"
            ),
            Err(error) => {
                assert!(
                    !bounds.contains(&life.as_secs()),
                    "{what}: {life:?} is refused: {error}"
                );
                assert_eq!(error.kind(), ErrorKind::InvalidValue, "{what}: {life:?}");
            }
        }
    };
    let policy = webpush::EndpointPolicy::default();
    let json = format!(
        r#"{{"endpoint":"https://fcm.googleapis.com/fcm/send/x","keys":{{"p256dh":"{}","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}}}"#,
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    );
    for life in lifetimes() {
        let subscription = webpush::Subscription::parse(json.as_bytes(), &policy).expect("a subscription");
        let key = Es256Key::from_scalar(&[7; 32]).expect("a key");
        let credentials = webpush::Credentials::new(key, "mailto:a@example.com").expect("vapid");
        let message = webpush::Message::builder(subscription)
            .payload("x")
            .ttl(life)
            .build()
            .expect("any ttl");
        let request = webpush::request(&message, &credentials, now).expect("a request");
        let ttl: u64 = request.header("ttl").expect("a ttl").parse().expect("a number");
        assert_eq!(ttl, life.as_secs().min(2_419_200), "web push: {life:?}");

        // Google: "The maximum time to live supported is 4 weeks".
        let target = fcm::Target::token("abc").expect("a target");
        let built = fcm::Message::builder()
            .android(fcm::AndroidConfig::new().ttl(life))
            .build(target);
        let ttl = |message: fcm::Message| {
            number_after(&String::from_utf8(message.body()).expect("utf-8"), "\"ttl\"").expect("a ttl")
        };
        bounded("fcm", life, 0..=2_419_200, built.map(ttl));

        // Amazon: "between 60 (1 minute), and 2678400 (31 days), inclusive".
        let target = adm::RegistrationId::new("abc").expect("a target");
        let built = adm::Message::builder()
            .data("a", "b")
            .expires_after(life)
            .build(target);
        let expires = |message: adm::Message| {
            let body = std::str::from_utf8(message.body()).expect("utf-8");
            number_after(body, "\"expiresAfter\"").expect("a life")
        };
        bounded("adm", life, 60..=2_678_400, built.map(expires));

        // Baidu: `msg_expires`, one week at most.
        let target = baidu::Target::device("4000000000000000000").expect("a target");
        let built = baidu::Message::android(baidu::AndroidNotification::new("x"))
            .and_then(|builder| builder.expires_after(life).build(target));
        let sent = built.map(|message| {
            let credentials = baidu::Credentials::new("key", "secret").expect("credentials");
            let host = Authority::parse("api.tuisong.baidu.com").expect("a host");
            let request = baidu::request(&message, &credentials, &host, now).expect("a request");
            let body = String::from_utf8(request.body.as_bytes().to_vec()).expect("a form");
            number_after(&body, "msg_expires").expect("a life")
        });
        bounded("baidu", life, 1..=604_800, sent);

        let key = Es256Key::from_scalar(&[7; 32]).expect("a key");
        let credentials = apns::Credentials::token(
            apns::KeyId::parse("ABC123DEFG").expect("a key id"),
            apns::TeamId::parse("DEF123GHIJ").expect("a team id"),
            key,
        );
        let built = apns::Message::builder(PushType::Alert)
            .topic(apns::Topic::parse("com.example.app").expect("a topic"))
            .payload(Payload::new(Aps::new().alert(Alert::new().title("x"))))
            .device(DeviceToken::parse(TOKEN).expect("a token"))
            .expiration(apns::Expiration::Until(UnixTime::from_secs(life.as_secs())))
            .build();
        let sent =
            built.and_then(|m| apns::request(&m, &credentials, &apns::Environment::Sandbox.hosts(), now));
        // A date of 2001 to 2299: what is smaller is a duration by mistake, what is larger are milliseconds.
        let date = sent.map(|request| {
            let header = request.header("apns-expiration").expect("an expiration");
            header.parse().expect("digits")
        });
        bounded("apns", life, 978_307_200..=10_413_791_999, date);
    }
}
