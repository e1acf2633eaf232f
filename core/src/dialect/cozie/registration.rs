//! Where a participant's device is: out of the rows that the app writes, or told by an app of one's own.

use serde_json::{Map, Value, json};

use super::super::ask::{Ask, Collection, Record, Write};
use super::super::reply::Reply;
use super::super::run::{Run, Stop};
use super::{Participant, check_scope};
use crate::json;

/// The app's own way: a list of rows for a time series, whose tags name the participant and OneSignal's id.
pub(super) fn rows(run: &mut Run<'_>, key: &Value) -> Result<Reply, Stop> {
    let body = json::parse(run.incoming.body()).map_err(|error| Reply::json(400, &error.context().into()))?;
    let rows = match &body {
        Value::Array(rows) => rows.as_slice(),
        row => std::slice::from_ref(row),
    };
    let mut records: Vec<(&str, Record)> = Vec::new();
    for row in rows {
        let get = |tag: &str| row.get("tags").and_then(|tags| tags.get(tag)?.as_str());
        let (Some(onesignal), Some(participant), Some(password)) =
            (get("id_onesignal"), get("id_participant"), get("id_password"))
        else {
            continue;
        };
        let Some(experiment) = row.get("measurement").and_then(Value::as_str) else {
            continue;
        };
        check_scope(key, experiment)?;
        let who = Participant {
            experiment,
            participant,
            password,
        };
        let value = json!({"onesignal_id": onesignal, "participant": participant});
        records.retain(|(there, record)| *there != experiment || record.id.as_deref() != Some(&who.id()));
        // The last row wins, as in Cozie's own query.
        records.push((experiment, Record::new(Some(who.id()), value)));
    }
    for (experiment, record) in records {
        put(run, experiment, record)?;
    }
    run.warn("the rows are read for OneSignal's ids; what they measure is not kept");
    Ok(Reply::json(200, &"Success".into()))
}

/// Our own way: the token of an app that was built with one's own key.
pub(super) fn register(run: &mut Run<'_>, key: &Value) -> Result<Reply, Stop> {
    let body = json::parse_object(run.incoming.body());
    let body: Map<String, Value> = body.map_err(|error| Reply::json(400, &error.context().into()))?;
    let who = Participant::read(&body)?;
    check_scope(key, who.experiment)?;
    let token = body.get("token").and_then(Value::as_str).unwrap_or_default();
    if token.is_empty() {
        return Err(Reply::json(400, &"token is missing".into()).into());
    }
    let sandbox = body.get("sandbox").and_then(Value::as_bool).unwrap_or_default();
    let value = json!({
        "Address": token,
        "ChannelType": if sandbox { "APNS_SANDBOX" } else { "APNS" },
        "participant": who.participant,
    });
    put(run, who.experiment, Record::new(Some(who.id()), value))?;
    Ok(Reply::json(200, &json!({"message": "registered"})))
}

fn put(run: &mut Run<'_>, experiment: &str, record: Record) -> Result<(), Stop> {
    run.ask(Ask::Put {
        collection: Collection::Endpoints,
        scope: Some(experiment.to_owned()),
        write: Write::Upsert,
        records: vec![record],
    })?;
    Ok(())
}
