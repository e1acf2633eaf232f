//! Messages of every service as JSON: the vectors' messages damaged in every way, and random
//! messages that are built, written, read back, and must make the same request.
//!
//! `PUSHCORE_JSON_ROUNDS=100000` makes that many random messages of each service (a release build is quicker).

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may read files, and may fail"
)]

use std::time::Duration;

use pushcore::crypto::Es256Key;
use pushcore::http::Request;
use pushcore::service::{Kind, Message, Target, Template};
use pushcore::webpush::{EndpointPolicy, ReceiverKeys, Subscription};
use pushcore::{Now, UnixTime, adm, apns, baidu, fcm, webpush};
use serde_json::{Map, Value, json};

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_500_000_000));

/// A generator of small numbers (splitmix64): the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Once in `n`.
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    fn text(&mut self) -> String {
        const PARTS: &[&str] = &[
            "a", "Z", "0", " ", "\"", "\\", "/", "\u{0}", "\u{1f}", "\n", "é", "你好", "😀", "\u{2028}", "<",
            "%41", "key",
        ];
        let count = self.below(8);
        (0..count).map(|_| *self.pick(PARTS)).collect()
    }

    fn word(&mut self) -> String {
        let count = 1 + self.below(12);
        (0..count)
            .map(|_| *self.pick(&["a", "b", "Z", "0", "9", "-", "_"]))
            .collect()
    }

    fn value(&mut self, depth: u64) -> Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => self.one_in(2).into(),
            2 => self.next().into(),
            3 => json!(i64::from_ne_bytes(self.next().to_ne_bytes())),
            4 => {
                let number = f64::from_bits(self.next());
                json!(if number.is_finite() { number } else { 0.5 })
            }
            5 => self.text().into(),
            6 => {
                let count = self.below(3);
                (0..count).map(|_| self.value(depth - 1)).collect()
            }
            _ => Value::Object(self.map(depth - 1)),
        }
    }

    fn map(&mut self, depth: u64) -> Map<String, Value> {
        let count = self.below(4);
        (0..count)
            .map(|n| (format!("{}{n}", self.text()), self.value(depth)))
            .collect()
    }

    fn texts(&mut self) -> Vec<String> {
        let count = self.below(3);
        (0..count).map(|_| self.text()).collect()
    }
}

/// JSON text of an object with odd spacing.
fn spaced(map: &Map<String, Value>) -> String {
    serde_json::to_string_pretty(map).unwrap()
}

fn rounds() -> u64 {
    match std::env::var("PUSHCORE_JSON_ROUNDS") {
        Ok(text) => text.parse().expect("PUSHCORE_JSON_ROUNDS is a number"),
        Err(_) => 2000,
    }
}

/// Everything that goes out, but for what is signed or random.
fn parts(request: &Request) -> (String, Vec<(String, String)>, Vec<u8>) {
    let headers = request
        .all_headers()
        .filter(|header| header.name != "authorization")
        .map(|header| (header.name.to_owned(), header.value.to_owned()))
        .collect();
    (
        format!("{} {}", request.method.as_str(), request.url()),
        headers,
        request.body.as_bytes().to_vec(),
    )
}

struct Services {
    adm: adm::Credentials,
    apns: apns::Credentials,
    baidu: baidu::Credentials,
    fcm: fcm::Credentials,
    web_push: webpush::Credentials,
    receiver: ReceiverKeys,
}

impl Services {
    fn new() -> Self {
        let adm = adm::Credentials::new("id", "s").unwrap();
        adm.supply_token("t", Duration::from_secs(60), NOW).unwrap();
        let fcm = fcm::Credentials::host_tokens(fcm::ProjectId::new("my-app").unwrap());
        fcm.supply_token("t", Duration::from_secs(60), NOW).unwrap();
        Self {
            adm,
            apns: apns::Credentials::token(
                apns::KeyId::parse("ABC123DEFG").unwrap(),
                apns::TeamId::parse("DEF123GHIJ").unwrap(),
                Es256Key::generate().unwrap(),
            ),
            baidu: baidu::Credentials::new("AK", "SK").unwrap(),
            fcm,
            web_push: webpush::Credentials::new(Es256Key::generate().unwrap(), "mailto:a@example.com")
                .unwrap(),
            receiver: ReceiverKeys::generate().unwrap(),
        }
    }

