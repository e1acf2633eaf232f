use super::*;
use crate::apns::{ChannelId, InputPush, Payload, Text};
use crate::time::UnixTime;

fn encoded(kind: PushType, payload: impl Into<Payload>) -> Result<String, Error> {
    let bytes = payload.into().encode(kind, 4096)?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

fn aps(aps: Aps) -> String {
    encoded(PushType::Alert, aps).unwrap()
}

fn refused(kind: PushType, payload: impl Into<Payload>) -> ErrorKind {
    encoded(kind, payload).unwrap_err().kind()
}

/// One row for each key of Apple's table 1 that goes with an ordinary push.
#[test]
fn every_key_of_aps_is_written_as_apple_writes_it() {
    let base = || Aps::new().badge(0);
    let rows: &[(Aps, &str)] = &[
        (Aps::new().alert("hi"), r#"{"aps":{"alert":"hi"}}"#),
        (base(), r#"{"aps":{"badge":0}}"#),
        (Aps::new().badge(u32::MAX), r#"{"aps":{"badge":4294967295}}"#),
        (Aps::new().sound("default"), r#"{"aps":{"sound":"default"}}"#),
        (
            Aps::new().sound(Sound::critical("a.aiff", 1.0).unwrap()),
            r#"{"aps":{"sound":{"critical":1,"name":"a.aiff","volume":1.0}}}"#,
        ),
        (base().thread_id("t"), r#"{"aps":{"badge":0,"thread-id":"t"}}"#),
        (base().category("c"), r#"{"aps":{"badge":0,"category":"c"}}"#),
        (
            base().content_available(),
            r#"{"aps":{"badge":0,"content-available":1}}"#,
        ),
        (
            Aps::new().alert("hi").mutable_content(),
            r#"{"aps":{"alert":"hi","mutable-content":1}}"#,
        ),
        (
            base().target_content_id("w"),
            r#"{"aps":{"badge":0,"target-content-id":"w"}}"#,
        ),
        (
            base().interruption_level(InterruptionLevel::TimeSensitive),
            r#"{"aps":{"badge":0,"interruption-level":"time-sensitive"}}"#,
        ),
        (
            base().relevance_score(0.25),
            r#"{"aps":{"badge":0,"relevance-score":0.25}}"#,
        ),
        (
            base().relevance_score(1.0),
            r#"{"aps":{"badge":0,"relevance-score":1}}"#,
        ),
        (
            base().filter_criteria("f"),
            r#"{"aps":{"badge":0,"filter-criteria":"f"}}"#,
        ),
        (
            base().url_args(["a", "b"]),
            r#"{"aps":{"badge":0,"url-args":["a","b"]}}"#,
        ),
        (
            base().extra("new-key", json!([1])),
            r#"{"aps":{"badge":0,"new-key":[1]}}"#,
        ),
    ];
    for (given, expected) in rows {
        assert_eq!(&aps(given.clone()), expected);
    }
    let levels = [
        (InterruptionLevel::Passive, "passive"),
        (InterruptionLevel::Active, "active"),
        (InterruptionLevel::TimeSensitive, "time-sensitive"),
        (InterruptionLevel::Critical, "critical"),
    ];
    for (level, text) in levels {
        assert_eq!(level.as_str(), text);
    }
}

#[test]
fn what_does_not_go_with_the_push_type_is_refused() {
    let state = || LiveActivity::update(UnixTime::from_secs(1_764_422_701), json!({}));
    let invalid = ErrorKind::InvalidPayload;
    assert_eq!(refused(PushType::Alert, Aps::new().content_available()), invalid);
    assert_eq!(
        refused(PushType::Alert, Aps::new().badge(1).mutable_content()),
        invalid
    );
    assert_eq!(
        refused(PushType::Alert, Aps::new().badge(1).live_activity(state())),
        invalid
    );
    for score in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let aps = Aps::new().badge(1).relevance_score(score);
        assert_eq!(refused(PushType::Alert, aps), ErrorKind::InvalidValue);
    }
    for more in [
        Aps::background().alert("hi"),
        Aps::background().badge(1),
        Aps::background().sound("s"),
        Aps::background().category("c"),
        Aps::new(),
    ] {
        assert_eq!(refused(PushType::Background, more), invalid);
    }
    assert_eq!(refused(PushType::Widgets, Aps::new()), ErrorKind::MissingField);
    assert_eq!(refused(PushType::Controls, Aps::new()), ErrorKind::MissingField);
    assert_eq!(
        refused(PushType::LiveActivity, Aps::new().alert("x")),
        ErrorKind::MissingField
    );
    assert_eq!(refused(PushType::Alert, Payload::mdm("m")), invalid);
    assert_eq!(refused(PushType::Mdm, Aps::new()), ErrorKind::MissingField);
}

#[test]
fn a_background_push_is_content_available_alone() {
    let payload = Payload::new(Aps::background()).custom("acme", 7).unwrap();
    assert_eq!(
        encoded(PushType::Background, payload).unwrap(),
        r#"{"aps":{"content-available":1},"acme":7}"#
    );
}

#[test]
fn bodies_without_aps_and_widgets_are_apples() {
    assert_eq!(
        encoded(PushType::Mdm, Payload::mdm("0FCE4D0A")).unwrap(),
        r#"{"mdm":"0FCE4D0A"}"#
    );
    assert_eq!(
        encoded(PushType::FileProvider, Payload::file_provider("root", "d")).unwrap(),
        r#"{"container-identifier":"root","domain":"d"}"#
    );
    for kind in [PushType::Widgets, PushType::Controls] {
        assert_eq!(
            encoded(kind, Payload::content_changed()).unwrap(),
            r#"{"aps":{"content-changed":true}}"#
        );
    }
}

#[test]
fn a_live_activity_starts_with_an_alert_of_objects() {
    let activity = LiveActivity::start(
        UnixTime::from_millis(1_764_422_709_999),
        "AdventureAttributes",
        json!({"currentHealth": 100, "maxHealth": 100}),
        json!({"currentHealthLevel": 100, "eventDescription": "Adventure has begun!"}),
    );
    let alert = Alert::new()
        .title(Text::localized("%@ is on an adventure!", ["Power Panda"]))
        .body(Text::localized("%@ found a sword!", ["Power Panda"]));
    let given = Aps::new()
        .live_activity(activity.clone())
        .alert(alert)
        .sound("chime.aiff");
    assert_eq!(
        encoded(PushType::LiveActivity, given).unwrap(),
        concat!(
            r#"{"aps":{"timestamp":1764422709,"event":"start","#,
            r#""content-state":{"currentHealthLevel":100,"eventDescription":"Adventure has begun!"},"#,
            r#""attributes-type":"AdventureAttributes","#,
            r#""attributes":{"currentHealth":100,"maxHealth":100},"#,
            r#""alert":{"title":{"loc-key":"%@ is on an adventure!","loc-args":["Power Panda"]},"#,
            r#""body":{"loc-key":"%@ found a sword!","loc-args":["Power Panda"]},"sound":"chime.aiff"}}}"#
        )
    );
    let silent = Aps::new().live_activity(activity);
    assert_eq!(refused(PushType::LiveActivity, silent), ErrorKind::MissingField);
}

#[test]
fn a_started_activity_is_updated_by_token_or_channel() {
    let activity = || LiveActivity::start(UnixTime::from_secs(1_764_422_701), "A", json!({}), json!({}));
    let with = |input| {
        let aps = Aps::new().alert("x").live_activity(activity().input_push(input));
        encoded(PushType::LiveActivity, aps).unwrap()
    };
    assert!(with(InputPush::Token).contains(r#""input-push-token":1"#));
    let channel = ChannelId::parse("dHN0LXNyY2gtY2hubA==").unwrap();
    assert!(with(InputPush::Channel(channel)).contains(r#""input-push-channel":"dHN0LXNyY2gtY2hubA==""#));
    let update =
        LiveActivity::update(UnixTime::from_secs(1_764_422_701), json!({})).input_push(InputPush::Token);
    let refused_live = |activity| {
        refused(
            PushType::LiveActivity,
            Aps::new().alert("x").live_activity(activity),
        )
    };
    assert_eq!(refused_live(update), ErrorKind::Conflict);
    let channel = ChannelId::parse("dHN0LXNyY2gtY2hubA==").unwrap();
    let both = activity()
        .input_push(InputPush::Token)
        .input_push(InputPush::Channel(channel));
    assert_eq!(refused_live(both), ErrorKind::Conflict);
    assert_eq!(
        refused_live(activity().dismissal_date(UnixTime::from_secs(1_764_422_720))),
        ErrorKind::Conflict
    );
}

#[test]
fn the_start_of_an_activity_shows_something() {
    let start = |alert: Alert| {
        let activity = LiveActivity::start(UnixTime::from_secs(1_764_422_701), "A", json!({}), json!({}));
        encoded(
            PushType::LiveActivity,
            Aps::new().alert(alert).live_activity(activity),
        )
    };
    for empty in [
        Alert::new(),
        Alert::line(""),
        Alert::new().title("").body(""),
        Alert::new()
            .extra("title", "")
            .extra("body", serde_json::Value::Null),
        Alert::new().subtitle("only"),
        Alert::new().extra("launch-image", "x.png"),
    ] {
        assert_eq!(start(empty).unwrap_err().kind(), ErrorKind::MissingField);
    }
    for shown in [
        Alert::line("x"),
        Alert::new().title("x"),
        Alert::new().body(Text::localized("k", ["v"])),
        Alert::new().extra("title", "x"),
        Alert::new().extra("loc-key", "x"),
    ] {
        assert!(start(shown).is_ok());
    }
}

#[test]
fn times_of_an_activity_are_dates() {
    let date = UnixTime::from_secs(1_764_422_701);
    for wrong in [UnixTime::from_secs(60), UnixTime::from_secs(1_764_422_701_000)] {
        for activity in [
            LiveActivity::update(wrong, json!({})),
            LiveActivity::update(date, json!({})).stale_date(wrong),
            LiveActivity::end(date, None).dismissal_date(wrong),
        ] {
            let given = Aps::new().live_activity(activity);
            assert_eq!(refused(PushType::LiveActivity, given), ErrorKind::InvalidValue);
        }
    }
}

#[test]
fn a_live_activity_is_updated_and_ended() {
    let update = LiveActivity::update(UnixTime::from_secs(1_764_422_710), json!({"a": 1}))
        .stale_date(UnixTime::from_secs(1_764_422_720));
    let given = Aps::new().live_activity(update).relevance_score(100.0);
    assert_eq!(
        encoded(PushType::LiveActivity, given).unwrap(),
        r#"{"aps":{"timestamp":1764422710,"event":"update","content-state":{"a":1},"stale-date":1764422720,"relevance-score":100}}"#
    );
    let end = LiveActivity::end(UnixTime::from_secs(1_764_422_730), Some(json!({"a": 2})))
        .dismissal_date(UnixTime::from_secs(0));
    assert_eq!(
        encoded(PushType::LiveActivity, Aps::new().live_activity(end)).unwrap(),
        r#"{"aps":{"timestamp":1764422730,"event":"end","content-state":{"a":2},"dismissal-date":0}}"#
    );
    let plain = LiveActivity::end(UnixTime::from_secs(1_764_422_730), None);
    assert_eq!(
        encoded(PushType::LiveActivity, Aps::new().live_activity(plain)).unwrap(),
        r#"{"aps":{"timestamp":1764422730,"event":"end"}}"#
    );
    let score = LiveActivity::update(UnixTime::from_secs(1_764_422_701), json!({}));
    let score = Aps::new().live_activity(score).relevance_score(f64::NAN);
    assert_eq!(refused(PushType::LiveActivity, score), ErrorKind::InvalidValue);
}

#[test]
fn custom_keys_stand_beside_aps() {
    let payload = Payload::new(Aps::new().alert("x"))
        .custom("a", json!({"b": [1, null]}))
        .and_then(|payload| payload.custom("ü", "é"))
        .unwrap();
    assert_eq!(
        encoded(PushType::Alert, payload.clone()).unwrap(),
        r#"{"aps":{"alert":"x"},"a":{"b":[1,null]},"ü":"é"}"#
    );
    assert_eq!(
        payload.custom("aps", 1).unwrap_err().kind(),
        ErrorKind::ReservedKey
    );
    let raw = Payload::raw(b"{}".to_vec()).unwrap();
    assert_eq!(raw.custom("a", 1).unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn raw_json_is_sent_byte_for_byte() {
    let text = "{ \"aps\" : {\"anything\": 1e2} , \"z\":-0 }";
    for kind in PushType::ALL.iter().copied() {
        let payload = Payload::raw(text.as_bytes().to_vec()).unwrap();
        assert_eq!(encoded(kind, payload).unwrap(), text);
    }
    assert_eq!(
        Payload::raw(Vec::new()).unwrap_err().kind(),
        ErrorKind::PayloadEmpty
    );
    let deep = "[".repeat(100_000);
    for bad in [
        "x",
        "[1]",
        "1",
        "null",
        r#"{"a":1,"a":2}"#,
        r#"{"a":1e400}"#,
        r#"{"a":NaN}"#,
        "\u{feff}{}",
        &deep,
    ] {
        let error = Payload::raw(bad.as_bytes().to_vec()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPayload);
    }
}
