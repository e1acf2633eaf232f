use super::*;

fn kind(message: &Declarative) -> ErrorKind {
    message.to_json().unwrap_err().kind()
}

#[test]
fn the_example_of_the_specification() {
    let mut message = Declarative::new("Ada emailed ‘London’", "https://email.example/message/12");
    message.notification.lang = Some("en".into());
    message.notification.dir = Some(Direction::Ltr);
    message.notification.body = Some("Did you hear?".into());
    message.app_badge = Some(12);
    message.mutable = true;
    let json = message.to_json().unwrap();
    assert_eq!(
        json,
        "{\"web_push\":8030,\"notification\":{\"title\":\"Ada emailed ‘London’\",\
         \"navigate\":\"https://email.example/message/12\",\"dir\":\"ltr\",\"lang\":\"en\",\
         \"body\":\"Did you hear?\",\"app_badge\":\"12\"},\"app_badge\":12,\"mutable\":true}"
    );
    assert_eq!(Declarative::parse(json.as_bytes()).unwrap(), message);
}

#[test]
fn every_member_comes_back() {
    let mut message = Declarative::new("t", "https://example.com/");
    let to = &mut message.notification;
    (to.body, to.tag, to.image) = (Some("b".into()), Some("g".into()), Some("/i.png".into()));
    (to.icon, to.badge, to.lang) = (Some("/c.png".into()), Some("/m.png".into()), Some("de".into()));
    (to.vibrate, to.timestamp) = (vec![100, 50], Some(UnixTime::from_millis(1234)));
    (to.renotify, to.silent, to.require_interaction) = (true, Some(false), true);
    (to.dir, to.data) = (Some(Direction::Rtl), Some(json!({"a": [1]})));
    to.actions = vec![Action::new("go", "Go", "https://example.com/go")];
    let json = message.to_json().unwrap();
    assert_eq!(Declarative::parse(json.as_bytes()).unwrap(), message);
    let plain = message.notification.to_json().unwrap();
    assert_eq!(plain["requireInteraction"], true);
}

#[test]
fn type_errors_are_found_before_sending() {
    let good = Declarative::new("t", "https://example.com/x");
    let with = |change: &dyn Fn(&mut Notification)| {
        let mut message = good.clone();
        change(&mut message.notification);
        kind(&message)
    };
    assert_eq!(with(&|n| n.title.clear()), ErrorKind::MissingField);
    assert_eq!(with(&|n| n.navigate = None), ErrorKind::MissingField);
    for url in [
        "",
        "/inbox",
        "inbox",
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "https://a b/",
    ] {
        assert_eq!(
            with(&|n| n.navigate = Some(url.into())),
            ErrorKind::InvalidValue,
            "{url}"
        );
    }
    assert_eq!(
        with(&|n| (n.silent, n.vibrate) = (Some(true), vec![1])),
        ErrorKind::Conflict
    );
    assert_eq!(with(&|n| n.renotify = true), ErrorKind::Conflict);
    assert_eq!(
        with(&|n| (n.renotify, n.tag) = (true, Some(String::new()))),
        ErrorKind::Conflict
    );
    let action = Action::new("a", "A", "https://example.com");
    for broken in [
        Action {
            navigate: None,
            ..action.clone()
        },
        Action {
            navigate: Some("/x".into()),
            ..action.clone()
        },
        Action {
            title: String::new(),
            ..action.clone()
        },
        Action {
            action: String::new(),
            ..action
        },
    ] {
        let mut message = good.clone();
        message.notification.actions = vec![broken];
        assert!(message.to_json().is_err());
        // In a service worker's hands an action needs no URL.
        assert!(message.notification.to_json().is_ok());
    }
}

#[test]
fn reads_like_a_browser() {
    let parse = |text: &str| Declarative::parse(text.as_bytes());
    let ok = parse(
        r#"{"web_push":8030.0,"notification":{"title":"t","navigate":"https://a.example","body":7,
        "silent":"yes","vibrate":200,"app_badge":"3","unknown":{}}}"#,
    )
    .unwrap();
    assert_eq!(ok.app_badge, Some(3));
    assert_eq!(ok.notification.vibrate, [200]);
    assert_eq!((ok.notification.body, ok.notification.silent), (None, None));
    for bad in [
        r#"{"web_push":"8030","notification":{"title":"t","navigate":"https://a.example"}}"#,
        r#"{"web_push":9001,"notification":{"title":"t","navigate":"https://a.example"}}"#,
        r#"{"web_push":8030,"notification":{"title":"","navigate":"https://a.example"}}"#,
        r#"{"web_push":8030,"notification":{"title":"t"}}"#,
        r#"{"web_push":8030,"notification":{"title":"t","navigate":"https://a.example","silent":true,"vibrate":[1]}}"#,
        r#"{"web_push":8030,"notification":{"title":"t","navigate":"https://a.example","silent":true,"vibrate":[]}}"#,
        r#"{"web_push":8030,"notification":{"title":"t","navigate":"https://a.example","actions":[{}]}}"#,
        r#"{"web_push":8030}"#,
        "[]",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}
