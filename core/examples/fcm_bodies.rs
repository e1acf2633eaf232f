//! Prints what the FCM room makes, for `tests/interop/fcm/compare.py` to hold beside what
//! Google's own client and another JWT library make.
//!
//! `bodies`: one line per message, its name, a tab, its JSON. `parse`: reads JSON bodies from
//! standard input, one a line, and writes them out again through the types. `assertion FILE
//! SECONDS`: the body of a token request of that service account at that time.

use std::io::{BufRead, Error};
use std::time::Duration;

use pushcore::fcm::{
    AndroidConfig, AndroidFcmOptions, AndroidNotification, AndroidPriority, ApnsConfig, ApnsFcmOptions,
    Color, Credentials, FcmOptions, JsonObject, LightSettings, Message, MessageBuilder, Notification,
    NotificationPriority, Proxy, Target, Timestamp, Visibility, WebpushConfig, WebpushFcmOptions,
};
use pushcore::{Now, UnixTime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bodies"] => {
            for (name, target, builder) in messages()? {
                let body = builder.build(target)?.body();
                println!("{name}\t{}", String::from_utf8(body)?);
            }
        }
        ["parse"] => {
            for line in std::io::stdin().lock().lines() {
                let body = Message::from_json(line?.as_bytes())?.body();
                println!("{}", String::from_utf8(body)?);
            }
        }
        ["assertion", file, seconds] => {
            let text = std::fs::File::open(file).and_then(std::io::read_to_string)?;
            let credentials = Credentials::service_account(text.as_bytes())?;
            let now = Now::new(Duration::ZERO, UnixTime::from_secs(seconds.parse()?));
            let call = credentials.token_request(now)?;
            println!("{}", String::from_utf8(call.request.body.as_bytes().to_vec())?);
        }
        _ => return Err(Error::other("usage: fcm_bodies bodies | parse | assertion FILE SECONDS").into()),
    }
    Ok(())
}

