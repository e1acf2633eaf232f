//! Who may have an access token without a service account's key: a machine, a person, a person as
//! a service account.

mod common;

use common::{Answer, Client, at, last, run, start};
use serde_json::{Value, json};

/// One request over plain HTTP/1.1: status, head and body.
async fn plainly(authority: &str, request: &str) -> (u16, String, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (_, port) = authority.rsplit_once(':').expect("a port");
    let port: u16 = port.parse().expect("a port");
    let mut tcp = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("connect");
    let (line, headers) = request.split_once('\n').unwrap_or((request, ""));
    let request =
        format!("{line} HTTP/1.1\r\nhost: metadata.google.internal\r\nconnection: close\r\n{headers}\r\n");
    tcp.write_all(request.as_bytes()).await.expect("write");
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.expect("read");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (
        head[9..12].parse().expect("a status"),
        head.to_lowercase(),
        body.to_owned(),
    )
}

#[test]
fn a_machine_asks_its_metadata_server() {
    let sandbox = start();
    let ready = sandbox.ready().clone();
    let authority = at(&ready, "/fcm/metadata");
    const FLAVOR: &str = "metadata-flavor: Google\r\n";
    let token = "/computeMetadata/v1/instance/service-accounts/default/token";
    run(async {
        for (request, status, rule) in [
            (format!("GET {token}\n"), 403, "fcm.metadata.flavor"),
            (
                format!("GET {token}\n{FLAVOR}x-forwarded-for: 10.0.0.1\r\n"),
                403,
                "fcm.metadata.forwarded",
            ),
            (format!("POST {token}\n{FLAVOR}"), 405, "fcm.metadata.method"),
            (format!("GET /\n{FLAVOR}"), 404, "fcm.metadata.path"),
            (
                format!("GET /computeMetadata/v1/nothing\n{FLAVOR}"),
                404,
                "fcm.metadata.path",
            ),
            (
                format!("GET {token}?scopes=https://mail.google.com/\n{FLAVOR}"),
                404,
                "fcm.metadata.scope",
            ),
        ] {
            let (seen, head, _) = plainly(authority, &request).await;
            assert_eq!(
                (seen, last(&sandbox).rule.as_deref()),
                (status, Some(rule)),
                "{request}"
            );
            assert!(head.contains("metadata-flavor: google"));
        }
        assert_eq!(sandbox.tokens_minted(), 0);
        let project = format!("GET /computeMetadata/v1/project/project-id\n{FLAVOR}");
        let (status, _, body) = plainly(authority, &project).await;
        assert_eq!((status, body.as_str()), (200, at(&ready, "/fcm/project_id")));

        let scope = "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Ffirebase.messaging";
        let (status, head, body) = plainly(authority, &format!("GET {token}?scopes={scope}\n{FLAVOR}")).await;
        assert_eq!(status, 200);
        assert!(head.contains("metadata-flavor: google"));
        let grant: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(
            (&grant["expires_in"], &grant["token_type"]),
            (&json!(3600), &json!("Bearer"))
        );
        // The token is as good as one from the token endpoint.
        let bearer = format!("Bearer {}", grant["access_token"].as_str().expect("a token"));
        let mut client = Client::connect(&sandbox, at(&ready, "/fcm/authority")).await;
        let message = json!({"message": {"token": at(&ready, "/fcm/tokens/valid"), "data": {"a": "b"}}});
        let path = format!("/v1/projects/{}/messages:send", at(&ready, "/fcm/project_id"));
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let answer = client.send("POST", &path, &headers, message.to_string()).await;
        assert_eq!(answer.expect("an answer").status, 200);
    });
}

async fn form(client: &mut Client, fields: &[(&str, &str)]) -> Answer {
    let body: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace('/', "%2F")))
        .collect();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = client.send("POST", "/token", &headers, body.join("&")).await;
    answer.expect("an answer")
}

