//! FCM and its OAuth endpoint, driven by an independent client.

mod common;

use common::{Answer, Client, at, last, now, rs256, run, start};
use pushcore_sandbox::{Profile, Registration, Sandbox};
use serde_json::{Value, json};

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";

struct World {
    sandbox: Sandbox,
    ready: Value,
    account: Value,
}

impl World {
    fn new() -> Self {
        let sandbox = start();
        let ready = sandbox.ready().clone();
        let file = std::fs::read(at(&ready, "/fcm/service_account_file")).expect("file");
        let account = serde_json::from_slice(&file).expect("JSON");
        Self {
            sandbox,
            ready,
            account,
        }
    }

    async fn client(&self) -> Client {
        Client::connect(&self.sandbox, at(&self.ready, "/fcm/authority")).await
    }

    fn claims(&self) -> Value {
        json!({
            "iss": self.account["client_email"],
            "scope": SCOPE,
            "aud": "https://oauth2.googleapis.com/token",
            "iat": now(),
            "exp": now() + 3600,
        })
    }

    fn header(&self) -> Value {
        json!({ "alg": "RS256", "typ": "JWT", "kid": self.account["private_key_id"] })
    }

    async fn grant(&self, client: &mut Client, assertion: &str) -> Answer {
        let form =
            format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        client
            .send("POST", "/token", &headers, form)
            .await
            .expect("answer")
    }

    async fn bearer(&self, client: &mut Client) -> String {
        let answer = self
            .grant(client, &rs256(&self.account, &self.header(), &self.claims()))
            .await;
        assert_eq!(
            (answer.status, answer.json()["token_type"].as_str()),
            (200, Some("Bearer"))
        );
        format!(
            "Bearer {}",
            answer.json()["access_token"].as_str().expect("token")
        )
    }

    fn token(&self, name: &str) -> &str {
        at(&self.ready, &format!("/fcm/tokens/{name}"))
    }
}

async fn send(client: &mut Client, bearer: &str, message: &Value) -> Answer {
    let path = "/v1/projects/pushcore-sandbox/messages:send";
    let body = json!({ "message": message }).to_string();
    client
        .send("POST", path, &[("authorization", bearer)], body)
        .await
        .expect("answer")
}

/// `errorCode` of the FcmError detail.
fn code(answer: &Answer) -> Option<String> {
    let body = answer.json();
    let details = body["error"]["details"].as_array()?.clone();
    details
        .iter()
        .find_map(|detail| detail["errorCode"].as_str().map(str::to_owned))
}

#[test]
fn assertions_are_verified() {
    let world = World::new();
    let change = |name: &str, value: Value| {
        let mut claims = world.claims();
        claims[name] = value;
        rs256(&world.account, &world.header(), &claims)
    };
    let good = rs256(&world.account, &world.header(), &world.claims());
    let mut kid = world.header();
    kid["kid"] = json!("another");
    let cases = [
        ("fcm.oauth.assertion", "invalid_grant", "junk".to_owned()),
        (
            "fcm.oauth.signature",
            "invalid_grant",
            format!("{}AAAA", &good[..good.len() - 4]),
        ),
        (
            "fcm.oauth.kid",
            "invalid_grant",
            rs256(&world.account, &kid, &world.claims()),
        ),
        ("fcm.oauth.iss", "invalid_grant", change("iss", json!("x@y"))),
        (
            "fcm.oauth.aud",
            "invalid_grant",
            change("aud", json!("https://example.com/token")),
        ),
        ("fcm.oauth.times", "invalid_grant", change("iat", json!("1"))),
        (
            "fcm.oauth.lifetime",
            "invalid_grant",
            change("exp", json!(now() + 3700)),
        ),
        (
            "fcm.oauth.lifetime",
            "invalid_grant",
            change("iat", json!(now() - 9000)),
        ),
        (
            "fcm.oauth.scope",
            "invalid_scope",
            change("scope", json!("email")),
        ),
    ];
    run(async {
        let mut client = world.client().await;
        for (rule, error, assertion) in &cases {
            let answer = world.grant(&mut client, assertion).await;
            assert_eq!(
                (answer.status, answer.json()["error"].as_str()),
                (400, Some(*error)),
                "{rule}"
            );
            assert_eq!(last(&world.sandbox).rule.as_deref(), Some(*rule));
        }
        assert_eq!(world.sandbox.tokens_minted(), 0);
        world.bearer(&mut client).await;
        // The local address is as good an audience as Google's.
        let local = change("aud", world.account["token_uri"].clone());
        assert_eq!(world.grant(&mut client, &local).await.status, 200);
        assert_eq!(world.sandbox.tokens_minted(), 2);
        assert!(
            last(&world.sandbox).body.is_null(),
            "the assertion stays out of the log"
        );
    });
}

