//! Topic subscriptions.
//!
//! The v1 calls subscribe one registration each and take both registration tokens
//! and installation ids. Google allows a project [`CALLS_PER_SECOND`] of them, which a session
//! keeps by itself. [`legacy_batch`] does up to 1000 tokens at once, tokens only.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::{Answer, classify};
use super::message::COMMON;
use super::message::target::{RegistrationId, Topic};
use super::wire::timestamp::Timestamp;
use super::{Credentials, Hosts};
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Headers, Indexing, Method, Request, Response};
use crate::outcome::{Accepted, MessageId, Outcome};
use crate::percent;
use crate::time::Now;

/// Google's limit for one project: subscribing and unsubscribing together, in a second. A
/// [`Session`](crate::session::Session) keeps it unless [`SessionConfig::call_rate`](crate::session::SessionConfig::call_rate)
/// says otherwise; several processes have to share it between them.
pub const CALLS_PER_SECOND: u32 = 3000;
/// The most subscriptions on one page of [`list`].
pub const LARGEST_PAGE: u16 = 2000;
/// The most tokens in one [`legacy_batch`].
pub const LARGEST_BATCH: usize = 1000;

pub use super::topic_calls::{ChangeMany, ListSubscriptions, Subscribe, Unsubscribe};

/// Subscribes a registration to a topic. Idempotent: it writes the subscription whether it
/// is there or not (`PATCH … allow_missing`). Read the answer with [`outcome`].
///
/// # Errors
/// `TokenNeeded` when no access token is at hand.
pub fn subscribe(
    registration: &RegistrationId,
    topic: &Topic,
    credentials: &Credentials,
    hosts: &Hosts,
    now: Now,
) -> Result<Request, Error> {
    let mut request = one(registration, topic, credentials, hosts, now)?;
    request.method = Method::Patch;
    request.path.push_str("?allow_missing=true");
    request.common = Some(Arc::clone(&COMMON));
    request.body = b"{}".to_vec().into();
    Ok(request)
}

/// Ends a subscription. Idempotent. Read the answer with [`outcome`].
///
/// # Errors
/// `TokenNeeded` when no access token is at hand.
pub fn unsubscribe(
    registration: &RegistrationId,
    topic: &Topic,
    credentials: &Credentials,
    hosts: &Hosts,
    now: Now,
) -> Result<Request, Error> {
    let mut request = one(registration, topic, credentials, hosts, now)?;
    request.method = Method::Delete;
    request.path.push_str("?allow_missing=true");
    Ok(request)
}

/// Asks for one page of a registration's subscriptions. `page_token` is that of the page
/// before; the service decides the size when `page_size` is `None`. Read the answer with [`page`].
///
/// # Errors
/// `InvalidValue` when `page_size` is 0 or above [`LARGEST_PAGE`]; `TokenNeeded` when no
/// access token is at hand.
pub fn list(
    registration: &RegistrationId,
    page_size: Option<u16>,
    page_token: Option<&str>,
    credentials: &Credentials,
    hosts: &Hosts,
    now: Now,
) -> Result<Request, Error> {
    if page_size.is_some_and(|size| size == 0 || size > LARGEST_PAGE) {
        return Err(Error::new(ErrorKind::InvalidValue, "page_size is not 1 to 2000"));
    }
    let mut request = all(registration, credentials, hosts, now)?;
    request.method = Method::Get;
    let mut query = String::new();
    if let Some(size) = page_size {
        percent::pair(&mut query, "page_size", &size.to_string());
    }
    if let Some(token) = page_token {
        percent::pair(&mut query, "page_token", token);
    }
    if !query.is_empty() {
        request.path.push('?');
        request.path.push_str(&query);
    }
    Ok(request)
}

fn all(
    registration: &RegistrationId,
    credentials: &Credentials,
    hosts: &Hosts,
    now: Now,
) -> Result<Request, Error> {
    let mut request = Request::new();
    request.authority = Some(hosts.fcm.clone());
    request.authorization = Some(credentials.authorization(now)?);
    request.path.push_str("/v1/projects/");
    request.path.push_str(credentials.project().as_str());
    request.path.push_str("/registrations/");
    percent::segment(&mut request.path, registration.as_str());
    request.path.push_str("/topicSubscriptions");
    Ok(request)
}

fn one(
    registration: &RegistrationId,
    topic: &Topic,
    credentials: &Credentials,
    hosts: &Hosts,
    now: Now,
) -> Result<Request, Error> {
    let mut request = all(registration, credentials, hosts, now)?;
    request.path.push('/');
    percent::segment(&mut request.path, topic.as_str());
    Ok(request)
}

/// Reads the answer to [`subscribe`] or [`unsubscribe`]. Total, by the rules of
/// [`fcm::outcome`](super::outcome); 409 `ALREADY_EXISTS` is a success.
pub fn outcome(response: &Response, now: Now) -> Outcome {
    let answer = Answer::new(response, now);
    if (200..300).contains(&response.status) || response.status == 409 {
        let evidence = answer.evidence((response.status == 409).then_some("ALREADY_EXISTS"));
        return Outcome::Accepted(Accepted::new(answer.name().map(MessageId::new), evidence));
    }
    classify(&answer)
}

/// One page of subscriptions.
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct Page {
    /// The subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// The token to give [`list`] for the next page; `None` on the last one.
    pub next_page_token: Option<String>,
}

