//! SendMessages and SendUsersMessages.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::fault::{Fault, reply, request_id};
use super::plan::{Endpoint, Plan, Switches};
use super::request::{self, Messages, Recipient, Request};
use super::result::result;
use super::templates;
use crate::dialect::ask::{Ask, Collection};
use crate::dialect::caller::Caller;
use crate::dialect::reply::Reply;
use crate::dialect::run::{Item, Run, Stop};
use crate::dialect::sent::Sent;

/// The time for which a call is remembered, in seconds: longer than its signature is good for (five minutes to either
/// side) and than any SDK goes on repeating it.
const REMEMBERED: u64 = 900;

/// The place of a result.
enum Place {
    /// `Result`, by the address.
    Address,
    /// `EndpointResult`, by the endpoint's id.
    Endpoint(String),
    /// `Result`, by the user's and the endpoint's id.
    User(String, String),
}

pub(super) fn messages(run: &mut Run<'_>) -> Result<Reply, Stop> {
    let request = request::read(run)?;
    let claimed = claim(run)?;
    let records = match request.endpoints.is_empty() {
        true => Value::Object(Map::new()),
        false => run.ask(Ask::Get {
            collection: Collection::Endpoints,
            scope: Some(run.id("application-id").to_owned()),
            ids: request.endpoints.iter().map(|(id, _)| id.clone()).collect(),
        })?,
    };
    let mut targets = Vec::new();
    for (address, channel, recipient) in &request.addresses {
        targets.push(Target {
            place: Place::Address,
            address: address.clone(),
            channel: channel.clone(),
            recipient,
            endpoint: None,
        });
    }
    for (id, recipient) in &request.endpoints {
        targets.push(Target::endpoint(
            Place::Endpoint(id.clone()),
            id,
            records.get(id),
            recipient,
        ));
    }
    let results = send(run, &request, targets)?;
    let (mut result, mut endpoints) = (Map::new(), Map::new());
    for (place, key, value) in results {
        match place {
            Place::Endpoint(id) => drop(endpoints.insert(id, value)),
            _ => drop(result.insert(key, value)),
        }
    }
    let mut body = Map::new();
    body.insert("ApplicationId".into(), run.id("application-id").into());
    if !request.endpoints.is_empty() {
        body.insert("EndpointResult".into(), Value::Object(endpoints));
    }
    body.insert("RequestId".into(), request_id(run).into());
    body.insert("Result".into(), Value::Object(result));
    Ok(reply(run, 200, &Value::Object(body)).remembered(&claimed, REMEMBERED))
}

pub(super) fn users_messages(run: &mut Run<'_>) -> Result<Reply, Stop> {
    let request = request::read(run)?;
    let claimed = claim(run)?;
    let ids: Vec<&str> = request.users.iter().map(|(id, _)| id.as_str()).collect();
    let records = run.ask(Ask::List {
        collection: Collection::Endpoints,
        scope: Some(run.id("application-id").to_owned()),
        filter: json!({"users": ids}),
        offset: 0,
        limit: None,
    })?;
    let records = records.get("items").and_then(Value::as_array);
    let mut targets = Vec::new();
    for record in records.into_iter().flatten() {
        let (Some(id), Some(value)) = (record.get("id").and_then(Value::as_str), record.get("value")) else {
            continue;
        };
        let user = value.pointer("/User/UserId").and_then(Value::as_str);
        let recipient = request.users.iter().find(|(known, _)| Some(known.as_str()) == user);
        if let Some((user, recipient)) = recipient {
            let place = Place::User(user.clone(), id.to_owned());
            targets.push(Target::endpoint(place, id, Some(value), recipient));
        }
    }
    let results = send(run, &request, targets)?;
    let mut result: Map<String, Value> = ids
        .iter()
        .map(|id| ((*id).to_owned(), Value::Object(Map::new())))
        .collect();
    for (place, _, value) in results {
        let Place::User(user, endpoint) = place else { continue };
        if let Some(Value::Object(endpoints)) = result.get_mut(&user) {
            endpoints.insert(endpoint, value);
        }
    }
    let mut body = Map::new();
    body.insert("ApplicationId".into(), run.id("application-id").into());
    body.insert("RequestId".into(), request_id(run).into());
    body.insert("Result".into(), Value::Object(result));
    Ok(reply(run, 200, &Value::Object(body)).remembered(&claimed, REMEMBERED))
}