#[test]
fn targets_get_googles_answers() {
    let world = World::new();
    run(async {
        let mut client = world.client().await;
        let bearer = world.bearer(&mut client).await;
        for (name, status, expected) in [
            ("valid", 200, None),
            ("unregistered", 404, Some("UNREGISTERED")),
            ("other_project", 403, Some("SENDER_ID_MISMATCH")),
            ("throttled", 429, Some("QUOTA_EXCEEDED")),
            ("bad_third_party_key", 401, Some("THIRD_PARTY_AUTH_ERROR")),
            ("malformed", 400, Some("INVALID_ARGUMENT")),
        ] {
            let answer = send(&mut client, &bearer, &json!({"token": world.token(name)})).await;
            assert_eq!(
                (answer.status, code(&answer).as_deref()),
                (status, expected),
                "{name}"
            );
            assert_eq!(
                answer.header("retry-after"),
                if status == 429 { "60" } else { "" }
            );
        }
        assert_eq!(world.sandbox.accepted("fcm", world.token("valid")), 1);
        let fid = at(&world.ready, "/fcm/fid");
        assert_eq!(send(&mut client, &bearer, &json!({"fid": fid})).await.status, 200);
        world.sandbox.register_fcm(fid, Registration::Unregistered);
        assert_eq!(send(&mut client, &bearer, &json!({"fid": fid})).await.status, 404);
        // A wrong project has no FcmError: no device may be dropped for it.
        let path = "/v1/projects/typo/messages:send";
        let body = json!({"message": {"token": world.token("valid")}}).to_string();
        let answer = client
            .send("POST", path, &[("authorization", &bearer)], body)
            .await
            .expect("answer");
        assert_eq!((answer.status, code(&answer)), (404, None));
        let answer = client.send("POST", "/batch", &[], "x").await.expect("answer");
        assert!(answer.status == 404 && answer.header("content-type").starts_with("text/html"));
    });
}

#[test]
fn messages_are_checked() {
    let world = World::new();
    let token = world.token("valid");
    let long = "x".repeat(4093);
    let cases = [
        ("fcm.target.one", json!({"data": {}})),
        ("fcm.target.one", json!({"token": token, "topic": "news"})),
        ("fcm.target.topic", json!({"topic": "/topics/news"})),
        (
            "fcm.target.condition",
            json!({"condition": "'a' in topics &&& 'b' in topics"}),
        ),
        (
            "fcm.target.condition",
            json!({"condition": "'a' in topics||'b' in topics||'c' in topics||'d' in topics||'e' in topics||'f' in topics"}),
        ),
        ("fcm.body.schema", json!({"token": token, "notifcation": {}})),
        ("fcm.body.schema", json!({"token": token, "data": {"a": 1}})),
        (
            "fcm.body.schema",
            json!({"token": token, "android": {"ttl": "3"}}),
        ),
        (
            "fcm.body.schema",
            json!({"token": token, "android": {"priority": "urgent"}}),
        ),
        (
            "fcm.body.schema",
            json!({"token": token, "android": {"notification": {"sticky": "yes"}}}),
        ),
        (
            "fcm.body.schema",
            json!({"token": token, "android": {"notification": {"event_time": "today"}}}),
        ),
        (
            "fcm.data.reserved",
            json!({"token": token, "data": {"google.x": "1"}}),
        ),
        (
            "fcm.data.reserved",
            json!({"token": token, "android": {"data": {"from": "1"}}}),
        ),
        (
            "fcm.android.exclusive",
            json!({"token": token, "android": {}, "android_v2": {}}),
        ),
        (
            "fcm.android.ttl",
            json!({"token": token, "android": {"ttl": "2419201s"}}),
        ),
        (
            "fcm.options.label",
            json!({"token": token, "fcm_options": {"analytics_label": "a b"}}),
        ),
        (
            "fcm.apns.priority",
            json!({"token": token, "apns": {"headers": {"apns-priority": "10"}, "payload": {"aps": {"content-available": 1}}}}),
        ),
        (
            "fcm.message.size",
            json!({"token": token, "data": {"key!": long}}),
        ),
        (
            "fcm.message.size",
            json!({"topic": "news", "data": {"k": "x".repeat(2048)}}),
        ),
    ];
    let good = [
        json!({"token": token, "data": {"key": long}}),
        json!({"topic": "news", "data": {"k": "x".repeat(2047)}}),
        json!({"condition": "'a' in topics && !('b' in topics || 'c' in topics)"}),
        json!({"token": token, "androidV2": {"remoteNotification": {"notification": {"title": "t", "id": 7}}}}),
        json!({"token": token, "android": {"priority": "high", "ttl": "3.5s", "notification": {"vibrate_timings": ["1s"]}}}),
    ];
    run(async {
        let mut client = world.client().await;
        let bearer = world.bearer(&mut client).await;
        for (rule, message) in &cases {
            let answer = send(&mut client, &bearer, message).await;
            assert_eq!(answer.status, 400, "{message}");
            assert_eq!(last(&world.sandbox).rule.as_deref(), Some(*rule), "{message}");
            let body = answer.json();
            let violation = body["error"]["details"].as_array().into_iter().flatten();
            assert!(
                violation
                    .into_iter()
                    .any(|detail| detail["fieldViolations"].is_array()),
                "{body}"
            );
        }
        for message in &good {
            let answer = send(&mut client, &bearer, message).await;
            assert_eq!(answer.status, 200, "{message} {}", answer.json());
        }
    });
}

