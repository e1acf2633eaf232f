//! The body of SendMessages and SendUsersMessages.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::content::Content;
use super::fault::Fault;
use super::substitute::Variables;
use crate::dialect::run::{Run, Stop};

/// The largest body, in bytes: Pinpoint's quota for one request, 7 MB.
const LARGEST_BODY: usize = 7 * 1024 * 1024;

/// The largest number of recipients of one request, Pinpoint's own.
const MOST_RECIPIENTS: usize = 100;

/// The values of the enum `ChannelType`.
pub(super) const CHANNEL_TYPES: &[&str] = &[
    "PUSH",
    "GCM",
    "APNS",
    "APNS_SANDBOX",
    "APNS_VOIP",
    "APNS_VOIP_SANDBOX",
    "ADM",
    "SMS",
    "VOICE",
    "EMAIL",
    "BAIDU",
    "CUSTOM",
    "IN_APP",
];

/// `MessageRequest` and `SendUsersMessageRequest`.
pub(super) struct Request {
    /// Addresses, each with its channel.
    pub(super) addresses: Vec<(String, String, Recipient)>,
    /// Endpoints by their ids.
    pub(super) endpoints: Vec<(String, Recipient)>,
    /// Users by their ids.
    pub(super) users: Vec<(String, Recipient)>,
    pub(super) messages: Messages,
    /// The name and version of the push template; `None` without one.
    pub(super) template: Option<(String, Option<String>)>,
    pub(super) context: Vec<(String, String)>,
    pub(super) trace_id: Option<String>,
    /// The members that the model does not have.
    unknown: Vec<String>,
}

/// `AddressConfiguration` and `EndpointSendConfiguration`: what is said for one recipient.
#[derive(Clone, Default)]
pub(super) struct Recipient {
    pub(super) body: Option<String>,
    pub(super) title: Option<String>,
    pub(super) raw: Option<String>,
    pub(super) context: Vec<(String, String)>,
    pub(super) variables: Variables,
}

impl Recipient {
    /// Returns whether nothing is said for this recipient alone.
    pub(super) fn is_plain(&self) -> bool {
        self.body.is_none()
            && self.title.is_none()
            && self.raw.is_none()
            && self.context.is_empty()
            && self.variables.is_empty()
    }
}

/// `DirectMessageConfiguration`, and a template of the same shape.
#[derive(Default)]
pub(super) struct Messages {
    /// Messages by the channel's name: `ADM`, `APNS`, `BAIDU`, `GCM`.
    channels: BTreeMap<&'static str, Content>,
    pub(super) default_push: Content,
    /// `DefaultMessage`.
    pub(super) default: Content,
}

impl Messages {
    /// Returns the message of a channel; `None` where none was given.
    pub(super) fn channel(&self, name: &str) -> Option<&Content> {
        self.channels.get(name)
    }

    /// Reads a stored `PushNotificationTemplateRequest`.
    pub(super) fn template(value: &Value) -> Result<Self, Fault> {
        let mut messages = Self::default();
        for (member, channel) in [
            ("ADM", "ADM"),
            ("APNS", "APNS"),
            ("Baidu", "BAIDU"),
            ("GCM", "GCM"),
        ] {
            if let Some(map) = object(value, member)? {
                let content = Content::read(map, member, &mut Vec::new())?;
                messages.channels.insert(channel, content);
            }
        }
        if let Some(map) = object(value, "Default")? {
            messages.default_push = Content::read(map, "Default", &mut Vec::new())?;
        }
        // The model has the default values as the text of a JSON object.
        if let Some(text) = value.get("DefaultSubstitutions").and_then(Value::as_str) {
            let values: Map<String, Value> = serde_json::from_str(text)
                .map_err(|_| Fault::bad("DefaultSubstitutions of the template is not a JSON object"))?;
            for (name, value) in values {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                messages.default.variables.insert(name, value);
            }
        }
        Ok(messages)
    }
}

/// Reads the body, with a warning for each member that the model does not have.
pub(super) fn read(run: &mut Run<'_>) -> Result<Arc<Request>, Stop> {
    let request = run.once(|run| parse(run).map_err(|fault| fault.stop(run)))?;
    for member in &request.unknown {
        run.warn(format!("{member} is no member that is known: nothing is done with it"));
    }
    Ok(request)
}

fn parse(run: &Run<'_>) -> Result<Request, Fault> {
    let body = run.incoming.body();
    if body.len() > LARGEST_BODY {
        return Err(Fault::new(
            413,
            "PayloadTooLargeException",
            "Request entity too large",
        ));
    }
    let map = crate::json::parse_object(body)
        .map_err(|error| Fault::bad(format!("Could not parse request body into json: {}", error.context())))?;
    let mut unknown = Vec::new();
    let mut request = of(&Value::Object(map), run.operation(), &mut unknown)?;
    request.unknown = unknown;
    Ok(request)
}

