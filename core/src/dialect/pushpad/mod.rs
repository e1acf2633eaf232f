//! Pushpad: Web Push for websites. Both wire formats of its clients, the flat and the nested one.

mod date;
mod fields;
mod notification;
mod payload;
mod project;
mod selection;
mod sender;
mod subscription;
mod tags;

pub use selection::Selection;
pub use tags::TagExpression;

use serde_json::{Map, Value, json};

use super::ask::{Ask, Collection, Record, Write};
use super::caller::Caller;
use super::query;
use super::reply::Reply;
use super::route::{Route, Unrouted};
use super::run::{Run, Stop};
use crate::crypto;
use crate::error::{Error, ErrorKind};
use crate::http::{Incoming, Method};
use crate::json;

const PROJECT: &str = "/api/v1/projects/{project-id}";

pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Method::Post,
        "/api/v1/projects/{project-id}/notifications",
        "CreateNotification",
    ),
    Route::new(
        Method::Get,
        "/api/v1/projects/{project-id}/notifications",
        "ListNotifications",
    ),
    Route::new(
        Method::Get,
        "/api/v1/notifications/{notification-id}",
        "GetNotification",
    ),
    Route::new(
        Method::Delete,
        "/api/v1/notifications/{notification-id}/cancel",
        "CancelNotification",
    ),
    Route::new(
        Method::Get,
        "/api/v1/projects/{project-id}/subscriptions",
        "ListSubscriptions",
    ),
    Route::new(
        Method::Head,
        "/api/v1/projects/{project-id}/subscriptions",
        "CountSubscriptions",
    ),
    Route::new(
        Method::Post,
        "/api/v1/projects/{project-id}/subscriptions",
        "CreateSubscription",
    ),
    Route::new(
        Method::Get,
        "/api/v1/projects/{project-id}/subscriptions/{subscription-id}",
        "GetSubscription",
    ),
    Route::new(
        Method::Patch,
        "/api/v1/projects/{project-id}/subscriptions/{subscription-id}",
        "UpdateSubscription",
    ),
    Route::new(
        Method::Delete,
        "/api/v1/projects/{project-id}/subscriptions/{subscription-id}",
        "DeleteSubscription",
    ),
    Route::new(Method::Get, "/api/v1/projects", "ListProjects"),
    Route::new(Method::Post, "/api/v1/projects", "CreateProject"),
    Route::new(Method::Get, PROJECT, "GetProject"),
    Route::new(Method::Patch, PROJECT, "UpdateProject"),
    Route::new(Method::Delete, PROJECT, "DeleteProject"),
    // A sender's answers hold its private key, as Pushpad's do.
    Route::new(Method::Get, "/api/v1/senders", "ListSenders").secret(),
    Route::new(Method::Post, "/api/v1/senders", "CreateSender").secret(),
    Route::new(Method::Get, "/api/v1/senders/{sender-id}", "GetSender").secret(),
    Route::new(Method::Patch, "/api/v1/senders/{sender-id}", "UpdateSender").secret(),
    Route::new(Method::Delete, "/api/v1/senders/{sender-id}", "DeleteSender"),
];

/// The records on a page, where the client does not say: Pushpad's own number is not documented.
const PAGE: u64 = 50;
/// The most records on a page that a client may ask for.
const LARGEST_PAGE: u64 = 1000;

pub(super) fn check(options: &Map<String, Value>) -> Result<(), Error> {
    super::only(options, &["page_size"])?;
    match options.get("page_size") {
        None => Ok(()),
        Some(size) if size.as_u64().is_some_and(|size| (1..=LARGEST_PAGE).contains(&size)) => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::InvalidValue,
            "the option page_size is a number from 1 to 1000",
        )),
    }
}

pub(super) fn caller(incoming: &Incoming) -> Caller {
    let unreadable = |fault: &str| Caller::Unreadable {
        fault: fault.to_owned(),
    };
    match incoming.values("authorization").count() {
        0 => return Caller::Unnamed,
        1 => {}
        _ => return unreadable("twice"),
    }
    let Some(value) = incoming.header("authorization") else {
        return unreadable("text");
    };
    let (scheme, rest) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    let rest = rest.trim();
    let token = if scheme.eq_ignore_ascii_case("bearer") {
        rest
    } else if scheme.eq_ignore_ascii_case("token") {
        match rest.strip_prefix("token=") {
            Some(quoted) => quoted.trim_matches('"'),
            None => return unreadable("token"),
        }
    } else {
        return unreadable("scheme");
    };
    match token {
        "" => unreadable("empty"),
        token => Caller::token(token),
    }
}

