use super::*;
use crate::baidu::OpenType;

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_500_000_000));

fn credentials() -> Credentials {
    Credentials::new("AK", "SK").unwrap()
}

fn send(message: &Message) -> Result<Request, Error> {
    super::super::request(message, &credentials(), &super::super::default_authority(), NOW)
}

fn body(message: &Message) -> String {
    let request = send(message).unwrap();
    String::from_utf8(request.body.as_bytes().to_vec()).unwrap()
}

#[test]
fn a_whole_request_with_the_known_signature() {
    let text = r#"{"title":"a*b~c d","description":"你好"}"#;
    let message = Message::android(AndroidNotification::from_json(text.as_bytes()).unwrap())
        .unwrap()
        .build(Target::device("123").unwrap())
        .unwrap();
    let request = send(&message).unwrap();
    assert_eq!(
        request.url(),
        "https://api.tuisong.baidu.com/rest/3.0/push/single_device"
    );
    assert_eq!(
        std::str::from_utf8(request.body.as_bytes()).unwrap(),
        concat!(
            "apikey=AK&channel_id=123&device_type=3",
            "&msg=%7B%22title%22%3A%22a%2Ab%7Ec+d%22%2C%22description%22%3A%22%E4%BD%A0%E5%A5%BD%22%7D",
            "&msg_type=1&timestamp=1500000000&sign=decc4490144743d2dad32f705f481d67"
        )
    );
    let agent = request.header("user-agent").unwrap();
    assert!(
        agent.starts_with("BCCS_SDK/3.0 (")
            && agent.contains(") Rust/")
            && agent.contains("Baidu Push Server SDK V3.0.0")
    );
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded;charset=utf-8")
    );
}

#[test]
fn each_target_is_a_method_with_its_parameters() {
    let builder = Message::android_raw(br#"{"k":"v"}"#).unwrap();
    for (target, method, part) in [
        (Target::device("1").unwrap(), "single_device", "channel_id=1&"),
        (
            Target::devices(["1", "2"]).unwrap(),
            "batch_device",
            "channel_ids=%5B%221%22%2C%222%22%5D&",
        ),
        (Target::all(), "all", "apikey=AK&device_type=3&msg="),
        (
            Target::tag("北京").unwrap(),
            "tags",
            "tag=%E5%8C%97%E4%BA%AC&timestamp=1500000000&type=1&",
        ),
        (
            Target::selector(br#"{"tag":"a"}"#).unwrap(),
            "tags",
            "selector=%7B%22tag%22%3A%22a%22%7D&timestamp=1500000000&type=6&",
        ),
    ] {
        let message = builder.build(target).unwrap();
        assert!(send(&message).unwrap().path.ends_with(method));
        let body = body(&message);
        assert!(body.contains(part), "{body}");
        assert!(body.contains("msg_type=0"), "{body}");
    }
    let first = builder.build(Target::device("1").unwrap()).unwrap();
    let second = first.to(Target::device("2").unwrap());
    assert!(body(&second).contains("channel_id=2&"));
    assert_ne!(
        body(&first).rsplit_once('=').unwrap().1,
        body(&second).rsplit_once('=').unwrap().1
    );
}

#[test]
fn ios_and_the_optional_parameters() {
    let message = Message::ios(br#"{"aps":{"alert":"hi"},"k":1}"#)
        .unwrap()
        .deploy_status(DeployStatus::Production)
        .expires_after(Duration::from_secs(18_000))
        .topic_id("news")
        .build(Target::device("1").unwrap())
        .unwrap();
    let body = body(&message);
    for part in [
        "deploy_status=2&",
        "device_type=4&",
        "msg_expires=18000&",
        "topic_id=news&",
        "msg_type=1&",
    ] {
        assert!(body.contains(part), "{part} {body}");
    }
}

#[test]
fn notifications_carry_their_fields() {
    let notification = AndroidNotification::new("d")
        .title("t")
        .builder_id(1)
        .basic_style(true, false, true)
        .open(OpenType::Url {
            url: "https://a.example".into(),
            confirm: true,
        })
        .custom_content(Map::from_iter([("k".to_owned(), Value::from("v"))]))
        .extra("net_support", 1);
    let text = notification.into_text();
    assert_eq!(
        text,
        concat!(
            r#"{"description":"d","title":"t","notification_builder_id":1,"notification_basic_style":5,"#,
            r#""open_type":1,"url":"https://a.example","user_confirm":1,"custom_content":{"k":"v"},"net_support":1}"#
        )
    );
}

#[test]
fn what_does_not_go_together_is_refused() {
    let kind = |result: Result<Message, Error>| result.unwrap_err().kind();
    let android = Message::android_raw(b"{}").unwrap();
    let ios = Message::ios(br#"{"aps":{}}"#).unwrap();
    let device = || Target::device("1").unwrap();
    let later = UnixTime::from_secs(1_500_000_061);
    assert_eq!(kind(ios.build(device())), ErrorKind::MissingField);
    let ios = ios.deploy_status(DeployStatus::Development);
    assert!(ios.build(device()).is_ok());
    assert_eq!(
        kind(ios.build(Target::devices(["1"]).unwrap())),
        ErrorKind::Conflict
    );
    assert_eq!(
        kind(ios.build(Target::selector(b"{}").unwrap())),
        ErrorKind::Conflict
    );
    assert_eq!(
        kind(
            android
                .clone()
                .deploy_status(DeployStatus::Development)
                .build(device())
        ),
        ErrorKind::Conflict
    );
    assert_eq!(
        kind(android.clone().send_at(later).build(device())),
        ErrorKind::Conflict
    );
    assert_eq!(
        kind(android.clone().topic_id("a").build(Target::all())),
        ErrorKind::Conflict
    );
    assert_eq!(
        kind(android.clone().topic_id("").build(device())),
        ErrorKind::InvalidValue
    );
    for (secs, fits) in [(0, false), (1, true), (604_800, true), (604_801, false)] {
        let built = android
            .clone()
            .expires_after(Duration::from_secs(secs))
            .build(device());
        assert_eq!(built.is_ok(), fits);
    }
    for (secs, fits) in [(60, false), (61, true), (31_622_400, true), (31_622_401, false)] {
        let at = UnixTime::from_secs(1_500_000_000 + secs);
        let message = android.clone().send_at(at).build(Target::all()).unwrap();
        assert_eq!(send(&message).is_ok(), fits, "{secs}");
    }
    let device_message = android.clone().topic_id("a").build(device()).unwrap();
    assert_eq!(
        send(&device_message.to(Target::all())).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    let sized = |n: usize| Message::android_raw(format!(r#"{{"k":"{}"}}"#, "x".repeat(n - 8)).as_bytes());
    assert!(sized(4096).is_ok());
    assert_eq!(
        sized(4097).err().map(|error| error.kind()),
        Some(ErrorKind::PayloadTooLarge)
    );
    assert!(Message::ios(b"{}").is_err() && Message::android_raw(b"[]").is_err());
    assert!(Target::device("").is_err() && Target::device("a\r\n").is_err() && Target::devices([]).is_err());
    assert!(Target::tag(&"é".repeat(128)).is_ok() && Target::tag(&"é".repeat(129)).is_err());
}
