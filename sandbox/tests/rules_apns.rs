//! Rules of APNs' channels, broadcasts and connections, by their ids: one fault at a time.

mod common;

use common::{Client, at, es256, last, now, provider_token, run, start};
use pushcore_sandbox::{Profile, Sandbox};
use serde_json::json;

const UPDATE: &str = r#"{"aps":{"event":"update","timestamp":1,"content-state":{}}}"#;
const CREATE: &str = r#"{"message-storage-policy":0,"push-type":"LiveActivity"}"#;
const CHANNELS: &str = "/1/apps/com.example.app/channels";
const BROADCAST: &str = "/4/broadcasts/apps/com.example.app";

fn rule(sandbox: &Sandbox) -> String {
    last(sandbox).rule.unwrap_or_default()
}

#[test]
fn channel_management() {
    let sandbox = start();
    let auth = provider_token(sandbox.ready());
    run(async {
        let mut client = Client::connect(&sandbox, at(sandbox.ready(), "/apns/management")).await;
        let mut ask = async |method: &str, path: &str, channel: &str, body: &str| {
            let mut headers = vec![("authorization", auth.as_str())];
            headers.extend((!channel.is_empty()).then_some(("apns-channel-id", channel)));
            let answer = client.send(method, path, &headers, body.to_owned()).await;
            answer.expect("an answer").status
        };
        for (method, path, channel, body, status, wanted) in [
            ("PUT", CHANNELS, "", "", 405, "apns.channel.method"),
            (
                "GET",
                "/1/apps/com.example.app/nothing",
                "",
                "",
                404,
                "apns.channel.path",
            ),
            ("POST", CHANNELS, "", "", 400, "apns.channel.create.empty"),
            ("POST", CHANNELS, "", "{", 400, "apns.channel.create.json"),
            (
                "POST",
                CHANNELS,
                "",
                r#"{"message-storage-policy":0}"#,
                400,
                "apns.channel.create.push-type",
            ),
            (
                "POST",
                CHANNELS,
                "",
                r#"{"push-type":"LiveActivity"}"#,
                400,
                "apns.channel.create.policy.missing",
            ),
            (
                "POST",
                CHANNELS,
                "",
                r#"{"message-storage-policy":2,"push-type":"LiveActivity"}"#,
                400,
                "apns.channel.create.policy",
            ),
            ("GET", CHANNELS, "", "", 400, "apns.channel.id.missing"),
            ("GET", CHANNELS, "!", "", 400, "apns.channel.id"),
            ("DELETE", CHANNELS, "AAAA", "", 400, "apns.channel.unknown"),
        ] {
            assert_eq!(ask(method, path, channel, body).await, status, "{wanted}");
            assert_eq!(rule(&sandbox), wanted);
        }
        // The ten-thousand-and-first.
        for _ in 0..10_000 {
            assert_eq!(ask("POST", CHANNELS, "", CREATE).await, 201);
        }
        assert_eq!(ask("POST", CHANNELS, "", CREATE).await, 400);
        assert_eq!(
            (rule(&sandbox).as_str(), last(&sandbox).reason.as_deref()),
            ("apns.channel.limit", Some("CannotCreateChannelConfig"))
        );
    });
}

#[test]
fn broadcasts() {
    let sandbox = start();
    let auth = provider_token(sandbox.ready());
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(5113));
    assert_eq!(long.len(), 5121);
    run(async {
        let mut manage = Client::connect(&sandbox, at(sandbox.ready(), "/apns/management")).await;
        let answer = manage
            .send("POST", CHANNELS, &[("authorization", &auth)], CREATE)
            .await
            .expect("an answer");
        let channel = answer.header("apns-channel-id").to_owned();
        let mut client = Client::connect(&sandbox, at(sandbox.ready(), "/apns/broadcast")).await;
        let mut ask = async |method: &str, path: &str, change: (&str, Option<&str>), body: &str| {
            let mut headers = vec![
                ("authorization", auth.as_str()),
                ("apns-channel-id", channel.as_str()),
                ("apns-push-type", "liveactivity"),
                ("apns-expiration", "0"),
            ];
            let (name, value) = change;
            headers.retain(|(known, _)| *known != name);
            headers.extend(value.map(|value| (name, value)));
            let answer = client.send(method, path, &headers, body.to_owned()).await;
            answer.expect("an answer").status
        };
        let same = ("x-nothing", None);
        for (method, path, change, body, status, wanted) in [
            ("GET", BROADCAST, same, "", 405, "apns.broadcast.method"),
            (
                "POST",
                "/4/broadcasts/apps/",
                same,
                UPDATE,
                404,
                "apns.broadcast.path",
            ),
            (
                "POST",
                "/4/broadcasts/apps/com.example.app.voip",
                same,
                UPDATE,
                400,
                "apns.broadcast.bundle",
            ),
            (
                "POST",
                BROADCAST,
                ("apns-push-type", None),
                UPDATE,
                400,
                "apns.broadcast.push-type.missing",
            ),
            (
                "POST",
                BROADCAST,
                ("apns-push-type", Some("alert")),
                UPDATE,
                400,
                "apns.broadcast.push-type",
            ),
            (
                "POST",
                BROADCAST,
                ("apns-priority", Some("3")),
                UPDATE,
                400,
                "apns.broadcast.priority",
            ),
            (
                "POST",
                BROADCAST,
                ("apns-expiration", Some("soon")),
                UPDATE,
                400,
                "apns.broadcast.expiration",
            ),
            (
                "POST",
                BROADCAST,
                ("apns-expiration", Some("1900000000")),
                UPDATE,
                400,
                "apns.broadcast.expiration.no-storage",
            ),
            (
                "POST",
                BROADCAST,
                ("apns-channel-id", None),
                UPDATE,
                400,
                "apns.channel.id.missing",
            ),
            ("POST", BROADCAST, same, "", 400, "apns.broadcast.payload.empty"),
            ("POST", BROADCAST, same, "[]", 400, "apns.broadcast.payload.json"),
            (
                "POST",
                BROADCAST,
                same,
                long.as_str(),
                413,
                "apns.broadcast.payload.size",
            ),
            (
                "POST",
                BROADCAST,
                same,
                r#"{"aps":{"event":"start"}}"#,
                400,
                "apns.broadcast.start",
            ),
            ("POST", BROADCAST, same, UPDATE, 200, ""),
        ] {
            assert_eq!(ask(method, path, change, body).await, status, "{wanted}");
            assert_eq!(rule(&sandbox), wanted);
        }
    });
}

