//! Questions to the host's store.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// A question to the host's store, or a change to it. The answer is JSON; each arm says its form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ask {
    /// Asks for the secret of an access key, to check a signature with.
    ///
    /// Answer: `null` for a key that is not known, or `{"secret": "...", "scopes": ["..."]}`; without `scopes` the key may
    /// use every app. The secret is used at once and kept nowhere, neither in the job nor in its JSON.
    Secret {
        /// The id of the access key.
        access_key: String,
    },
    /// Asks who the holder of an API key or bearer token is. The store keeps the SHA-256 of each key, which is all that
    /// the job knows of the key that was presented.
    ///
    /// Answer: `null` for a key that is not known, or `{"scopes": ["..."]}`; without `scopes` the key may use every app or
    /// project.
    Token {
        /// The SHA-256 of the key, 64 lower-case hex digits.
        sha256: String,
    },
    /// Claims idempotency keys, all or none, atomically: whoever claims one that is free does the work.
    ///
    /// Answer: `null` when every key was free and is now claimed by this job; `{"under_way": true}` when one is claimed by
    /// another job that has not replied; `{"reply": {...}}` with the JSON of the [`Reply`](super::Reply) that was remembered
    /// under one of the keys. A store that can wait for the other job may do so before it answers.
    Claim {
        /// The keys.
        keys: Vec<String>,
        /// The time for which a key stays claimed and its reply is remembered, in seconds.
        seconds: u64,
    },
    /// Asks for records by their ids.
    ///
    /// Answer: an object of the records that there are, each under its id.
    Get {
        /// The kind of record.
        collection: Collection,
        /// The app or project that the records belong to; `None` for records that belong to none.
        scope: Option<String>,
        /// The ids.
        ids: Vec<String>,
    },
    /// Asks for the records that a filter selects.
    ///
    /// Answer: `{"items": [{"id": "...", "value": {...}}], "total": 7}`, newest first; `total` counts all that the filter
    /// selects.
    List {
        /// The kind of record.
        collection: Collection,
        /// The app or project that the records belong to; `None` for records that belong to none.
        scope: Option<String>,
        /// The filter, in the words of `docs/dialects.md`; an empty object selects all.
        filter: Value,
        /// The number of records to pass over.
        offset: u64,
        /// The largest number of records in the answer; `None` for all.
        limit: Option<u64>,
    },
    /// Writes records.
    ///
    /// Answer: `{"ids": ["..."]}` with the id of every record in their order, `null` in place of one that is not there
    /// ([`Write::Merge`]) or is there already ([`Write::Create`]).
    Put {
        /// The kind of record.
        collection: Collection,
        /// The app or project that the records belong to; `None` for records that belong to none.
        scope: Option<String>,
        /// What becomes of a record that is there.
        write: Write,
        /// The records.
        records: Vec<Record>,
    },
    /// Deletes records.
    ///
    /// Answer: `{"ids": ["..."]}` with the ids of the records that were there.
    Delete {
        /// The kind of record.
        collection: Collection,
        /// The app or project that the records belong to; `None` for records that belong to none.
        scope: Option<String>,
        /// The ids.
        ids: Vec<String>,
    },
    /// Hands a request on to another push system, with the host's own key there: `POST`, JSON. Like a message it is not
    /// repeated by itself: a host that does not know what became of it says so with [`Job::unknown`](super::Job::unknown).
    ///
    /// Answer: `{"status": 200, "body": "..."}`; the status is 0 where there was no answer.
    Forward {
        /// The name of the system, for example `onesignal`.
        to: String,
        /// The path of the request.
        path: String,
        /// The body.
        body: Value,
    },
}

/// A kind of record in the host's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Collection {
    /// Apps and projects: names, channels, defaults.
    Apps,
    /// Channels of an app, by their foreign name: bundle ids, package names, switches. Credentials are written in the
    /// member `secret`, which a store keeps apart: a job never reads the member.
    Channels,
    /// Endpoints and devices: address, channel, user.
    Endpoints,
    /// Templates of messages.
    Templates,
    /// Web Push subscriptions, with uid and tags.
    Subscriptions,
    /// Senders: VAPID keys, the private ones in the member `secret`.
    Senders,
    /// Messages that were taken, with their counters.
    Notifications,
}