pub(super) fn run(run: &mut Run<'_>) -> Result<Reply, Stop> {
    let access = Access::of(run)?;
    match run.operation() {
        "CreateNotification" => notification::create(run, &access),
        "ListNotifications" => notification::list(run, &access),
        "GetNotification" => notification::get(run, &access),
        "CancelNotification" => notification::cancel(run, &access),
        "ListSubscriptions" | "CountSubscriptions" => subscription::list(run, &access),
        "CreateSubscription" => subscription::create(run, &access),
        "GetSubscription" => subscription::get(run, &access),
        "UpdateSubscription" => subscription::update(run, &access),
        "DeleteSubscription" => subscription::delete(run, &access),
        "ListProjects" => project::list(run, &access),
        "CreateProject" => project::create(run, &access),
        "GetProject" => project::get(run, &access),
        "UpdateProject" => project::update(run, &access),
        "DeleteProject" => project::delete(run, &access),
        "ListSenders" => sender::list(run, &access),
        "CreateSender" => sender::create(run, &access),
        "GetSender" => sender::get(run, &access),
        "UpdateSender" => sender::update(run, &access),
        "DeleteSender" => sender::delete(run, &access),
        _ => Err(refused(404, "Not Found").into()),
    }
}

pub(super) fn unrouted(_run: &mut Run<'_>, why: Unrouted) -> Reply {
    match why {
        Unrouted::Path => refused(404, "Not Found"),
        Unrouted::Method => refused(405, "Method Not Allowed"),
    }
}

/// Returns the signature with which a page proves a user's id to the browser's part: lower-case hex of HMAC-SHA256, keyed
/// with the API token.
///
/// ```
/// assert_eq!(
///     pushcore::dialect::pushpad_signature("5374d7dfeffa2eb49965624ba7596a09", "user12345"),
///     "6627820dab00a1971f2a6d3ff16a5ad8ba4048a02b2d402820afc61aefd0b69f",
/// );
/// ```
pub fn pushpad_signature(token: &str, uid: &str) -> String {
    crypto::hex(&crypto::hmac_sha256(token.as_bytes(), uid.as_bytes()))
}

/// What the caller may do.
struct Access {
    /// The projects; `None` for all of them, and for senders.
    projects: Option<Vec<String>>,
}

impl Access {
    fn of(run: &mut Run<'_>) -> Result<Self, Stop> {
        let Caller::Token { sha256 } = run.caller else {
            return Err(refused(401, "Unauthorized").into());
        };
        let answer = run.ask(Ask::Token {
            sha256: sha256.clone(),
        })?;
        if answer.is_null() {
            return Err(refused(401, "Unauthorized").into());
        }
        let scopes = answer.get("scopes").and_then(Value::as_array);
        Ok(Self {
            projects: scopes.map(|scopes| {
                let scopes = scopes.iter().filter_map(Value::as_str);
                scopes.map(str::to_owned).collect()
            }),
        })
    }

    /// Refuses a project that is not the caller's.
    fn check(&self, project: &str) -> Result<(), Reply> {
        match self.holds(project) {
            true => Ok(()),
            false => Err(refused(403, "Forbidden")),
        }
    }

    fn holds(&self, project: &str) -> bool {
        let projects = self.projects.as_ref();
        projects.is_none_or(|projects| projects.iter().any(|known| known == project))
    }

    /// Refuses a caller whose token is for some projects only.
    fn everything(&self) -> Result<(), Reply> {
        match self.projects {
            None => Ok(()),
            Some(_) => Err(refused(403, "Forbidden")),
        }
    }
}

fn refused(status: u16, text: impl Into<String>) -> Reply {
    Reply::json(status, &json!({"error": text.into()}))
}