fn of(body: &Value, operation: &str, unknown: &mut Vec<String>) -> Result<Request, Fault> {
    let users = operation == "SendUsersMessages";
    let own: &[&str] = match users {
        true => &["Users"],
        false => &["Addresses", "Endpoints"],
    };
    let known = ["Context", "MessageConfiguration", "TemplateConfiguration", "TraceId"];
    for name in body.as_object().into_iter().flat_map(Map::keys) {
        if !known.contains(&name.as_str()) && !own.contains(&name.as_str()) {
            unknown.push(short(name));
        }
    }
    let mut request = Request {
        addresses: Vec::new(),
        endpoints: Vec::new(),
        users: Vec::new(),
        messages: messages(body, unknown)?,
        template: template(body)?,
        context: texts(body, "Context")?,
        trace_id: text(body, "TraceId")?,
        unknown: Vec::new(),
    };
    for name in own {
        for (key, value) in object(body, name)?.into_iter().flatten() {
            let empty = Value::Object(Map::new());
            let value = if value.is_null() { &empty } else { value };
            let recipient = recipient(value, name, unknown)?;
            match *name {
                "Addresses" => {
                    let channel = text(value, "ChannelType")?
                        .ok_or_else(|| Fault::bad("ChannelType of an address must be specified"))?;
                    if !CHANNEL_TYPES.contains(&channel.as_str()) {
                        return Err(Fault::bad(format!(
                            "ChannelType must be one of {}",
                            CHANNEL_TYPES.join(", ")
                        )));
                    }
                    request.addresses.push((key.clone(), channel, recipient));
                }
                "Endpoints" => request.endpoints.push((key.clone(), recipient)),
                _ => request.users.push((key.clone(), recipient)),
            }
        }
    }
    match request.addresses.len() + request.endpoints.len() + request.users.len() {
        0 if users => Err(Fault::bad("Users must be specified")),
        0 => Err(Fault::bad("Addresses or Endpoints must be specified")),
        1..=MOST_RECIPIENTS => Ok(request),
        _ => Err(Fault::bad(format!(
            "The number of recipients exceeds the limit of {MOST_RECIPIENTS}"
        ))),
    }
}

fn messages(body: &Value, unknown: &mut Vec<String>) -> Result<Messages, Fault> {
    let Some(configuration) = object(body, "MessageConfiguration")? else {
        return Err(Fault::bad("MessageConfiguration must be specified"));
    };
    let mut messages = Messages::default();
    for (name, value) in configuration {
        let channel = match name.as_str() {
            "ADMMessage" => "ADM",
            "APNSMessage" => "APNS",
            "BaiduMessage" => "BAIDU",
            "GCMMessage" => "GCM",
            "DefaultPushNotificationMessage" | "DefaultMessage" => "",
            "EmailMessage" | "SMSMessage" | "VoiceMessage" => {
                unknown.push(name.clone());
                continue;
            }
            _ => {
                unknown.push(format!("MessageConfiguration.{}", short(name)));
                continue;
            }
        };
        let map = match value {
            Value::Null => continue,
            Value::Object(map) => map,
            _ => return Err(wrong(name, "an object")),
        };
        let content = Content::read(map, name, unknown)?;
        match name.as_str() {
            "DefaultPushNotificationMessage" => messages.default_push = content,
            "DefaultMessage" => messages.default = content,
            _ => {
                messages.channels.insert(channel, content);
            }
        }
    }
    Ok(messages)
}

fn template(body: &Value) -> Result<Option<(String, Option<String>)>, Fault> {
    let Some(configuration) = body.get("TemplateConfiguration").filter(|there| !there.is_null()) else {
        return Ok(None);
    };
    let Some(push) = configuration
        .get("PushTemplate")
        .filter(|there| !there.is_null())
    else {
        return Ok(None);
    };
    let name = text(push, "Name")?.ok_or_else(|| Fault::bad("Name of PushTemplate must be specified"))?;
    Ok(Some((name, text(push, "Version")?)))
}

fn recipient(value: &Value, place: &str, unknown: &mut Vec<String>) -> Result<Recipient, Fault> {
    let Some(map) = value.as_object() else {
        return Err(wrong(place, "an object of objects"));
    };
    for name in map.keys() {
        let known = match name.as_str() {
            "BodyOverride" | "Context" | "RawContent" | "Substitutions" | "TitleOverride" => true,
            "ChannelType" => place == "Addresses",
            _ => false,
        };
        if !known {
            unknown.push(format!("{place}.{}", short(name)));
        }
    }
    Ok(Recipient {
        body: text(value, "BodyOverride")?,
        title: text(value, "TitleOverride")?,
        raw: text(value, "RawContent")?,
        context: texts(value, "Context")?,
        variables: variables(value, "Substitutions")?,
    })
}

/// Reads a member that is an object; `None` where it is not there or null.
pub(super) fn object<'a>(value: &'a Value, name: &str) -> Result<Option<&'a Map<String, Value>>, Fault> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(_) => Err(wrong(name, "an object")),
    }
}

/// Reads a member that is a text; `None` where it is not there or null.
pub(super) fn text(value: &Value, name: &str) -> Result<Option<String>, Fault> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(name, "a string")),
    }
}

/// Reads a member that is an object of texts; empty where it is not there or null.
pub(super) fn texts(value: &Value, name: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut all = Vec::new();
    for (key, value) in object(value, name)?.into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::String(text) => all.push((key.clone(), text.clone())),
            _ => return Err(wrong(name, "an object of strings")),
        }
    }
    Ok(all)
}

/// Reads `Substitutions`: lists of texts, of which the first counts.
pub(super) fn variables(value: &Value, name: &str) -> Result<Variables, Fault> {
    let mut all = Variables::new();
    for (key, value) in object(value, name)?.into_iter().flatten() {
        let values = value
            .as_array()
            .ok_or_else(|| wrong(name, "an object of lists of strings"))?;
        if !values.iter().all(Value::is_string) {
            return Err(wrong(name, "an object of lists of strings"));
        }
        if let Some(first) = values.first().and_then(Value::as_str) {
            all.insert(key.clone(), first.to_owned());
        }
    }
    Ok(all)
}

pub(super) fn wrong(name: &str, wanted: &str) -> Fault {
    Fault::bad(format!("{} must be {wanted}", short(name)))
}

/// A name of the caller's, cut and made harmless, for texts that logs and headers show.
pub(super) fn short(name: &str) -> String {
    let chars = name.chars().take(60);
    chars
        .map(|c| if c.is_ascii_graphic() { c } else { '?' })
        .collect()
}
