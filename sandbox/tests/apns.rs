//! APNs, driven by an independent HTTP/2 client: one fault at a time, each with the
//! reason and the rule it must give.

mod common;

use common::{Client, at, es256, last, now, provider_token, run, start};
use pushcore_sandbox::{Check, DeviceToken, Environment, Gone, Profile, Sandbox};
use serde_json::{Value, json};

const BODY: &str = r#"{"aps":{"alert":"hello"}}"#;

struct World {
    sandbox: Sandbox,
    ready: Value,
    auth: String,
}

impl World {
    fn new() -> Self {
        let sandbox = start();
        let ready = sandbox.ready().clone();
        let auth = provider_token(&ready);
        Self { sandbox, ready, auth }
    }

    fn path(&self, token: &str) -> String {
        format!("/3/device/{}", at(&self.ready, &format!("/apns/tokens/{token}")))
    }

    async fn client(&self) -> Client {
        Client::connect(&self.sandbox, at(&self.ready, "/apns/authority")).await
    }
}

/// Headers of a good alert push, with changes: `None` removes, `Some` replaces.
fn headers<'a>(auth: &'a str, changes: &[(&'a str, Option<&'a str>)]) -> Vec<(&'a str, &'a str)> {
    let mut headers = vec![
        ("authorization", auth),
        ("apns-topic", "com.example.app"),
        ("apns-push-type", "alert"),
    ];
    for (name, value) in changes {
        headers.retain(|(known, _)| known != name);
        headers.extend(value.map(|value| (*name, value)));
    }
    headers
}

#[test]
fn accepts_a_good_push_and_logs_it_once() {
    let world = World::new();
    run(async {
        let mut client = world.client().await;
        let id = "123e4567-e89b-12d3-a456-426614174000";
        let headers = headers(&world.auth, &[("apns-id", Some(id))]);
        let answer = client
            .send("POST", &world.path("valid"), &headers, BODY)
            .await
            .expect("answer");
        assert_eq!((answer.status, answer.header("apns-id")), (200, id));
        assert!(!answer.header("apns-unique-id").is_empty() && answer.body.is_empty());
    });
    let token = at(&world.ready, "/apns/tokens/valid");
    assert_eq!(world.sandbox.accepted("apns", token), 1);
    let record = last(&world.sandbox);
    assert_eq!(record.body, json!({"aps": {"alert": "hello"}}));
    assert_eq!(record.headers["authorization"], "(withheld)");
    assert!(record.header_block > 100, "{}", record.header_block);
}

