//! A notification as a Web Push message: one JSON that Safari shows by itself and that a service worker reads.

use serde_json::{Value, json};

use super::{Form, fitted_ttl, lost_lookups, nothing_to_show, own_data, plain_lines};
use crate::error::Error;
use crate::notification::content::{Action, Urgency, is_web_url};
use crate::notification::loss::Losses;
use crate::notification::notification::Notification;
use crate::service::Kind;
use crate::webpush::{self, Declarative, Topic};

/// The longest time to live in seconds that every push service takes as it is: four weeks.
const LONGEST_TTL: u32 = 2_419_200;

pub(super) fn form(notification: &Notification, losses: &mut Losses) -> Result<Form, Error> {
    let mut form = Form::new();
    if let Some(secs) = notification.ttl {
        form.insert("ttl".into(), fitted_ttl(secs, 0, LONGEST_TTL, losses).into());
    }
    if let Some(level) = notification.urgency {
        form.insert("urgency".into(), urgency(level).into());
    }
    if let Some(key) = &notification.collapse_key {
        let topic = topic(key);
        losses.changed(
            topic.as_str() != key,
            "collapse_key",
            "no topic of Web Push: its hash is sent",
        );
        form.insert("topic".into(), topic.as_str().into());
    }
    let payload = match notification.silent {
        true => {
            losses.changed(true, "silent", "a browser wants every push to show something");
            json!({"data": own_data(notification)})
        }
        false => shown(notification, losses)?,
    };
    form.insert("payload_json".into(), payload);
    Ok(form)
}

/// The word of RFC 8030 §5.3.
pub(super) fn urgency(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::VeryLow => "very-low",
        Urgency::Low => "low",
        Urgency::Normal => "normal",
        Urgency::High => "high",
    }
}

/// A topic that every push service takes.
pub(super) fn topic(key: &str) -> Topic {
    match Topic::new(key) {
        Ok(topic) if topic.fits_apple() => topic,
        _ => Topic::hashed(key),
    }
}

fn shown(notification: &Notification, losses: &mut Losses) -> Result<Value, Error> {
    lost_lookups(notification, losses);
    // A notification without a title is refused by browsers, so that a lone body is the title.
    let lines = plain_lines(notification);
    let (title, body) = match (lines.title, lines.body) {
        (Some(title), body) => (title, body),
        (None, Some(body)) => (body, None),
        (None, None) => return Err(nothing_to_show(Kind::WebPush)),
    };
    let mut web = webpush::Notification::new(title);
    web.body = body.map(str::to_owned);
    web.image = notification.image.clone();
    web.tag = notification.collapse_key.clone();
    let icon = notification.icon.as_deref();
    web.icon = icon.filter(|icon| is_web_url(icon)).map(str::to_owned);
    losses.dropped(
        icon.is_some_and(|icon| !is_web_url(icon)),
        "icon",
        "a browser wants a url",
    );
    let page = notification.action.web_page();
    web.navigate = page.map(str::to_owned);
    let mut data = own_data(notification);
    if let (Action::DeepLink(link), None) = (&notification.action, page) {
        losses.changed(
            true,
            "action",
            "a browser opens web pages only: the service worker finds the link in its data",
        );
        data.insert("deep_link".into(), link.as_str().into());
    }
    if !data.is_empty() {
        web.data = Some(Value::Object(data));
    }
    for button in &notification.buttons {
        // A button without a page would make a browser refuse the whole message, so that it opens the notification's.
        web.actions.push(webpush::Action {
            action: button.id.clone(),
            title: button.title.clone(),
            navigate: button.url.as_deref().or(page).map(str::to_owned),
            icon: button.icon.clone(),
        });
    }
    losses.dropped(
        notification.subtitle.is_some(),
        "subtitle",
        "browsers show two lines",
    );
    for (field, set) in [
        ("sound", notification.sound.is_some()),
        ("thread", notification.thread.is_some()),
        ("category", notification.category.is_some()),
        ("channel", notification.channel.is_some()),
    ] {
        losses.dropped(set, field, "browsers have none");
    }
    let is_declarative = page.is_some();
    if !is_declarative {
        // Without a page to open a browser shows nothing by itself; a service worker reads the same members.
        let mut payload = json!({"notification": web.to_json()?});
        if let Some(number) = notification.badge {
            payload["app_badge"] = number.into();
        }
        return Ok(payload);
    }
    let mut declarative = Declarative::from(web);
    declarative.app_badge = notification.badge.map(u64::from);
    let text = declarative.to_json()?;
    crate::json::parse(text.as_bytes())
}
