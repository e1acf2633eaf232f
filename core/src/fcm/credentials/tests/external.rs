//! Workload identities, and impersonation: tokens in several steps.

use super::*;

const IMPERSONATION: &str = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken";

fn impersonated_by(source: &Value) -> Value {
    json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": IMPERSONATION,
        "source_credentials": source,
    })
}

fn a_user() -> Value {
    json!({ "type": "authorized_user", "client_id": "id", "client_secret": "secret", "refresh_token": "1//0g" })
}

/// The second of the two steps: the service account's token, for the token of one's own.
fn impersonates(credentials: &Credentials, body: &str) {
    assert_eq!(
        credentials.accept_token(&granted("own"), at(1)).unwrap(),
        TokenProgress::NextRequest
    );
    assert!(credentials.authorization(at(1)).is_err(), "it is not for fcm");
    let call = credentials.token_request(at(1)).unwrap();
    assert_eq!(call.url(), IMPERSONATION);
    assert_eq!(call.request.header("authorization"), Some("Bearer own"));
    let sent: Value = serde_json::from_slice(call.request.body.as_bytes()).unwrap();
    assert_eq!(sent, serde_json::from_str::<Value>(body).unwrap());
    // 1_700_000_000 is 2023-11-14T22:13:20Z.
    let answer = r#"{"accessToken":"ya29.i","expireTime":"2023-11-14T23:13:20Z"}"#;
    let done = credentials
        .accept_token(&Response::new(200, answer), at(1))
        .unwrap();
    assert_eq!(
        (done, bearer(credentials, 2)),
        (TokenProgress::Done, "Bearer ya29.i".to_owned())
    );
}

#[test]
fn a_user_impersonates_a_service_account() {
    let file = impersonated_by(&a_user()).to_string();
    let error = Credentials::from_file(file.as_bytes(), None).unwrap_err();
    assert!(error.context().contains("project_id"), "the file names none");
    let credentials = Credentials::from_file(file.as_bytes(), Some("my-app")).unwrap();
    assert_eq!(credentials.token(at(0)).fetch(), Some(Fetch::Request));
    let call = credentials.token_request(at(0)).unwrap();
    assert_eq!(call.url(), "https://oauth2.googleapis.com/token");
    assert!(form(&call).contains(&("grant_type".to_owned(), "refresh_token".to_owned())));
    impersonates(
        &credentials,
        r#"{"scope":["https://www.googleapis.com/auth/firebase.messaging"],"lifetime":"3600s"}"#,
    );
    // The next token takes both steps again.
    let used = credentials.authorization(at(100)).unwrap();
    assert!(credentials.token_refused(used.id(), at(100)));
    assert_eq!(credentials.token(at(100)).fetch(), Some(Fetch::Request));
    let call = credentials.token_request(at(100)).unwrap();
    assert_eq!(call.url(), "https://oauth2.googleapis.com/token");
}

#[test]
fn a_service_account_impersonates_another_over_delegates() {
    let source = serde_json::from_str(FILE).unwrap();
    let mut file = impersonated_by(&source);
    file["delegates"] = json!(["projects/-/serviceAccounts/c@d.iam.gserviceaccount.com"]);
    let credentials = Credentials::from_file(file.to_string().as_bytes(), Some("my-app")).unwrap();
    let call = credentials.token_request(at(0)).unwrap();
    let (_, assertion) = form(&call)
        .into_iter()
        .find(|(name, _)| name == "assertion")
        .unwrap();
    // To impersonate takes more than to send.
    assert_eq!(
        jwt(&assertion).1["scope"],
        "https://www.googleapis.com/auth/cloud-platform"
    );
    impersonates(
        &credentials,
        r#"{"scope":["https://www.googleapis.com/auth/firebase.messaging"],"lifetime":"3600s",
            "delegates":["projects/-/serviceAccounts/c@d.iam.gserviceaccount.com"]}"#,
    );
}