/// What becomes of a record that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Write {
    /// The record stays as it is: only a new one is written. A record without an id always is new.
    Create,
    /// The new value takes the place of the whole old one, or is written where there is none.
    Replace,
    /// The members of the new value replace those of the old one (a `null` removes a member); nothing is written where
    /// there is none.
    Merge,
    /// The members of the new value replace those of the old one (a `null` removes a member); a record is made where there
    /// is none.
    Upsert,
}

/// A record to write.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The id; `None` where the store gives one.
    pub id: Option<String>,
    /// The value, one JSON object.
    pub value: Value,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses of devices, and credentials of channels.
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("value", &format_args!("[redacted]"))
            .finish()
    }
}

impl Record {
    /// A record with this id, or with one that the store gives.
    pub fn new(id: Option<String>, value: Value) -> Self {
        Self { id, value }
    }
}

impl Ask {
    /// Removes the credentials from records of channels: a store that hands them out all the same must not put them into
    /// a job that is written down.
    pub(super) fn without_secrets(&self, answer: &mut Value) {
        let remove = |record: &mut Value| {
            if let Some(record) = record.as_object_mut() {
                record.shift_remove("secret");
            }
        };
        match self {
            Ask::Get {
                collection: Collection::Channels | Collection::Senders,
                ..
            } => answer
                .as_object_mut()
                .into_iter()
                .flat_map(|records| records.values_mut())
                .for_each(remove),
            Ask::List {
                collection: Collection::Channels | Collection::Senders,
                ..
            } => {
                let items = answer.get_mut("items").and_then(Value::as_array_mut);
                let values = items
                    .into_iter()
                    .flatten()
                    .filter_map(|item| item.get_mut("value"));
                values.for_each(remove);
            }
            _ => {}
        }
    }

    /// Checks the form of an answer, so that a fault of the host's is named where it is made.
    ///
    /// # Errors
    /// `InvalidValue` with the form that is wanted.
    pub(super) fn check(&self, answer: &Value) -> Result<(), Error> {
        let texts = |value: &Value| {
            value
                .as_array()
                .is_some_and(|items| items.iter().all(|item| item.is_string() || item.is_null()))
        };
        let scopes = || answer.get("scopes").is_none_or(texts);
        let (fine, wanted) = match self {
            Ask::Secret { .. } => (
                answer.is_null() || (answer.get("secret").is_some_and(Value::is_string) && scopes()),
                "null or {\"secret\": \"...\"}, with \"scopes\" or without",
            ),
            Ask::Token { .. } => (
                answer.is_null() || (answer.is_object() && scopes()),
                "null or {}, with \"scopes\" or without",
            ),
            Ask::Claim { .. } => {
                let reply = answer
                    .get("reply")
                    .is_some_and(|reply| super::Reply::read(reply).is_some());
                let under_way = answer.get("under_way") == Some(&Value::Bool(true));
                (
                    answer.is_null() || reply || under_way,
                    "null, {\"under_way\": true} or {\"reply\": {...}}",
                )
            }
            Ask::Get { .. } => {
                let records = answer.as_object();
                (
                    records.is_some_and(|all| all.values().all(Value::is_object)),
                    "an object of objects, each under its id",
                )
            }
            Ask::List { .. } => {
                let items = answer.get("items").and_then(Value::as_array);
                let whole = |item: &Value| {
                    item.get("id").is_some_and(Value::is_string)
                        && item.get("value").is_some_and(Value::is_object)
                };
                (
                    items.is_some_and(|items| items.iter().all(whole))
                        && answer.get("total").is_some_and(Value::is_u64),
                    "{\"items\": [{\"id\": \"...\", \"value\": {}}], \"total\": 1}",
                )
            }
            Ask::Forward { .. } => (
                answer.get("status").is_some_and(Value::is_u64)
                    && answer.get("body").is_some_and(Value::is_string),
                "{\"status\": 200, \"body\": \"...\"}",
            ),
            Ask::Put { .. } | Ask::Delete { .. } => {
                (answer.get("ids").is_some_and(texts), "{\"ids\": [\"...\"]}")
            }
        };
        match fine {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::InvalidValue,
                format!("the answer to this step is {wanted}"),
            )),
        }
    }
}
