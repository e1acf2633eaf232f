//! The Web Push service: bodies sealed with `ring`, headers of every provider.

mod common;

use common::{Answer, Client, at, b64url, es256, from_b64url, last, now, run, start};
use pushcore_sandbox::{NewSubscription, Profile, Provider, Sandbox, Subscription, SubscriptionState};
use ring::{aead, agreement, hkdf, rand::SystemRandom};
use serde_json::{Value, json};

struct World {
    sandbox: Sandbox,
    ready: Value,
}

impl World {
    fn new() -> Self {
        let sandbox = start();
        let ready = sandbox.ready().clone();
        Self { sandbox, ready }
    }

    async fn client(&self) -> Client {
        Client::connect(&self.sandbox, at(&self.ready, "/webpush/authority")).await
    }

    fn vapid(&self, change: &Value) -> String {
        let mut claims = json!({
            "aud": at(&self.ready, "/webpush/origin"), "exp": now() + 3600, "sub": "mailto:push@example.com",
        });
        for (name, value) in change.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        let header = json!({ "typ": "JWT", "alg": "ES256" });
        let token = es256(at(&self.ready, "/webpush/vapid/pem_file"), &header, &claims);
        format!(
            "vapid t={token}, k={}",
            at(&self.ready, "/webpush/vapid/public_key")
        )
    }

    fn subscription(&self, provider: &str, state: &str) -> Subscription {
        let pointer = format!("/webpush/providers/{provider}/{state}");
        serde_json::from_value(self.ready.pointer(&pointer).expect("subscription").clone())
            .expect("subscription")
    }

    fn path(&self, subscription: &Subscription) -> String {
        let origin = at(&self.ready, "/webpush/origin");
        subscription
            .endpoint
            .strip_prefix(origin)
            .expect("endpoint")
            .to_owned()
    }
}

struct Len(usize);

impl hkdf::KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(salt: &[u8], ikm: &[u8], info: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(ikm);
    prk.expand(&[info], Len(N))
        .expect("expand")
        .fill(&mut out)
        .expect("fill");
    out
}

/// RFC 8291, written here once more, on `ring`.
fn seal(subscription: &Subscription, plain: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let (receiver, auth) = (
        from_b64url(&subscription.keys.p256dh),
        from_b64url(&subscription.keys.auth),
    );
    let secret = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &random).expect("key");
    let sender = secret.compute_public_key().expect("key").as_ref().to_vec();
    let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, &receiver);
    let shared = agreement::agree_ephemeral(secret, &peer, <[u8]>::to_vec).expect("agreement");
    let info = [b"WebPush: info\0".as_slice(), &receiver, &sender].concat();
    let ikm: [u8; 32] = expand(&auth, &shared, &info);
    let salt: [u8; 16] = ring::rand::generate(&random).expect("salt").expose();
    let key: [u8; 16] = expand(&salt, &ikm, b"Content-Encoding: aes128gcm\0");
    let nonce: [u8; 12] = expand(&salt, &ikm, b"Content-Encoding: nonce\0");
    let mut record = [plain, &[2]].concat();
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &key).expect("key"));
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut record)
        .expect("seal");
    [&salt[..], &4096_u32.to_be_bytes(), &[65], &sender, &record].concat()
}

/// Good headers, changed: `None` removes.
async fn push(
    world: &World,
    client: &mut Client,
    subscription: &Subscription,
    changes: &[(&str, Option<&str>)],
    body: Vec<u8>,
) -> Answer {
    let auth = world.vapid(&Value::Null);
    let mut headers = vec![
        ("authorization", auth.as_str()),
        ("ttl", "60"),
        ("content-encoding", "aes128gcm"),
    ];
    for (name, value) in changes {
        headers.retain(|(known, _)| known != name);
        headers.extend(value.map(|value| (*name, value)));
    }
    client
        .send("POST", &world.path(subscription), &headers, body)
        .await
        .expect("answer")
}

