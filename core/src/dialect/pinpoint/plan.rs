//! From a recipient to a native message.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::content::Content;
use super::request::{Messages, Recipient, Request};
use super::substitute::{Variables, substitute, substitute_json};
use super::{apns, data, fcm};
use crate::dialect::ask::Collection;
use crate::dialect::run::Item;
use crate::dialect::send::{Channel, Send};
use crate::dialect::sent::Sent;
use crate::error::{Error, ErrorKind};
use crate::service::{Kind, Target, Template};
use crate::time::UnixTime;
use crate::{adm, baidu};

/// `Context` and `TraceId`: what is told to the app beside the message.
pub(super) struct Extra {
    context: Vec<(String, String)>,
    trace_id: Option<String>,
}

impl Extra {
    /// Returns the object that the app gets under `pinpoint`; `None` where there is nothing in it.
    pub(super) fn context(&self) -> Option<Map<String, Value>> {
        let mut map = Map::new();
        for (name, value) in &self.context {
            map.insert(name.clone(), value.as_str().into());
        }
        if let Some(trace) = &self.trace_id {
            map.insert("TraceId".into(), trace.as_str().into());
        }
        (!map.is_empty()).then_some(map)
    }
}

/// The switches of the dialect.
#[derive(Clone, Copy)]
pub(super) struct Switches {
    /// Whether FCM messages have a `notification`, too, for apps without AWS's SDK.
    pub(super) also_notification: bool,
    /// Whether alerts of APNs have `content-available`, as captures of the real service do.
    pub(super) content_available: bool,
}

/// A template, and what was lost or changed on the way to it.
pub(super) type Made = Result<(Template, Vec<String>), String>;

/// Translates the messages of one request.
pub(super) struct Plan<'a> {
    pub(super) request: &'a Request,
    /// The stored push template; `None` without one.
    pub(super) template: Option<&'a Messages>,
    /// The app's channels by their names.
    pub(super) channels: &'a Value,
    pub(super) app: &'a str,
    pub(super) switches: Switches,
    pub(super) began: UnixTime,
    /// What is the same for everybody of a channel for whom nothing of their own is said.
    made: HashMap<String, Made>,
    pub(super) warnings: Vec<String>,
}

