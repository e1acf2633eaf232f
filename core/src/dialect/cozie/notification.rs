//! A notification of a researcher to one participant.

use serde_json::{Map, Value, json};

use super::super::ask::{Ask, Collection, Record, Write};
use super::super::reply::Reply;
use super::super::run::{Item, Run, Stop};
use super::super::send::{Channel, Send};
use super::super::sent::Sent;
use super::{Participant, check_scope};
use crate::error::{Error, ErrorKind};
use crate::json;
use crate::outcome::OutcomeKind;
use crate::service::{Kind, Message};

pub(super) fn notify(run: &mut Run<'_>, key: &Value) -> Result<Reply, Stop> {
    let body = json::parse_object(run.incoming.body());
    let body = body.map_err(|error| Reply::json(400, &error.context().into()))?;
    let who = Participant::read(&body)?;
    let content = Content::read(&body)?;
    check_scope(key, who.experiment)?;
    let id = who.id();
    let answer = run.ask(Ask::Get {
        collection: Collection::Endpoints,
        scope: Some(who.experiment.to_owned()),
        ids: vec![id.clone()],
    })?;
    let record = answer.get(&id);
    let text = |name: &str| record.and_then(|record| record.get(name)?.as_str()).filter(|text| !text.is_empty());
    if let Some(token) = text("Address") {
        let sandbox = text("ChannelType") == Some("APNS_SANDBOX");
        return native(run, &who, &content, token, sandbox);
    }
    let bridge = run.options.get("onesignal_app_id").and_then(Value::as_str);
    match (text("onesignal_id"), bridge) {
        (Some(player), Some(app)) => forward(run, app, player, &content),
        (Some(_), None) => {
            run.warn("the participant is known by OneSignal's id alone: the option onesignal_app_id is not set");
            Err(nobody().into())
        }
        (None, _) => Err(nobody().into()),
    }
}

/// Sends by APNs, to an app that was built with one's own key.
fn native(
    run: &mut Run<'_>,
    who: &Participant<'_>,
    content: &Content<'_>,
    token: &str,
    sandbox: bool,
) -> Result<Reply, Stop> {
    let answer = run.ask(Ask::Get {
        collection: Collection::Channels,
        scope: None,
        ids: vec!["APNS".to_owned()],
    })?;
    let bundle = answer.get("APNS").and_then(|channel| channel.get("BundleId")?.as_str());
    let written = run.ask(Ask::Put {
        collection: Collection::Notifications,
        scope: Some(who.experiment.to_owned()),
        write: Write::Create,
        records: vec![Record::new(None, json!({"participant": who.participant, "state": "Queued"}))],
    })?;
    let id = written.get("ids").and_then(|ids| ids.get(0)?.as_str()).unwrap_or_default();
    let results = run.send(|_| {
        let missing = || Error::new(ErrorKind::MissingField, "the channel APNS has no BundleId");
        let message = bundle.ok_or_else(missing).and_then(|bundle| content.message(token, bundle, id));
        vec![match message {
            Err(error) => Item::Known(Sent::of(Err(&error))),
            Ok(message) => {
                let mut channel = Channel::new(Kind::Apns, who.experiment, "APNS");
                channel.sandbox = sandbox;
                Item::Send(Box::new(Send::now(channel, token, None, message)))
            }
        }]
    })?;
    let sent = results.into_iter().next().unwrap_or_default();
    // OneSignal's own answers, which researchers' scripts print: failures are 200, too.
    let reply = match sent.kind() {
        Some(OutcomeKind::Accepted) => json!({"id": id, "recipients": 1, "external_id": null}),
        Some(OutcomeKind::TokenGone) => {
            json!({"id": "", "recipients": 0, "errors": ["All included players are not subscribed"]})
        }
        _ => {
            let why = sent.reason.or(sent.text).unwrap_or(sent.outcome);
            json!({"id": "", "recipients": 0, "errors": [why]})
        }
    };
    Ok(Reply::json(200, &reply))
}

/// Hands the notification on to OneSignal, as Cozie's own function does: for the app of the store.
fn forward(run: &mut Run<'_>, app: &str, player: &str, content: &Content<'_>) -> Result<Reply, Stop> {
    let mut body = Map::new();
    body.insert("app_id".into(), app.into());
    body.insert("include_player_ids".into(), json!([player]));
    for (name, text) in [
        ("contents", content.message),
        ("headings", content.heading),
        ("subtitle", content.subtitle),
    ] {
        body.insert(name.into(), json!({"en": text}));
    }
    if let Some(buttons) = content.buttons {
        body.insert("buttons".into(), buttons.clone());
    }
    let answer = run.ask(Ask::Forward {
        to: "onesignal".to_owned(),
        path: "/api/v1/notifications".to_owned(),
        body: Value::Object(body),
    })?;
    let status = answer.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let text = answer.get("body").and_then(Value::as_str).unwrap_or_default();
    match status.filter(|status| (200..600).contains(status)) {
        Some(status) => Ok(Reply::new(status, text).with_header("Content-Type", "application/json")),
        None => Ok(Reply::json(502, &json!({"Error message": "OneSignal gave no answer."}))),
    }
}

fn nobody() -> Reply {
    Reply::json(400, &json!({"Error message": "No valid OneSignal Player ID found."}))
}

/// What the participant reads.
struct Content<'a> {
    message: &'a str,
    heading: &'a str,
    subtitle: &'a str,
    buttons: Option<&'a Value>,
}

impl<'a> Content<'a> {
    fn read(body: &'a Map<String, Value>) -> Result<Self, Reply> {
        let text = |name: &str| match body.get(name) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(Reply::json(400, &format!("{name} is not a string").into())),
        };
        let is_button = |button: &Value| {
            let is_text = |name: &str| button.get(name).is_some_and(Value::is_string);
            is_text("id") && is_text("text")
        };
        let buttons = body.get("buttons").filter(|buttons| !buttons.is_null());
        if buttons.is_some_and(|buttons| !buttons.as_array().is_some_and(|buttons| buttons.iter().all(is_button))) {
            return Err(Reply::json(400, &"buttons is not a list of {id, text}".into()));
        }
        Ok(Self {
            message: text("message")?,
            heading: text("heading")?,
            subtitle: text("subtitle")?,
            buttons,
        })
    }

    /// Makes the message as OneSignal's SDK in the app reads one.
    fn message(&self, token: &str, bundle: &str, id: &str) -> Result<Message, Error> {
        let mut alert = Map::new();
        for (name, text) in [("title", self.heading), ("subtitle", self.subtitle), ("body", self.message)] {
            if !text.is_empty() {
                alert.insert(name.into(), text.into());
            }
        }
        let mut payload = Map::new();
        // No category: one that is set would hide the buttons that come with the message.
        payload.insert("aps".into(), json!({"alert": alert, "sound": "default", "mutable-content": 1}));
        payload.insert("custom".into(), json!({"a": {"notification_id": id}}));
        if let Some(Value::Array(buttons)) = self.buttons {
            let buttons = buttons.iter().map(|button| json!({"i": button.get("id"), "n": button.get("text")}));
            payload.insert("buttons".into(), buttons.collect());
        }
        let form = json!({
            "push_type": "alert",
            "bundle": bundle,
            "device": token,
            "lenient": true,
            "payload": {"raw": Value::Object(payload).to_string()},
        });
        Message::from_json(Kind::Apns, form.to_string().as_bytes())
    }
}
