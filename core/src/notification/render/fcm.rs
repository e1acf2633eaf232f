//! A notification as a message to FCM, with a part for each platform, as Google's documents have it.

use serde_json::json;

use super::{
    Form, apns, apple_alert, data_with_action, fitted_key, fitted_ttl, plain, put, put_object, texts,
    web_push,
};
use crate::apns::CollapseId;
use crate::notification::app::{App, Platform};
use crate::notification::content::{Text, Urgency, is_web_url};
use crate::notification::loss::{LossKind, Losses};
use crate::notification::notification::Notification;
use crate::time::Now;

/// The longest that FCM keeps a message, in seconds: four weeks.
const LONGEST_TTL: u32 = 2_419_200;

pub(super) fn form(notification: &Notification, app: &App, now: Now, losses: &mut Losses) -> Form {
    let wants = |platform| app.platform().is_none_or(|only| only == platform);
    let ttl = notification
        .ttl
        .map(|secs| fitted_ttl(secs, 0, LONGEST_TTL, losses));
    let mut form = Form::new();
    let mut shown = Form::new();
    put(&mut shown, "title", plain(notification.title.as_ref()));
    put(&mut shown, "body", plain(notification.body.as_ref()));
    put(&mut shown, "image", notification.image.as_deref());
    put_object(&mut form, "notification", shown);
    put_object(&mut form, "data", data_with_action(notification));
    if wants(Platform::Android) {
        put_object(&mut form, "android", android(notification, ttl, losses));
    }
    if wants(Platform::Apple) {
        put_object(&mut form, "apns", apple(notification, ttl, now, losses));
    }
    if wants(Platform::Web) {
        put_object(&mut form, "webpush", web(notification, ttl, losses));
    }
    form
}

fn android(notification: &Notification, ttl: Option<u32>, losses: &mut Losses) -> Form {
    let platform = Platform::Android;
    let mut android = Form::new();
    if let Some(key) = &notification.collapse_key {
        android.insert("collapse_key".into(), key.as_str().into());
    }
    if let Some(urgency) = notification.urgency {
        let priority = match urgency {
            Urgency::High => "HIGH",
            Urgency::VeryLow | Urgency::Low | Urgency::Normal => "NORMAL",
        };
        android.insert("priority".into(), priority.into());
    }
    if let Some(secs) = ttl {
        android.insert("ttl".into(), format!("{secs}s").into());
    }
    let mut shown = Form::new();
    for (name, text) in [("title", &notification.title), ("body", &notification.body)] {
        if let Some(lookup) = text.as_ref().and_then(|text| text.lookup.as_ref()) {
            shown.insert(format!("{name}_loc_key"), lookup.key.as_str().into());
            if !lookup.args.is_empty() {
                shown.insert(format!("{name}_loc_args"), json!(lookup.args));
            }
        }
    }
    let is_drawable = notification.icon.as_deref().is_some_and(|icon| !is_web_url(icon));
    if is_drawable {
        put(&mut shown, "icon", notification.icon.as_deref());
    }
    put(&mut shown, "sound", notification.sound.as_deref());
    if !notification.silent {
        put(&mut shown, "tag", notification.collapse_key.as_deref());
    }
    put(&mut shown, "channel_id", notification.channel.as_deref());
    // A count alone would be a notification without a text.
    if notification.title.is_some() || notification.body.is_some() {
        if let Some(number) = notification.badge {
            // proto3's `int32`.
            let number = number.min(i32::MAX.unsigned_abs());
            shown.insert("notification_count".into(), number.into());
        }
    } else {
        losses.dropped_on(
            platform,
            notification.badge.is_some(),
            "badge",
            "needs a title or a body",
        );
    }
    put_object(&mut android, "notification", shown);
    let icon = notification.icon.is_some() && !is_drawable;
    losses.dropped_on(
        platform,
        icon,
        "icon",
        "Android shows a drawable of the app, not a url",
    );
    let reason = "Android shows two lines";
    losses.dropped_on(platform, notification.subtitle.is_some(), "subtitle", reason);
    let reason = "the app draws its buttons itself";
    losses.dropped_on(platform, !notification.buttons.is_empty(), "buttons", reason);
    let reason = "FCM groups no notifications on Android";
    losses.dropped_on(platform, notification.thread.is_some(), "thread", reason);
    losses.dropped_on(
        platform,
        notification.category.is_some(),
        "category",
        "categories are Apple's",
    );
    android
}