/// The store's record of an endpoint.
pub(super) struct Endpoint<'a> {
    pub(super) id: &'a str,
    pub(super) value: &'a Value,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        request: &'a Request,
        template: Option<&'a Messages>,
        channels: &'a Value,
        app: &'a str,
        switches: Switches,
        began: UnixTime,
    ) -> Self {
        Self {
            request,
            template,
            channels,
            app,
            switches,
            began,
            made: HashMap::new(),
            warnings: Vec::new(),
        }
    }

    /// Returns the push to one address.
    pub(super) fn item(
        &mut self,
        channel: &str,
        address: &str,
        recipient: &Recipient,
        endpoint: Option<&Endpoint<'_>>,
    ) -> Item {
        match self.send(channel, address, recipient, endpoint) {
            Ok(send) => Item::Send(Box::new(send)),
            Err(text) => {
                let error = Error::new(ErrorKind::InvalidPayload, text);
                Item::Known(Sent::of(Err(&error)))
            }
        }
    }

    fn send(
        &mut self,
        name: &str,
        address: &str,
        recipient: &Recipient,
        endpoint: Option<&Endpoint<'_>>,
    ) -> Result<Send, String> {
        let (kind, family) = match name {
            "GCM" => (Kind::Fcm, "GCM"),
            "ADM" => (Kind::Adm, "ADM"),
            "BAIDU" => (Kind::Baidu, "BAIDU"),
            "APNS" | "APNS_SANDBOX" | "APNS_VOIP" | "APNS_VOIP_SANDBOX" => (Kind::Apns, "APNS"),
            _ => return Err(no_channel(name, self.app)),
        };
        let record = self
            .channels
            .get(name)
            .ok_or_else(|| no_channel(name, self.app))?;
        if record.get("Enabled") == Some(&Value::Bool(false)) {
            return Err(no_channel(name, self.app));
        }
        let target = match kind {
            // The provider judges what is not hex: its word is what the caller's code looks for.
            Kind::Apns => crate::apns::DeviceToken::lenient(address).map(Target::Apns),
            Kind::Fcm => crate::fcm::Target::token(address).map(Target::Fcm),
            Kind::Adm => adm::RegistrationId::new(address).map(Target::Adm),
            // The app's registration is `userId:channelId`; Baidu's REST API knows the channel alone.
            _ => baidu::Target::device(address.rsplit(':').next().unwrap_or(address)).map(Target::Baidu),
        };
        let target = target.map_err(|error| error.context().to_owned())?;
        let shared = recipient.is_plain() && endpoint.is_none();
        let made = match self.made.get(name) {
            Some(made) if shared => made.clone(),
            _ => {
                let made = self.make(name, family, record, recipient, endpoint);
                if shared {
                    self.made.insert(name.to_owned(), made.clone());
                }
                made
            }
        };
        let (template, warnings) = made?;
        self.warnings.extend(warnings);
        let message = template
            .to(&target)
            .map_err(|error| error.context().to_owned())?;
        let mut channel = Channel::new(kind, self.app, name);
        channel.sandbox = name.ends_with("_SANDBOX");
        let key = endpoint.map_or(address, |endpoint| endpoint.id);
        let record = endpoint.map(|_| Collection::Endpoints);
        Ok(Send::now(channel, key, record, message))
    }

    fn make(
        &self,
        name: &str,
        family: &str,
        record: &Value,
        recipient: &Recipient,
        endpoint: Option<&Endpoint<'_>>,
    ) -> Made {
        let content = self.content(family, recipient, endpoint)?;
        let silent = content.silent.unwrap_or_default();
        let nothing = content.title.is_none() && content.body.is_none() && content.raw.is_none();
        if nothing && !silent && content.data.is_empty() {
            return Err(format!("There is no message for the channel {name}"));
        }
        let mut context: Vec<(String, String)> = self.request.context.clone();
        // The address wins.
        context.retain(|(name, _)| recipient.context.iter().all(|(own, _)| own != name));
        context.extend(recipient.context.iter().cloned());
        let extra = Extra {
            context,
            trace_id: self.request.trace_id.clone(),
        };
        match family {
            "APNS" => apns::template(name, &content, &extra, record, self.switches, self.began),
            "GCM" => fcm::template(&content, &extra, self.switches, self.began),
            "ADM" => adm_template(&content, &extra),
            _ => baidu_template(&content, &extra),
        }
    }

    /// The message of a channel for one recipient: fields of higher rank first, values of variables put in.
    fn content(
        &self,
        family: &str,
        recipient: &Recipient,
        endpoint: Option<&Endpoint<'_>>,
    ) -> Result<Content, String> {
        let messages = &self.request.messages;
        let mut content = messages.channel(family).cloned().unwrap_or_default();
        if let Some(template) = self.template {
            if let Some(own) = template.channel(family) {
                content.fill(own);
            }
            content.fill(&template.default_push);
        }
        content.fill(&messages.default_push);
        content.fill(&messages.default);
        if let Some(template) = self.template {
            content.fill(&template.default);
        }
        for (field, own) in [
            (&mut content.body, &recipient.body),
            (&mut content.title, &recipient.title),
            (&mut content.raw, &recipient.raw),
        ] {
            if own.is_some() {
                field.clone_from(own);
            }
        }
        let mut variables = endpoint.map(attributes).unwrap_or_default();
        variables.append(&mut content.variables);
        variables.extend(recipient.variables.clone());
        let missing = |name: String| format!("The variable {{{{{name}}}}} has no value");
        for text in [&mut content.title, &mut content.body, &mut content.url]
            .into_iter()
            .flatten()
        {
            *text = substitute(text, &variables).map_err(missing)?;
        }
        for (_, value) in &mut content.data {
            *value = substitute(value, &variables).map_err(missing)?;
        }
        if let Some(raw) = &mut content.raw {
            *raw = substitute_json(raw, &variables).map_err(missing)?;
        }
        Ok(content)
    }
}