#[test]
fn access_tokens_run_out() {
    let world = World::new();
    world.sandbox.set_token_lifetime(120);
    run(async {
        let mut client = world.client().await;
        let bearer = world.bearer(&mut client).await;
        let message = json!({"token": world.token("valid")});
        assert_eq!(send(&mut client, &bearer, &message).await.status, 200);
        world.sandbox.set_clock_offset_ms(121_000);
        let answer = send(&mut client, &bearer, &message).await;
        assert_eq!((answer.status, code(&answer)), (401, None));
        assert_eq!(last(&world.sandbox).rule.as_deref(), Some("fcm.auth.expired"));
        assert_eq!(
            answer.json()["error"]["details"][0]["reason"],
            "ACCESS_TOKEN_EXPIRED"
        );
        world.sandbox.set_clock_offset_ms(0);
        world.sandbox.revoke_access_tokens();
        assert_eq!(send(&mut client, &bearer, &message).await.status, 401);
        assert_eq!(send(&mut client, "Basic x", &message).await.status, 401);
    });
}

#[test]
fn topics_in_both_apis() {
    let world = World::new();
    run(async {
        let mut client = world.client().await;
        let bearer = world.bearer(&mut client).await;
        let auth = ("authorization", bearer.as_str());
        let token = world.token("valid").replace(':', "%3A");
        let base = format!("/v1/projects/pushcore-sandbox/registrations/{token}/topicSubscriptions");
        let mut ask = async |method: &str, tail: &str, body: &str| {
            let answer = client
                .send(method, &format!("{base}{tail}"), &[auth], body.to_owned())
                .await
                .expect("answer");
            (answer.status, answer.json())
        };
        assert_eq!(ask("POST", "?topic_name=news", "{}").await.1["topicName"], "news");
        assert_eq!(ask("POST", "?topic_name=news", "{}").await.0, 409);
        assert_eq!(ask("PATCH", "/sport?allow_missing=true", "{}").await.0, 200);
        assert_eq!(ask("PATCH", "/other", "{}").await.0, 404);
        let (_, page) = ask("GET", "?page_size=1", "").await;
        assert_eq!(
            (
                &page["topicSubscriptions"][0]["topicName"],
                &page["nextPageToken"]
            ),
            (&json!("news"), &json!("news"))
        );
        let (_, page) = ask("GET", "?page_size=1&page_token=news", "").await;
        assert_eq!(
            (
                &page["topicSubscriptions"][0]["topicName"],
                &page["nextPageToken"]
            ),
            (&json!("sport"), &Value::Null)
        );
        assert_eq!(ask("DELETE", "/news", "").await.0, 200);
        assert_eq!(ask("DELETE", "/news", "").await.0, 404);
        assert_eq!(ask("DELETE", "/news?allow_missing=true", "").await.0, 200);

        let body = json!({
            "to": "/topics/x",
            "registration_tokens": [world.token("valid"), world.token("unregistered"), "junk"],
        });
        let headers = [auth, ("access_token_auth", "true")];
        let answer = client
            .send("POST", "/iid/v1:batchAdd", &headers, body.to_string())
            .await
            .expect("answer");
        assert_eq!(
            answer.json(),
            json!({"results": [{}, {"error": "NOT_FOUND"}, {"error": "INVALID_ARGUMENT"}]})
        );
    });
}

#[test]
fn self_signed_tokens_are_refused_by_default() {
    let world = World::new();
    let claims = json!({
        "iss": world.account["client_email"], "sub": world.account["client_email"],
        "aud": "https://fcm.googleapis.com/", "iat": now(), "exp": now() + 3600,
    });
    let bearer = format!("Bearer {}", rs256(&world.account, &world.header(), &claims));
    run(async {
        let mut client = world.client().await;
        let message = json!({"token": world.token("valid")});
        for profile in [Profile::Strict, Profile::Lenient, Profile::Quirk] {
            world.sandbox.set_profile(profile);
            let answer = send(&mut client, &bearer, &message).await;
            assert_eq!(answer.status, 401, "off unless the control endpoint says so");
        }
    });
}