/// One subscription.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Subscription {
    /// The topic.
    pub topic: String,
    /// Since when.
    pub create_time: Option<Timestamp>,
    /// The resource's name, which holds the registration.
    pub name: String,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("topic", &self.topic)
            .field("create_time", &self.create_time)
            .finish_non_exhaustive()
    }
}

/// Reads the answer to [`list`]: a page, or the outcome that stands in its place.
///
/// # Errors
/// The inner `Err` is the service's refusal. A 200 whose body is no page is one too.
pub fn page(response: &Response, now: Now) -> Result<Page, Box<Outcome>> {
    let answer = Answer::new(response, now);
    if response.status != 200 {
        return Err(Box::new(classify(&answer)));
    }
    let Ok(Value::Object(body)) = serde_json::from_slice(&response.body) else {
        return Err(Box::new(classify(&answer)));
    };
    // Newer services may write either case.
    let field = |object: &serde_json::Map<String, Value>, snake: &str, camel: &str| {
        object.get(snake).or_else(|| object.get(camel)).cloned()
    };
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let items = match field(&body, "topic_subscriptions", "topicSubscriptions") {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let subscription = |item: Value| {
        let Value::Object(item) = item else { return None };
        let name = text(item.get("name").cloned()).unwrap_or_default();
        let topic = text(field(&item, "topic_name", "topicName"))
            .or_else(|| name.rsplit_once('/').map(|(_, topic)| topic.to_owned()))?;
        let created = text(field(&item, "create_time", "createTime"));
        Some(Subscription {
            topic,
            create_time: created.and_then(|time| Timestamp::parse(&time).ok()),
            name,
        })
    };
    Ok(Page {
        subscriptions: items.into_iter().filter_map(subscription).collect(),
        next_page_token: text(field(&body, "next_page_token", "nextPageToken")),
    })
}

/// The effect of a [`legacy_batch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BatchAction {
    /// Subscribes.
    Add,
    /// Unsubscribes.
    Remove,
}

/// Subscribes or unsubscribes up to 1000 registration tokens with one request, over the
/// older service. Read the answer with [`batch_results`].
///
/// # Errors
/// `InvalidValue` when there are no tokens or more than [`LARGEST_BATCH`]; `TokenNeeded` when
/// no access token is at hand.
pub fn legacy_batch(
    action: BatchAction,
    topic: &Topic,
    tokens: &[RegistrationId],
    credentials: &Credentials,
    hosts: &Hosts,
    now: Now,
) -> Result<Request, Error> {
    if tokens.is_empty() || tokens.len() > LARGEST_BATCH {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            format!("{} tokens where a batch takes 1 to 1000", tokens.len()),
        ));
    }
    let mut headers = Headers::new();
    headers.push("content-type", "application/json", Indexing::Incremental)?;
    headers.push("access_token_auth", "true", Indexing::Incremental)?;
    let mut request = Request::new();
    request.authority = Some(hosts.iid.clone());
    request.authorization = Some(credentials.authorization(now)?);
    request.common = Some(HeaderBlock::new(headers));
    request.path.push_str(match action {
        BatchAction::Add => "/iid/v1:batchAdd",
        BatchAction::Remove => "/iid/v1:batchRemove",
    });
    let tokens: Vec<&str> = tokens.iter().map(RegistrationId::as_str).collect();
    let body = json!({ "to": format!("/topics/{}", topic.as_str()), "registration_tokens": tokens });
    request.body = body.to_string().into_bytes().into();
    Ok(request)
}

/// The result for one token of a [`legacy_batch`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchResult {
    /// Done.
    Done,
    /// The token is dead: delete it (`NOT_FOUND`).
    TokenGone,
    /// It may work later (`RESOURCE_EXHAUSTED`, `DEADLINE_EXCEEDED`, `INTERNAL`, `UNKNOWN`): the service's word.
    RetryLater(String),
    /// It will not work (`INVALID_ARGUMENT`, `PERMISSION_DENIED`, `TOO_MANY_TOPICS` …): the service's word.
    Rejected(String),
}

/// Reads the answer to a [`legacy_batch`] of `count` tokens: one result each, in their order.
///
/// # Errors
/// The outcome of the whole request, when the service refused it or answered for another
/// number of tokens than it was asked about.
pub fn batch_results(response: &Response, count: usize, now: Now) -> Result<Vec<BatchResult>, Box<Outcome>> {
    let answer = Answer::new(response, now);
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let results = body.get("results").and_then(Value::as_array);
    match results {
        Some(results) if response.status == 200 && results.len() == count => {
            Ok(results.iter().map(batch_result).collect())
        }
        _ => Err(Box::new(classify(&answer))),
    }
}

fn batch_result(result: &Value) -> BatchResult {
    let Some(error) = result.get("error") else {
        return BatchResult::Done;
    };
    let word = error.as_str().unwrap_or("UNKNOWN");
    match word {
        "NOT_FOUND" => BatchResult::TokenGone,
        "RESOURCE_EXHAUSTED" | "DEADLINE_EXCEEDED" | "INTERNAL" | "UNKNOWN" | "UNAVAILABLE" => {
            BatchResult::RetryLater(word.to_owned())
        }
        _ => BatchResult::Rejected(word.to_owned()),
    }
}

#[cfg(test)]
#[path = "topics_tests.rs"]
mod tests;
