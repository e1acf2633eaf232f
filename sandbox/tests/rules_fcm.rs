//! Rules of FCM that the other tests do not name by their ids.

mod common;

use common::{Client, at, last, now, rs256, run, start};
use serde_json::{Value, json};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[test]
fn one_fault_at_a_time() {
    let sandbox = start();
    let ready = sandbox.ready().clone();
    let file = std::fs::read(at(&ready, "/fcm/service_account_file")).expect("a file");
    let account: Value = serde_json::from_slice(&file).expect("JSON");
    let claims = json!({
        "iss": account["client_email"], "scope": "https://www.googleapis.com/auth/firebase.messaging",
        "aud": "https://oauth2.googleapis.com/token", "iat": now(), "exp": now() + 3600,
    });
    let rule = || last(&sandbox).rule.unwrap_or_default();
    run(async {
        let mut client = Client::connect(&sandbox, at(&ready, "/fcm/authority")).await;
        let grant = |assertion: &str| {
            format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}")
        };
        let header = json!({"alg": "RS256", "kid": account["private_key_id"]});
        let good = rs256(&account, &header, &claims);
        let none = rs256(&account, &json!({"alg": "none"}), &claims);
        for (headers, body, wanted) in [
            (&[][..], grant(&good), "fcm.oauth.form"),
            (&[FORM], "grant_type=password".to_owned(), "fcm.oauth.grant"),
            (&[FORM], grant(&none), "fcm.oauth.alg"),
        ] {
            assert_eq!(
                client
                    .send("POST", "/token", headers, body)
                    .await
                    .expect("an answer")
                    .status,
                400
            );
            assert_eq!(rule(), wanted);
        }
        let answer = client
            .send("POST", "/token", &[FORM], grant(&good))
            .await
            .expect("an answer");
        let bearer = format!(
            "Bearer {}",
            answer.json()["access_token"].as_str().expect("a token")
        );
        let auth = ("authorization", bearer.as_str());
        let project = at(&ready, "/fcm/project_id");
        let send = format!("/v1/projects/{project}/messages:send");
        let to = |name: &str| {
            json!({"message": {"token": at(&ready, &format!("/fcm/tokens/{name}"))}}).to_string()
        };
        let apns = json!({"message": {"token": at(&ready, "/fcm/tokens/valid"),
            "apns": {"headers": {"apns-collapse-id": "x".repeat(65)}, "payload": {"aps": {"alert": "x"}}}}});
        let payload = |payload: Value| {
            json!({"message": {"token": at(&ready, "/fcm/tokens/valid"), "notification": {"title": "x"},
                "apns": {"payload": payload}}})
            .to_string()
        };
        let token = at(&ready, "/fcm/tokens/valid").replace(':', "%3A");
        let topics = format!("/v1/projects/{project}/registrations/{token}/topicSubscriptions");
        let full: Vec<String> = (0..1001).map(|n| format!("t{n}")).collect();
        let batch = |to: &str, tokens: Value| json!({"to": to, "registration_tokens": tokens}).to_string();
        let iid = ("access_token_auth", "true");
        for (method, path, headers, body, status, wanted) in [
            (
                "POST",
                "/batch".to_owned(),
                vec![],
                String::new(),
                404,
                "fcm.path",
            ),
            ("POST", send.clone(), vec![], to("valid"), 401, "fcm.auth.missing"),
            (
                "POST",
                send.clone(),
                vec![("authorization", "Basic x")],
                to("valid"),
                401,
                "fcm.auth.scheme",
            ),
            (
                "POST",
                send.clone(),
                vec![("authorization", "Bearer x")],
                to("valid"),
                401,
                "fcm.auth.unknown",
            ),
            (
                "POST",
                "/v1/projects/typo/messages:send".to_owned(),
                vec![auth],
                to("valid"),
                404,
                "fcm.project",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                "{".to_owned(),
                400,
                "fcm.body.json",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                "{}".to_owned(),
                400,
                "fcm.message.missing",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                apns.to_string(),
                400,
                "fcm.apns.collapse-id",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                payload(json!({"sound": "default"})),
                400,
                "fcm.apns.aps.missing",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                payload(json!({"aps": {}, "details": "x"})),
                400,
                "fcm.apns.aps.empty",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                payload(json!({"aps": {"alert": {"title": 1}}})),
                400,
                "fcm.apns.aps.type",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                payload(json!({"aps": {"alert": {"title": "x"}, "category": "c", "badge": 1}})),
                200,
                "",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                to("malformed"),
                400,
                "fcm.target.unknown",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                to("unregistered"),
                404,
                "fcm.target.unregistered",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                to("other_project"),
                403,
                "fcm.target.sender",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                to("throttled"),
                429,
                "fcm.target.rate",
            ),
            (
                "POST",
                send.clone(),
                vec![auth],
                to("bad_third_party_key"),
                401,
                "fcm.target.third-party",
            ),
            (
                "POST",
                format!("{topics}?topic_name=a%20b"),
                vec![auth],
                "{}".to_owned(),
                400,
                "fcm.topic.name",
            ),
            (
                "POST",
                format!("{topics}?topic_name=news"),
                vec![auth],
                "{}".to_owned(),
                200,
                "",
            ),
            (
                "POST",
                format!("{topics}?topic_name=news"),
                vec![auth],
                "{}".to_owned(),
                409,
                "fcm.topic.exists",
            ),
            (
                "DELETE",
                format!("{topics}/other"),
                vec![auth],
                String::new(),
                404,
                "fcm.topic.unknown",
            ),
            (
                "POST",
                "/iid/v1:batchAdd".to_owned(),
                vec![auth],
                batch("/topics/x", json!(["t"])),
                401,
                "fcm.iid.header",
            ),
            (
                "POST",
                "/iid/v1:batchAdd".to_owned(),
                vec![auth, iid],
                batch("x", json!(["t"])),
                400,
                "fcm.iid.to",
            ),
            (
                "POST",
                "/iid/v1:batchAdd".to_owned(),
                vec![auth, iid],
                batch("/topics/x", json!([])),
                400,
                "fcm.iid.tokens",
            ),
            (
                "POST",
                "/iid/v1:batchAdd".to_owned(),
                vec![auth, iid],
                batch("/topics/x", json!(full)),
                400,
                "fcm.iid.tokens",
            ),
        ] {
            let answer = client
                .send(method, &path, &headers, body)
                .await
                .expect("an answer");
            assert_eq!((answer.status, rule().as_str()), (status, wanted), "{path}");
        }
        // Two thousand topics, one of which is there already.
        for number in 1..2000 {
            let path = format!("{topics}?topic_name=t{number}");
            assert_eq!(
                client
                    .send("POST", &path, &[auth], "{}")
                    .await
                    .expect("an answer")
                    .status,
                200
            );
        }
        let path = format!("{topics}?topic_name=more");
        assert_eq!(
            client
                .send("POST", &path, &[auth], "{}")
                .await
                .expect("an answer")
                .status,
            400
        );
        assert_eq!(rule(), "fcm.topic.limit");
    });
}