#[test]
fn an_impersonation_that_is_refused_begins_anew() {
    let file = impersonated_by(&a_user()).to_string();
    let credentials = Credentials::from_file(file.as_bytes(), Some("my-app")).unwrap();
    credentials.token(at(0));
    credentials.accept_token(&granted("own"), at(0)).unwrap();
    let refusal = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","message":"iam"}}"#;
    let error = credentials
        .accept_token(&Response::new(403, refusal), at(0))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenRefused);
    assert!(error.context().contains("PERMISSION_DENIED"), "{error}");
    let call = credentials.token_request(at(60)).unwrap();
    assert_eq!(call.url(), "https://oauth2.googleapis.com/token");
    // No answer at all: the same.
    credentials.accept_token(&granted("own"), at(60)).unwrap();
    credentials.token_failed(at(61));
    let call = credentials.token_request(at(70)).unwrap();
    assert_eq!(call.url(), "https://oauth2.googleapis.com/token");
}

#[test]
fn what_cannot_impersonate_is_refused_by_name() {
    let with = |field: &str, value: Value| {
        let mut file = impersonated_by(&a_user());
        file[field] = value;
        Credentials::from_file(file.to_string().as_bytes(), Some("my-app")).unwrap_err()
    };
    for (field, value, word) in [
        (
            "service_account_impersonation_url",
            Value::Null,
            "service_account_impersonation_url",
        ),
        ("source_credentials", Value::Null, "source_credentials"),
        ("source_credentials", json!({}), "type"),
        (
            "source_credentials",
            json!({ "type": "external_account" }),
            "service_account",
        ),
        (
            "source_credentials",
            impersonated_by(&a_user()),
            "service_account",
        ),
        (
            "source_credentials",
            json!({ "type": "authorized_user" }),
            "client_id",
        ),
        ("delegates", json!("x"), "delegates"),
        ("delegates", json!([7]), "delegates"),
    ] {
        let error = with(field, value.clone());
        assert_eq!(error.kind(), ErrorKind::InvalidCredential, "{field} {value}");
        assert!(error.context().contains(word), "{error}");
    }
    let elsewhere = json!("https://evil.example/v1/x:generateAccessToken");
    let error = with("service_account_impersonation_url", elsewhere);
    assert_eq!(error.kind(), ErrorKind::TokenEndpointNotAllowed);
}

#[test]
fn other_workload_identities_are_refused_by_name() {
    for (source, word) in [
        (
            json!({ "environment_id": "aws1", "region_url": "http://169.254.169.254/r", "url": "http://169.254.169.254/u",
                "regional_cred_verification_url": "https://sts.{region}.amazonaws.com" }),
            "aws",
        ),
        (
            json!({ "certificate": { "use_default_certificate_config": true } }),
            "x.509",
        ),
        (json!({ "executable": { "command": "/bin/token" } }), "executable"),
        (
            json!({ "file": "/a", "url": "http://b" }),
            "not one of file and url",
        ),
    ] {
        let file = external(false, source).to_string();
        let error = Credentials::from_file(file.as_bytes(), Some("my-app")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredential);
        assert!(error.context().contains(word), "{error}");
    }
}

fn external(impersonation: bool, source: Value) -> Value {
    let mut file = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": source,
    });
    if impersonation {
        file["service_account_impersonation_url"] =
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken".into();
    }
    file
}

