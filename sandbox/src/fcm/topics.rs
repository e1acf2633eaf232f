//! Topic subscriptions: the v1 resource and the legacy batch calls.

use super::error::Problem;
use super::message::is_topic;
use super::{Fcm, Registration};
use crate::exchange::{Exchange, percent_decode};
use crate::record::Record;
use crate::shared::Moment;
use http::Method;
use serde_json::{Value, json};

/// Topics one app instance may follow.
const TOPIC_LIMIT: usize = 2000;
/// Tokens in one legacy batch.
const BATCH_LIMIT: usize = 1000;

impl Fcm {
    /// `/v1/projects/{p}/registrations/{r}/topicSubscriptions[/{t}]`.
    pub(super) fn subscription(
        &mut self,
        rest: &str,
        exchange: &Exchange,
        now: Moment,
        record: &mut Record,
    ) -> Result<Value, Problem> {
        "topic".clone_into(&mut record.operation);
        let mut parts = rest.split('/');
        let (registration, collection, topic, end) = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(registration), Some("topicSubscriptions"), None) = (registration, collection, end) else {
            return Err(Problem::no_such_page());
        };
        let registration = percent_decode(registration, false);
        let query = Exchange::form(exchange.query.as_deref().unwrap_or_default());
        let field = |a: &str, b: &str| {
            query
                .iter()
                .find(|(key, _)| key == a || key == b)
                .map(|(_, v)| v.clone())
        };
        let allow_missing = field("allow_missing", "allowMissing").as_deref() == Some("true");
        record.target = Some(registration.clone());
        self.registration("token", &registration)?;
        let topic = topic
            .map(|topic| percent_decode(topic, false))
            .or_else(|| field("topic_name", "topicName"));
        let name = |topic: &str| {
            format!(
                "projects/{}/registrations/{registration}/topicSubscriptions/{topic}",
                self.project_id
            )
        };
        let entry = |topic: &str| json!({ "name": name(topic), "topicName": topic, "createTime": crate::http_date::rfc3339(now.unix_ms) });
        let invalid = |rule, text| Problem::new(400, "INVALID_ARGUMENT", rule, text).fcm("INVALID_ARGUMENT");
        if let Some(topic) = &topic {
            if !is_topic(topic) {
                return Err(invalid("fcm.topic.name", "Invalid topic name."));
            }
        }
        let none = std::collections::BTreeSet::new();
        let known = self.topics.get(&registration).unwrap_or(&none);
        match (&exchange.method, topic) {
            (&Method::POST | &Method::PATCH, Some(topic)) => {
                let upsert = exchange.method == Method::PATCH;
                if known.contains(&topic) && !upsert {
                    let text = "Requested entity already exists";
                    return Err(Problem::new(409, "ALREADY_EXISTS", "fcm.topic.exists", text));
                }
                if !known.contains(&topic) && upsert && !allow_missing {
                    return Err(not_found());
                }
                if known.len() >= TOPIC_LIMIT {
                    return Err(invalid(
                        "fcm.topic.limit",
                        "Too many topics for this app instance.",
                    ));
                }
                "topic.subscribe".clone_into(&mut record.operation);
                record.id = Some(topic.clone());
                let reply = entry(&topic);
                self.topics.entry(registration).or_default().insert(topic);
                Ok(reply)
            }
            (&Method::DELETE, Some(topic)) => {
                "topic.unsubscribe".clone_into(&mut record.operation);
                record.id = Some(topic.clone());
                let had = self
                    .topics
                    .get_mut(&registration)
                    .is_some_and(|topics| topics.remove(&topic));
                if had || allow_missing {
                    Ok(json!({}))
                } else {
                    Err(not_found())
                }
            }
            (&Method::GET, Some(topic)) => {
                "topic.read".clone_into(&mut record.operation);
                if known.contains(&topic) {
                    Ok(entry(&topic))
                } else {
                    Err(not_found())
                }
            }
            (&Method::GET, None) => {
                "topic.list".clone_into(&mut record.operation);
                let size = field("page_size", "pageSize")
                    .and_then(|size| size.parse().ok())
                    .unwrap_or(2000);
                let after = field("page_token", "pageToken").filter(|token| !token.is_empty());
                let mut rest = known
                    .iter()
                    .filter(|topic| after.as_ref().is_none_or(|after| *topic > after));
                let page: Vec<&String> = rest.by_ref().take(usize::clamp(size, 1, 2000)).collect();
                let mut body =
                    json!({ "topicSubscriptions": page.iter().map(|t| entry(t)).collect::<Vec<_>>() });
                if let (Some(last), true) = (page.last(), rest.next().is_some()) {
                    body["nextPageToken"] = json!(last);
                }
                Ok(body)
            }
            (&Method::POST | &Method::PATCH, None) => {
                Err(invalid("fcm.topic.name", "topic_name is required."))
            }
            _ => Err(Problem::no_such_page()),
        }
    }

    /// `/iid/v1:batchAdd` and `/iid/v1:batchRemove`.
    pub(super) fn batch(
        &mut self,
        call: &str,
        exchange: &Exchange,
        now: Moment,
        record: &mut Record,
    ) -> Result<Value, Problem> {
        let add = match call {
            "batchAdd" => true,
            "batchRemove" => false,
            _ => return Err(Problem::no_such_page()),
        };
        (if add { "iid.add" } else { "iid.remove" }).clone_into(&mut record.operation);
        self.bearer(exchange, now)?;
        let invalid = |rule, text| Err(Problem::new(400, "INVALID_ARGUMENT", rule, text));
        if exchange.header("access_token_auth") != Some("true") {
            let text = "access_token_auth must be true";
            return Err(Problem::new(401, "UNAUTHENTICATED", "fcm.iid.header", text));
        }
        let body: Value = serde_json::from_slice(&exchange.body).unwrap_or_default();
        let Some(topic) = body["to"]
            .as_str()
            .and_then(|to| to.strip_prefix("/topics/"))
            .filter(|t| is_topic(t))
        else {
            return invalid("fcm.iid.to", "InvalidTopicName");
        };
        let Some(tokens) = body["registration_tokens"]
            .as_array()
            .filter(|tokens| !tokens.is_empty())
        else {
            return invalid("fcm.iid.tokens", "NoRegistrationTokens");
        };
        if tokens.len() > BATCH_LIMIT {
            return invalid("fcm.iid.tokens", "TooManyRegistrationTokens");
        }
        record.target = Some(topic.to_owned());
        let results: Vec<Value> = tokens
            .iter()
            .map(|token| {
                let token = token.as_str().unwrap_or_default();
                match self.registrations.get(token) {
                    Some(Registration::Active | Registration::Throttled | Registration::BadThirdPartyKey) => {
                    }
                    Some(Registration::Unregistered) => return json!({ "error": "NOT_FOUND" }),
                    Some(Registration::OtherProject) => return json!({ "error": "PERMISSION_DENIED" }),
                    None => return json!({ "error": "INVALID_ARGUMENT" }),
                }
                let topics = self.topics.entry(token.to_owned()).or_default();
                if add && topics.len() >= TOPIC_LIMIT {
                    return json!({ "error": "TOO_MANY_TOPICS" });
                }
                if add {
                    topics.insert(topic.to_owned());
                } else {
                    topics.remove(topic);
                }
                json!({})
            })
            .collect();
        Ok(json!({ "results": results }))
    }
}

fn not_found() -> Problem {
    Problem::new(
        404,
        "NOT_FOUND",
        "fcm.topic.unknown",
        "Requested entity was not found.",
    )
}
