use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::time::UnixTime;

mod external;

const FILE: &str = include_str!("../../../tests/data/fcm_service_account.json");

fn at(secs: u64) -> Now {
    Now::new(
        Duration::from_secs(secs),
        UnixTime::from_secs(1_700_000_000 + secs),
    )
}

fn file_with(field: &str, value: Value) -> Vec<u8> {
    let mut file: Value = serde_json::from_str(FILE).unwrap();
    match value {
        Value::Null => drop(file.as_object_mut().unwrap().remove(field)),
        value => file[field] = value,
    }
    file.to_string().into_bytes()
}

fn granted(token: &str) -> Response {
    let body = json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" });
    Response::new(200, body.to_string())
}

fn form(call: &TokenRequest) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut out = Vec::new();
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'+' => out.push(b' '),
                b'%' => {
                    let hex: String = [bytes.next().unwrap(), bytes.next().unwrap()]
                        .map(char::from)
                        .into_iter()
                        .collect();
                    out.push(u8::from_str_radix(&hex, 16).unwrap());
                }
                other => out.push(other),
            }
        }
        String::from_utf8(out).unwrap()
    };
    let body = std::str::from_utf8(call.request.body.as_bytes()).unwrap();
    let pairs = body.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn jwt(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut json = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (json(), json())
}

fn bearer(credentials: &Credentials, secs: u64) -> String {
    let block = credentials.authorization(at(secs)).unwrap();
    block.headers().get("authorization").unwrap().to_owned()
}

#[test]
fn a_service_account_asks_with_an_assertion() {
    let credentials = Credentials::service_account(FILE.as_bytes()).unwrap();
    assert_eq!(credentials.project().as_str(), "pushcore-test");
    assert_eq!(
        credentials.authorization(at(0)).unwrap_err().kind(),
        ErrorKind::TokenNeeded
    );
    assert_eq!(credentials.token(at(0)).fetch(), Some(Fetch::Request));
    let call = credentials.token_request(at(0)).unwrap();
    assert_eq!(call.url(), "https://oauth2.googleapis.com/token");
    assert_eq!(
        call.request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let form = form(&call);
    assert_eq!(
        form[0],
        (
            "grant_type".into(),
            "urn:ietf:params:oauth:grant-type:jwt-bearer".into()
        )
    );
    assert_eq!(form[1].0, "assertion");
    let (header, claims) = jwt(&form[1].1);
    assert_eq!(
        header,
        json!({ "typ": "JWT", "alg": "RS256", "kid": "0123456789abcdef0123456789abcdef01234567" })
    );
    assert_eq!(
        claims,
        json!({
            "iss": "sender@pushcore-test.iam.gserviceaccount.com",
            "scope": "https://www.googleapis.com/auth/firebase.messaging",
            "aud": "https://oauth2.googleapis.com/token",
            "iat": 1_700_000_000u64,
            "exp": 1_700_003_600u64,
        })
    );
    assert_eq!(
        credentials.accept_token(&granted("ya29.a"), at(1)).unwrap(),
        TokenProgress::Done
    );
    assert_eq!(bearer(&credentials, 2), "Bearer ya29.a");
    assert!(credentials.token(at(2)).fetch().is_none());
    let shown = format!("{credentials:?} {call:?}");
    assert!(!shown.contains("ya29") && !shown.contains("assertion"), "{shown}");
}

#[test]
fn line_ends_of_the_key_may_be_escaped_once_more() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let pem = file["private_key"].as_str().unwrap();
    for escaped in [
        pem.replace('\n', "\\n"),
        pem.replace('\n', "\\r\\n"),
        pem.replace('\n', "\r\n"),
    ] {
        let file = file_with("private_key", escaped.into());
        assert!(Credentials::service_account(&file).is_ok());
    }
}

