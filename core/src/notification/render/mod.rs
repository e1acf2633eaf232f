//! From a notification to the forms of the services' messages (`docs/messages.md`).

mod adm;
mod apns;
mod baidu;
mod fcm;
mod web_push;

use serde_json::{Map, Value, json};

use super::app::App;
use super::content::Text;
use super::loss::Losses;
use super::notification::Notification;
use crate::error::{Error, ErrorKind};
use crate::service::Kind;
use crate::time::Now;
use crate::webpush::Topic;

/// An object of a form.
type Form = Map<String, Value>;

/// Writes the message to the devices of an app in the form of its service, without a target, and notes what is lost.
pub(super) fn form(
    notification: &Notification,
    app: &App,
    now: Now,
    losses: &mut Losses,
) -> Result<Form, Error> {
    let mut form = match app.service() {
        Kind::Adm => adm::form(notification, losses)?,
        Kind::Apns => apns::form(notification, app, losses),
        Kind::Baidu => baidu::form(notification, app, losses)?,
        Kind::Fcm => fcm::form(notification, app, now, losses),
        Kind::WebPush => web_push::form(notification, losses)?,
    };
    if let Some(overlay) = notification.overlay(app.service()) {
        merge(&mut form, overlay);
    }
    Ok(form)
}

/// Merges objects member by member; any other value replaces, and null removes.
fn merge(form: &mut Form, overlay: &Form) {
    for (key, value) in overlay {
        match (form.get_mut(key), value) {
            (Some(Value::Object(ours)), Value::Object(theirs)) => merge(ours, theirs),
            (_, Value::Null) => {
                form.shift_remove(key);
            }
            (Some(ours), _) => *ours = value.clone(),
            (None, _) => {
                form.insert(key.clone(), value.clone());
            }
        }
    }
}

/// The app's own data: the caller's texts, and the target of a tap.
fn data_with_action(notification: &Notification) -> Form {
    let mut data = own_data(notification);
    if let Some((key, text)) = notification.action.member() {
        data.insert(key.to_owned(), text.into());
    }
    data
}

fn own_data(notification: &Notification) -> Form {
    let pairs = notification.data.iter();
    pairs
        .map(|(key, text)| (key.clone(), Value::from(text.as_str())))
        .collect()
}

/// Adds a text, if there is one.
fn put(form: &mut Form, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        form.insert(name.to_owned(), text.into());
    }
}

/// Adds an object, unless it is empty.
fn put_object(form: &mut Form, name: &str, object: Form) {
    if !object.is_empty() {
        form.insert(name.to_owned(), Value::Object(object));
    }
}

/// The text that is shown where nothing can be looked up.
fn plain(text: Option<&Text>) -> Option<&str> {
    text?.plain.as_deref()
}

/// Notes the texts that are looked up and have no other text, where the service looks up nothing.
fn lost_lookups(notification: &Notification, losses: &mut Losses) {
    for (field, text) in [("title", &notification.title), ("body", &notification.body)] {
        if let Some(text) = text.as_ref().filter(|text| text.lookup.is_some()) {
            let reason = "this service looks up no texts, and there is no other text";
            losses.dropped(text.plain.is_none(), field, reason);
        }
    }
}

fn texts(notification: &Notification) -> [(&'static str, Option<&Text>); 3] {
    [
        ("title", notification.title.as_ref()),
        ("subtitle", notification.subtitle.as_ref()),
        ("body", notification.body.as_ref()),
    ]
}

/// The caller's collapse key if it fits, otherwise its hash.
fn fitted_key(key: &str, fits: bool, losses: &mut Losses) -> String {
    if fits {
        return key.to_owned();
    }
    let reason = "longer than the service takes, or no value of a header: its hash is sent";
    losses.changed(true, "collapse_key", reason);
    Topic::hashed(key).as_str().to_owned()
}

/// A time to live between the service's limits, in seconds.
fn fitted_ttl(secs: u32, least: u32, most: u32, losses: &mut Losses) -> u32 {
    let fitted = secs.clamp(least, most);
    losses.changed(
        fitted != secs,
        "ttl",
        "outside the service's limits: the nearest is sent",
    );
    fitted
}

/// The lines of a notification for a service that shows a title and a text and wants the one or the other.
struct Lines<'a> {
    title: Option<&'a str>,
    body: Option<&'a str>,
}

/// The lines as plain texts.
fn plain_lines(notification: &Notification) -> Lines<'_> {
    Lines {
        title: plain(notification.title.as_ref()),
        body: plain(notification.body.as_ref()),
    }
}

fn nothing_to_show(service: Kind) -> Error {
    let what = format!("notification: neither a title nor a body that {service} can show");
    Error::new(ErrorKind::MissingField, what)
}

/// The alert in Apple's own words, for services that pass the payload of APNs on as it is.
fn apple_alert(notification: &Notification) -> Form {
    let mut alert = Form::new();
    for (field, key, args) in [
        ("title", "title-loc-key", "title-loc-args"),
        ("subtitle", "subtitle-loc-key", "subtitle-loc-args"),
        ("body", "loc-key", "loc-args"),
    ] {
        let text = texts(notification)
            .into_iter()
            .find_map(|(name, text)| text.filter(|_| name == field));
        match text.map(|text| (&text.lookup, &text.plain)) {
            Some((Some(lookup), _)) => {
                alert.insert(key.into(), lookup.key.as_str().into());
                if !lookup.args.is_empty() {
                    alert.insert(args.into(), json!(lookup.args));
                }
            }
            Some((None, text)) => put(&mut alert, field, text.as_deref()),
            None => {}
        }
    }
    alert
}
