//! A notification as a message to Baidu: one form for Android, another for Apple's devices.

use serde_json::{Value, json};

use super::{
    Form, apple_alert, data_with_action, fitted_ttl, lost_lookups, nothing_to_show, plain_lines, put,
    put_object,
};
use crate::apns::Environment;
use crate::error::Error;
use crate::notification::app::{App, Platform};
use crate::notification::content::Action;
use crate::notification::loss::Losses;
use crate::notification::notification::Notification;
use crate::service::Kind;

/// The limits of `msg_expires`, in seconds: a second and a week.
const TTL: (u32, u32) = (1, 604_800);

pub(super) fn form(notification: &Notification, app: &App, losses: &mut Losses) -> Result<Form, Error> {
    let mut form = match app.platform() {
        Some(Platform::Apple) => apple(notification, app),
        _ => android(notification, losses)?,
    };
    if let Some(secs) = notification.ttl {
        let secs = fitted_ttl(secs, TTL.0, TTL.1, losses);
        form.insert("expires_after".into(), secs.into());
    }
    let reason = "Baidu has no priorities";
    losses.dropped(notification.urgency.is_some(), "urgency", reason);
    let reason = "Baidu replaces no messages";
    losses.dropped(notification.collapse_key.is_some(), "collapse_key", reason);
    let reason = "Baidu draws no buttons";
    losses.dropped(!notification.buttons.is_empty(), "buttons", reason);
    losses.dropped(notification.icon.is_some(), "icon", "Baidu shows the app's icon");
    losses.dropped(notification.channel.is_some(), "channel", "Baidu has no channels");
    Ok(form)
}

fn android(notification: &Notification, losses: &mut Losses) -> Result<Form, Error> {
    let mut form = Form::new();
    let data = data_with_action(notification);
    if notification.silent {
        form.insert("kind".into(), "android_raw".into());
        form.insert("msg".into(), Value::Object(data));
        return Ok(form);
    }
    form.insert("kind".into(), "android".into());
    // Baidu wants a description, so that a lone title is the description.
    lost_lookups(notification, losses);
    let lines = plain_lines(notification);
    let (title, body) = match (lines.title, lines.body) {
        (title, Some(body)) => (title, body),
        (Some(title), None) => (None, title),
        (None, None) => return Err(nothing_to_show(Kind::Baidu)),
    };
    let mut shown = Form::new();
    put(&mut shown, "title", title);
    put(&mut shown, "description", Some(body));
    let open = match &notification.action {
        Action::Url(url) => json!({"url": url}),
        Action::Open | Action::DeepLink(_) => "app".into(),
    };
    shown.insert("open".into(), open);
    put_object(&mut shown, "custom_content", data);
    form.insert("notification".into(), Value::Object(shown));
    let sound = notification
        .sound
        .as_deref()
        .is_some_and(|sound| sound != "default");
    losses.changed(sound, "sound", "Baidu's SDK plays the system's sound");
    for (field, set) in [
        ("subtitle", notification.subtitle.is_some()),
        ("image", notification.image.is_some()),
        ("badge", notification.badge.is_some()),
        ("thread", notification.thread.is_some()),
        ("category", notification.category.is_some()),
    ] {
        losses.dropped(set, field, "not in Baidu's notifications for Android");
    }
    Ok(form)
}

fn apple(notification: &Notification, app: &App) -> Form {
    let mut form = Form::new();
    let mut aps = Form::new();
    if notification.silent {
        aps.insert("content-available".into(), 1.into());
    }
    put_object(&mut aps, "alert", apple_alert(notification));
    if let Some(number) = notification.badge {
        aps.insert("badge".into(), number.into());
    }
    put(&mut aps, "sound", notification.sound.as_deref());
    put(&mut aps, "thread-id", notification.thread.as_deref());
    put(&mut aps, "category", notification.category.as_deref());
    if notification.image.is_some() {
        aps.insert("mutable-content".into(), 1.into());
    }
    let mut msg = Form::new();
    msg.insert("aps".into(), Value::Object(aps));
    for (key, value) in data_with_action(notification) {
        msg.insert(key, value);
    }
    put(&mut msg, "image", notification.image.as_deref());
    form.insert("kind".into(), "ios".into());
    form.insert("msg".into(), Value::Object(msg));
    let status = match app.environment() {
        Environment::Production => "production",
        Environment::Sandbox => "development",
    };
    form.insert("deploy_status".into(), status.into());
    form
}