    /// What goes out for a message; of Web Push the body as it is decrypted.
    fn sent(&self, message: &Message) -> (String, Vec<(String, String)>, Vec<u8>) {
        let hosts = apns::Environment::Production.hosts();
        let request = match message {
            Message::Adm(it) => adm::request(it, &self.adm, &adm::default_authority(), NOW),
            Message::AdmAudience(it) => adm::audience_request(it, &self.adm, &adm::default_authority(), NOW),
            Message::Apns(it) => apns::request(it, &self.apns, &hosts, NOW),
            Message::ApnsBroadcast(it) => apns::broadcast_request(it, &self.apns, &hosts, NOW),
            Message::Baidu(it) => baidu::request(it, &self.baidu, &baidu::default_authority(), NOW),
            Message::Fcm(it) => fcm::request(it, &self.fcm, &fcm::Hosts::default(), NOW),
            Message::WebPush(it) => webpush::request(it, &self.web_push, NOW),
            other => panic!("{other:?}"),
        };
        let (url, headers, mut body) = parts(&request.unwrap());
        if matches!(message, Message::WebPush(_)) && !body.is_empty() {
            let length = body.len().to_be_bytes();
            body = self.receiver.decrypt(&body).unwrap();
            // Padding shows in the length only.
            body.extend_from_slice(&length);
        }
        (url, headers, body)
    }
}

fn apns_payload(random: &mut Random, kind: apns::PushType) -> Result<apns::Payload, pushcore::Error> {
    if random.one_in(6) {
        let raw = spaced(&random.map(2));
        return apns::Payload::raw(
            format!("{}{raw}\n", if random.one_in(2) { " " } else { "" }).into_bytes(),
        );
    }
    if kind == apns::PushType::Mdm {
        return apns::Payload::mdm(random.text()).custom("k", random.value(1));
    }
    if kind == apns::PushType::FileProvider {
        return Ok(apns::Payload::file_provider(random.text(), random.text()));
    }
    let mut aps = apns::Aps::new();
    let text = |random: &mut Random| match random.one_in(2) {
        true => apns::Text::Plain(random.text()),
        false => apns::Text::localized(random.text(), random.texts()),
    };
    let quiet = matches!(kind, apns::PushType::Background);
    if !quiet && !random.one_in(3) {
        let mut alert = apns::Alert::line(random.text());
        if random.one_in(2) {
            alert = apns::Alert::new()
                .title(text(random))
                .subtitle(text(random))
                .body(text(random));
        }
        if random.one_in(3) {
            alert = alert
                .launch_image(random.text())
                .extra(random.word(), random.value(2));
        }
        aps = aps.alert(alert);
    }
    if !quiet && random.one_in(2) {
        aps = aps.badge(random.next() as u32).sound(random.text().as_str());
    }
    if random.one_in(4) && !quiet {
        aps = aps.sound(apns::Sound::critical(
            random.text(),
            random.below(1001) as f64 / 1000.0,
        )?);
    }
    if quiet || random.one_in(4) {
        aps = aps.content_available();
    }
    if !quiet && random.one_in(3) {
        aps = aps
            .thread_id(random.text())
            .category(random.text())
            .target_content_id(random.text())
            .filter_criteria(random.text())
            .relevance_score(random.below(1_000_000) as f64 / 1_000_000.0)
            .interruption_level(*random.pick(&[
                apns::InterruptionLevel::Passive,
                apns::InterruptionLevel::Active,
                apns::InterruptionLevel::TimeSensitive,
                apns::InterruptionLevel::Critical,
            ]));
    }
    if random.one_in(8) && !quiet {
        aps = aps.url_args(random.texts()).mutable_content();
    }
    if matches!(kind, apns::PushType::Widgets | apns::PushType::Controls) {
        aps = aps.content_changed();
    }
    if kind == apns::PushType::LiveActivity {
        let time = UnixTime::from_secs(random.below(1 << 40));
        let mut state = match random.below(3) {
            0 => apns::LiveActivity::start(time, random.text(), random.value(2), random.value(2)),
            1 => apns::LiveActivity::update(time, random.value(2)),
            _ => apns::LiveActivity::end(time, random.one_in(2).then(|| random.value(2))),
        };
        if random.one_in(2) {
            state = state
                .stale_date(time)
                .dismissal_date(UnixTime::from_secs(0))
                .input_push(apns::InputPush::Token);
        }
        aps = aps.live_activity(state);
    }
    if random.one_in(5) {
        aps = aps.extra(random.word(), random.value(2));
    }
    let mut payload = apns::Payload::new(aps);
    for _ in 0..random.below(3) {
        payload = payload.custom(random.text(), random.value(3))?;
    }
    Ok(payload)
}