#[test]
fn what_a_connection_is_bound_to() {
    let sandbox = start();
    let ready = sandbox.ready().clone();
    let token = |key: &str, team: &str, age: i64| {
        let header = json!({"alg": "ES256", "kid": at(&ready, &format!("/apns/{key}key_id"))});
        let claims = json!({"iss": at(&ready, &format!("/apns/{team}")), "iat": now() - age});
        format!(
            "bearer {}",
            es256(at(&ready, &format!("/apns/{key}p8_file")), &header, &claims)
        )
    };
    let path = format!("/3/device/{}", at(&ready, "/apns/tokens/valid"));
    run(async {
        let mut client = Client::connect(&sandbox, at(&ready, "/apns/authority")).await;
        let mut ask = async |auth: &str, more: &[(&str, &str)]| {
            let mut headers = vec![
                ("authorization", auth),
                ("apns-topic", "com.example.app"),
                ("apns-push-type", "alert"),
            ];
            headers.extend_from_slice(more);
            let answer = client
                .send("POST", &path, &headers, r#"{"aps":{"alert":"x"}}"#)
                .await;
            (
                answer.expect("an answer").status,
                last(&sandbox).rule.unwrap_or_default(),
            )
        };
        let good = token("", "team_id", 0);
        assert_eq!(ask(&good, &[]).await, (200, String::new()));
        let refused = |status, rule: &str| (status, rule.to_owned());
        let stranger = token("other_team_", "other_team_id", 0);
        assert_eq!(
            ask(&stranger, &[]).await,
            refused(403, "apns.auth.connection.team")
        );
        let another = token("", "team_id", 5);
        assert_eq!(
            ask(&another, &[]).await,
            refused(429, "apns.auth.connection.update")
        );
        let twice = [("apns-id", "123e4567-e89b-12d3-a456-426614174000"); 2];
        assert_eq!(ask(&good, &twice).await, refused(400, "apns.header.duplicate"));
        let loud = [("apns-id", "123E4567-E89B-12D3-A456-426614174000")];
        assert_eq!(ask(&good, &loud).await, refused(400, "apns.header.id.case"));
        // Outside the strict profile it passes, with a warning.
        sandbox.set_profile(Profile::Lenient);
        assert_eq!(ask(&good, &loud).await.0, 200);
        assert_eq!(last(&sandbox).warnings, ["apns.header.id.case"]);
        // In quirk, an expired token wedges its connection: a good one does not help any more.
        sandbox.set_profile(Profile::Quirk);
        let old = token("", "team_id", 3700);
        assert_eq!(ask(&old, &[]).await, refused(403, "apns.auth.jwt.expired"));
        assert_eq!(ask(&good, &[]).await, refused(403, "apns.auth.wedged"));
        // Another connection takes a token of the other team.
        sandbox.set_profile(Profile::Strict);
        let mut other = Client::connect(&sandbox, at(&ready, "/apns/authority")).await;
        let headers = [("authorization", stranger.as_str())];
        let answer = other
            .send("POST", &path, &headers, "{}")
            .await
            .expect("an answer");
        assert_ne!(answer.status, 403);
        let live = [
            ("authorization", stranger.as_str()),
            ("apns-push-type", "liveactivity"),
            ("apns-topic", "com.example.app.push-type.liveactivity"),
            ("apns-priority", "1"),
        ];
        let answer = other.send("POST", &path, &live, "{}").await.expect("an answer");
        assert_eq!(
            (answer.status, rule(&sandbox).as_str()),
            (400, "apns.header.priority.liveactivity")
        );
    });
}