/// Claims the call, so that it sends once: a repetition by the SDK, which has the same invocation id, and a replay of the
/// same bytes get the first one's reply.
fn claim(run: &mut Run<'_>) -> Result<Vec<String>, Stop> {
    let Caller::Signed(signed) = run.caller else {
        return Ok(Vec::new());
    };
    let mut keys = Vec::new();
    let app = run.id("application-id");
    if let Some(id) = run.incoming.header("amz-sdk-invocation-id") {
        // The id is the caller's to choose: beside the caller's own key and app it meets nobody else's.
        let id: String = id.chars().take(100).collect();
        keys.push(format!("pinpoint:{}:{app}:{id}", signed.access_key));
    }
    // boto3 does not sign the invocation id, so whoever holds a copy of the request could give it another one.
    if run.options.get("replay").and_then(Value::as_str) != Some("allow") {
        keys.push(format!("pinpoint:signature:{}", signed.signature));
    }
    if keys.is_empty() {
        return Ok(keys);
    }
    let answer = run.ask(Ask::Claim {
        keys: keys.clone(),
        seconds: REMEMBERED,
    })?;
    if let Some(reply) = answer.get("reply").and_then(Reply::read) {
        run.warn("the call was made before: nothing is sent, and its reply is repeated");
        return Err(reply.remembered(&[], 0).into());
    }
    if answer.get("under_way").is_some() {
        let text = "The same request is under way";
        return Err(Fault::new(429, "TooManyRequestsException", text).stop(run));
    }
    Ok(keys)
}

/// One recipient, found.
struct Target<'a> {
    place: Place,
    address: String,
    channel: String,
    recipient: &'a Recipient,
    /// The endpoint's id and record; the record is `None` where there is no such endpoint.
    endpoint: Option<(&'a str, Option<&'a Value>)>,
}

impl<'a> Target<'a> {
    fn endpoint(place: Place, id: &'a str, record: Option<&'a Value>, recipient: &'a Recipient) -> Self {
        let text = |name: &str| {
            let value = record.and_then(|record| record.get(name)).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        Self {
            place,
            address: text("Address"),
            channel: text("ChannelType"),
            recipient,
            endpoint: Some((id, record)),
        }
    }
}

/// Sends to all of them. The results come with their places, and the key that the caller wrote.
fn send(
    run: &mut Run<'_>,
    request: &Request,
    targets: Vec<Target<'_>>,
) -> Result<Vec<(Place, String, Value)>, Stop> {
    let app = run.id("application-id");
    let template = match &request.template {
        None => None,
        Some((name, version)) => {
            let id = templates::id(name, version.as_deref());
            let answer = run.ask(Ask::Get {
                collection: Collection::Templates,
                scope: None,
                ids: vec![id.clone()],
            })?;
            let Some(template) = answer.get(&id) else {
                return Err(Fault::not_found("Template not found").stop(run));
            };
            Some(Messages::template(template).map_err(|fault| fault.stop(run))?)
        }
    };
    let mut names: BTreeSet<&str> = targets.iter().map(|target| target.channel.as_str()).collect();
    names.remove("");
    let channels = match names.is_empty() {
        true => Value::Object(Map::new()),
        false => run.ask(Ask::Get {
            collection: Collection::Channels,
            scope: Some(app.to_owned()),
            ids: names.into_iter().map(str::to_owned).collect(),
        })?,
    };
    let switches = Switches {
        also_notification: run.option("also_notification", false),
        content_available: run.option("content_available", true),
    };
    let began = run.began;
    let results = run.send(|run| {
        let mut plan = Plan::new(request, template.as_ref(), &channels, app, switches, began);
        let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
        let items: Vec<Item> = targets
            .iter()
            .map(|target| item(&mut plan, target, &mut seen))
            .collect();
        for warning in plan.warnings {
            run.warn(warning);
        }
        items
    })?;
    let made = targets.into_iter().zip(results).map(|(target, sent)| {
        let address = match target.place {
            Place::Address => None,
            _ => Some(target.address.as_str()),
        };
        let value = result(&sent, &target.channel, address);
        (target.place, target.address, value)
    });
    Ok(made.collect())
}

fn item<'t>(plan: &mut Plan<'_>, target: &'t Target<'_>, seen: &mut BTreeSet<(&'t str, &'t str)>) -> Item {
    let known = |outcome: &str| {
        Item::Known(Sent {
            outcome: outcome.to_owned(),
            ..Sent::default()
        })
    };
    let endpoint = match target.endpoint {
        None => None,
        Some((_, None)) => return known("no_endpoint"),
        Some((id, Some(value))) => {
            let is = |name: &str, word: &str| value.get(name).and_then(Value::as_str) == Some(word);
            if is("OptOut", "ALL") {
                return known("opt_out");
            }
            if is("EndpointStatus", "INACTIVE") {
                return known("inactive");
            }
            Some(Endpoint { id, value })
        }
    };
    // One device gets one push, whichever of its endpoints were named.
    if !seen.insert((&target.channel, &target.address)) {
        return known("duplicate");
    }
    plan.item(
        &target.channel,
        &target.address,
        target.recipient,
        endpoint.as_ref(),
    )
}