#[test]
fn a_workload_identity_takes_two_steps() {
    let source = json!({ "url": "http://169.254.169.254/id", "headers": { "Metadata": "True" },
        "format": { "type": "json", "subject_token_field_name": "access_token" } });
    let file = external(true, source).to_string();
    let credentials = Credentials::from_file(file.as_bytes(), Some("my-app")).unwrap();
    assert_eq!(
        credentials.subject_source().unwrap().place,
        Subject::Url {
            url: "http://169.254.169.254/id".into(),
            headers: vec![("Metadata".into(), "True".into())]
        }
    );
    assert_eq!(credentials.token(at(0)).fetch(), Some(Fetch::SubjectToken));
    assert_eq!(
        credentials.token_request(at(0)).unwrap_err().kind(),
        ErrorKind::TokenNeeded
    );
    credentials
        .supply_subject_token(br#"{"access_token":"subject.jwt"}"#, at(0))
        .unwrap();
    let call = credentials.token_request(at(0)).unwrap();
    assert_eq!(call.url(), "https://sts.googleapis.com/v1/token");
    let fields = form(&call);
    for pair in [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("scope", "https://www.googleapis.com/auth/cloud-platform"),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("subject_token", "subject.jwt"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
    ] {
        assert!(
            fields.contains(&(pair.0.to_owned(), pair.1.to_owned())),
            "{pair:?}"
        );
    }
    assert_eq!(
        credentials.accept_token(&granted("federated"), at(1)).unwrap(),
        TokenProgress::NextRequest
    );
    assert!(
        credentials.authorization(at(1)).is_err(),
        "the federated token is not for fcm"
    );
    let call = credentials.token_request(at(1)).unwrap();
    assert!(
        call.url()
            .starts_with("https://iamcredentials.googleapis.com/v1/projects/-/")
    );
    assert_eq!(call.request.header("authorization"), Some("Bearer federated"));
    assert_eq!(
        call.request.body.as_bytes(),
        br#"{"scope":["https://www.googleapis.com/auth/firebase.messaging"],"lifetime":"3600s"}"#
    );
    // 1_700_000_000 is 2023-11-14T22:13:20Z.
    let answer = Response::new(
        200,
        r#"{"accessToken":"ya29.i","expireTime":"2023-11-14T22:33:20Z"}"#,
    );
    assert_eq!(
        credentials.accept_token(&answer, at(1)).unwrap(),
        TokenProgress::Done
    );
    assert_eq!(bearer(&credentials, 2), "Bearer ya29.i");
    assert!(
        credentials.authorization(at(1200)).is_err(),
        "it lived for 20 minutes"
    );
    assert_eq!(
        credentials.token(at(1200)).fetch(),
        Some(Fetch::SubjectToken),
        "from the beginning again"
    );
    credentials
        .supply_subject_token(br#"{"access_token":"s"}"#, at(1200))
        .unwrap();
    credentials.accept_token(&granted("federated"), at(1200)).unwrap();
    let refusal = Response::new(
        403,
        r#"{"error":{"code":403,"status":"PERMISSION_DENIED","message":"iam"}}"#,
    );
    let error = credentials.accept_token(&refusal, at(1200)).unwrap_err();
    assert!(error.context().contains("PERMISSION_DENIED"));
    assert!(
        credentials.token_request(at(1200)).is_err(),
        "a failed step begins anew"
    );
}

#[test]
fn a_workload_identity_without_impersonation_takes_one_step() {
    let file = external(false, json!({ "file": "/var/run/token" })).to_string();
    let credentials = Credentials::from_file(file.as_bytes(), Some("my-app")).unwrap();
    assert_eq!(
        credentials.subject_source().unwrap().place,
        Subject::File("/var/run/token".into())
    );
    for bad in [b"" as &[u8], b" \n", b"\xff"] {
        assert!(credentials.supply_subject_token(bad, at(0)).is_err());
    }
    credentials.supply_subject_token(b"jwt\n", at(100)).unwrap();
    let fields = form(&credentials.token_request(at(100)).unwrap());
    assert!(fields.contains(&("subject_token".into(), "jwt".into())));
    assert!(fields.contains(&(
        "scope".into(),
        "https://www.googleapis.com/auth/firebase.messaging".into()
    )));
    assert_eq!(
        credentials.accept_token(&granted("f"), at(100)).unwrap(),
        TokenProgress::Done
    );
    for source in [
        json!({ "environment_id": "aws1" }),
        json!({ "executable": { "command": "x" } }),
        json!({ "file": "a", "url": "b" }),
        json!({ "file": "a", "format": { "type": "xml" } }),
        json!({ "file": "a", "format": { "type": "json" } }),
        json!("x"),
    ] {
        let file = external(true, source).to_string();
        let error = Credentials::from_file(file.as_bytes(), Some("my-app")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredential);
    }
    let mut file = external(true, json!({ "file": "a" }));
    file["token_url"] = "https://sts.evil.example/v1/token".into();
    let error = Credentials::from_file(file.to_string().as_bytes(), Some("my-app")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenEndpointNotAllowed);
}