/// The attributes of an endpoint and its user as variables: `{{Attributes.city}}`, `{{User.UserId}}`,
/// `{{User.UserAttributes.name}}`.
fn attributes(endpoint: &Endpoint<'_>) -> Variables {
    let mut all = Variables::new();
    let mut add = |prefix: &str, map: Option<&Value>| {
        for (name, values) in map.and_then(Value::as_object).into_iter().flatten() {
            let first = match values {
                Value::Array(values) => values.first(),
                other => Some(other),
            };
            if let Some(first) = first {
                all.insert(format!("{prefix}.{name}"), data::as_text(first));
            }
        }
    };
    let user = endpoint.value.get("User");
    add("Attributes", endpoint.value.get("Attributes"));
    add("Metrics", endpoint.value.get("Metrics"));
    add("Demographic", endpoint.value.get("Demographic"));
    add("Location", endpoint.value.get("Location"));
    add(
        "User.UserAttributes",
        user.and_then(|user| user.get("UserAttributes")),
    );
    if let Some(id) = user.and_then(|user| user.get("UserId")).and_then(Value::as_str) {
        all.insert("User.UserId".into(), id.to_owned());
    }
    all
}

fn no_channel(name: &str, app: &str) -> String {
    format!("No channel of type {name} is enabled for the application {app}")
}

fn adm_template(content: &Content, extra: &Extra) -> Made {
    let mut builder = adm::Message::builder();
    let mut warnings = Vec::new();
    let mut md5 = content.md5.clone();
    match &content.raw {
        Some(raw) => {
            let mut map = data::raw(raw).ok_or("RawContent is not a JSON object")?;
            let whole = map.get("data").is_some_and(Value::is_object);
            let pairs = match whole {
                true => map.remove("data"),
                false => Some(Value::Object(std::mem::take(&mut map))),
            };
            for (name, value) in pairs.as_ref().and_then(Value::as_object).into_iter().flatten() {
                builder = builder.data(name, data::as_text(value));
            }
            for (name, value) in map {
                match name.as_str() {
                    // The message's own fields would stand there a second time.
                    "consolidationKey" if content.collapse.is_some() => {}
                    "expiresAfter" if content.expires_after.is_some() => {}
                    "md5" if md5.is_some() => {}
                    "md5" => md5 = value.as_str().map(str::to_owned),
                    _ => builder = builder.extra(name, value),
                }
            }
        }
        None => {
            for (name, value) in data::flat(content, extra) {
                builder = builder.data(name, value);
            }
        }
    }
    if let Some(key) = &content.collapse {
        builder = builder.consolidation_key(key);
    }
    if let Some(seconds) = &content.expires_after {
        let seconds: u64 = seconds
            .trim()
            .parse()
            .map_err(|_| "ExpiresAfter is not a number of seconds")?;
        builder = builder.expires_after(std::time::Duration::from_secs(seconds));
    }
    builder = match md5 {
        Some(sum) => builder.extra("md5", sum),
        None => builder.with_md5(),
    };
    if content.raw.is_some() && extra.context().is_some() {
        warnings.push("Context and TraceId are not added to RawContent".to_owned());
    }
    let template = builder
        .template()
        .map_err(|error| error.context().to_owned())?;
    Ok((Template::Adm(template), warnings))
}

fn baidu_template(content: &Content, extra: &Extra) -> Made {
    let mut warnings = Vec::new();
    let msg = match &content.raw {
        Some(raw) => {
            if extra.context().is_some() {
                warnings.push("Context and TraceId are not added to RawContent".to_owned());
            }
            Value::Object(data::raw(raw).ok_or("RawContent is not a JSON object")?)
        }
        None => data::object(&data::flat(content, extra)),
    };
    // AWS sends Baidu's raw messages, which the app's own SDK draws.
    let mut builder = baidu::Message::android_raw(msg.to_string().as_bytes())
        .map_err(|error| error.context().to_owned())?;
    if let Some(seconds) = content.time_to_live {
        let seconds = u64::try_from(seconds).map_err(|_| "TimeToLive is negative")?;
        builder = builder.expires_after(std::time::Duration::from_secs(seconds));
    }
    let template = builder
        .template()
        .map_err(|error| error.context().to_owned())?;
    Ok((Template::Baidu(template), warnings))
}