fn apns_message(random: &mut Random) -> Result<Message, pushcore::Error> {
    use apns::{ApnsId, BundleId, CollapseId, Expiration, Priority};
    let id = |random: &mut Random| {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&random.next().to_be_bytes());
        ApnsId::from_bytes(bytes)
    };
    let expiration = |random: &mut Random| match random.below(4) {
        0 => Expiration::Absent,
        1 => Expiration::Once,
        _ => Expiration::Until(UnixTime::from_secs(1_500_000_000 + random.below(28_000))),
    };
    let priority = |random: &mut Random| {
        *random.pick(&[Priority::Immediate, Priority::PowerAware, Priority::PowerFirst])
    };
    if random.one_in(8) {
        let policy = *random.pick(&[apns::StoragePolicy::NoStorage, apns::StoragePolicy::MostRecent]);
        let channel = apns::ChannelId::parse("dHN0LXNyY2gtY2hubA==")?;
        let state = apns::LiveActivity::update(UnixTime::from_secs(1), random.value(2));
        let mut builder = apns::Broadcast::builder(BundleId::parse("com.example.app")?, channel, policy)
            .payload(apns::Aps::new().live_activity(state));
        if random.one_in(2) {
            builder = builder.expiration(expiration(random)).id(id(random));
        }
        if random.one_in(2) {
            builder = builder
                .priority(priority(random))
                .header_policy(apns::HeaderPolicy::Sending);
        }
        return builder.build().map(Message::from);
    }
    let kind = *random.pick(apns::PushType::ALL);
    let token = match random.one_in(4) {
        true => apns::DeviceToken::lenient(&random.text())?,
        false => apns::DeviceToken::from_bytes(&random.next().to_be_bytes())?,
    };
    let mut builder = apns::Message::builder(kind).device(token);
    builder = match random.one_in(3) {
        true => builder.topic(apns::Topic::parse(&format!(
            "com.example.app{}",
            kind.topic_suffix()
        ))?),
        false => builder.bundle(BundleId::parse("com.example.app")?),
    };
    if !random.one_in(5) {
        builder = builder.payload(apns_payload(random, kind)?);
    }
    if random.one_in(3) {
        builder = builder.expiration(expiration(random));
    }
    if random.one_in(3) {
        builder = builder.priority(priority(random));
    }
    if random.one_in(3) {
        builder = builder
            .id(id(random))
            .collapse_id(CollapseId::parse(&random.word())?);
    }
    if random.one_in(4) {
        builder = builder
            .registered_at(UnixTime::from_millis(random.next()))
            .header_policy(apns::HeaderPolicy::Sending);
    }
    builder.build().map(Message::from)
}

