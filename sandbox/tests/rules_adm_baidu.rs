//! Every rule of ADM and Baidu, by its id: one fault at a time in a request that is otherwise good.

mod common;

use common::{Client, at, last, now, run, start};
use pushcore_sandbox::{Profile, Sandbox};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const FORM: &str = "application/x-www-form-urlencoded";

fn adm(sandbox: &Sandbox, name: &str) -> String {
    at(sandbox.ready(), &format!("/adm/{name}")).to_owned()
}

fn rule(sandbox: &Sandbox) -> String {
    last(sandbox).rule.unwrap_or_default()
}

#[test]
fn adm_tokens() {
    let sandbox = start();
    let form = |changes: &[(&str, &str)]| {
        let (id, secret) = (adm(&sandbox, "client_id"), adm(&sandbox, "client_secret"));
        let mut fields = BTreeMap::from([
            ("grant_type", "client_credentials"),
            ("scope", "messaging%3Apush"),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
        ]);
        fields.extend(changes.iter().copied());
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    };
    run(async {
        let mut client = Client::connect(&sandbox, &adm(&sandbox, "authority")).await;
        for (kind, body, status, wanted) in [
            ("application/json", form(&[]), 400, "adm.token.form"),
            (FORM, form(&[("grant_type", "password")]), 400, "adm.token.grant"),
            (FORM, form(&[("client_secret", "x")]), 401, "adm.token.client"),
            (FORM, form(&[("scope", "all")]), 400, "adm.token.scope"),
            (FORM, form(&[]), 200, ""),
        ] {
            let headers = [("content-type", kind)];
            let answer = client.send("POST", "/auth/O2/token", &headers, body).await;
            assert_eq!(answer.expect("an answer").status, status);
            assert_eq!(rule(&sandbox), wanted);
        }
    });
}

#[test]
fn adm_messages() {
    let sandbox = start();
    let authority = adm(&sandbox, "authority");
    let form = format!(
        "grant_type=client_credentials&scope=messaging%3Apush&client_id={}&client_secret={}",
        adm(&sandbox, "client_id"),
        adm(&sandbox, "client_secret")
    );
    run(async {
        let mut client = Client::connect(&sandbox, &authority).await;
        let answer = client
            .send("POST", "/auth/O2/token", &[("content-type", FORM)], form)
            .await;
        let token = answer.expect("an answer").json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        let bearer = format!("Bearer {token}");
        let good = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            (
                "x-amzn-type-version",
                "com.amazon.device.messaging.ADMMessage@1.0",
            ),
            (
                "x-amzn-accept-type",
                "com.amazon.device.messaging.ADMSendResult@1.0",
            ),
        ];
        let path = |name: &str| {
            format!(
                "/messaging/registrations/{}/messages",
                adm(&sandbox, &format!("registrations/{name}"))
            )
        };
        let mut ask = async |method: &str, path: &str, without: &str, body: &Value| {
            let headers: Vec<_> = good
                .iter()
                .copied()
                .filter(|(name, _)| *name != without)
                .collect();
            let answer = client.send(method, path, &headers, body.to_string()).await;
            answer.expect("an answer").status
        };
        let fine = json!({"data": {"k": "v"}});
        let valid = path("valid");
        for (name, status, wanted) in [
            ("valid", 200, ""),
            ("unknown", 400, "adm.registration.unknown"),
            ("unregistered", 400, "adm.registration.unregistered"),
            ("throttled", 429, "adm.registration.rate"),
        ] {
            assert_eq!(ask("POST", &path(name), "", &fine).await, status);
            assert_eq!(rule(&sandbox), wanted);
        }
        assert_eq!(ask("PUT", &valid, "", &fine).await, 405);
        assert_eq!(rule(&sandbox), "adm.method");
        assert_eq!(ask("POST", "/messaging/registrations/", "", &fine).await, 404);
        assert_eq!(rule(&sandbox), "adm.path");
        for (without, wanted) in [
            ("authorization", "adm.auth"),
            ("x-amzn-type-version", "adm.header.type-version"),
            ("x-amzn-accept-type", "adm.header.accept-type"),
            ("content-type", "adm.header.content-type"),
        ] {
            assert!(ask("POST", &valid, without, &fine).await >= 400);
            assert_eq!(rule(&sandbox), wanted);
        }
        for (body, wanted) in [
            (json!([]), "adm.body.json"),
            (json!({"data": {}, "extra": 1}), "adm.body.field"),
            (json!({"data": "x"}), "adm.body.data"),
            (json!({"data": {"k": 1}}), "adm.body.data.string"),
            (json!({"data": {}, "notification": "x"}), "adm.body.notification"),
            (json!({"data": {}, "priority": "low"}), "adm.body.priority"),
            (
                json!({"data": {}, "consolidationKey": "x".repeat(65)}),
                "adm.body.consolidation-key",
            ),
            (json!({"data": {}, "expiresAfter": 59}), "adm.body.expires-after"),
            (
                json!({"data": {}, "expiresAfter": 2_678_401}),
                "adm.body.expires-after",
            ),
            (json!({"data": {"k": "v"}, "md5": "AAAA"}), "adm.body.md5"),
            (json!({"data": {"k": "x".repeat(6144)}}), "adm.body.size"),
        ] {
            assert!(ask("POST", &valid, "", &body).await >= 400, "{body}");
            assert_eq!(rule(&sandbox), wanted);
        }
        let operations = "/v1/messaging/group/operations";
        assert_eq!(
            client
                .send("POST", operations, &good, "{")
                .await
                .expect("an answer")
                .status,
            400
        );
        assert_eq!(rule(&sandbox), "adm.group.body");
        sandbox.set_profile(Profile::Lenient);
        let headers = &good[..3];
        let answer = client.send("POST", &valid, headers, fine.to_string()).await;
        assert_eq!(answer.expect("an answer").status, 200);
        assert_eq!(last(&sandbox).warnings, ["adm.header.accept-type"]);
    });
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b' ' => out.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

