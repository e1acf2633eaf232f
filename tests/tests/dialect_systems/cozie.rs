use pushcore::dialect::{Ask, Collection, System};
use serde_json::{Value, json};

use super::host::Host;

const KEY: &[(&str, &str)] = &[("x-api-key", "XXX")];
const TARGET: &str = "/prod/notification/";
const TOKEN: &str = "b284a6f7545368d2d3f753263e3e2f2b7795be5263ed7c95017f628730edeaad";
/// `printf 'ExternalUser\0XXX' | sha256sum`
const RECORD: &str = "d0079573dfda8fcbbdefa0c46f8b7e25466bad3d5ae0ce6d3c9c080819caa539";

fn host(options: &Value) -> Host {
    Host::new(System::Cozie, options)
        .with_token("XXX", Value::Null)
        .with_token("of one experiment", json!(["AppleStore"]))
        .with(
            Collection::Channels,
            None,
            "APNS",
            json!({"BundleId": "app.cozie.example"}),
        )
}

fn registered() -> Host {
    let mut host = host(&json!({}));
    let body = json!({
        "id_experiment": "AppleStore", "id_participant": "ExternalUser", "id_password": "XXX", "token": TOKEN,
    });
    let answer = host.request("POST", "/cozie/register", KEY, &body.to_string());
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"message": "registered"}))
    );
    host
}

fn payload(host: &Host) -> Value {
    serde_json::from_slice(&host.sent.last().unwrap().message.payload()).unwrap()
}

#[test]
fn m_cozie_two_scripts_of_a_researcher() {
    for label in ["cozie_seed_plain_mitm", "cozie_seed_plain_local"] {
        let mut host = registered();
        let answer = host.recorded(label);
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({"id": "101", "recipients": 1, "external_id": null}))
        );
        assert_eq!(
            payload(&host),
            json!({
                "aps": {
                    "alert": {"title": "test_heading", "subtitle": "test_subtitle", "body": "test_message"},
                    "sound": "default", "mutable-content": 1,
                },
                "custom": {"a": {"notification_id": "101"}},
            }),
            "{label}"
        );
    }
    for label in ["cozie_seed_buttons_mitm", "cozie_seed_buttons_local"] {
        let mut host = registered();
        assert_eq!(host.recorded(label).status, 200);
        // What is logged in the app is the id of the button, which is why no category is set.
        let buttons = json!([{"i": "helpful", "n": "Helpful"}, {"i": "not_helpful", "n": "Not helpful"}]);
        assert_eq!(
            (&payload(&host)["buttons"], &payload(&host)["aps"]["category"]),
            (&buttons, &Value::Null)
        );
        let form: Value = serde_json::from_str(&host.sent[0].message.to_json()).unwrap();
        assert_eq!(
            (&form["topic"], &form["push_type"]),
            (&json!("app.cozie.example"), &json!("alert"))
        );
        assert_eq!(host.sent[0].key, TOKEN);
    }
}

#[test]
fn m_cozie_empty_texts_are_left_out() {
    let mut host = registered();
    let body = json!({"id_experiment": "AppleStore", "id_participant": "ExternalUser", "id_password": "XXX", "message": "m", "heading": ""});
    host.request("POST", TARGET, KEY, &body.to_string());
    assert_eq!(payload(&host)["aps"]["alert"], json!({"body": "m"}));
}

#[test]
fn m_cozie_three_texts_in_their_order() {
    let mut host = registered();
    let mut body = json!({"message": "m"});
    for (name, text) in [
        ("id_experiment", "Experiment ID is missing"),
        ("id_participant", "Participant ID is missing"),
        ("id_password", "id_password is missing"),
    ] {
        let answer = host.request("POST", TARGET, KEY, &body.to_string());
        assert_eq!((answer.status, answer.json()), (400, json!(text)));
        body[name] = json!("nobody's");
    }
    let answer = host.request("POST", TARGET, KEY, &body.to_string());
    let nobody = json!({"Error message": "No valid OneSignal Player ID found."});
    assert_eq!((answer.status, answer.json()), (400, nobody.clone()));
    // The right participant with the wrong password is nobody, too.
    let body = json!({"id_experiment": "AppleStore", "id_participant": "ExternalUser", "id_password": "YYY"});
    assert_eq!(
        host.request("POST", TARGET, KEY, &body.to_string()).json(),
        nobody
    );
    assert!(host.sent.is_empty());
}

#[test]
fn m_cozie_no_store_holds_the_password() {
    let host = registered();
    let put = host.asked.iter().find_map(|ask| match ask {
        Ask::Put { records, .. } => Some(records[0].clone()),
        _ => None,
    });
    let record = put.unwrap();
    assert_eq!(record.id.as_deref(), Some(RECORD));
    assert_eq!(
        record.value,
        json!({"Address": TOKEN, "ChannelType": "APNS", "participant": "ExternalUser"})
    );
    assert!(!format!("{:?}", host.asked).contains("XXX"));
}

