//! What the operations on records have in common.

use serde_json::{Map, Value};

use super::fault::{Fault, request_id};
use crate::dialect::query::pairs;
use crate::dialect::run::{Run, Stop};
use crate::dialect::sigv4;
use crate::time::UnixTime;

/// The number of records of a page for a request that names none, and the largest, Pinpoint's own.
const PAGE: u64 = 100;

/// Reads the body of a request, one JSON object; a member that is null is one that is not there.
pub(super) fn body(run: &Run<'_>) -> Result<Value, Stop> {
    let map = crate::json::parse_object(run.incoming.body()).map_err(|error| {
        let text = format!("Could not parse request body into json: {}", error.context());
        Fault::bad(text).stop(run)
    })?;
    let there = map.into_iter().filter(|(_, value)| !value.is_null());
    Ok(Value::Object(there.collect()))
}

/// Returns the records of an answer to a list, and the token of the page after.
pub(super) fn found(answer: &Value, offset: u64) -> (Vec<(String, Value)>, Option<String>) {
    let items = answer.get("items").and_then(Value::as_array);
    let items: Vec<(String, Value)> = items
        .into_iter()
        .flatten()
        .filter_map(|item| {
            Some((
                item.get("id")?.as_str()?.to_owned(),
                item.get("value")?.clone(),
            ))
        })
        .collect();
    let total = answer.get("total").and_then(Value::as_u64).unwrap_or_default();
    let next = offset.saturating_add(items.len() as u64);
    let next = (next < total && !items.is_empty()).then(|| next.to_string());
    (items, next)
}

/// Reads `page-size` and `token` of the query.
pub(super) fn page(run: &Run<'_>) -> Result<(u64, u64), Stop> {
    let number = |name: &str, default: u64| match query(run, name) {
        None => Ok(default),
        Some(text) => text
            .parse::<u64>()
            .map_err(|_| Fault::bad(format!("{name} is not a number")).stop(run)),
    };
    Ok((
        number("token", 0)?,
        number("page-size", PAGE)?.clamp(1, PAGE),
    ))
}

/// Returns the value of a parameter of the query, decoded; `None` where it is not there, or there twice.
pub(super) fn query(run: &Run<'_>, name: &str) -> Option<String> {
    let pairs = pairs(run.incoming.query()?);
    let mut values = pairs.into_iter().filter(|(there, _)| there == name);
    let (_, value) = values.next()?;
    values.next().is_none().then_some(value)
}

/// `MessageBody`
pub(super) fn accepted(run: &Run<'_>, text: &str) -> Value {
    let mut map = Map::new();
    map.insert("Message".into(), text.into());
    map.insert("RequestID".into(), request_id(run).into());
    Value::Object(map)
}

/// A time as ISO 8601 has it, `2026-11-29T16:36:54.000Z`.
pub(super) fn time(time: UnixTime) -> String {
    let text = sigv4::date(time.as_secs());
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}T{}:{}:{}.{:03}Z",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(9, 11),
        part(11, 13),
        part(13, 15),
        time.as_millis() % 1000
    )
}
