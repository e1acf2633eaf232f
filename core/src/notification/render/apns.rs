//! A notification as a message to APNs.

use serde_json::{Value, json};

use super::{Form, data_with_action, fitted_key, put, put_object, texts};
use crate::apns::CollapseId;
use crate::notification::app::App;
use crate::notification::content::{Text, Urgency};
use crate::notification::loss::Losses;
use crate::notification::notification::Notification;

pub(super) fn form(notification: &Notification, app: &App, losses: &mut Losses) -> Form {
    let mut form = Form::new();
    let push_type = match notification.silent {
        true => "background",
        false => "alert",
    };
    form.insert("push_type".into(), push_type.into());
    put(&mut form, "bundle", app.name());
    match (notification.urgency, notification.silent) {
        (Some(Urgency::Normal | Urgency::High), true) => {
            losses.changed(true, "urgency", "a silent push has priority 5");
        }
        (Some(urgency), false) => {
            form.insert("priority".into(), priority(urgency).into());
        }
        (Some(Urgency::Low | Urgency::VeryLow) | None, _) => {}
    }
    if let Some(key) = &notification.collapse_key {
        form.insert(
            "collapse_id".into(),
            fitted_key(key, CollapseId::parse(key).is_ok(), losses).into(),
        );
    }
    let mut aps = Form::new();
    if notification.silent {
        aps.insert("content_available".into(), true.into());
    }
    let alert: Form = texts(notification)
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), looked_up(text?))))
        .collect();
    put_object(&mut aps, "alert", alert);
    if let Some(number) = notification.badge {
        aps.insert("badge".into(), number.into());
    }
    put(&mut aps, "sound", notification.sound.as_deref());
    put(&mut aps, "thread_id", notification.thread.as_deref());
    put(&mut aps, "category", notification.category.as_deref());
    let mut custom = data_with_action(notification);
    if let Some(image) = &notification.image {
        // The app's service extension fetches the picture, and is asked only then.
        if aps.contains_key("alert") {
            aps.insert("mutable_content".into(), true.into());
        }
        custom.insert("image".into(), image.as_str().into());
    }
    let mut payload = Form::new();
    payload.insert("aps".into(), Value::Object(aps));
    put_object(&mut payload, "custom", custom);
    form.insert("payload".into(), Value::Object(payload));
    losses.dropped(
        notification.icon.is_some(),
        "icon",
        "Apple's devices show the app's icon",
    );
    let reason = "an app for Apple's devices registers its buttons as a category";
    losses.dropped(!notification.buttons.is_empty(), "buttons", reason);
    losses.dropped(
        notification.channel.is_some(),
        "channel",
        "channels are Android's",
    );
    form
}

/// The priority of an alert.
pub(super) fn priority(urgency: Urgency) -> u8 {
    match urgency {
        Urgency::VeryLow => 1,
        Urgency::Low | Urgency::Normal => 5,
        Urgency::High => 10,
    }
}

fn looked_up(text: &Text) -> Value {
    match (&text.lookup, &text.plain) {
        (Some(lookup), _) => json!({"key": lookup.key, "args": lookup.args}),
        (None, text) => text.as_deref().unwrap_or_default().into(),
    }
}