#[test]
fn every_request_rule_gives_its_reason() {
    let world = World::new();
    let long = "x".repeat(65);
    let wide = "é".repeat(33);
    let big = format!(r#"{{"a":"{}"}}"#, "x".repeat(4089));
    assert_eq!(big.len(), 4097);
    let voip = format!(r#"{{"a":"{}"}}"#, "x".repeat(5113));
    assert_eq!(voip.len(), 5121);
    let voip_headers = [
        ("apns-topic", Some("com.example.app.voip")),
        ("apns-push-type", Some("voip")),
    ];
    type Change<'a> = &'a [(&'a str, Option<&'a str>)];
    let cases: &[(&str, &str, Change<'_>, &str, u16, &str, &str)] = &[
        ("GET", "valid", &[], BODY, 405, "MethodNotAllowed", "apns.method"),
        ("POST", "/4/device/00", &[], BODY, 404, "BadPath", "apns.path"),
        (
            "POST",
            "/3/device/",
            &[],
            BODY,
            400,
            "MissingDeviceToken",
            "apns.path.token.missing",
        ),
        (
            "POST",
            "valid",
            &[("authorization", None)],
            BODY,
            403,
            "MissingProviderToken",
            "apns.auth.missing",
        ),
        (
            "POST",
            "valid",
            &[("authorization", Some("basic x"))],
            BODY,
            403,
            "InvalidProviderToken",
            "apns.auth.scheme",
        ),
        (
            "POST",
            "valid",
            &[("authorization", Some("bearer x.y"))],
            BODY,
            403,
            "InvalidProviderToken",
            "apns.auth.jwt.form",
        ),
        (
            "POST",
            "valid",
            &[("apns-id", Some("nope"))],
            BODY,
            400,
            "BadMessageId",
            "apns.header.id",
        ),
        (
            "POST",
            "valid",
            &[("apns-push-type", Some("loud"))],
            BODY,
            400,
            "InvalidPushType",
            "apns.header.push-type",
        ),
        (
            "POST",
            "valid",
            &[("apns-push-type", None)],
            BODY,
            400,
            "InvalidPushType",
            "apns.header.push-type.missing",
        ),
        (
            "POST",
            "valid",
            &[("apns-topic", None)],
            BODY,
            400,
            "MissingTopic",
            "apns.header.topic.missing",
        ),
        (
            "POST",
            "valid",
            &[("apns-topic", Some("com example"))],
            BODY,
            400,
            "BadTopic",
            "apns.header.topic",
        ),
        (
            "POST",
            "valid",
            &[("apns-topic", Some("com.foreign"))],
            BODY,
            400,
            "TopicDisallowed",
            "apns.header.topic.allowed",
        ),
        (
            "POST",
            "valid",
            &[("apns-push-type", Some("voip"))],
            BODY,
            400,
            "TopicDisallowed",
            "apns.header.topic.suffix",
        ),
        (
            "POST",
            "valid",
            &[("apns-priority", Some("7"))],
            BODY,
            400,
            "BadPriority",
            "apns.header.priority",
        ),
        (
            "POST",
            "valid",
            &[("apns-push-type", Some("background"))],
            BODY,
            400,
            "BadPriority",
            "apns.header.priority.background",
        ),
        (
            "POST",
            "valid",
            &[("apns-expiration", Some("soon"))],
            BODY,
            400,
            "BadExpirationDate",
            "apns.header.expiration",
        ),
        (
            "POST",
            "valid",
            &[("apns-collapse-id", Some(&wide))],
            BODY,
            400,
            "BadCollapseId",
            "apns.header.collapse-id",
        ),
        (
            "POST",
            "valid",
            &[("apns-collapse-id", Some(&long))],
            BODY,
            400,
            "BadCollapseId",
            "apns.header.collapse-id",
        ),
        (
            "POST",
            "valid",
            &[],
            "",
            400,
            "PayloadEmpty",
            "apns.payload.empty",
        ),
        (
            "POST",
            "valid",
            &[],
            &big,
            413,
            "PayloadTooLarge",
            "apns.payload.size",
        ),
        (
            "POST",
            "valid",
            &voip_headers,
            &voip,
            413,
            "PayloadTooLarge",
            "apns.payload.size",
        ),
        (
            "POST",
            "valid",
            &[],
            "[1]",
            400,
            "BadRequestPayload",
            "apns.payload.json",
        ),
        (
            "POST",
            "/3/device/xyz",
            &[],
            BODY,
            400,
            "BadDeviceToken",
            "apns.token.syntax",
        ),
        (
            "POST",
            "unknown",
            &[],
            BODY,
            400,
            "BadDeviceToken",
            "apns.token.unknown",
        ),
        (
            "POST",
            "other_environment",
            &[],
            BODY,
            400,
            "BadDeviceToken",
            "apns.token.environment",
        ),
        (
            "POST",
            "other_topic",
            &[],
            BODY,
            400,
            "DeviceTokenNotForTopic",
            "apns.token.topic",
        ),
        (
            "POST",
            "unregistered",
            &[],
            BODY,
            410,
            "Unregistered",
            "apns.token.unregistered",
        ),
        (
            "POST",
            "expired",
            &[],
            BODY,
            410,
            "ExpiredToken",
            "apns.token.expired",
        ),
        (
            "POST",
            "throttled",
            &[],
            BODY,
            429,
            "TooManyRequests",
            "apns.token.rate",
        ),
    ];
    run(async {
        let mut client = world.client().await;
        for (method, target, changes, body, status, reason, rule) in cases {
            let path = if target.starts_with('/') {
                (*target).to_owned()
            } else {
                world.path(target)
            };
            let headers = headers(&world.auth, changes);
            let answer = client
                .send(method, &path, &headers, (*body).to_owned())
                .await
                .expect("answer");
            assert_eq!(
                (answer.status, answer.json()["reason"].as_str()),
                (*status, Some(*reason)),
                "{rule}"
            );
            assert_eq!(last(&world.sandbox).rule.as_deref(), Some(*rule));
            let timestamp = answer.json()["timestamp"].as_i64();
            let since = world.ready["apns"]["unregistered_at_ms"].as_i64();
            assert_eq!(timestamp, since.filter(|_| *status == 410), "{rule}");
        }
        // Exactly at the limit both pass.
        for (body, changes) in [(&big, &[][..]), (&voip, &voip_headers[..])] {
            let body = body.replacen('x', "", 1);
            let answer = client
                .send("POST", &world.path("valid"), &headers(&world.auth, changes), body)
                .await
                .expect("answer");
            assert_eq!(answer.status, 200);
        }
        let twice = [
            headers(&world.auth, &[]),
            vec![("apns-priority", "5"), ("apns-priority", "5")],
        ]
        .concat();
        let answer = client
            .send("POST", &world.path("valid"), &twice, BODY)
            .await
            .expect("answer");
        assert_eq!(answer.json()["reason"], "DuplicateHeaders");
    });
}

#[test]
fn provider_tokens_are_judged_strictly_and_leniently() {
    let world = World::new();
    let (kid, team) = (
        at(&world.ready, "/apns/key_id"),
        at(&world.ready, "/apns/team_id"),
    );
    let p8 = at(&world.ready, "/apns/p8_file");
    let header = json!({"alg": "ES256", "kid": kid});
    let good = json!({"iss": team, "iat": now()});
    let sign = |header: &Value, claims: &Value| es256(p8, header, claims);
    let plain = sign(&header, &good);
    let (signed, signature) = plain.rsplit_once('.').expect("token");
    let mut broken = common::from_b64url(signature);
    broken[40] ^= 1;
    let strict: Vec<(&str, String)> = vec![
        (
            "apns.auth.jwt.alg",
            sign(&json!({"alg": "ES384", "kid": kid}), &good),
        ),
        (
            "apns.auth.jwt.header",
            sign(&json!({"alg": "ES256", "kid": kid, "typ": "JWT"}), &good),
        ),
        (
            "apns.auth.jwt.claims",
            sign(&header, &json!({"iss": team, "iat": now(), "kid": kid})),
        ),
        (
            "apns.auth.jwt.kid",
            sign(&json!({"alg": "ES256", "kid": "AAAAAAAAAA"}), &good),
        ),
        (
            "apns.auth.jwt.iss",
            sign(&header, &json!({"iss": "AAAAAAAAAA", "iat": now()})),
        ),
        (
            "apns.auth.jwt.iat",
            sign(&header, &json!({"iss": team, "iat": now().to_string()})),
        ),
        ("apns.auth.jwt.iat", sign(&header, &json!({"iss": team}))),
        (
            "apns.auth.jwt.future",
            sign(&header, &json!({"iss": team, "iat": now() + 600})),
        ),
        (
            "apns.auth.jwt.expired",
            sign(&header, &json!({"iss": team, "iat": now() - 3605})),
        ),
        ("apns.auth.jwt.base64url", format!("{plain}==")),
        (
            "apns.auth.jwt.signature",
            format!("{signed}.{}", common::b64url(&broken)),
        ),
        (
            "apns.auth.key.environment",
            es256(
                at(&world.ready, "/apns/other_environment_p8_file"),
                &json!({"alg": "ES256", "kid": at(&world.ready, "/apns/other_environment_key_id")}),
                &good,
            ),
        ),
    ];
    let forgiven = [
        "apns.auth.jwt.header",
        "apns.auth.jwt.claims",
        "apns.auth.jwt.base64url",
    ];
    run(async {
        for (rule, token) in &strict {
            let auth = format!("bearer {token}");
            for profile in [Profile::Strict, Profile::Lenient] {
                world.sandbox.set_profile(profile);
                let mut client = world.client().await;
                let answer = client
                    .send("POST", &world.path("valid"), &headers(&auth, &[]), BODY)
                    .await
                    .expect("answer");
                let record = last(&world.sandbox);
                if profile == Profile::Lenient && forgiven.contains(rule) {
                    assert_eq!(answer.status, 200, "{rule}");
                    assert_eq!(record.warnings, [*rule]);
                } else if profile == Profile::Strict {
                    assert_eq!((answer.status, record.rule.as_deref()), (403, Some(*rule)));
                }
            }
        }
        world.sandbox.set_profile(Profile::Strict);
        // The same token for an hour, then not any more; a new one too soon, then not too soon.
        let mut client = world.client().await;
        let first = format!("bearer {plain}");
        let second = format!("bearer {}", sign(&header, &good));
        let mut ask = async |auth: &str, minutes: i64| {
            world.sandbox.set_clock_offset_ms(minutes * 60_000);
            client
                .send("POST", &world.path("valid"), &headers(auth, &[]), BODY)
                .await
                .expect("answer")
                .json()["reason"]
                .clone()
        };
        assert_eq!(ask(&first, 0).await, Value::Null);
        assert_eq!(ask(&second, 1).await, "TooManyProviderTokenUpdates");
        assert_eq!(ask(&first, 19).await, Value::Null);
        assert_eq!(ask(&second, 21).await, Value::Null);
        assert_eq!(ask(&second, 59).await, Value::Null);
        assert_eq!(ask(&second, 61).await, "ExpiredProviderToken");
    });
}

#[test]
fn a_token_lives_dies_and_comes_back() {
    let world = World::new();
    let token = at(&world.ready, "/apns/tokens/valid").to_owned();
    let device = |unregistered_at| DeviceToken {
        token: token.clone(),
        bundle: "com.example.app".to_owned(),
        environment: Environment::Development,
        unregistered_at,
        gone: Gone::Unregistered,
        throttled: false,
    };
    run(async {
        let mut client = world.client().await;
        let mut ask = async || {
            client
                .send("POST", &world.path("valid"), &headers(&world.auth, &[]), BODY)
                .await
                .expect("answer")
        };
        assert_eq!(ask().await.status, 200);
        let when = (now() - 5) * 1000;
        world.sandbox.register_apns(device(Some(when)));
        let answer = ask().await;
        assert_eq!(
            (answer.status, answer.json()["timestamp"].as_i64()),
            (410, Some(when))
        );
        // An end that is still to come is none yet.
        world.sandbox.register_apns(device(Some(when + 3_600_000)));
        assert_eq!(ask().await.status, 200);
        world.sandbox.register_apns(device(None));
        assert_eq!(ask().await.status, 200);
    });
}

#[test]
fn the_order_of_checks_can_be_permuted() {
    let world = World::new();
    // Three faults at once: whichever check comes first wins.
    let wrong = headers(&world.auth, &[("apns-topic", None), ("apns-priority", Some("7"))]);
    run(async {
        let mut client = world.client().await;
        for (first, reason) in [
            (Check::PayloadPresent, "PayloadEmpty"),
            (Check::Priority, "BadPriority"),
            (Check::TopicPresent, "MissingTopic"),
        ] {
            let mut order = Check::ALL.to_vec();
            order.retain(|check| *check != first);
            order.insert(0, first);
            world.sandbox.set_apns_order(&order);
            let answer = client
                .send("POST", &world.path("valid"), &wrong, "")
                .await
                .expect("answer");
            assert_eq!(answer.json()["reason"], reason);
        }
    });
}

#[test]
fn channels_are_made_used_and_deleted() {
    let world = World::new();
    run(async {
        let mut manage = Client::connect(&world.sandbox, at(&world.ready, "/apns/management")).await;
        let mut publish = Client::connect(&world.sandbox, at(&world.ready, "/apns/broadcast")).await;
        let auth = ("authorization", world.auth.as_str());
        let path = "/1/apps/com.example.app/channels";
        let create = r#"{"message-storage-policy":0,"push-type":"LiveActivity"}"#;
        let answer = manage.send("POST", path, &[auth], create).await.expect("answer");
        let channel = answer.header("apns-channel-id").to_owned();
        assert!(answer.status == 201 && !channel.is_empty() && answer.body.is_empty());
        let answer = manage
            .send("GET", path, &[auth, ("apns-channel-id", &channel)], "")
            .await
            .expect("answer");
        assert_eq!(
            answer.json(),
            json!({"message-storage-policy": 0, "push-type": "LiveActivity"})
        );
        let answer = manage
            .send("GET", "/1/apps/com.example.app/all-channels", &[auth], "")
            .await
            .expect("answer");
        assert_eq!(answer.json(), json!({"channels": [channel]}));

        let update = r#"{"aps":{"event":"update","timestamp":1,"content-state":{}}}"#;
        let target = "/4/broadcasts/apps/com.example.app";
        let headers = [
            auth,
            ("apns-channel-id", &channel),
            ("apns-push-type", "liveactivity"),
            ("apns-expiration", "0"),
        ];
        let answer = publish
            .send("POST", target, &headers, update)
            .await
            .expect("answer");
        assert!(answer.status == 200 && !answer.header("apns-request-id").is_empty());
        assert_eq!(world.sandbox.accepted("apns", &channel), 1);
        let mut stored = headers;
        stored[3].1 = "1900000000";
        let answer = publish
            .send("POST", target, &stored, update)
            .await
            .expect("answer");
        assert_eq!(answer.json()["reason"], "BadExpirationDate");
        let answer = publish
            .send("POST", target, &headers, r#"{"aps":{"event":"start"}}"#)
            .await
            .expect("answer");
        assert_eq!(last(&world.sandbox).rule.as_deref(), Some("apns.broadcast.start"));
        assert_eq!(answer.status, 400);

        let answer = manage
            .send("DELETE", path, &[auth, ("apns-channel-id", &channel)], "")
            .await
            .expect("answer");
        assert_eq!(answer.status, 204);
        let answer = publish
            .send("POST", target, &headers, update)
            .await
            .expect("answer");
        assert_eq!(answer.json()["reason"], "ChannelNotRegistered");
        let answer = manage
            .send("POST", path, &[auth], r#"{"push-type":"LiveActivity"}"#)
            .await
            .expect("answer");
        assert_eq!(answer.json()["reason"], "MissingChannelQueueSize");
    });
}

#[test]
fn the_governor_opens_the_connection_after_the_first_good_token() {
    let world = World::new();
    run(async {
        let mut client = world.client().await;
        let bad = client
            .send("POST", &world.path("valid"), &headers("bearer a.b.c", &[]), BODY)
            .await
            .expect("answer");
        assert_eq!((bad.status, client.sender.current_max_send_streams()), (403, 1));
        let good = client
            .send("POST", &world.path("valid"), &headers(&world.auth, &[]), BODY)
            .await
            .expect("answer");
        // SETTINGS go out before the answer.
        assert_eq!(
            (good.status, client.sender.current_max_send_streams()),
            (200, 1000)
        );
    });
}

#[test]
fn http_1_is_not_spoken() {
    let world = World::new();
    run(async {
        let authority = at(&world.ready, "/apns/authority");
        assert!(
            common::tls(&world.sandbox, authority, &[b"http/1.1"])
                .await
                .is_err()
        );
        // Without ALPN: closed when strict, HTTP/2 otherwise.
        for (profile, served) in [(Profile::Strict, false), (Profile::Lenient, true)] {
            world.sandbox.set_profile(profile);
            let tls = common::tls(&world.sandbox, authority, &[]).await.expect("TLS");
            let answered = async {
                let (sender, connection) = h2::client::handshake(tls).await?;
                tokio::spawn(connection);
                let request = http::Request::get("https://localhost/")
                    .body(())
                    .expect("request");
                sender.ready().await?.send_request(request, true)?.0.await
            };
            assert_eq!(answered.await.is_ok(), served);
        }
    });
}

#[test]
fn forgiven_tokens_leave_a_warning() {
    let world = World::new();
    world.sandbox.set_profile(Profile::Lenient);
    let p8 = std::fs::read_to_string(at(&world.ready, "/apns/p8_file")).expect("file");
    let header = json!({"alg": "ES256", "kid": at(&world.ready, "/apns/key_id")});
    let claims = json!({"iss": at(&world.ready, "/apns/team_id"), "iat": now()});
    let text = json!({"iss": at(&world.ready, "/apns/team_id"), "iat": now().to_string()});
    let far = json!({"iss": at(&world.ready, "/apns/team_id"), "iat": i64::MIN / 1000});
    let der = common::es256_der(&p8, &header, &claims);
    let text = es256(at(&world.ready, "/apns/p8_file"), &header, &text);
    let far = es256(at(&world.ready, "/apns/p8_file"), &header, &far);
    run(async {
        for (token, status, warning) in [
            (&der, 200, Some("apns.auth.jwt.signature.der")),
            (&text, 200, Some("apns.auth.jwt.iat")),
            (&far, 403, None),
        ] {
            let auth = format!("bearer {token}");
            let mut client = world.client().await;
            let answer = client
                .send("POST", &world.path("valid"), &headers(&auth, &[]), BODY)
                .await
                .expect("answer");
            assert_eq!(answer.status, status);
            assert_eq!(last(&world.sandbox).warnings.first().map(String::as_str), warning);
        }
        world.sandbox.set_profile(Profile::Strict);
        let auth = format!("bearer {der}");
        let mut client = world.client().await;
        client
            .send("POST", &world.path("valid"), &headers(&auth, &[]), BODY)
            .await
            .expect("answer");
        assert_eq!(
            last(&world.sandbox).rule.as_deref(),
            Some("apns.auth.jwt.signature.der")
        );
    });
}

#[test]
fn it_starts_and_stops_inside_another_runtime() {
    run(async {
        // A sandbox of another test may get the very port that has become free: then once more.
        for _ in 0..5 {
            let sandbox = start();
            let ports = sandbox.ports();
            assert!(
                [
                    ports.apns,
                    ports.fcm,
                    ports.webpush,
                    ports.adm,
                    ports.baidu,
                    ports.control
                ]
                .iter()
                .all(|p| *p > 0)
            );
            drop(sandbox);
            let left = tokio::net::TcpStream::connect(("127.0.0.1", ports.apns)).await;
            if left.is_err() {
                return;
            }
        }
        panic!("its port stays open");
    });
}