#[test]
fn a_person_refreshes_and_impersonates() {
    let sandbox = start();
    let ready = sandbox.ready().clone();
    let text = std::fs::read_to_string(at(&ready, "/fcm/authorized_user_file")).expect("a file");
    let user: Value = serde_json::from_str(&text).expect("JSON");
    let text = std::fs::read_to_string(at(&ready, "/fcm/impersonated_file")).expect("a file");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (&file["type"], &file["source_credentials"]),
        (&json!("impersonated_service_account"), &user)
    );
    let url = file["service_account_impersonation_url"]
        .as_str()
        .expect("a url")
        .to_owned();
    let authority = at(&ready, "/fcm/authority");
    let call = url
        .strip_prefix(&format!("https://{authority}"))
        .expect("on the sandbox")
        .to_owned();
    run(async {
        let mut client = Client::connect(&sandbox, authority).await;
        let of = |name: &str| user[name].as_str().expect("text").to_owned();
        let (id, secret, refresh) = (of("client_id"), of("client_secret"), of("refresh_token"));
        for (id, secret, refresh, status, rule) in [
            ("x", secret.as_str(), refresh.as_str(), 401, "fcm.oauth.client"),
            (id.as_str(), "x", refresh.as_str(), 401, "fcm.oauth.client"),
            (id.as_str(), secret.as_str(), "x", 400, "fcm.oauth.refresh"),
        ] {
            let fields = [
                ("grant_type", "refresh_token"),
                ("client_id", id),
                ("client_secret", secret),
                ("refresh_token", refresh),
            ];
            let answer = form(&mut client, &fields).await;
            assert_eq!(
                (answer.status, last(&sandbox).rule.as_deref()),
                (status, Some(rule))
            );
        }
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
            ("refresh_token", refresh.as_str()),
        ];
        let grant = form(&mut client, &fields).await;
        assert_eq!(grant.status, 200);
        let own = format!(
            "Bearer {}",
            grant.json()["access_token"].as_str().expect("a token")
        );
        let scope = "https://www.googleapis.com/auth/firebase.messaging";
        let good = json!({"scope": [scope], "lifetime": "600s"});
        let mut ask = async |path: &str, bearer: &str, body: &Value| {
            let headers = [("authorization", bearer), ("content-type", "application/json")];
            let answer = client.send("POST", path, &headers, body.to_string()).await;
            (answer.expect("an answer"), last(&sandbox))
        };
        let stranger = call
            .replace("sandbox%40", "stranger%40")
            .replace("sandbox@", "stranger@");
        for (path, body, status, rule) in [
            (&stranger, &good, 403, "fcm.iam.account"),
            (&call, &json!({}), 400, "fcm.iam.body"),
            (&call, &json!({"scope": ["email"]}), 400, "fcm.iam.body"),
            (
                &call,
                &json!({"scope": [scope], "lifetime": "7200s"}),
                400,
                "fcm.iam.body",
            ),
            (
                &call,
                &json!({"scope": [scope], "delegates": ["me"]}),
                400,
                "fcm.iam.body",
            ),
        ] {
            let (answer, record) = ask(path, &own, body).await;
            assert_eq!(
                (answer.status, record.rule.as_deref()),
                (status, Some(rule)),
                "{body}"
            );
        }
        let (answer, record) = ask(&call, &own, &good).await;
        assert_eq!(
            (answer.status, record.operation.as_str()),
            (200, "oauth.impersonate")
        );
        let made = answer.json();
        assert!(made["expireTime"].as_str().expect("a time").ends_with('Z'));
        let token = format!("Bearer {}", made["accessToken"].as_str().expect("a token"));
        // It sends, and cannot impersonate: its scope is FCM's.
        let (answer, record) = ask(&call, &token, &good).await;
        assert_eq!(
            (answer.status, record.rule.as_deref()),
            (403, Some("fcm.iam.scope"))
        );
        let send = format!("/v1/projects/{}/messages:send", at(&ready, "/fcm/project_id"));
        let message = json!({"message": {"token": at(&ready, "/fcm/tokens/valid"), "data": {"a": "b"}}});
        assert_eq!(ask(&send, &token, &message).await.0.status, 200);
        // Ten minutes, as was asked.
        sandbox.set_clock_offset_ms(601_000);
        assert_eq!(ask(&send, &token, &message).await.0.status, 401);
    });
}