/// MD5 by the command line: another implementation than the sandbox's.
fn md5(text: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut child = Command::new("openssl")
        .args(["md5", "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs the program openssl");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("openssl reads");
    drop(input);
    let out = child.wait_with_output().expect("openssl ends").stdout;
    String::from_utf8(out).expect("hexadecimal")[..32].to_owned()
}

#[test]
fn baidu_calls() {
    let sandbox = start();
    let baidu = |name: &str| at(sandbox.ready(), &format!("/baidu/{name}")).to_owned();
    run(async {
        let mut client = Client::connect(&sandbox, &baidu("authority")).await;
        let mut ask = async |method: &str, kind: &str, call: &str, changes: &[(&str, &str)]| {
            let (key, time) = (baidu("api_key"), now().to_string());
            let mut fields = BTreeMap::from([("apikey", key.as_str()), ("timestamp", time.as_str())]);
            fields.extend(changes.iter().copied().filter(|(name, _)| *name != "sign"));
            // An empty value takes a field away.
            fields.retain(|_, value| !value.is_empty());
            let url = format!("https://{}/rest/3.0/{call}", baidu("authority"));
            let pairs: String = fields
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let sign = md5(&encode(&format!("{method}{url}{pairs}{}", baidu("secret_key"))));
            let sign = changes
                .iter()
                .find(|(name, _)| *name == "sign")
                .map_or(sign.as_str(), |(_, value)| value)
                .to_owned();
            let mut form: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}={}", encode(value)))
                .collect();
            form.push(format!("sign={sign}"));
            let headers = [("content-type", kind), ("user-agent", "BCCS_SDK/3.0 (Linux)")];
            let answer = client
                .send(method, &format!("/rest/3.0/{call}"), &headers, form.join("&"))
                .await;
            (answer.expect("an answer").json(), last(&sandbox))
        };
        let channel = baidu("channels/valid");
        let (old, soon) = ((now() - 700).to_string(), (now() + 5).to_string());
        let (long, huge) = ("x".repeat(129), "x".repeat(4097));
        let to = ("channel_id", channel.as_str());
        let msg = ("msg", "hello");
        let one = "push/single_device";
        for (method, kind, call, changes, wanted) in [
            ("POST", FORM, "no/such", &[][..], "baidu.path"),
            ("PUT", FORM, one, &[], "baidu.method"),
            ("POST", "text/plain", one, &[], "baidu.content-type"),
            ("POST", FORM, one, &[("apikey", "x")], "baidu.apikey"),
            ("POST", FORM, one, &[("timestamp", "soon")], "baidu.timestamp"),
            (
                "POST",
                FORM,
                one,
                &[("timestamp", &old)],
                "baidu.timestamp.window",
            ),
            ("POST", FORM, one, &[("sign", "x")], "baidu.sign"),
            ("POST", FORM, one, &[("device_type", "5")], "baidu.device-type"),
            ("POST", FORM, one, &[msg], "baidu.channel.missing"),
            (
                "POST",
                FORM,
                one,
                &[("channel_id", "1"), msg],
                "baidu.channel.unknown",
            ),
            (
                "POST",
                FORM,
                "push/batch_device",
                &[("channel_ids", "[]"), msg],
                "baidu.channels",
            ),
            (
                "POST",
                FORM,
                "push/batch_device",
                &[("channel_ids", "[\"1\"]"), ("device_type", "4"), msg],
                "baidu.batch.android-only",
            ),
            ("POST", FORM, "push/tags", &[("type", "1"), msg], "baidu.tag"),
            ("POST", FORM, one, &[to], "baidu.msg.missing"),
            ("POST", FORM, one, &[to, ("msg", &huge)], "baidu.msg.size"),
            ("POST", FORM, one, &[to, ("msg_type", "1"), msg], "baidu.msg.type"),
            (
                "POST",
                FORM,
                one,
                &[to, ("msg_type", "1"), ("msg", "{}")],
                "baidu.msg.description",
            ),
            (
                "POST",
                FORM,
                one,
                &[to, ("msg_type", "1"), ("device_type", "4"), ("msg", "{}")],
                "baidu.msg.aps",
            ),
            (
                "POST",
                FORM,
                one,
                &[to, msg, ("msg_expires", "604801")],
                "baidu.msg.expires",
            ),
            (
                "POST",
                FORM,
                one,
                &[to, msg, ("deploy_status", "3")],
                "baidu.deploy-status",
            ),
            (
                "POST",
                FORM,
                "push/all",
                &[msg, ("send_time", &soon)],
                "baidu.send-time",
            ),
            (
                "POST",
                FORM,
                one,
                &[to, msg, ("topic_id", &long)],
                "baidu.topic-id",
            ),
            (
                "POST",
                FORM,
                "report/query_msg_status",
                &[],
                "baidu.report.msg-id",
            ),
            (
                "POST",
                FORM,
                "report/query_msg_status",
                &[("msg_id", "1")],
                "baidu.report.unknown",
            ),
            (
                "POST",
                FORM,
                "report/query_topic_records",
                &[("topic_id", &long)],
                "baidu.name",
            ),
            ("POST", FORM, "topic/query_list", &[("limit", "21")], "baidu.page"),
            ("POST", FORM, "app/query_tags", &[("start", "x")], "baidu.page"),
            (
                "POST",
                FORM,
                "app/create_tag",
                &[("tag", "default")],
                "baidu.tag.default",
            ),
            ("POST", FORM, "app/del_tag", &[("tag", "x")], "baidu.tag.unknown"),
            (
                "POST",
                FORM,
                "tag/add_devices",
                &[("tag", "x"), ("channel_ids", "[")],
                "baidu.channels",
            ),
            (
                "POST",
                FORM,
                "timer/cancel",
                &[("timer_id", "x")],
                "baidu.timer.unknown",
            ),
        ] {
            let (answer, record) = ask(method, kind, call, changes).await;
            assert_eq!(
                record.rule.as_deref(),
                Some(wanted),
                "{call} {changes:?}: {answer}"
            );
            assert!(answer["error_code"].is_number() && !record.accepted);
        }
        assert!(
            ask("POST", FORM, "app/create_tag", &[("tag", "x")])
                .await
                .1
                .accepted
        );
        let (answer, record) = ask("POST", FORM, "app/create_tag", &[("tag", "x")]).await;
        assert_eq!(
            (record.rule.as_deref(), &answer["error_code"]),
            (Some("baidu.tag.exists"), &json!(30610))
        );
        let answer = client
            .send("POST", "/rest/3.0/push/all", &[("content-type", FORM)], "")
            .await;
        assert!(answer.is_ok());
        assert_eq!(last(&sandbox).warnings, ["baidu.user-agent"]);
    });
}