/// Reads the body: one JSON object.
fn body(run: &Run<'_>) -> Result<Map<String, Value>, Reply> {
    json::parse_object(run.incoming.body()).map_err(|error| refused(400, error.context()))
}

/// Returns an id as Pushpad writes it: a number, where it is one.
fn id(text: &str) -> Value {
    match text.parse::<u64>() {
        Ok(number) if number.to_string() == text => number.into(),
        _ => text.into(),
    }
}

/// Returns an id as the store knows it.
fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

fn get_record(
    run: &mut Run<'_>,
    collection: Collection,
    scope: Option<&str>,
    id: &str,
) -> Result<Map<String, Value>, Stop> {
    let answer = run.ask(Ask::Get {
        collection,
        scope: scope.map(str::to_owned),
        ids: vec![id.to_owned()],
    })?;
    match answer.get(id) {
        Some(Value::Object(record)) => Ok(record.clone()),
        _ => Err(refused(404, "Not Found").into()),
    }
}

/// Writes one record; returns its id, `None` where there is none to merge with.
fn put_record(
    run: &mut Run<'_>,
    collection: Collection,
    scope: Option<&str>,
    write: Write,
    record: Record,
) -> Result<Option<String>, Stop> {
    let answer = run.ask(Ask::Put {
        collection,
        scope: scope.map(str::to_owned),
        write,
        records: vec![record],
    })?;
    let id = answer.get("ids").and_then(|ids| ids.get(0));
    Ok(id.and_then(Value::as_str).map(str::to_owned))
}

/// Deletes one record; a refusal where there is none.
fn delete_record(
    run: &mut Run<'_>,
    collection: Collection,
    scope: Option<&str>,
    id: &str,
) -> Result<(), Stop> {
    let answer = run.ask(Ask::Delete {
        collection,
        scope: scope.map(str::to_owned),
        ids: vec![id.to_owned()],
    })?;
    match answer.get("ids").and_then(Value::as_array) {
        Some(ids) if !ids.is_empty() => Ok(()),
        _ => Err(refused(404, "Not Found").into()),
    }
}

/// A page of records, and the number of all.
struct Page {
    items: Vec<(String, Map<String, Value>)>,
    total: u64,
}

fn list_records(
    run: &mut Run<'_>,
    collection: Collection,
    scope: Option<&str>,
    filter: Value,
    (offset, limit): (u64, Option<u64>),
) -> Result<Page, Stop> {
    let answer = run.ask(Ask::List {
        collection,
        scope: scope.map(str::to_owned),
        filter,
        offset,
        limit,
    })?;
    let items = answer.get("items").and_then(Value::as_array);
    let item = |item: &Value| match (item.get("id"), item.get("value")) {
        (Some(Value::String(id)), Some(Value::Object(value))) => Some((id.clone(), value.clone())),
        _ => None,
    };
    Ok(Page {
        items: items.into_iter().flatten().filter_map(item).collect(),
        total: answer.get("total").and_then(Value::as_u64).unwrap_or_default(),
    })
}

/// Returns where a page begins and how many records it has, by the query's `page` and `per_page`.
fn page(run: &Run<'_>, query: &[(String, String)]) -> Result<(u64, Option<u64>), Reply> {
    let number = |name: &str, default: u64| match query.iter().rev().find(|(there, _)| there == name) {
        None => Ok(default),
        Some((_, value)) => match value.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(refused(422, format!("{name} is not a number from 1 on"))),
        },
    };
    let size = run.options.get("page_size").and_then(Value::as_u64).unwrap_or(PAGE);
    let size = number("per_page", size)?.min(LARGEST_PAGE);
    let page = number("page", 1)?;
    Ok(((page - 1).saturating_mul(size), Some(size)))
}

fn query_of(run: &Run<'_>) -> Vec<(String, String)> {
    query::pairs(run.incoming.query().unwrap_or_default())
}

/// The answer to a list, with the number of all records in the header that Pushpad's clients count by.
fn listed(items: Vec<Value>, total: u64) -> Reply {
    counted(Reply::json(200, &Value::Array(items)), total)
}

fn counted(reply: Reply, total: u64) -> Reply {
    reply.with_header("X-Total-Count", &total.to_string())
}