#[test]
fn decrypts_for_every_provider_and_deletes() {
    let world = World::new();
    run(async {
        let mut client = world.client().await;
        for provider in ["plain", "mozilla", "fcm", "apple", "wns"] {
            let subscription = world.subscription(provider, "active");
            let body = seal(&subscription, r#"{"title":"Grüße"}"#.as_bytes());
            let answer = push(&world, &mut client, &subscription, &[], body).await;
            assert_eq!((answer.status, answer.header("ttl")), (201, "60"), "{provider}");
            let record = last(&world.sandbox);
            assert_eq!(record.decrypted, Some(json!({"title": "Grüße"})));
            assert_eq!(
                world
                    .sandbox
                    .accepted("webpush", record.target.as_deref().expect("target")),
                1
            );
            let origin = at(&world.ready, "/webpush/origin");
            let message = answer
                .header("location")
                .strip_prefix(origin)
                .expect("location")
                .to_owned();
            assert_eq!(
                client
                    .send("DELETE", &message, &[], "")
                    .await
                    .expect("answer")
                    .status,
                204
            );
            assert_eq!(
                client
                    .send("DELETE", &message, &[], "")
                    .await
                    .expect("answer")
                    .status,
                404
            );
        }
        // A push without payload.
        let subscription = world.subscription("plain", "active");
        let answer = push(
            &world,
            &mut client,
            &subscription,
            &[("content-encoding", None)],
            Vec::new(),
        )
        .await;
        assert_eq!((answer.status, last(&world.sandbox).decrypted), (201, None));
        // The largest body, and one byte more.
        let largest = seal(&subscription, &[b'x'; 3993]);
        assert_eq!(largest.len(), 4096);
        assert_eq!(
            push(&world, &mut client, &subscription, &[], largest)
                .await
                .status,
            201
        );
        let answer = push(
            &world,
            &mut client,
            &subscription,
            &[],
            seal(&subscription, &[b'x'; 3994]),
        )
        .await;
        assert_eq!(answer.status, 413);
    });
}

#[test]
fn header_rules_of_each_provider() {
    let world = World::new();
    let far = world.vapid(&json!({"exp": now() + 90_000}));
    let past = world.vapid(&json!({"exp": now() - 60}));
    let audience = world.vapid(&json!({"aud": "https://push.example.net"}));
    let local = world.vapid(&json!({"sub": "mailto:me@localhost"}));
    let padded = format!("{}=", world.vapid(&Value::Null));
    let long = "t".repeat(33);
    type Case<'a> = (&'a str, &'a [(&'a str, Option<&'a str>)], u16, &'a str, &'a str);
    let cases: &[Case<'_>] = &[
        (
            "plain",
            &[("authorization", None)],
            401,
            "webpush.vapid.missing",
            "webpush.vapid.missing",
        ),
        (
            "plain",
            &[("authorization", Some(&padded))],
            400,
            "webpush.vapid.key",
            "webpush.vapid.key",
        ),
        (
            "plain",
            &[("ttl", None)],
            400,
            "webpush.ttl.missing",
            "webpush.ttl.missing",
        ),
        (
            "plain",
            &[("content-encoding", Some("gzip"))],
            400,
            "webpush.encoding",
            "webpush.encoding",
        ),
        (
            "plain",
            &[("topic", Some(&long))],
            400,
            "webpush.topic",
            "webpush.topic",
        ),
        (
            "mozilla",
            &[("authorization", Some(&audience))],
            401,
            "webpush.vapid.aud",
            "109",
        ),
        ("mozilla", &[("ttl", Some("1.5"))], 400, "webpush.ttl", "111"),
        (
            "mozilla",
            &[("ttl", Some("-1"))],
            400,
            "webpush.ttl.negative",
            "114",
        ),
        ("mozilla", &[("topic", Some("a b"))], 400, "webpush.topic", "113"),
        (
            "mozilla",
            &[("crypto-key", Some("dh=AAAA"))],
            400,
            "webpush.encoding.headers",
            "110",
        ),
        (
            "fcm",
            &[("authorization", Some(&past))],
            403,
            "webpush.vapid.exp.past",
            "the JWT in the authorization header is expired.",
        ),
        (
            "apple",
            &[("authorization", Some(&far))],
            403,
            "webpush.vapid.exp.far",
            "BadJwtToken",
        ),
        (
            "apple",
            &[("authorization", Some(&local))],
            403,
            "webpush.vapid.sub",
            "BadJwtToken",
        ),
        (
            "apple",
            &[("authorization", None)],
            403,
            "webpush.vapid.missing",
            "BadJwtToken",
        ),
        (
            "apple",
            &[("topic", Some("abcde"))],
            400,
            "webpush.topic",
            "BadWebPushTopic",
        ),
        (
            "apple",
            &[("urgency", Some("urgent"))],
            400,
            "webpush.urgency",
            "BadUrgency",
        ),
        ("apple", &[("ttl", Some("x"))], 400, "webpush.ttl", "BadTtl"),
        (
            "wns",
            &[("ttl", Some("0"))],
            400,
            "webpush.ttl.wns-cache-policy",
            "Ttl value conflicts with X-WNS-Cache-Policy.",
        ),
    ];
    run(async {
        let mut client = world.client().await;
        for (provider, changes, status, rule, reason) in cases {
            let subscription = world.subscription(provider, "active");
            let answer = push(
                &world,
                &mut client,
                &subscription,
                changes,
                seal(&subscription, b"x"),
            )
            .await;
            let record = last(&world.sandbox);
            assert_eq!(
                (answer.status, record.rule.as_deref()),
                (*status, Some(*rule)),
                "{provider} {rule}"
            );
            assert_eq!(record.reason.as_deref(), Some(*reason));
            match *provider {
                "mozilla" => assert_eq!(answer.json()["errno"].to_string(), *reason),
                "apple" => assert_eq!(answer.json(), json!({"reason": reason})),
                "wns" => {
                    assert_eq!(
                        (answer.header("x-wns-error-description"), answer.body.len()),
                        (*reason, 0)
                    );
                }
                _ => {}
            }
        }
        let wns = world.subscription("wns", "active");
        let policy = [("ttl", Some("0")), ("x-wns-cache-policy", Some("no-cache"))];
        assert_eq!(
            push(&world, &mut client, &wns, &policy, seal(&wns, b"x"))
                .await
                .status,
            201
        );
    });
}

#[test]
fn subscriptions_end_throttle_and_bind_keys() {
    let world = World::new();
    run(async {
        let mut client = world.client().await;
        for (provider, gone, throttled, mismatch) in [
            ("plain", 410, 429, 403),
            ("mozilla", 410, 429, 401),
            ("fcm", 410, 429, 403),
            ("apple", 410, 429, 400),
            ("wns", 410, 406, 403),
        ] {
            for (state, status) in [
                ("expired", gone),
                ("throttled", throttled),
                ("other_key", mismatch),
            ] {
                let subscription = world.subscription(provider, state);
                let answer = push(&world, &mut client, &subscription, &[], seal(&subscription, b"x")).await;
                assert_eq!(answer.status, status, "{provider} {state}");
                assert_eq!(
                    answer.header("retry-after"),
                    if state == "throttled" { "30" } else { "" }
                );
            }
        }
        let wanted = NewSubscription {
            provider: Provider::Mozilla,
            ..NewSubscription::default()
        };
        let subscription = world.sandbox.subscribe(&wanted).expect("subscription");
        let body = || seal(&subscription, b"x");
        assert_eq!(
            push(&world, &mut client, &subscription, &[], body()).await.status,
            201
        );
        assert!(
            world
                .sandbox
                .set_subscription(&subscription.endpoint, SubscriptionState::Expired)
        );
        assert_eq!(
            push(&world, &mut client, &subscription, &[], body()).await.status,
            410
        );
        let mut unknown = subscription.clone();
        unknown.endpoint.pop();
        assert_eq!(
            push(&world, &mut client, &unknown, &[], body()).await.json()["errno"],
            102
        );
        let bad = NewSubscription {
            application_server_key: Some(b64url(&[4; 65])),
            ..wanted
        };
        assert!(world.sandbox.subscribe(&bad).is_none(), "not on the curve");
    });
}

#[test]
fn the_rules_that_are_the_same_everywhere() {
    let world = World::new();
    let good = world.vapid(&Value::Null);
    let (token, key) = good
        .strip_prefix("vapid t=")
        .and_then(|rest| rest.split_once(", k="))
        .expect("a vapid header");
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let mut forged = from_b64url(signature);
    forged[0] ^= 1;
    let forged = format!("vapid t={signed}.{}, k={key}", b64url(&forged));
    let torn = format!("vapid t={signed}, k={key}");
    let timeless = world.vapid(&json!({"exp": null}));
    let formless = format!("basic {token}");
    let active = world.subscription("plain", "active");
    let mut unknown = active.clone();
    unknown.endpoint.push('x');
    let body = || seal(&active, b"x");
    // The sender's key of the record is the key that signed: two roles for one key.
    let mut reused = body();
    reused[21..86].copy_from_slice(&from_b64url(key));
    let large = || vec![0; 4097];
    let by_state = |state: &str| world.subscription("plain", state);
    let cases = [
        (&active, formless.as_str(), body(), "webpush.vapid.form"),
        (&active, &torn, body(), "webpush.vapid.jwt"),
        (&active, &forged, body(), "webpush.vapid.signature"),
        (&active, &timeless, body(), "webpush.vapid.exp"),
        (&active, &good, reused, "webpush.vapid.key.reused"),
        (&active, &good, large(), "webpush.body.size"),
        (&unknown, &good, body(), "webpush.subscription.unknown"),
        (&by_state("expired"), &good, body(), "webpush.subscription.gone"),
        (&by_state("throttled"), &good, body(), "webpush.subscription.rate"),
        (&by_state("other_key"), &good, body(), "webpush.vapid.key.bound"),
    ];
    run(async {
        let mut client = world.client().await;
        for (subscription, authorization, body, rule) in cases {
            let changes = [("authorization", Some(authorization))];
            let answer = push(&world, &mut client, subscription, &changes, body).await;
            assert_eq!(last(&world.sandbox).rule.as_deref(), Some(rule));
            assert!((400..500).contains(&answer.status), "{rule}: {}", answer.status);
        }
        let path = world.path(&active);
        let answer = client.send("PUT", &path, &[], body()).await.expect("answer");
        assert_eq!(last(&world.sandbox).rule.as_deref(), Some("webpush.method"));
        assert_eq!(answer.status, 405);
    });
}

#[test]
fn what_cannot_be_decrypted_is_refused_or_noted() {
    let world = World::new();
    run(async {
        let mut client = world.client().await;
        let (mine, other) = (
            world.subscription("plain", "active"),
            world.subscription("fcm", "active"),
        );
        let answer = push(&world, &mut client, &mine, &[], seal(&other, b"x")).await;
        assert_eq!(
            (answer.status, last(&world.sandbox).rule.as_deref()),
            (400, Some("webpush.body.decrypt"))
        );
        world.sandbox.set_profile(Profile::Lenient);
        let answer = push(&world, &mut client, &mine, &[], seal(&other, b"x")).await;
        assert_eq!(
            (answer.status, last(&world.sandbox).warnings),
            (201, vec!["webpush.body.decrypt".to_owned()])
        );
    });
}

/// The legacy encoding: `(body, salt, dh)`.
fn seal_legacy(subscription: &Subscription, plain: &[u8]) -> (Vec<u8>, String, String) {
    let random = SystemRandom::new();
    let (receiver, auth) = (
        from_b64url(&subscription.keys.p256dh),
        from_b64url(&subscription.keys.auth),
    );
    let secret = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &random).expect("key");
    let sender = secret.compute_public_key().expect("key").as_ref().to_vec();
    let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, &receiver);
    let shared = agreement::agree_ephemeral(secret, &peer, <[u8]>::to_vec).expect("agreement");
    let ikm: [u8; 32] = expand(&auth, &shared, b"Content-Encoding: auth\0");
    let salt: [u8; 16] = ring::rand::generate(&random).expect("salt").expose();
    let context = [b"P-256\0".as_slice(), &[0, 65], &receiver, &[0, 65], &sender].concat();
    let key: [u8; 16] = expand(
        &salt,
        &ikm,
        &[b"Content-Encoding: aesgcm\0".as_slice(), &context].concat(),
    );
    let nonce: [u8; 12] = expand(
        &salt,
        &ikm,
        &[b"Content-Encoding: nonce\0".as_slice(), &context].concat(),
    );
    let mut record = [&[0, 3, 0, 0, 0], plain].concat();
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &key).expect("key"));
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut record)
        .expect("seal");
    (record, b64url(&salt), b64url(&sender))
}

#[test]
fn the_legacy_encoding_with_its_old_authorization() {
    let world = World::new();
    run(async {
        let mut client = world.client().await;
        let subscription = world.subscription("mozilla", "active");
        let (body, salt, dh) = seal_legacy(&subscription, b"old friend");
        let public = at(&world.ready, "/webpush/vapid/public_key");
        let vapid = world.vapid(&Value::Null);
        let jwt = vapid
            .strip_prefix("vapid t=")
            .and_then(|rest| rest.split(',').next())
            .expect("token");
        let auth = format!("WebPush {jwt}");
        let (encryption, crypto) = (format!("salt={salt}"), format!("dh={dh};p256ecdsa={public}"));
        let legacy = [
            ("authorization", Some(auth.as_str())),
            ("content-encoding", Some("aesgcm")),
            ("encryption", Some(encryption.as_str())),
            ("crypto-key", Some(crypto.as_str())),
        ];
        let answer = push(&world, &mut client, &subscription, &legacy, body).await;
        assert_eq!(
            (answer.status, last(&world.sandbox).decrypted),
            (201, Some(json!("old friend")))
        );
    });
}
