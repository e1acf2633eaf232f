//! ADM and Baidu over HTTP/1.1 and HTTP/2 alike.

mod common;

use common::{Answer, Client, at, last, now, run, start};
use serde_json::{Value, json};

const TYPE: &str = "com.amazon.device.messaging.ADMMessage@1.0";
const ACCEPT: &str = "com.amazon.device.messaging.ADMSendResult@1.0";

#[test]
fn adm_tokens_and_messages() {
    let sandbox = start();
    let ready = sandbox.ready().clone();
    let adm = |name: &str| at(&ready, &format!("/adm/{name}")).to_owned();
    run(async {
        let mut client = Client::connect(&sandbox, &adm("authority")).await;
        let form_type = [("content-type", "application/x-www-form-urlencoded;charset=UTF-8")];
        let form = |secret: &str, scope: &str| {
            format!(
                "grant_type=client_credentials&scope={scope}&client_id={}&client_secret={secret}",
                adm("client_id")
            )
        };
        for (secret, scope, status, error) in [
            ("wrong", "messaging:push", 401, "invalid_client"),
            (&adm("client_secret"), "all", 400, "invalid_scope"),
        ] {
            let answer = client
                .send("POST", "/auth/O2/token", &form_type, form(secret, scope))
                .await
                .expect("answer");
            assert_eq!(
                (answer.status, answer.json()["error"].as_str()),
                (status, Some(error))
            );
        }
        let form = form(&adm("client_secret"), "messaging%3Apush");
        let answer = client
            .send("POST", "/auth/O2/token", &form_type, form)
            .await
            .expect("answer")
            .json();
        let bearer = format!("Bearer {}", answer["access_token"].as_str().expect("token"));

        let mut send = async |name: &str, bearer: &str, body: &Value| -> Answer {
            let path = format!(
                "/messaging/registrations/{}/messages",
                adm(&format!("registrations/{name}"))
            );
            let headers = [
                ("authorization", bearer),
                ("content-type", "application/json"),
                ("x-amzn-type-version", TYPE),
                ("x-amzn-accept-type", ACCEPT),
            ];
            client
                .send("POST", &path, &headers, body.to_string())
                .await
                .expect("answer")
        };
        let good = json!({"data": {"message": "your message"}, "md5": "qzF+HgArKZjJrpfcTbiFxg=="});
        let answer = send("valid", &bearer, &good).await;
        assert_eq!(
            (answer.status, answer.header("x-amzn-data-md5")),
            (200, "qzF+HgArKZjJrpfcTbiFxg==")
        );
        assert_eq!(answer.json()["registrationID"], adm("registrations/valid"));
        assert_eq!(sandbox.accepted("adm", &adm("registrations/valid")), 1);
        assert_eq!(
            send("replaced", &bearer, &good).await.json()["registrationID"],
            adm("registrations/replacement")
        );
        for (name, bearer, body, status, reason) in [
            ("unregistered", bearer.as_str(), good.clone(), 400, "Unregistered"),
            ("unknown", &bearer, good.clone(), 400, "InvalidRegistrationId"),
            ("throttled", &bearer, good.clone(), 429, "MaxRateExceeded"),
            ("valid", "Bearer no", good.clone(), 401, "AccessTokenExpired"),
            (
                "valid",
                &bearer,
                json!({"data": {"a": "b"}, "md5": "no"}),
                400,
                "InvalidChecksum",
            ),
            (
                "valid",
                &bearer,
                json!({"data": {"a": {"b": 1}}}),
                400,
                "InvalidData",
            ),
            (
                "valid",
                &bearer,
                json!({"data": {}, "consolidationKey": "k".repeat(65)}),
                400,
                "InvalidConsolidationKey",
            ),
            (
                "valid",
                &bearer,
                json!({"data": {}, "expiresAfter": 59}),
                400,
                "InvalidExpiration",
            ),
            (
                "valid",
                &bearer,
                json!({"data": {"a": "x".repeat(6144)}}),
                413,
                "MessageTooLarge",
            ),
        ] {
            let answer = send(name, bearer, &body).await;
            assert_eq!(
                (answer.status, answer.json()["reason"].as_str()),
                (status, Some(reason))
            );
        }
    });
}