#[test]
fn a_file_is_read_as_environments_and_editors_leave_it() {
    use base64::engine::general_purpose::STANDARD;
    let raw = FILE.replace("\\n", "\n");
    let utf16: Vec<u8> = FILE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let quoted = serde_json::to_string(FILE).unwrap();
    for form in [
        format!("\u{feff}{FILE}").into_bytes(),
        format!("'{FILE}'").into_bytes(),
        quoted.as_bytes()[1..quoted.len() - 1].to_vec(),
        quoted.clone().into_bytes(),
        raw.clone().into_bytes(),
        raw.replace('\n', "\r\n").into_bytes(),
        format!("'{raw}'").into_bytes(),
        STANDARD.encode(FILE).into_bytes(),
        STANDARD.encode(&raw).into_bytes(),
        [b"\xff\xfe".as_slice(), &utf16].concat(),
    ] {
        let read = Credentials::service_account(&form);
        let read = read.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&form)));
        assert_eq!(read.project().as_str(), "pushcore-test");
    }
    let other = Credentials::service_account_for(FILE.as_bytes(), Some("another-project"), None).unwrap();
    assert_eq!(other.project().as_str(), "another-project");
}

#[test]
fn other_files_of_googles_are_named() {
    for (file, word) in [
        (
            r#"{"project_info":{"project_id":"x"},"client":[]}"#,
            "google-services.json",
        ),
        (
            r#"{"web":{"client_id":"x","client_secret":"y"}}"#,
            "oauth client secret",
        ),
        (r#"{"installed":{"client_id":"x"}}"#, "oauth client secret"),
        (r#"{"apiKey":"x","authDomain":"y"}"#, "web app"),
    ] {
        let error = Credentials::service_account(file.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

/// What the tests and READMEs of the firebase-admin SDKs have as credentials (`docs/other-libraries.md`).
#[test]
fn reads_what_firebase_admin_takes() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let text = |name: &str| file[name].as_str().unwrap().to_owned();
    let (key, email, project) = (text("private_key"), text("client_email"), text("project_id"));
    let without = |field| serde_json::from_slice::<Value>(&file_with(field, Value::Null)).unwrap();
    let with = |field, value| serde_json::from_slice::<Value>(&file_with(field, value)).unwrap();
    for (sdk, form, kid) in [
        ("all, today", file.clone(), true),
        (
            "go, java, python, .net",
            with("token_uri", json!("https://accounts.google.com/o/oauth2/token")),
            true,
        ),
        ("python, no client_id", without("client_id"), true),
        (
            "node, snake case",
            json!({"project_id": project, "private_key": key, "client_email": email}),
            false,
        ),
        (
            "node, camel case",
            json!({"projectId": project, "privateKey": key, "clientEmail": email}),
            false,
        ),
        (
            "node, out of an environment",
            json!({"projectId": project, "privateKey": key.replace('\n', "\\n"), "clientEmail": email}),
            false,
        ),
        (
            "node, whole in camel case",
            json!({"type": "service_account", "projectId": project, "privateKeyId": "k", "privateKey": key,
                "clientEmail": email, "clientId": "1", "tokenUri": "https://oauth2.googleapis.com/token"}),
            true,
        ),
    ] {
        let credentials = Credentials::service_account(form.to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{sdk}: {error}"));
        assert_eq!(credentials.project().as_str(), project, "{sdk}");
        let call = credentials.token_request(at(0)).unwrap();
        let fields = self::form(&call);
        let (_, assertion) = fields.iter().find(|(name, _)| name == "assertion").unwrap();
        let (header, claims) = jwt(assertion);
        assert_eq!(header.get("kid").is_some(), kid, "{sdk}");
        assert_eq!(claims["iss"], email, "{sdk}");
    }
    let refresh = json!({"type": "authorized_user", "client_id": "mock.apps.googleusercontent.com",
        "client_secret": "mock-secret", "refresh_token": "mock-refresh-token"});
    let camel = json!({"type": "authorized_user", "clientId": "mock.apps.googleusercontent.com",
        "clientSecret": "mock-secret", "refreshToken": "mock-refresh-token"});
    for form in [refresh, camel] {
        let read = Credentials::from_file(form.to_string().as_bytes(), Some("p"));
        assert!(read.is_ok(), "{:?}", read.err());
    }
    for (form, word) in [
        (
            json!({"type": "refreshToken", "clientId": "c", "clientSecret": "s", "refreshToken": "r"}),
            "type",
        ),
        (json!({"clientEmail": email}), "type"),
        (
            json!({"type": "service_account", "projectId": project, "clientEmail": email}),
            "private_key",
        ),
        (with("private_key", json!("not-a-private-key")), "private_key: "),
        (
            json!({"type": "impersonated_service_account", "service_account_impersonation_url": "", "delegates": [],
                "source_credentials": {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}}),
            "service_account_impersonation_url",
        ),
    ] {
        let error = Credentials::from_file(form.to_string().as_bytes(), None).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn every_wrong_file_has_its_own_error() {
    let ec = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\nOF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n-----END PRIVATE KEY-----\n";
    for (field, value, kind) in [
        ("type", json!("service_accounts"), ErrorKind::InvalidCredential),
        (
            "type",
            json!("gdch_service_account"),
            ErrorKind::InvalidCredential,
        ),
        ("type", json!(7), ErrorKind::InvalidCredential),
        ("client_email", Value::Null, ErrorKind::InvalidCredential),
        ("client_email", json!(""), ErrorKind::InvalidCredential),
        ("client_email", json!("a@b\r\nx: y"), ErrorKind::InvalidCredential),
        ("private_key_id", json!(7), ErrorKind::InvalidCredential),
        ("private_key_id", json!("a\r\nb"), ErrorKind::InvalidCredential),
        ("private_key", Value::Null, ErrorKind::InvalidCredential),
        ("project_id", Value::Null, ErrorKind::InvalidCredential),
        ("project_id", json!("a/../b"), ErrorKind::InvalidCredential),
        (
            "universe_domain",
            json!("example.com"),
            ErrorKind::InvalidCredential,
        ),
        (
            "token_uri",
            json!("http://oauth2.googleapis.com/token"),
            ErrorKind::TokenEndpointNotAllowed,
        ),
        (
            "token_uri",
            json!("https://169.254.169.254/token"),
            ErrorKind::TokenEndpointNotAllowed,
        ),
        (
            "token_uri",
            json!("https://evil.example/token"),
            ErrorKind::TokenEndpointNotAllowed,
        ),
    ] {
        let error = Credentials::service_account(&file_with(field, value.clone())).unwrap_err();
        assert_eq!(error.kind(), kind, "{field} {value}: {error}");
        assert!(error.to_string().len() <= 256 && !error.to_string().contains("evil"));
    }
    for key in [
        "",
        "x",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ec,
    ] {
        assert!(Credentials::service_account(&file_with("private_key", key.into())).is_err());
    }
    for text in ["", "[]", "{", "\"x\"", r#"{"type":"service_account","type":"x"}"#] {
        let error = Credentials::service_account(text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredential);
    }
}

#[test]
fn a_refused_token_is_replaced_once_and_a_refusal_is_told() {
    let credentials = Credentials::service_account(FILE.as_bytes()).unwrap();
    credentials.accept_token(&granted("a"), at(0)).unwrap();
    let used = credentials.authorization(at(100)).unwrap();
    assert!(credentials.token_refused(used.id(), at(100)));
    assert!(!credentials.token_refused(used.id(), at(100)));
    assert_eq!(credentials.token(at(100)).fetch(), Some(Fetch::Request));
    let refusal = Response::new(
        400,
        r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#,
    );
    let error = credentials.accept_token(&refusal, at(101)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenRefused);
    assert!(error.context().contains("invalid_grant (Invalid JWT Signature.)"));
    assert!(matches!(credentials.token(at(102)), TokenState::Wait { .. }));
    assert_eq!(credentials.token(at(131)).fetch(), Some(Fetch::Request));
}

#[test]
fn an_authorized_user_refreshes() {
    let file = json!({
        "type": "authorized_user", "client_id": "id.apps.googleusercontent.com",
        "client_secret": "s&e=c", "refresh_token": "1//0g", "quota_project_id": "payer-1",
    });
    let file = file.to_string();
    assert!(
        Credentials::from_file(file.as_bytes(), None).is_err(),
        "no project"
    );
    assert!(Credentials::service_account(file.as_bytes()).is_err());
    let credentials = Credentials::from_file(file.as_bytes(), Some("my-app")).unwrap();
    let call = credentials.token_request(at(0)).unwrap();
    assert_eq!(call.url(), "https://oauth2.googleapis.com/token");
    let expected = [
        ("grant_type", "refresh_token"),
        ("client_id", "id.apps.googleusercontent.com"),
        ("client_secret", "s&e=c"),
        ("refresh_token", "1//0g"),
    ];
    assert_eq!(form(&call), expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    credentials.accept_token(&granted("u"), at(0)).unwrap();
    let block = credentials.authorization(at(1)).unwrap();
    assert_eq!(block.headers().get("x-goog-user-project"), Some("payer-1"));
}

#[test]
fn the_metadata_server_must_show_its_flavor() {
    let credentials = Credentials::metadata_server(ProjectId::new("my-app").unwrap());
    let call = credentials.token_request(at(0)).unwrap();
    assert!(call.plaintext);
    assert_eq!(
        call.url(),
        concat!(
            "http://metadata.google.internal:80/computeMetadata/v1/instance/service-accounts/default/token",
            "?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Ffirebase.messaging"
        )
    );
    assert_eq!(call.request.header("metadata-flavor"), Some("Google"));
    let error = credentials.accept_token(&granted("m"), at(0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenAnswerInvalid);
    let answer = granted("m").with_header("Metadata-Flavor", "Google");
    credentials.accept_token(&answer, at(5)).unwrap();
    assert_eq!(bearer(&credentials, 6), "Bearer m");

    let call = metadata_project_request().unwrap();
    assert_eq!(
        call.url(),
        "http://metadata.google.internal:80/computeMetadata/v1/project/project-id"
    );
    let answer = Response::new(200, "my-app\n").with_header("metadata-flavor", "Google");
    assert_eq!(metadata_project(&answer).unwrap().as_str(), "my-app");
    assert!(metadata_project(&Response::new(200, "my-app")).is_err());
}

#[test]
fn the_host_may_mint_the_tokens() {
    let credentials = Credentials::host_tokens(ProjectId::new("my-app").unwrap());
    assert_eq!(credentials.token(at(0)).fetch(), Some(Fetch::HostToken));
    assert!(credentials.token_request(at(0)).is_err());
    assert!(
        credentials
            .supply_token("a b", Duration::from_secs(60), at(0))
            .is_err()
    );
    credentials
        .supply_token("h", Duration::from_secs(120), at(0))
        .unwrap();
    assert_eq!(bearer(&credentials, 1), "Bearer h");
    assert_eq!(
        credentials.token(at(70)).fetch(),
        Some(Fetch::HostToken),
        "half of two minutes"
    );
    assert!(credentials.supply_subject_token(b"x", at(0)).is_err());
}

#[test]
fn self_signed_tokens_fall_back_when_one_is_refused() {
    let credentials = Credentials::service_account(FILE.as_bytes())
        .unwrap()
        .with_self_signed_tokens();
    let state = credentials.token(at(0));
    assert!(state.fetch().is_none(), "nobody has to be asked");
    let block = Arc::clone(state.authorization().unwrap());
    let value = block.headers().get("authorization").unwrap();
    let (header, claims) = jwt(value.strip_prefix("Bearer ").unwrap());
    assert_eq!(header["kid"], "0123456789abcdef0123456789abcdef01234567");
    assert_eq!(
        claims,
        json!({
            "iss": "sender@pushcore-test.iam.gserviceaccount.com",
            "sub": "sender@pushcore-test.iam.gserviceaccount.com",
            "aud": "https://fcm.googleapis.com/",
            "iat": 1_700_000_000u64,
            "exp": 1_700_003_600u64,
        })
    );
    assert_eq!(
        credentials.token(at(3000)).authorization().unwrap().id(),
        block.id(),
        "one an hour"
    );
    let renewed = credentials.token(at(3300));
    let renewed = renewed.authorization().unwrap();
    assert_ne!(renewed.id(), block.id());
    assert!(credentials.token_refused(renewed.id(), at(3400)));
    assert_eq!(credentials.token(at(3400)).fetch(), Some(Fetch::Request));
    assert!(
        credentials
            .token_request(at(3400))
            .unwrap()
            .url()
            .contains("oauth2")
    );
}

#[test]
fn the_token_host_can_be_replaced() {
    let credentials = Credentials::service_account(FILE.as_bytes())
        .unwrap()
        .with_token_authority(Authority::parse("127.0.0.1:8443").unwrap());
    let call = credentials.token_request(at(0)).unwrap();
    assert_eq!(call.url(), "https://127.0.0.1:8443/token");
}
