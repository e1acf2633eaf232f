//! A host with its store in memory: what a server of one's own does, without the server.

use std::collections::{BTreeMap, HashMap};

use pushcore::UnixTime;
use pushcore::dialect::{
    Action, Ask, Broadcast, Collection, Dialect, Job, Reply, Selection, Send, System, Write,
};
use pushcore::http::Incoming;
use serde_json::{Value, json};

/// 2026-11-22T00:00:00Z.
pub(crate) const NOW: u64 = 1_795_305_600;

type Key = (String, Option<String>, String);

/// A host of one dialect.
pub(crate) struct Host {
    dialect: Dialect,
    tokens: HashMap<String, Value>,
    records: BTreeMap<Key, Value>,
    last_id: u64,
    /// What to answer to a message, by its key.
    pub(crate) results: HashMap<String, Value>,
    pub(crate) sent: Vec<Send>,
    pub(crate) broadcasts: Vec<Broadcast>,
    pub(crate) asked: Vec<Ask>,
    pub(crate) warnings: Vec<String>,
    pub(crate) forwarded: Value,
}

/// A reply as a client reads it.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no json: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(there, _)| there == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl From<&Reply> for Answer {
    fn from(reply: &Reply) -> Self {
        Self {
            status: reply.status(),
            headers: reply.headers().to_vec(),
            text: String::from_utf8(reply.body().to_vec()).unwrap(),
        }
    }
}

impl Host {
    pub(crate) fn new(system: System, options: &Value) -> Self {
        Self {
            dialect: Dialect::new(system, options.to_string().as_bytes()).unwrap(),
            tokens: HashMap::new(),
            records: BTreeMap::new(),
            last_id: 100,
            results: HashMap::new(),
            sent: Vec::new(),
            broadcasts: Vec::new(),
            asked: Vec::new(),
            warnings: Vec::new(),
            forwarded: json!({"status": 200, "body": "{}"}),
        }
    }

    /// Lets a key in; `scopes` is `null` for everything.
    pub(crate) fn with_token(mut self, key: &str, scopes: Value) -> Self {
        let answer = match scopes {
            Value::Null => json!({}),
            scopes => json!({"scopes": scopes}),
        };
        self.tokens.insert(pushcore::dialect::token_digest(key), answer);
        self
    }

    pub(crate) fn with(
        mut self,
        collection: Collection,
        scope: Option<&str>,
        id: &str,
        value: Value,
    ) -> Self {
        self.records.insert(key(collection, scope, id), value);
        self
    }

    /// Tells the end of a message that was scheduled, as a host does in the record of the notification.
    pub(crate) fn tell(&mut self, scope: &str, id: &str, token: &str, sent: Value) {
        let record = self
            .records
            .get_mut(&key(Collection::Notifications, Some(scope), id));
        record.unwrap()["sent"][token] = sent;
    }

    pub(crate) fn record(&self, collection: Collection, scope: Option<&str>, id: &str) -> Option<&Value> {
        self.records.get(&key(collection, scope, id))
    }

