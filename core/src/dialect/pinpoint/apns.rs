//! Messages to APNs, as AWS's iOS SDK and Amplify read them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::content::{Action, Content};
use super::data;
use super::plan::{Extra, Made, Switches};
use crate::apns::{BundleId, CollapseId, Expiration, Message, Payload, Priority, PushType};
use crate::service::Template;
use crate::time::UnixTime;

/// Makes the message of a channel. `record` is the app's channel, which names the bundle.
pub(super) fn template(
    channel: &str,
    content: &Content,
    extra: &Extra,
    record: &Value,
    switches: Switches,
    began: UnixTime,
) -> Made {
    let mut warnings = Vec::new();
    let said = |error: crate::Error| error.context().to_owned();
    let bundle = record
        .get("BundleId")
        .and_then(Value::as_str)
        .ok_or_else(|| format!("The channel {channel} has no BundleId"))?;
    let bundle = BundleId::parse(bundle).map_err(said)?;
    let raw = match &content.raw {
        Some(raw) => Some(data::raw(raw).ok_or("RawContent is not a JSON object")?),
        None => None,
    };
    let push_type = match (&content.push_type, &raw) {
        (Some(name), _) => {
            PushType::from_name(name).ok_or("APNSPushType is not the name of a push type")?
        }
        (None, _) if channel.starts_with("APNS_VOIP") => PushType::Voip,
        (None, Some(raw)) if is_silent(raw) => PushType::Background,
        (None, None) if content.silent.unwrap_or_default() => PushType::Background,
        (None, _) => PushType::Alert,
    };
    let payload = match raw {
        Some(raw) => {
            if extra.context().is_some() {
                warnings.push("Context and TraceId are not added to RawContent".to_owned());
            }
            Value::Object(raw)
        }
        None => payload(content, extra, push_type, switches),
    };
    let payload = Payload::raw(payload.to_string().into_bytes()).map_err(said)?;
    let mut builder = Message::builder(push_type).bundle(bundle).payload(payload);
    let priority = match content.priority.as_deref() {
        Some("10" | "high") => Some(Priority::Immediate),
        Some("5" | "normal") => Some(Priority::PowerAware),
        Some(_) => return Err("Priority is none of 5, 10, normal, high".to_owned()),
        None => None,
    };
    match priority {
        Some(priority) if !push_type.priorities().contains(&priority) => {
            warnings.push(format!(
                "Priority is not sent: APNs does not take {} with the push type {}",
                priority.as_u8(),
                push_type.as_str()
            ));
        }
        Some(priority) => builder = builder.priority(priority),
        None if push_type == PushType::Alert => builder = builder.priority(Priority::Immediate),
        None => {}
    }
    if let Some(seconds) = content.time_to_live {
        let seconds = u64::try_from(seconds).map_err(|_| "TimeToLive is negative")?;
        builder = builder.expiration(match seconds {
            0 => Expiration::Once,
            _ => Expiration::Until(began.saturating_add(Duration::from_secs(seconds))),
        });
    }
    if let Some(id) = &content.collapse {
        builder = builder.collapse_id(CollapseId::parse(id).map_err(said)?);
    }
    let template = builder.template().map_err(said)?;
    Ok((Template::Apns(template), warnings))
}

/// Returns whether raw content wakes the app and shows nothing.
fn is_silent(raw: &Map<String, Value>) -> bool {
    let aps = raw.get("aps").and_then(Value::as_object);
    aps.is_some_and(|aps| {
        aps.get("content-available").and_then(Value::as_i64) == Some(1)
            && !["alert", "badge", "sound"]
                .iter()
                .any(|name| aps.contains_key(*name))
    })
}

fn payload(content: &Content, extra: &Extra, push_type: PushType, switches: Switches) -> Value {
    let mut aps = Map::new();
    let silent = content.silent.unwrap_or_default() || push_type == PushType::Background;
    if silent {
        aps.insert("content-available".into(), 1.into());
    } else {
        let mut alert = Map::new();
        for (name, text) in [("title", &content.title), ("body", &content.body)] {
            if let Some(text) = text {
                alert.insert(name.into(), text.as_str().into());
            }
        }
        if !alert.is_empty() {
            aps.insert("alert".into(), Value::Object(alert));
        }
        if let Some(badge) = content.badge {
            aps.insert("badge".into(), badge.into());
        }
        for (name, text) in [
            ("sound", &content.sound),
            ("category", &content.category),
            ("thread-id", &content.thread_id),
        ] {
            if let Some(text) = text {
                aps.insert(name.into(), text.as_str().into());
            }
        }
        if switches.content_available {
            aps.insert("content-available".into(), 1.into());
        }
        if content.media_url.is_some() {
            aps.insert("mutable-content".into(), 1.into());
        }
    }
    let mut inner = Map::new();
    if let Some(url) = &content.media_url {
        inner.insert("media-url".into(), url.as_str().into());
    }
    if !content.data.is_empty() {
        inner.insert("jsonBody".into(), data::object(&content.data));
    }
    let mut pinpoint = extra.context().unwrap_or_default();
    // AWS's SDK ignores a push without this object, and opens nothing but `deeplink`.
    pinpoint.insert("campaign".into(), json!({"campaign_id": "_DIRECT"}));
    if let (Some(Action::Url | Action::DeepLink), Some(url)) = (content.action, &content.url) {
        pinpoint.insert("deeplink".into(), url.as_str().into());
    }
    inner.insert("pinpoint".into(), Value::Object(pinpoint));
    json!({"aps": aps, "data": inner})
}
