//! Ionic Push, the first API (v1 alpha), whose servers are gone.

mod message;
mod push;
mod status;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::caller::Caller;
use super::reply::Reply;
use super::route::{Route, Unrouted};
use super::run::{Run, Stop};
use crate::crypto::base64;
use crate::error::Error;
use crate::http::{Incoming, Method};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Method::Post, "/api/v1/push", "Push"),
    Route::new(Method::Get, "/api/v1/status/{message-id}", "Status"),
];

pub(super) fn check(options: &Map<String, Value>) -> Result<(), Error> {
    super::only(options, &["also_notification"])?;
    super::flag(options, "also_notification", false).map(drop)
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
    let value = incoming.header("authorization").unwrap_or_default();
    let (scheme, rest) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    // Ionic's own JavaScript samples write `basic`.
    if !scheme.eq_ignore_ascii_case("basic") {
        return unreadable("scheme");
    }
    let pair = base64::decode(rest).and_then(|pair| String::from_utf8(pair).ok());
    match pair.as_deref().map(|pair| pair.split(':').next().unwrap_or_default()) {
        None => unreadable("base64"),
        Some("") => unreadable("empty"),
        Some(key) => Caller::token(key),
    }
}

pub(super) fn run(run: &mut Run<'_>) -> Result<Reply, Stop> {
    let app = app(run)?;
    match run.operation() {
        "Push" => push::push(run, &app),
        _ => status::get(run, &app),
    }
}

pub(super) fn unrouted(_run: &mut Run<'_>, why: Unrouted) -> Reply {
    match why {
        Unrouted::Path => refused(404, "Not Found"),
        Unrouted::Method => refused(405, "Method Not Allowed"),
    }
}

/// Returns the app of the request, if it is the caller's.
fn app(run: &mut Run<'_>) -> Result<String, Stop> {
    let forbidden = || refused(403, "the private key is not one of this app");
    let Caller::Token { sha256 } = run.caller else {
        return Err(forbidden().into());
    };
    let answer = run.ask(Ask::Token {
        sha256: sha256.clone(),
    })?;
    if answer.is_null() {
        return Err(forbidden().into());
    }
    let app = match run.incoming.values("x-ionic-application-id").count() {
        0 => return Err(refused(400, "X-Ionic-Application-Id is missing").into()),
        1 => run.incoming.header("x-ionic-application-id").unwrap_or_default(),
        _ => return Err(refused(400, "X-Ionic-Application-Id is there twice").into()),
    };
    if app.contains(',') {
        // Servers of WSGI and CGI join a header that came twice.
        return Err(refused(400, "X-Ionic-Application-Id is there twice").into());
    }
    if app.is_empty() {
        return Err(refused(400, "X-Ionic-Application-Id is missing").into());
    }
    let scopes = answer.get("scopes").and_then(Value::as_array);
    match scopes.is_none_or(|scopes| scopes.iter().any(|scope| scope == app)) {
        true => Ok(app.to_owned()),
        false => Err(forbidden().into()),
    }
}

fn refused(status: u16, text: impl Into<String>) -> Reply {
    Reply::json(status, &json!({"result": "error", "message": text.into()}))
}
