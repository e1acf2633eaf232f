//! A push to tokens or users.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::ask::{Ask, Collection, Record, Write};
use super::super::reply::Reply;
use super::super::run::{Item, Run, Stop};
use super::super::send::{Channel, Send};
use super::super::sent::Sent;
use super::message::{Notification, Platform};
use super::status::{self, End};
use super::refused;
use crate::error::{Error, ErrorKind};
use crate::json;
use crate::service::Kind;
use crate::time::UnixTime;

/// Ionic's own answer where an app has no certificate for APNs (a reply that was recorded in 2016).
const NO_CERTIFICATE: &str =
    "Push Error Code 302: See http://docs.ionic.io/docs/push-error-codes for more info.";

/// How far ahead a push can be scheduled: far enough for any campaign, and too near for a time in milliseconds.
const FURTHEST: Duration = Duration::from_secs(366 * 86_400);

/// A device, as far as it is known.
struct Device {
    token: String,
    platform: Platform,
    /// Whether the device belongs to APNs' sandbox; `None` where only the request can say.
    sandbox: Option<bool>,
}

pub(super) fn push(run: &mut Run<'_>, app: &str) -> Result<Reply, Stop> {
    let body = json::parse_object(run.incoming.body()).map_err(|error| refused(400, error.context()))?;
    let notification = match body.get("notification") {
        Some(Value::Object(notification)) => Notification(notification),
        _ => return Err(refused(400, "notification is missing").into()),
    };
    let at = scheduled(&body, run.began)?;
    let devices = devices(run, app, &body)?;
    let answer = run.ask(Ask::Get {
        collection: Collection::Channels,
        scope: Some(app.to_owned()),
        ids: vec!["APNS".to_owned(), "GCM".to_owned()],
    })?;
    let apns = answer.get("APNS").and_then(Value::as_object);
    // A push for later is written down with its tokens before anything is scheduled, because its status is made of them.
    let planned: Vec<End> = devices
        .iter()
        .map(|device| End::planned(device.platform, &device.token))
        .collect();
    let queued = match at {
        None => status::queued(app),
        Some(at) => status::later(app, at, &planned),
    };
    let id = put(run, app, Write::Create, Record::new(None, queued))?;
    let production = body.get("production").and_then(Value::as_bool);
    let also_notification = run.option("also_notification", false);
    let results = run.send(|run| {
        let mut warnings = Vec::new();
        let mut item = |device: &Device| match device.platform {
            Platform::Development => Item::Known(Sent::default()),
            Platform::Ios => ios(device, &notification, app, apns, production, &mut warnings),
            Platform::Android => match notification.fcm(&device.token, also_notification, &mut warnings) {
                Ok(message) => send(Channel::new(Kind::Fcm, app, "GCM"), &device.token, message),
                Err(error) => Item::Known(Sent::of(Err(&error))),
            },
        };
        let mut items: Vec<Item> = devices.iter().map(&mut item).collect();
        for item in &mut items {
            if let (Item::Send(send), Some(at)) = (item, at) {
                send.at = Some(at);
                send.notification = Some(id.clone());
            }
        }
        for warning in warnings {
            run.warn(warning);
        }
        items
    })?;
    let pairs = devices.iter().zip(results);
    let ends: Vec<End> = pairs
        .map(|(device, sent)| End::new(device.platform, &device.token, sent))
        .collect();
    let record = match at {
        None => status::ended(app, &ends),
        Some(at) => status::later(app, at, &ends),
    };
    put(run, app, Write::Replace, Record::new(Some(id.clone()), record))?;
    // 202, and not 200, is what Ionic's command line takes for success.
    Ok(Reply::json(202, &json!({"result": "queued", "message_id": id})))
}

/// Returns when a push is due; `None` for now, and for a time that has passed.
///
/// Ionic's API had no such field that is documented: this one is ours.
fn scheduled(body: &Map<String, Value>, now: UnixTime) -> Result<Option<UnixTime>, Reply> {
    let at = match body.get("scheduled") {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value.as_u64().map(UnixTime::from_secs),
    };
    let at = at.ok_or_else(|| refused(400, "scheduled is not a time in whole seconds since 1970"))?;
    match at.saturating_since(now) {
        // A number of milliseconds is a time in some 50,000 years.
        far if far > FURTHEST => Err(refused(400, "scheduled is more than a year ahead; it is in seconds")),
        Duration::ZERO => Ok(None),
        _ => Ok(Some(at)),
    }
}