/// The signature, by the MD5 of the program `openssl`.
fn md5(text: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut child = Command::new("openssl")
        .args(["dgst", "-md5", "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs the program openssl");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("openssl reads");
    drop(input);
    let out = child.wait_with_output().expect("openssl ends").stdout;
    let line = String::from_utf8(out).expect("hexadecimal");
    line.split_whitespace().next().expect("a digest").to_owned()
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[test]
fn baidu_signatures_and_codes() {
    let sandbox = start();
    let ready = sandbox.ready().clone();
    let baidu = |name: &str| at(&ready, &format!("/baidu/{name}")).to_owned();
    run(async {
        let mut client = Client::connect(&sandbox, &baidu("authority")).await;
        let mut send = async |call: &str, secret: &str, changes: &[(&str, &str)]| {
            let (key, time, channel) = (baidu("api_key"), now().to_string(), baidu("channels/valid"));
            let mut fields = std::collections::BTreeMap::from([
                ("apikey", key.as_str()),
                ("timestamp", &time),
                ("channel_id", &channel),
                ("device_type", "3"),
                ("msg_type", "1"),
                ("msg", r#"{"title":"a*b~c d","description":"你好"}"#),
            ]);
            fields.extend(changes.iter().copied());
            let url = format!("https://{}/rest/3.0/push/{call}", baidu("authority"));
            let pairs: String = fields
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let sign = md5(&encode(&format!("POST{url}{pairs}{secret}")));
            let mut form: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}={}", encode(value)))
                .collect();
            form.push(format!("sign={sign}"));
            let headers = [
                ("content-type", "application/x-www-form-urlencoded;charset=utf-8"),
                (
                    "user-agent",
                    "BCCS_SDK/3.0 (Linux) TEST/1 (Baidu Push Server SDK V3.0.0)",
                ),
            ];
            client
                .send(
                    "POST",
                    &format!("/rest/3.0/push/{call}"),
                    &headers,
                    form.join("&"),
                )
                .await
                .expect("answer")
        };
        let secret = baidu("secret_key");
        let answer = send("single_device", &secret, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        assert!(answer.json()["response_params"]["msg_id"].is_string());
        assert_eq!(sandbox.accepted("baidu", &baidu("channels/valid")), 1);
        assert_eq!(last(&sandbox).body["msg"]["description"], "你好");
        let old = (now() - 700).to_string();
        let soon = (now() + 5).to_string();
        for (call, secret, changes, code) in [
            ("single_device", "wrong", &[][..], 30603),
            ("single_device", &secret, &[("apikey", "x")], 30603),
            ("single_device", &secret, &[("timestamp", &old)], 30606),
            ("single_device", &secret, &[("channel_id", "1")], 30608),
            ("single_device", &secret, &[("msg", "no")], 30602),
            ("single_device", &secret, &[("msg_expires", "604801")], 30602),
            ("single_device", &secret, &[("device_type", "4")], 40002),
            ("batch_device", &secret, &[("channel_ids", "[]")], 30602),
            (
                "batch_device",
                &secret,
                &[("channel_ids", "[\"1\"]"), ("device_type", "4")],
                30602,
            ),
            ("tags", &secret, &[], 30602),
            ("all", &secret, &[("send_time", &soon)], 30602),
            ("nothing", &secret, &[], 30601),
        ] {
            let answer = send(call, secret, changes).await;
            assert_eq!(answer.json()["error_code"], code, "{call} {changes:?}");
        }
        assert_eq!(send("all", &secret, &[]).await.status, 200);
        assert_eq!(
            send("tags", &secret, &[("type", "1"), ("tag", "x")]).await.status,
            200
        );
        assert_eq!(
            send("batch_device", &secret, &[("channel_ids", "[\"1\"]")])
                .await
                .status,
            200
        );
    });
}