type Named = (&'static str, Target, MessageBuilder);

fn messages() -> Result<Vec<Named>, pushcore::Error> {
    let token = || Target::token("tok:1\"\\");
    let m = Message::builder;
    let drawn = |it: AndroidNotification| m().android(AndroidConfig::new().notification(it));
    let n = AndroidNotification::new;
    let light = |color: &str| -> Result<LightSettings, pushcore::Error> {
        Ok(LightSettings::new()
            .color(Color::from_hex(color)?)
            .light_on_duration(Duration::from_millis(200))
            .light_off_duration(Duration::from_millis(300)))
    };
    let strings = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
    let json = |text: &str| JsonObject::parse(text.as_bytes());
    Ok(vec![
        ("token_only", token()?, m()),
        ("fid", Target::fid("c1xYz_-09")?, m().notification(Notification::new().title("t"))),
        ("topic", Target::topic("news")?, m().data([("k", "v")])),
        (
            "condition",
            Target::condition("'a' in topics && ('b' in topics || 'c' in topics)")?,
            m().data([("k", "v")]),
        ),
        (
            "notification",
            token()?,
            m().notification(Notification::new().title("Grüße").body("\u{1f600} \"q\" \\ \n").image("https://a.example/i.png")),
        ),
        ("data", token()?, m().data([("z", "1"), ("a", ""), ("ключ", "значение")])),
        (
            "android_normal",
            token()?,
            m().android(AndroidConfig::new().priority(AndroidPriority::Normal).collapse_key("ck")),
        ),
        (
            "android_high_ttl",
            token()?,
            m().android(
                AndroidConfig::new()
                    .priority(AndroidPriority::High)
                    .ttl(Duration::from_secs(3600))
                    .restricted_package_name("com.example.app")
                    .data([("x", "y")]),
            ),
        ),
        ("android_ttl_zero", token()?, m().android(AndroidConfig::new().ttl(Duration::ZERO))),
        ("android_ttl_fraction", token()?, m().android(AndroidConfig::new().ttl(Duration::from_millis(1500)))),
        (
            "android_flags",
            token()?,
            m().android(
                AndroidConfig::new()
                    .direct_boot_ok(true)
                    .bandwidth_constrained_ok(true)
                    .restricted_satellite_ok(true)
                    .fcm_options(AndroidFcmOptions::new().analytics_label("label-1")),
            ),
        ),
        (
            "android_texts",
            token()?,
            drawn(
                n().title("t").body("b").icon("i").color("#aabbcc").sound("default").tag("tag")
                    .click_action("OPEN").channel_id("ch").ticker("tick").image("https://a.example/i.png"),
            ),
        ),
        (
            "android_loc",
            token()?,
            drawn(
                n().body_loc_key("bk").body_loc_args(strings(&["1", "2"])).title_loc_key("tk")
                    .title_loc_args(strings(&["3"])),
            ),
        ),
        (
            "android_behaviour",
            token()?,
            drawn(
                n().sticky(true).local_only(true).default_sound(true).default_vibrate_timings(true)
                    .default_light_settings(true).notification_count(7),
            ),
        ),
        (
            "android_event_time",
            token()?,
            drawn(n().event_time(Timestamp::parse("2026-11-22T07:08:09.123456Z")?)),
        ),
        ("android_priority_min", token()?, drawn(n().notification_priority(NotificationPriority::Min))),
        ("android_priority_max", token()?, drawn(n().notification_priority(NotificationPriority::Max))),
        ("android_visibility", token()?, drawn(n().visibility(Visibility::Secret))),
        (
            "android_vibrate",
            token()?,
            drawn(n().vibrate_timings(vec![Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2)])),
        ),
        ("android_light", token()?, drawn(n().light_settings(light("#0aff00")?))),
        ("android_light_alpha", token()?, drawn(n().light_settings(light("#11223344")?))),
        ("android_proxy", token()?, drawn(n().proxy(Proxy::IfPriorityLowered))),
        (
            "webpush_headers",
            token()?,
            m().webpush(
                WebpushConfig::new()
                    .headers([("TTL", "60"), ("Urgency", "high")])
                    .data([("w", "1")])
                    .fcm_options(WebpushFcmOptions::new().link("https://a.example/")),
            ),
        ),
        (
            "webpush_notification",
            token()?,
            m().webpush(WebpushConfig::new().notification(json(
                r#"{"title":"t","body":"b","icon":"i","actions":[{"action":"a","title":"A","icon":"x"}],
                "badge":"bd","data":{"k":[1,2]},"dir":"rtl","image":"img","lang":"de","renotify":true,
                "requireInteraction":true,"silent":true,"tag":"tg","timestamp":100,"vibrate":[200,100],"custom":"c"}"#,
            )?)),
        ),
        (
            "apns_alert",
            token()?,
            m().apns(
                ApnsConfig::new()
                    .headers([("apns-priority", "10"), ("apns-collapse-id", "c")])
                    .payload(json(
                        r#"{"aps":{"alert":{"title":"t","subtitle":"s","body":"b","loc-key":"lk","loc-args":["x"],
                        "title-loc-key":"tlk","title-loc-args":["y"],"action-loc-key":"alk","launch-image":"li"},
                        "badge":0,"sound":"default","content-available":1,"mutable-content":1,"category":"cat",
                        "thread-id":"th"},"custom":{"deep":true}}"#,
                    )?),
            ),
        ),
        (
            "apns_critical",
            token()?,
            m().apns(ApnsConfig::new().payload(json(
                r#"{"aps":{"alert":"plain","sound":{"critical":1,"name":"s","volume":0.5}}}"#,
            )?)),
        ),
        (
            "apns_background",
            token()?,
            m().apns(
                ApnsConfig::new()
                    .headers([("apns-priority", "5")])
                    .payload(json(r#"{"aps":{"content-available":1}}"#)?),
            ),
        ),
        (
            "apns_options",
            token()?,
            m().apns(
                ApnsConfig::new()
                    .fcm_options(ApnsFcmOptions::new().analytics_label("l2").image("https://a.example/i.png")),
            ),
        ),
        (
            "apns_live_activity",
            token()?,
            m().apns(
                ApnsConfig::new()
                    .live_activity_token("live-1")
                    .payload(json(r#"{"aps":{"timestamp":1,"event":"update","content-state":{"n":1}}}"#)?),
            ),
        ),
        ("fcm_options", token()?, m().fcm_options(FcmOptions::new().analytics_label("l3"))),
    ])
}