    /// Sends a request through the dialect. At every step the job goes to JSON and back, where that may be.
    pub(crate) fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.try_request(method, target, headers, body).unwrap()
    }

    /// The same; an error is an answer that the job refused.
    pub(crate) fn try_request(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, pushcore::Error> {
        let mut incoming = Incoming::new(method, target, body).unwrap();
        for (name, value) in headers {
            incoming = incoming.with_header(*name, *value);
        }
        let mut job = self.dialect.begin(incoming, UnixTime::from_secs(NOW));
        let mut rounds = 0;
        while job.reply().is_none() {
            rounds += 1;
            assert!(rounds < 50, "the job does not end");
            for step in job.steps().to_vec() {
                let answer = match step.action() {
                    Action::Ask(ask) => self.answer(ask),
                    Action::Send(send) if send.at.is_some() => {
                        self.sent.push((**send).clone());
                        json!({"outcome": "scheduled"})
                    }
                    Action::Send(send) => {
                        self.sent.push((**send).clone());
                        let known = self.results.get(&send.key).cloned();
                        known.unwrap_or_else(|| json!({"outcome": "accepted", "status": 200, "id": "id-1"}))
                    }
                    Action::Broadcast(broadcast) => self.broadcast(broadcast),
                    other => panic!("{other:?}"),
                };
                job.answer(step.id(), answer.to_string().as_bytes())?;
            }
            if let Ok(text) = job.to_json() {
                assert!(!text.contains("Bearer"), "a secret in {text}");
                if job.reply().is_none() {
                    let steps: Vec<String> = job.steps().iter().map(|step| step.to_json()).collect();
                    job = Job::from_json(text.as_bytes()).unwrap();
                    let again: Vec<String> = job.steps().iter().map(|step| step.to_json()).collect();
                    assert_eq!(steps, again, "the steps of a job that was read back");
                }
            }
        }
        self.warnings = job.warnings().to_vec();
        Ok(job.reply().unwrap().into())
    }

    fn broadcast(&mut self, broadcast: &Broadcast) -> Value {
        let count = self
            .select(
                broadcast.collection,
                Some(&broadcast.channel.scope),
                &broadcast.filter,
            )
            .len();
        let id = broadcast.record["id"].as_str().unwrap().to_owned();
        self.records.insert(
            key(Collection::Notifications, None, &id),
            broadcast.record.clone(),
        );
        self.broadcasts.push(broadcast.clone());
        json!({"id": id, "count": count})
    }

    fn answer(&mut self, ask: &Ask) -> Value {
        self.asked.push(ask.clone());
        match ask {
            Ask::Token { sha256 } => self.tokens.get(sha256).cloned().unwrap_or_default(),
            Ask::Get {
                collection,
                scope,
                ids,
            } => {
                let found = ids.iter().filter_map(|id| {
                    let record = self.records.get(&key(*collection, scope.as_deref(), id))?;
                    Some((id.clone(), record.clone()))
                });
                Value::Object(found.collect())
            }
            Ask::List {
                collection,
                scope,
                filter,
                offset,
                limit,
            } => {
                let all = self.select(*collection, scope.as_deref(), filter);
                let total = all.len();
                let limit = limit.map_or(usize::MAX, |limit| limit as usize);
                let items = all.into_iter().skip(*offset as usize).take(limit);
                json!({
                    "items": items.map(|(id, value)| json!({"id": id, "value": value})).collect::<Vec<_>>(),
                    "total": total,
                })
            }
            Ask::Put {
                collection,
                scope,
                write,
                records,
            } => {
                let ids: Vec<Value> = records
                    .iter()
                    .map(|record| {
                        let id = record.id.clone().unwrap_or_else(|| {
                            self.last_id += 1;
                            self.last_id.to_string()
                        });
                        let key = key(*collection, scope.as_deref(), &id);
                        let old = self.records.get(&key).cloned();
                        let new = match (write, old) {
                            (Write::Create, Some(_)) | (Write::Merge, None) => return Value::Null,
                            (Write::Merge | Write::Upsert, Some(mut old)) => {
                                for (name, value) in record.value.as_object().unwrap() {
                                    match value {
                                        Value::Null => old.as_object_mut().unwrap().remove(name),
                                        value => {
                                            old.as_object_mut().unwrap().insert(name.clone(), value.clone())
                                        }
                                    };
                                }
                                old
                            }
                            _ => record.value.clone(),
                        };
                        self.records.insert(key, new);
                        id.into()
                    })
                    .collect();
                json!({"ids": ids})
            }
            Ask::Forward { .. } => self.forwarded.clone(),
            Ask::Delete {
                collection,
                scope,
                ids,
            } => {
                let gone = ids.iter().filter(|id| {
                    self.records
                        .remove(&key(*collection, scope.as_deref(), id))
                        .is_some()
                });
                json!({"ids": gone.collect::<Vec<_>>()})
            }
            other => panic!("nobody asks {other:?}"),
        }
    }

    fn select(&self, collection: Collection, scope: Option<&str>, filter: &Value) -> Vec<(String, Value)> {
        let members = filter.as_object().unwrap();
        let selection = Selection::from_json(filter.to_string().as_bytes()).unwrap();
        let fits = |value: &Value| {
            members.iter().all(|(name, wanted)| match name.as_str() {
                "uids" | "tags" => true,
                "addresses" => has(wanted, &value["Address"]),
                "users" => has(wanted, &value["User"]["UserId"]),
                name => value.get(name) == Some(wanted),
            })
        };
        let tags = |value: &Value| -> Vec<String> {
            let tags = value["tags"].as_array().into_iter().flatten();
            tags.filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
        };
        self.records
            .iter()
            .filter(|((kind, there, _), _)| *kind == word(collection) && there.as_deref() == scope)
            .filter(|(_, value)| fits(value) && selection.selects(value["uid"].as_str(), &tags(value)))
            .map(|((_, _, id), value)| (id.clone(), value.clone()))
            .collect()
    }
}

fn has(list: &Value, value: &Value) -> bool {
    list.as_array().unwrap().contains(value)
}

fn word(collection: Collection) -> String {
    format!("{collection:?}")
}

fn key(collection: Collection, scope: Option<&str>, id: &str) -> Key {
    (word(collection), scope.map(str::to_owned), id.to_owned())
}

/// A request that an original client made, out of `tests/recorded`.
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

pub(crate) fn recorded(label: &str) -> Recorded {
    let path = format!("{}/recorded/{label}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let value: Value = serde_json::from_str(&text).unwrap();
    let headers = value["headers"].as_array().unwrap().iter();
    Recorded {
        method: value["method"].as_str().unwrap().to_owned(),
        target: value["raw_target"].as_str().unwrap().to_owned(),
        headers: headers
            .map(|pair| {
                (
                    pair[0].as_str().unwrap().to_owned(),
                    pair[1].as_str().unwrap().to_owned(),
                )
            })
            .collect(),
        body: value["body_text"].as_str().unwrap().to_owned(),
    }
}

impl Host {
    pub(crate) fn recorded(&mut self, label: &str) -> Answer {
        let request = recorded(label);
        let headers: Vec<(&str, &str)> = request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.request(&request.method, &request.target, &headers, &request.body)
    }
}