fn apple(notification: &Notification, ttl: Option<u32>, now: Now, losses: &mut Losses) -> Form {
    let platform = Platform::Apple;
    let mut headers = Form::new();
    if notification.silent {
        headers.insert("apns-push-type".into(), "background".into());
        headers.insert("apns-priority".into(), "5".into());
        if matches!(notification.urgency, Some(Urgency::Normal | Urgency::High)) {
            let reason = "a silent push has priority 5";
            losses.add(LossKind::Changed, Some(platform), "urgency", reason);
        }
    } else if let Some(urgency) = notification.urgency {
        headers.insert("apns-priority".into(), apns::priority(urgency).to_string().into());
    }
    if let Some(secs) = ttl {
        let until = match secs {
            0 => 0,
            secs => now.unix.as_secs().saturating_add(secs.into()),
        };
        headers.insert("apns-expiration".into(), until.to_string().into());
    }
    if let Some(key) = &notification.collapse_key {
        // FCM takes headers in visible ASCII only.
        let key = fitted_key(key, key.is_ascii() && CollapseId::parse(key).is_ok(), losses);
        headers.insert("apns-collapse-id".into(), key.into());
    }
    let mut aps = Form::new();
    if notification.silent {
        aps.insert("content-available".into(), 1.into());
    }
    let is_own_alert = |text: &Text| text.lookup.is_some();
    let lines = texts(notification);
    // Without an alert of its own FCM writes title and body of `notification` into the payload.
    if notification.subtitle.is_some() || lines.iter().any(|(_, text)| text.is_some_and(is_own_alert)) {
        put_object(&mut aps, "alert", apple_alert(notification));
    }
    if let Some(number) = notification.badge {
        aps.insert("badge".into(), number.into());
    }
    put(&mut aps, "sound", notification.sound.as_deref());
    put(&mut aps, "thread-id", notification.thread.as_deref());
    put(&mut aps, "category", notification.category.as_deref());
    let mut apple = Form::new();
    if let Some(image) = &notification.image {
        aps.insert("mutable-content".into(), 1.into());
        apple.insert("fcm_options".into(), json!({"image": image}));
    }
    let mut payload = Form::new();
    put_object(&mut payload, "aps", aps);
    put_object(&mut apple, "payload", payload);
    put_object(&mut apple, "headers", headers);
    losses.dropped_on(
        platform,
        notification.icon.is_some(),
        "icon",
        "Apple's devices show the app's icon",
    );
    let reason = "an app for Apple's devices registers its buttons as a category";
    losses.dropped_on(platform, !notification.buttons.is_empty(), "buttons", reason);
    losses.dropped_on(
        platform,
        notification.channel.is_some(),
        "channel",
        "channels are Android's",
    );
    apple
}

fn web(notification: &Notification, ttl: Option<u32>, losses: &mut Losses) -> Form {
    let platform = Platform::Web;
    let mut web = Form::new();
    let mut headers = Form::new();
    if let Some(secs) = ttl {
        headers.insert("TTL".into(), secs.to_string().into());
    }
    if let Some(urgency) = notification.urgency {
        headers.insert("Urgency".into(), web_push::urgency(urgency).into());
    }
    if let Some(key) = &notification.collapse_key {
        headers.insert("Topic".into(), web_push::topic(key).as_str().into());
    }
    put_object(&mut web, "headers", headers);
    let mut shown = Form::new();
    let icon = notification.icon.as_deref();
    put(&mut shown, "icon", icon.filter(|icon| is_web_url(icon)));
    if !notification.silent {
        put(&mut shown, "tag", notification.collapse_key.as_deref());
    }
    if !notification.buttons.is_empty() {
        let actions = notification.buttons.iter().map(|button| {
            let mut action = json!({"action": button.id, "title": button.title});
            if let Some(icon) = &button.icon {
                action["icon"] = icon.as_str().into();
            }
            action
        });
        shown.insert("actions".into(), actions.collect());
        let has_url = notification.buttons.iter().any(|button| button.url.is_some());
        if has_url {
            let reason = "FCM's buttons have no urls: the service worker knows the ids";
            losses.add(LossKind::Changed, Some(platform), "buttons", reason);
        }
    }
    put_object(&mut web, "notification", shown);
    if let Some(url) = notification.action.web_page() {
        // FCM refuses any other.
        let is_https = url
            .get(..8)
            .is_some_and(|head| head.eq_ignore_ascii_case("https://"));
        if is_https {
            web.insert("fcm_options".into(), json!({"link": url}));
        } else {
            let reason = "FCM opens https urls only: the app finds the url in its data";
            losses.add(LossKind::Changed, Some(platform), "action", reason);
        }
    }
    let is_drawable = icon.is_some_and(|icon| !is_web_url(icon));
    losses.dropped_on(platform, is_drawable, "icon", "a browser wants a url");
    let reason = "browsers show two lines";
    losses.dropped_on(platform, notification.subtitle.is_some(), "subtitle", reason);
    for (field, set) in [
        ("badge", notification.badge.is_some()),
        ("sound", notification.sound.is_some()),
        ("thread", notification.thread.is_some()),
        ("category", notification.category.is_some()),
        ("channel", notification.channel.is_some()),
    ] {
        losses.dropped_on(platform, set, field, "browsers have none");
    }
    for (field, text) in [("title", &notification.title), ("body", &notification.body)] {
        let unseen = text.as_ref().is_some_and(|text| text.plain.is_none());
        losses.dropped_on(platform, unseen, field, "a browser looks up no texts");
    }
    if notification.silent {
        let reason = "a browser wants every push to show something";
        losses.add(LossKind::Changed, Some(platform), "silent", reason);
    }
    web
}