fn fcm_message(random: &mut Random) -> Result<Message, pushcore::Error> {
    use fcm::*;
    let target = match random.below(5) {
        0 => Target::topic(&random.word())?,
        1 => Target::condition("'a' in topics || 'b' in topics")?,
        2 => Target::fid(&random.word())?,
        3 => Target::token("tok:1\"\\")?,
        _ => Target::token(&random.word())?,
    };
    let strings = |random: &mut Random| -> StringMap {
        let count = random.below(4);
        (0..count)
            .map(|n| (format!("k{n}{}", random.text()), random.text()))
            .collect()
    };
    let duration =
        |random: &mut Random| Duration::new(random.below(2_000_000), random.below(1_000_000_000) as u32);
    let mut builder = Message::builder();
    if random.one_in(2) {
        builder = builder.data(strings(random));
    }
    if random.one_in(2) {
        let mut it = Notification::new().title(random.text()).body(random.text());
        if random.one_in(4) {
            it = it
                .image(random.text())
                .extra(format!("n{}", random.word()), random.value(2));
        }
        builder = builder.notification(it);
    }
    if random.one_in(2) {
        let mut it = AndroidConfig::new()
            .ttl(duration(random))
            .collapse_key(random.text());
        if random.one_in(2) {
            it = it
                .priority(*random.pick(&[AndroidPriority::Normal, AndroidPriority::High]))
                .data(strings(random));
        }
        if random.one_in(2) {
            let light = LightSettings::new()
                .color(Color {
                    red: random.next() as u8,
                    green: random.next() as u8,
                    blue: 0,
                    alpha: random.next() as u8,
                })
                .light_on_duration(duration(random))
                .light_off_duration(duration(random));
            it = it.notification(
                AndroidNotification::new()
                    .title_loc_key(random.text())
                    .title_loc_args(random.texts())
                    .color("#00ff00")
                    .event_time(Timestamp::from(UnixTime::from_millis(random.below(1 << 42))))
                    .notification_count((random.next() >> 40) as i32)
                    .vibrate_timings(vec![duration(random)])
                    .visibility(*random.pick(&[Visibility::Secret, Visibility::Public]))
                    .sticky(random.one_in(2))
                    .light_settings(light),
            );
        }
        if random.one_in(4) {
            it = it
                .direct_boot_ok(true)
                .extra(format!("n{}", random.word()), random.value(2));
        }
        builder = builder.android(it);
    }
    if random.one_in(3) {
        let mut it = ApnsConfig::new().payload(random.map(3));
        if random.one_in(2) {
            it = it.headers([("apns-priority", "5")]).live_activity_token("t");
        }
        builder = builder.apns(it.fcm_options(ApnsFcmOptions::new().image(random.text())));
    }
    if random.one_in(3) {
        let it = WebpushConfig::new()
            .notification(random.map(3))
            .data(strings(random));
        builder = builder.webpush(it.headers([("TTL", "5")]));
    }
    if random.one_in(4) {
        builder = builder.fcm_options(FcmOptions::new().analytics_label(random.word()));
    }
    if random.one_in(4) {
        builder = builder.extra(format!("n{}", random.word()), random.value(3));
    }
    let message = builder.build(target)?;
    Ok(message.validate_only(random.one_in(4)).into())
}

fn adm_message(random: &mut Random) -> Result<Message, pushcore::Error> {
    let mut builder = adm::Message::builder();
    for _ in 0..random.below(4) {
        builder = builder.data(random.text(), random.text());
    }
    if random.one_in(3) {
        builder = builder.notification(spaced(&random.map(2)).as_bytes())?;
    }
    if random.one_in(2) {
        builder = builder.priority(*random.pick(&[adm::Priority::Normal, adm::Priority::High]));
    }
    if random.one_in(3) {
        builder = builder.consolidation_key(random.text());
    }
    if random.one_in(3) {
        builder = builder.expires_after(Duration::from_millis(50_000 + random.below(2_700_000_000)));
    }
    if random.one_in(3) {
        builder = builder.with_md5();
    }
    for _ in 0..random.below(3) {
        let name = match random.one_in(2) {
            true => (*random.pick(&["priority", "md5", "expiresAfter", "topic", "extra"])).to_owned(),
            false => random.text(),
        };
        builder = builder.extra(name, random.value(2));
    }
    Ok(match random.below(3) {
        0 => builder
            .build_for(adm::Audience::Topic(adm::Topic::new(&random.text())?))?
            .into(),
        1 => builder
            .build_for(adm::Audience::Group(adm::Group::new(&random.word())?))?
            .into(),
        _ => builder.build(adm::RegistrationId::new(&random.word())?)?.into(),
    })
}