#[test]
fn m_cozie_api_key_403() {
    let mut host = registered();
    let body =
        json!({"id_experiment": "other", "id_participant": "ExternalUser", "id_password": "XXX"}).to_string();
    let forbidden = json!({"message": "Forbidden"});
    for headers in [
        &[][..],
        &[("x-api-key", "wrong")],
        &[("x-api-key", "")],
        &[("x-api-key", "XXX"), ("X-API-Key", "XXX")],
        &[("Authorization", "XXX")],
        &[("x-api-key", "of one experiment")],
    ] {
        let answer = host.request("POST", TARGET, headers, &body);
        assert_eq!(
            (answer.status, answer.json()),
            (403, forbidden.clone()),
            "{headers:?}"
        );
    }
    let answer = host.request("GET", TARGET, KEY, "");
    assert_eq!(
        (answer.status, answer.json()),
        (403, json!({"message": "Missing Authentication Token"}))
    );
}

#[test]
fn m_cozie_the_answer_to_a_dead_token_is_onesignals() {
    let mut host = registered();
    host.results.insert(
        TOKEN.to_owned(),
        json!({"outcome": "token_gone", "status": 410, "reason": "Unregistered"}),
    );
    let answer = host.recorded("cozie_seed_plain_local");
    let dead = json!({"id": "", "recipients": 0, "errors": ["All included players are not subscribed"]});
    assert_eq!((answer.status, answer.json()), (200, dead));
    host.results.insert(
        TOKEN.to_owned(),
        json!({"outcome": "rejected", "status": 400, "reason": "BadTopic"}),
    );
    assert_eq!(
        host.recorded("cozie_seed_plain_local").json()["errors"],
        json!(["BadTopic"])
    );
}

#[test]
fn m_cozie_rows_of_the_app_and_onesignals_bridge() {
    let row = |onesignal: &str| {
        json!({
            "time": "2026-11-22T00:00:00.000Z", "measurement": "AppleStore",
            "tags": {"id_onesignal": onesignal, "id_participant": "ExternalUser", "id_password": "XXX"},
            "fields": {"ts_heart_rate": 60},
        })
    };
    let mut host = host(&json!({"onesignal_app_id": "17d346bf"}));
    let body = json!([row("first"), {"measurement": "AppleStore", "tags": {}}, row("last")]).to_string();
    let answer = host.request("POST", "/prod/write", KEY, &body);
    assert_eq!((answer.status, answer.json()), (200, json!("Success")));
    host.forwarded = json!({"status": 200, "body": r#"{"id":"x","recipients":1,"external_id":null}"#});
    let answer = host.recorded("cozie_seed_buttons_local");
    // OneSignal's own status and body.
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (200, r#"{"id":"x","recipients":1,"external_id":null}"#)
    );
    let forwarded = host.asked.iter().find_map(|ask| match ask {
        Ask::Forward { to, path, body } => Some((to.clone(), path.clone(), body.clone())),
        _ => None,
    });
    // The request of Cozie's own function.
    assert_eq!(
        forwarded.unwrap(),
        (
            "onesignal".to_owned(),
            "/api/v1/notifications".to_owned(),
            json!({
                "app_id": "17d346bf", "include_player_ids": ["last"], "contents": {"en": "test_message"},
                "headings": {"en": "test_heading"}, "subtitle": {"en": "test_subtitle"},
                "buttons": [{"id": "helpful", "text": "Helpful"}, {"id": "not_helpful", "text": "Not helpful"}],
            })
        )
    );
    host.forwarded = json!({"status": 0, "body": ""});
    let answer = host.recorded("cozie_seed_plain_local");
    assert_eq!(
        (answer.status, answer.json()),
        (502, json!({"Error message": "OneSignal gave no answer."}))
    );
}

#[test]
fn m_cozie_the_bridge_is_off_by_default_and_a_token_comes_before_it() {
    let mut host = host(&json!({}));
    let row = json!({"measurement": "AppleStore", "tags": {"id_onesignal": "p", "id_participant": "ExternalUser", "id_password": "XXX"}});
    host.request("POST", "/prod/write/", KEY, &row.to_string());
    assert_eq!(host.recorded("cozie_seed_plain_local").status, 400);
    assert!(host.warnings[0].contains("onesignal_app_id"));
    let mut host = registered();
    host.request("POST", "/prod/write", KEY, &row.to_string());
    assert_eq!(host.recorded("cozie_seed_plain_local").status, 200);
    assert_eq!(host.sent.len(), 1);
}

#[test]
fn s_cozie_envelope() {
    let mut host = host(&json!({"envelope": true}));
    let answer = host.request("POST", TARGET, KEY, "{}");
    let envelope = json!({
        "headers": {"Content-Type": "application/json"}, "statusCode": 400, "body": "\"Experiment ID is missing\"",
    });
    assert_eq!((answer.status, answer.json()), (200, envelope));
    assert_eq!(host.request("POST", TARGET, &[], "{}").status, 403);
}

#[test]
fn m_cozie_bad_input() {
    let mut host = registered();
    for (body, text) in [
        ("", "not json at line 1, column 0"),
        ("[]", "the json text is not an object"),
        // A number ends Cozie's own function with a fault.
        (
            r#"{"id_experiment":"e","id_participant":"p","id_password":5}"#,
            "id_password is not a string",
        ),
        (
            r#"{"id_experiment":"e","id_participant":"p","id_password":"x","message":1}"#,
            "message is not a string",
        ),
        (
            r#"{"id_experiment":"e","id_participant":"p","id_password":"x","buttons":[{"id":1}]}"#,
            "buttons is not a list of {id, text}",
        ),
    ] {
        let answer = host.request("POST", TARGET, KEY, body);
        assert_eq!((answer.status, answer.json()), (400, json!(text)), "{body}");
    }
}
