use super::*;
use crate::baidu::default_authority;
use std::time::Duration;

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_500_000_000));

fn form(call: &Call) -> (String, Vec<(String, String)>) {
    let credentials = Credentials::new("AK", "SK").unwrap();
    let request = call_request(call, &credentials, &default_authority(), NOW).unwrap();
    let body = String::from_utf8(request.body.as_bytes().to_vec()).unwrap();
    // The sandbox decodes and verifies what is encoded here; these values need no escapes but of JSON.
    let decode = |text: &str| {
        text.replace('+', " ")
            .replace("%5B", "[")
            .replace("%5D", "]")
            .replace("%22", "\"")
            .replace("%2C", ",")
    };
    let pairs = body.split('&').map(|pair| pair.split_once('=').unwrap());
    let pairs = pairs
        .filter(|(name, _)| !["apikey", "timestamp", "sign"].contains(name))
        .map(|(name, value)| (name.to_owned(), decode(value)));
    (request.url(), pairs.collect())
}

#[test]
fn every_call_has_its_method_and_parameters() {
    let page = Page::new(5, 20);
    let at = UnixTime::from_secs;
    let rows: [(Call, &str, &str); 16] = [
        (
            Call::message_status(["1"]).unwrap(),
            "report/query_msg_status",
            "msg_id=1",
        ),
        (
            Call::message_status(["1", "2"]).unwrap(),
            "report/query_msg_status",
            r#"msg_id=["1","2"]"#,
        ),
        (
            Call::timer_records(None, Page::default()).unwrap(),
            "report/query_timer_records",
            "start=0",
        ),
        (
            Call::timer_records(Some("t"), page)
                .unwrap()
                .between(at(1), at(2))
                .unwrap(),
            "report/query_timer_records",
            "limit=20&range_end=2&range_start=1&start=5&timer_id=t",
        ),
        (
            Call::topic_records("news", page).unwrap(),
            "report/query_topic_records",
            "limit=20&start=5&topic_id=news",
        ),
        (Call::device_statistics(), "report/statistic_device", ""),
        (
            Call::topic_statistics("news").unwrap(),
            "report/statistic_topic",
            "topic_id=news",
        ),
        (
            Call::topics(page).unwrap(),
            "topic/query_list",
            "limit=20&start=5",
        ),
        (
            Call::tags(Some("vip"), page).unwrap(),
            "app/query_tags",
            "limit=20&start=5&tag=vip",
        ),
        (Call::create_tag("vip").unwrap(), "app/create_tag", "tag=vip"),
        (Call::delete_tag("vip").unwrap(), "app/del_tag", "tag=vip"),
        (
            Call::tag_devices("vip", ["1", "2"]).unwrap(),
            "tag/add_devices",
            r#"channel_ids=["1","2"]&tag=vip"#,
        ),
        (
            Call::untag_devices("vip", ["1"]).unwrap(),
            "tag/del_devices",
            r#"channel_ids=["1"]&tag=vip"#,
        ),
        (
            Call::devices_with_tag("vip").unwrap(),
            "tag/device_num",
            "tag=vip",
        ),
        (
            Call::timers(None, page).unwrap().of_device_type(DeviceType::Ios),
            "timer/query_list",
            "device_type=4&limit=20&start=5",
        ),
        (Call::cancel_timer("t").unwrap(), "timer/cancel", "timer_id=t"),
    ];
    for (call, method, parameters) in rows {
        let (url, form) = form(&call);
        assert_eq!(url, format!("https://api.tuisong.baidu.com/rest/3.0/{method}"));
        let form: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(form.join("&"), parameters, "{method}");
    }
}

#[test]
fn what_a_call_cannot_be_is_refused() {
    let long = "x".repeat(129);
    for (result, kind) in [
        (Call::message_status([]), ErrorKind::InvalidValue),
        (Call::message_status([""]), ErrorKind::InvalidValue),
        (Call::topic_records("", Page::default()), ErrorKind::InvalidValue),
        (Call::create_tag(&long), ErrorKind::InvalidValue),
        (Call::tags(None, Page::new(0, 0)), ErrorKind::InvalidValue),
        (Call::tags(None, Page::new(0, 101)), ErrorKind::InvalidValue),
        (Call::topics(Page::new(0, 21)), ErrorKind::InvalidValue),
        (Call::tag_devices("vip", []), ErrorKind::InvalidTarget),
        (Call::tag_devices("vip", ["a b"]), ErrorKind::InvalidToken),
        (
            Call::device_statistics().between(UnixTime::from_secs(1), UnixTime::from_secs(2)),
            ErrorKind::Conflict,
        ),
        (
            Call::topic_records("t", Page::default())
                .unwrap()
                .between(UnixTime::from_secs(2), UnixTime::from_secs(1)),
            ErrorKind::InvalidValue,
        ),
    ] {
        assert_eq!(result.unwrap_err().kind(), kind);
    }
    assert!(Call::create_tag(&"é".repeat(128)).is_ok());
}

#[test]
fn answers_are_what_baidu_says() {
    let read = |status, body: &str| call_outcome(&Response::new(status, body), NOW);
    let answer = read(200, r#"{"request_id":1,"response_params":{"device_num":7}}"#);
    assert_eq!(
        answer,
        CallOutcome::Answered(serde_json::json!({"device_num": 7}))
    );
    for (status, body, name) in [
        (400, r#"{"error_code":30611}"#, "rejected"),
        (400, r#"{"error_code":30610}"#, "rejected"),
        (403, r#"{"error_code":30603}"#, "fix_credentials"),
        (400, r#"{"error_code":30699}"#, "retry_later"),
        (503, "", "retry_later"),
    ] {
        match read(status, body) {
            CallOutcome::Refused(outcome) => assert_eq!(outcome.name(), name, "{status} {body}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(read(200, "{}"), CallOutcome::Refused(_)));
}