fn baidu_message(random: &mut Random) -> Result<Message, pushcore::Error> {
    let kind = random.below(4);
    let mut builder = match kind {
        0 => baidu::Message::android_raw(spaced(&random.map(3)).as_bytes())?,
        1 => {
            let mut map = random.map(2);
            map.insert("aps".to_owned(), json!({"alert": random.text()}));
            baidu::Message::ios(spaced(&map).as_bytes())?
        }
        2 => {
            let mut map = random.map(2);
            map.insert("description".to_owned(), random.text().into());
            baidu::Message::android(baidu::AndroidNotification::from_json(spaced(&map).as_bytes())?)?
        }
        _ => {
            let open = match random.below(3) {
                0 => baidu::OpenType::App,
                1 => baidu::OpenType::Package(random.text()),
                _ => baidu::OpenType::Url {
                    url: random.text(),
                    confirm: random.one_in(2),
                },
            };
            let it = baidu::AndroidNotification::new(random.text())
                .title(random.text())
                .builder_id(random.next() as u32)
                .basic_style(random.one_in(2), random.one_in(2), random.one_in(2))
                .open(open)
                .custom_content(random.map(2))
                .extra("net_support", random.value(1));
            baidu::Message::android(it)?
        }
    };
    // Required for iOS, refused for Android.
    if (kind == 1) != random.one_in(12) {
        builder = builder.deploy_status(
            *random.pick(&[baidu::DeployStatus::Development, baidu::DeployStatus::Production]),
        );
    }
    if random.one_in(3) {
        builder = builder.expires_after(Duration::from_millis(500 + random.below(600_000_000)));
    }
    let target = match random.below(5) {
        0 => baidu::Target::devices(["1", "x\"y"])?,
        1 => baidu::Target::all(),
        2 => baidu::Target::tag(&random.text())?,
        3 => baidu::Target::selector(spaced(&random.map(2)).as_bytes())?,
        _ => baidu::Target::device(&random.word())?,
    };
    if random.one_in(4) {
        builder = builder.topic_id(random.text());
    }
    if random.one_in(4) {
        builder = builder.send_at(UnixTime::from_millis(1_500_000_100_000 + random.below(1 << 34)));
    }
    builder.build(target).map(Message::from)
}

fn web_push_message(random: &mut Random, receiver: &ReceiverKeys) -> Result<Message, pushcore::Error> {
    let endpoint = *random.pick(&[
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://fcm.googleapis.com/fcm/send/x",
        "https://web.push.apple.com/x",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYA%2bd%3D",
    ]);
    let json = receiver.subscription_json(endpoint);
    let mut subscription = Subscription::parse(json.as_bytes(), &EndpointPolicy::default())?;
    if random.one_in(3) {
        subscription = subscription.created_at(UnixTime::from_millis(random.below(1 << 41)));
    }
    let mut builder = webpush::Message::builder(subscription);
    builder = match random.below(4) {
        0 => builder,
        1 => builder.payload(random.text()),
        2 => builder.payload(spaced(&random.map(2))),
        _ => {
            let count = random.below(40);
            builder.payload(
                (0..count)
                    .map(|_| (random.next() >> 20) as u8)
                    .collect::<Vec<_>>(),
            )
        }
    };
    if random.one_in(2) {
        builder = builder.ttl(Duration::from_millis(random.below(1 << 36)));
    }
    if random.one_in(2) {
        use webpush::Urgency::*;
        builder = builder.urgency(*random.pick(&[VeryLow, Low, Normal, High]));
    }
    if random.one_in(2) {
        builder = builder.topic(webpush::Topic::new(&random.word())?);
    }
    if random.one_in(2) {
        let size = usize::try_from(random.below(4200)).unwrap();
        builder = builder.padding(*random.pick(&[
            webpush::Padding::None,
            webpush::Padding::ToLength(size),
            webpush::Padding::ToMultipleOf(size),
        ]));
    }
    if random.one_in(4) {
        builder = builder.receipt(true);
    } else if random.one_in(4) {
        builder = builder.receipts_at(webpush::Endpoint::parse("https://fcm.googleapis.com/r/1")?);
        if random.one_in(3) {
            builder = builder.receipt(false);
        }
    }
    builder.build().map(Message::from)
}

#[test]
fn random_messages_come_back() {
    let services = Services::new();
    let rounds = rounds();
    for kind in Kind::ALL {
        let mut random = Random(0x5eed + *kind as u64);
        let mut accepted = 0_u64;
        for round in 0..rounds {
            let made = match kind {
                Kind::Adm => adm_message(&mut random),
                Kind::Apns => apns_message(&mut random),
                Kind::Baidu => baidu_message(&mut random),
                Kind::Fcm => fcm_message(&mut random),
                Kind::WebPush => web_push_message(&mut random, &services.receiver),
                other => panic!("no generator for {other}"),
            };
            // A builder refuses what the service would refuse, and random messages are often that.
            let Ok(message) = made else { continue };
            accepted += 1;
            let json = message.to_json();
            let back = Message::from_json(*kind, json.as_bytes())
                .unwrap_or_else(|error| panic!("{kind} {round}: {error}\n{json}"));
            assert_eq!(
                services.sent(&back),
                services.sent(&message),
                "{kind} {round}\n{json}"
            );
            assert_eq!(back.to_json(), json, "{kind} {round}");
            // Without its target, and to it again.
            if let Ok(template) = message.template() {
                let json = template.to_json();
                let again = Template::from_json(*kind, json.as_bytes())
                    .unwrap_or_else(|error| panic!("{kind} {round}: {error}\n{json}"));
                assert_eq!(again.to_json(), json, "{kind} {round}");
                let target = target_of(&message);
                let target = Target::parse(*kind, &target.to_text()).unwrap();
                let bytes = |message: &Message| services.sent(message).2;
                assert_eq!(
                    bytes(&again.to(&target).unwrap()),
                    bytes(&message),
                    "{kind} {round}"
                );
            }
        }
        println!("{kind}: {accepted} of {rounds} random messages accepted, and all came back");
        assert!(
            accepted * 5 > rounds * 2,
            "{kind}: only {accepted} of {rounds} were accepted"
        );
    }
}

