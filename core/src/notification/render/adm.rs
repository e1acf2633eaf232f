//! A notification as a message to ADM.

use serde_json::{Value, json};

use super::{Form, data_with_action, fitted_key, fitted_ttl, plain, put, put_object};
use crate::error::Error;
use crate::notification::content::{Urgency, is_web_url};
use crate::notification::loss::Losses;
use crate::notification::notification::Notification;
use crate::service::Kind;

/// The limits of `expiresAfter`, in seconds: a minute and 31 days.
const TTL: (u32, u32) = (60, 2_678_400);
/// The longest `consolidationKey`, in bytes, which are never fewer than characters.
const LONGEST_KEY: usize = 64;

pub(super) fn form(notification: &Notification, losses: &mut Losses) -> Result<Form, Error> {
    let mut form = Form::new();
    let mut shown = Form::new();
    for (name, text) in [("title", &notification.title), ("body", &notification.body)] {
        put(&mut shown, name, plain(text.as_ref()));
        if let Some(lookup) = text.as_ref().and_then(|text| text.lookup.as_ref()) {
            shown.insert(format!("{name}_loc_key"), lookup.key.as_str().into());
            if !lookup.args.is_empty() {
                shown.insert(format!("{name}_loc_args"), json!(lookup.args));
            }
        }
    }
    if shown.is_empty() && !notification.silent {
        return Err(super::nothing_to_show(Kind::Adm));
    }
    put(&mut shown, "image", notification.image.as_deref());
    let icon = notification.icon.as_deref();
    put(&mut shown, "icon", icon.filter(|icon| !is_web_url(icon)));
    put(&mut shown, "sound", notification.sound.as_deref());
    put(&mut shown, "channel_id", notification.channel.as_deref());
    if let Some(number) = notification.badge {
        shown.insert("notification_count".into(), number.into());
    }
    if !notification.silent {
        put(&mut shown, "tag", notification.collapse_key.as_deref());
        form.insert("notification".into(), Value::Object(shown));
    }
    let data = data_with_action(notification);
    match notification.silent {
        // ADM wants something to carry.
        true => {
            form.insert("data".into(), Value::Object(data));
        }
        false => put_object(&mut form, "data", data),
    }
    if let Some(urgency) = notification.urgency {
        let priority = match urgency {
            Urgency::High => "high",
            Urgency::VeryLow | Urgency::Low | Urgency::Normal => "normal",
        };
        form.insert("priority".into(), priority.into());
    }
    if let Some(key) = &notification.collapse_key {
        let key = fitted_key(key, key.len() <= LONGEST_KEY, losses);
        form.insert("consolidation_key".into(), key.into());
    }
    if let Some(secs) = notification.ttl {
        let secs = fitted_ttl(secs, TTL.0, TTL.1, losses);
        form.insert("expires_after".into(), secs.into());
    }
    losses.dropped(
        icon.is_some_and(is_web_url),
        "icon",
        "Fire OS shows a drawable of the app, not a url",
    );
    losses.dropped(
        notification.subtitle.is_some(),
        "subtitle",
        "Fire OS shows two lines",
    );
    let reason = "the app draws its buttons itself";
    losses.dropped(!notification.buttons.is_empty(), "buttons", reason);
    losses.dropped(
        notification.thread.is_some(),
        "thread",
        "ADM groups no notifications",
    );
    losses.dropped(
        notification.category.is_some(),
        "category",
        "categories are Apple's",
    );
    Ok(form)
}