fn ios(
    device: &Device,
    notification: &Notification<'_>,
    app: &str,
    channel: Option<&Map<String, Value>>,
    production: Option<bool>,
    warnings: &mut Vec<String>,
) -> Item {
    let bundle = channel.and_then(|channel| channel.get("BundleId")?.as_str());
    let Some(bundle) = bundle else {
        return Item::Known(Sent::of(Err(&Error::new(ErrorKind::InvalidCredential, NO_CERTIFICATE))));
    };
    let own = channel.and_then(|channel| channel.get("Sandbox")?.as_bool());
    let sandbox = device.sandbox.or(production.map(|production| !production)).or(own);
    let mut way = Channel::new(Kind::Apns, app, "APNS");
    way.sandbox = sandbox.unwrap_or_default();
    match notification.apns(&device.token, bundle, warnings) {
        Ok(message) => send(way, &device.token, message),
        Err(error) => Item::Known(Sent::of(Err(&error))),
    }
}

fn send(channel: Channel, token: &str, message: crate::service::Message) -> Item {
    Item::Send(Box::new(Send::now(channel, token, None, message)))
}

/// Returns every device that the request means, each once.
fn devices(run: &mut Run<'_>, app: &str, body: &Map<String, Value>) -> Result<Vec<Device>, Stop> {
    let (tokens, users) = (texts(body, "tokens")?, texts(body, "user_ids")?);
    let platform = body.get("platform").and_then(Value::as_str);
    let filter = match (&tokens, &users) {
        (Some(tokens), _) if !tokens.is_empty() => json!({"addresses": tokens}),
        (_, Some(users)) if !users.is_empty() => json!({"users": users}),
        _ => return Err(refused(400, "tokens is missing").into()),
    };
    let answer = run.ask(Ask::List {
        collection: Collection::Endpoints,
        scope: Some(app.to_owned()),
        filter,
        offset: 0,
        limit: None,
    })?;
    let records = answer.get("items").and_then(Value::as_array);
    let known: Vec<Device> = records
        .into_iter()
        .flatten()
        .filter_map(|item| {
            let record = item.get("value")?;
            let token = record.get("Address")?.as_str()?;
            let (platform, sandbox) = match record.get("ChannelType")?.as_str()? {
                "APNS" => (Platform::Ios, Some(false)),
                "APNS_SANDBOX" => (Platform::Ios, Some(true)),
                "GCM" => (Platform::Android, None),
                _ => return None,
            };
            Some(Device {
                token: token.to_owned(),
                platform,
                sandbox,
            })
        })
        .collect();
    let mut devices: Vec<Device> = Vec::new();
    let mut add = |device: Device| {
        if !devices.iter().any(|there| there.token == device.token) {
            devices.push(device);
        }
    };
    match tokens.filter(|tokens| !tokens.is_empty()) {
        None => known.into_iter().for_each(add),
        Some(tokens) => {
            for token in tokens {
                let registered = known.iter().find(|device| device.token == token);
                add(Device {
                    platform: registered.map_or_else(|| Platform::of(&token, platform), |device| device.platform),
                    sandbox: registered.and_then(|device| device.sandbox),
                    token,
                });
            }
        }
    }
    Ok(devices)
}

fn texts(body: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Reply> {
    let wrong = || refused(400, format!("{name} is not a list of texts"));
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(wrong))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(wrong()),
    }
}

fn put(run: &mut Run<'_>, app: &str, write: Write, record: Record) -> Result<String, Stop> {
    let answer = run.ask(Ask::Put {
        collection: Collection::Notifications,
        scope: Some(app.to_owned()),
        write,
        records: vec![record],
    })?;
    let id = answer.get("ids").and_then(|ids| ids.get(0)?.as_str());
    id.map(str::to_owned)
        .ok_or_else(|| refused(500, "the message has no id").into())
}