fn target_of(message: &Message) -> Target {
    match message {
        Message::Adm(it) => Target::Adm(it.target().clone()),
        Message::AdmAudience(it) => Target::AdmAudience(it.audience().clone()),
        Message::Apns(it) => Target::Apns(it.device().clone()),
        Message::Baidu(it) => Target::Baidu(it.target().clone()),
        Message::Fcm(it) => Target::Fcm(it.target().clone()),
        Message::WebPush(it) => Target::WebPush(it.subscription().clone().into()),
        other => panic!("{other:?}"),
    }
}

/// The text of every message in the vectors.
fn vectors() -> Vec<(Kind, String, String)> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let name = kind.as_str().replace('_', "");
        let path = format!("{}/../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for section in ["encode", "broadcasts", "invalid"] {
            for row in vectors[section].as_array().into_iter().flatten() {
                let form = ["message", "broadcast", "json"]
                    .into_iter()
                    .find_map(|key| row.get(key))
                    .unwrap();
                let text = form.as_str().map_or_else(|| form.to_string(), str::to_owned);
                all.push((*kind, row["name"].to_string(), text));
            }
        }
    }
    assert!(all.len() > 250, "{}", all.len());
    all
}

#[test]
fn vectors_come_back_and_no_error_quotes_them() {
    let services = Services::new();
    let mut good = 0;
    for (kind, name, text) in vectors() {
        match Message::from_json(kind, text.as_bytes()) {
            Ok(message) => {
                good += 1;
                let back = Message::from_json(kind, message.to_json().as_bytes()).unwrap();
                if kind == Kind::WebPush || matches!(message, Message::ApnsBroadcast(_)) {
                    // Their bodies are random, or for another receiver, or their times are past.
                    assert_eq!(back.to_json(), message.to_json(), "{kind} {name}");
                } else {
                    assert_eq!(services.sent(&back), services.sent(&message), "{kind} {name}");
                }
            }
            Err(error) => {
                let context = error.context();
                assert!(
                    context.len() <= 256 && !context.contains(['\n', '\r']),
                    "{kind} {name}: {context}"
                );
                assert!(
                    !context.contains("xxxxxxxxxxxx") && !context.contains("abababab"),
                    "{context}"
                );
            }
        }
        // The JSON of one service is none of another's, but for a topic and data (ADM and FCM).
        if text.contains("\"topic\"") || Message::from_json(kind, text.as_bytes()).is_err() {
            continue;
        }
        for other in Kind::ALL.iter().filter(|other| **other != kind) {
            assert!(
                Message::from_json(*other, text.as_bytes()).is_err(),
                "{kind} {name} as {other}"
            );
        }
    }
    assert!(good > 100, "{good}");
}

#[test]
fn damaged_vectors_never_panic() {
    let mut random = Random(0xda3a9e);
    let mut count = 0_u64;
    for (kind, _, text) in vectors() {
        let bytes = text.as_bytes();
        // Long ones are long because of one string.
        let step = bytes.len() / 400 + 1;
        for end in (0..bytes.len()).step_by(step) {
            // Cut short, it is no JSON.
            let error = Message::from_json(kind, &bytes[..end]).unwrap_err();
            assert!(error.context().len() <= 256, "{error}");
            let _ = Template::from_json(kind, &bytes[..end]);
            let mut changed = bytes.to_vec();
            changed[end] = match random.below(4) {
                0 => random.next() as u8,
                1 => *random.pick(b"\"\\{}[]:,0-.e\0\xff"),
                2 => changed[end] ^ 1,
                _ => changed[end] ^ 0x20,
            };
            for outcome in [
                Message::from_json(kind, &changed).map(drop),
                Template::from_json(kind, &changed).map(drop),
            ] {
                if let Err(error) = outcome {
                    assert!(error.context().len() <= 256, "{error}");
                }
            }
            if let Ok(text) = std::str::from_utf8(&changed) {
                let _ = Target::parse(kind, text);
            }
            count += 1;
        }
    }
    println!("{count} damaged messages");
    assert!(count > 20_000, "{count}");
}

