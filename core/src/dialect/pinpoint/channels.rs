//! The channels of an app: which services it uses, and with which credentials.

use serde_json::{Map, Value, json};

use super::fault::{Fault, reply};
use super::request::{short, text};
use super::store::{body, found, time};
use crate::dialect::ask::{Ask, Collection, Record, Write};
use crate::dialect::reply::Reply;
use crate::dialect::run::{Run, Stop};

/// A channel: the name in the path, the name everywhere else, the members that are secret, and those that are not.
struct Channel {
    path: &'static str,
    name: &'static str,
    secret: &'static [&'static str],
    plain: &'static [&'static str],
}

const APNS_SECRET: &[&str] = &["Certificate", "PrivateKey", "TokenKey"];
const APNS_PLAIN: &[&str] = &["BundleId", "DefaultAuthenticationMethod", "TeamId", "TokenKeyId"];

const CHANNELS: &[Channel] = &[
    Channel {
        path: "gcm",
        name: "GCM",
        secret: &["ApiKey", "ServiceJson"],
        plain: &["DefaultAuthenticationMethod"],
    },
    Channel {
        path: "apns",
        name: "APNS",
        secret: APNS_SECRET,
        plain: APNS_PLAIN,
    },
    Channel {
        path: "apns_sandbox",
        name: "APNS_SANDBOX",
        secret: APNS_SECRET,
        plain: APNS_PLAIN,
    },
    Channel {
        path: "apns_voip",
        name: "APNS_VOIP",
        secret: APNS_SECRET,
        plain: APNS_PLAIN,
    },
    Channel {
        path: "apns_voip_sandbox",
        name: "APNS_VOIP_SANDBOX",
        secret: APNS_SECRET,
        plain: APNS_PLAIN,
    },
    Channel {
        path: "adm",
        name: "ADM",
        secret: &["ClientSecret"],
        plain: &["ClientId"],
    },
    Channel {
        path: "baidu",
        name: "BAIDU",
        secret: &["SecretKey"],
        plain: &["ApiKey"],
    },
];

pub(super) fn run(run: &mut Run<'_>) -> Result<Reply, Stop> {
    let app = run.id("application-id").to_owned();
    if run.operation() == "GetChannels" {
        let answer = run.ask(Ask::List {
            collection: Collection::Channels,
            scope: Some(app.clone()),
            filter: json!({}),
            offset: 0,
            limit: None,
        })?;
        let (items, _) = found(&answer, 0);
        let channels: Map<String, Value> = items
            .into_iter()
            .filter_map(|(name, value)| {
                let channel = CHANNELS.iter().find(|channel| channel.name == name)?;
                Some((name, response(&app, channel, &value)))
            })
            .collect();
        return Ok(reply(run, 200, &json!({"Channels": channels})));
    }
    let path = run.id("channel");
    let Some(channel) = CHANNELS.iter().find(|channel| channel.path == path) else {
        return Err(Fault::not_found("Resource not found").stop(run));
    };
    let before = run.ask(Ask::Get {
        collection: Collection::Channels,
        scope: Some(app.clone()),
        ids: vec![channel.name.to_owned()],
    })?;
    let before = before.get(channel.name).cloned();
    if run.operation() == "UpdateChannel" {
        let request = body(run)?;
        let value = changed(run, channel, &request, before.as_ref()).map_err(|fault| fault.stop(run))?;
        run.ask(Ask::Put {
            collection: Collection::Channels,
            scope: Some(app.clone()),
            write: Write::Upsert,
            records: vec![Record::new(Some(channel.name.to_owned()), value.clone())],
        })?;
        return Ok(reply(run, 200, &response(&app, channel, &value)));
    }
    let Some(value) = before else {
        return Err(Fault::not_found("Resource not found").stop(run));
    };
    if run.operation() == "DeleteChannel" {
        run.ask(Ask::Delete {
            collection: Collection::Channels,
            scope: Some(app.clone()),
            ids: vec![channel.name.to_owned()],
        })?;
    }
    Ok(reply(run, 200, &response(&app, channel, &value)))
}

/// The record of a channel that was changed. Credentials stand in its member `secret` and nowhere else.
fn changed(
    run: &mut Run<'_>,
    channel: &Channel,
    request: &Value,
    before: Option<&Value>,
) -> Result<Value, Fault> {
    let (mut value, mut secret) = (Map::new(), Map::new());
    for name in request.as_object().into_iter().flat_map(Map::keys) {
        if name == "Enabled" {
            continue;
        }
        let content = text(request, name)?.unwrap_or_default();
        if channel.secret.contains(&name.as_str()) {
            secret.insert(name.clone(), content.into());
        } else if channel.plain.contains(&name.as_str()) {
            value.insert(name.clone(), content.into());
        } else {
            run.warn(format!("{} is no member that is known: nothing is done with it", short(name)));
        }
    }
    // The model requires them.
    for name in match channel.name {
        "ADM" => &["ClientId", "ClientSecret"][..],
        "BAIDU" => &["ApiKey", "SecretKey"],
        _ => &[],
    } {
        if request.get(name).is_none() {
            return Err(Fault::bad(format!("{name} must be specified")));
        }
    }
    let enabled = match request.get("Enabled") {
        None => true,
        Some(Value::Bool(enabled)) => *enabled,
        Some(_) => return Err(Fault::bad("Enabled must be a boolean")),
    };
    let had = |name: &str| before.and_then(|before| before.get(name)).cloned();
    let now = time(run.began);
    value.insert("Enabled".into(), enabled.into());
    let has = !secret.is_empty() || had("HasCredential") == Some(Value::Bool(true));
    value.insert("HasCredential".into(), has.into());
    let token = secret.contains_key("TokenKey") || had("HasTokenKey") == Some(Value::Bool(true));
    value.insert("HasTokenKey".into(), token.into());
    let service = secret.contains_key("ServiceJson") || had("HasFcmServiceCredentials") == Some(Value::Bool(true));
    value.insert("HasFcmServiceCredentials".into(), service.into());
    let created = had("CreationDate").unwrap_or_else(|| now.as_str().into());
    value.insert("CreationDate".into(), created);
    value.insert("LastModifiedDate".into(), now.into());
    let version = had("Version").and_then(|version| version.as_u64()).unwrap_or_default();
    value.insert("Version".into(), version.saturating_add(1).into());
    if !secret.is_empty() {
        value.insert("secret".into(), Value::Object(secret));
    }
    Ok(Value::Object(value))
}

/// `GCMChannelResponse` and its siblings.
fn response(app: &str, channel: &Channel, value: &Value) -> Value {
    let mut map = Map::new();
    map.insert("ApplicationId".into(), app.into());
    let mut members = vec![
        "CreationDate",
        "DefaultAuthenticationMethod",
        "Enabled",
        "HasCredential",
        "LastModifiedDate",
        "Version",
    ];
    match channel.name {
        "GCM" => members.push("HasFcmServiceCredentials"),
        "ADM" | "BAIDU" => members.retain(|name| *name != "DefaultAuthenticationMethod"),
        _ => members.push("HasTokenKey"),
    }
    for name in members {
        if let Some(member) = value.get(name) {
            map.insert(name.into(), member.clone());
        }
    }
    if channel.name == "BAIDU" {
        // The model requires it; the real one is the API key, which is nobody's to read here.
        map.insert("Credential".into(), "".into());
    }
    map.insert("Id".into(), channel.path.into());
    map.insert("IsArchived".into(), false.into());
    map.insert("Platform".into(), channel.name.into());
    Value::Object(map)
}