#[test]
fn a_target_of_another_service_is_refused() {
    let apns = Message::from_json(
        Kind::Apns,
        br#"{"push_type":"background","bundle":"a.b","device":"00"}"#,
    )
    .unwrap();
    let target = Target::parse(Kind::Fcm, "t").unwrap();
    let error = apns.to(&target).unwrap_err();
    assert_eq!(error.kind(), pushcore::ErrorKind::InvalidTarget);
    let to = apns.to(&Target::parse(Kind::Apns, "01ab").unwrap()).unwrap();
    let (Message::Apns(one), Message::Apns(two)) = (&apns, &to) else {
        panic!("{to:?}");
    };
    assert!(std::sync::Arc::ptr_eq(one.body(), two.body()), "encoded once");
    assert_eq!(two.device().as_str(), "01ab");
    for (kind, json) in [
        (
            Kind::Apns,
            r#"{"push_type":"background","bundle":"a.b","device":"00"}"#,
        ),
        (
            Kind::Apns,
            r#"{"push_type":"background","bundle":"a.b","id":"123e4567-e89b-12d3-a456-426614174000"}"#,
        ),
        (Kind::Fcm, r#"{"message":{"token":"t"}}"#),
        (Kind::Adm, r#"{"registration_id":"r","data":{"k":"v"}}"#),
        (Kind::Adm, r#"{"topic":"r","data":{"k":"v"}}"#),
        (
            Kind::Baidu,
            r#"{"kind":"android_raw","msg":{},"target":{"device":"1"}}"#,
        ),
        (
            Kind::WebPush,
            r#"{"subscription":{"endpoint":"https://fcm.googleapis.com/x"}}"#,
        ),
    ] {
        let error = Template::from_json(kind, json.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), pushcore::ErrorKind::InvalidTarget, "{error}");
    }
}

#[test]
fn what_needs_a_certificate_or_a_feature() {
    let json =
        r#"{"push_type":"alert","topic_of_certificate":true,"device":"00","payload":{"aps":{"alert":"x"}}}"#;
    let message = Message::from_json(Kind::Apns, json.as_bytes()).unwrap();
    let Message::Apns(push) = &message else {
        panic!("{message:?}");
    };
    assert_eq!(push.topic(), None);
    assert!(message.to_json().contains(r#""topic_of_certificate":true"#));

    let receiver = ReceiverKeys::generate().unwrap();
    let subscription = receiver.subscription_json("https://fcm.googleapis.com/x");
    let key = Es256Key::generate().unwrap();
    let (vapid, credentials) = (
        key.public_key().to_base64(),
        webpush::Credentials::new(key, "mailto:a@example.com").unwrap(),
    );
    let json = format!(
        r#"{{"subscription":{subscription},"payload":"hello","padding":{{"to_length":9}},"encoding":{{"aesgcm":"{vapid}"}}}}"#
    );
    let made = Message::from_json(Kind::WebPush, json.as_bytes());
    if !cfg!(feature = "aesgcm") {
        let error = made.unwrap_err();
        assert!(
            error.context().starts_with("message.encoding.aesgcm: "),
            "{error}"
        );
        return;
    }
    let back = Message::from_json(Kind::WebPush, made.unwrap().to_json().as_bytes()).unwrap();
    let Message::WebPush(back) = &back else {
        panic!("{back:?}");
    };
    let request = webpush::request(back, &credentials, NOW).unwrap();
    let header = |name| request.header(name).unwrap();
    let plain = receiver.decrypt_aesgcm(
        request.body.as_bytes(),
        header("crypto-key"),
        header("encryption"),
    );
    assert_eq!(plain.unwrap(), b"hello");
}
