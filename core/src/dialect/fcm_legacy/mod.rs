//! FCM's legacy HTTP API, which Google shut down in 2024: `/fcm/send` with a server key.

// Pinpoint's raw content is a message of this API, too.
pub(in crate::dialect) mod message;
mod request;
mod send;

use serde_json::{Map, Value};

use super::caller::Caller;
use super::reply::Reply;
use super::route::{Route, Unrouted};
use super::run::{Run, Stop};
use crate::error::Error;
use crate::http::{Incoming, Method};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Method::Post, "/fcm/send", "Send"),
    // The address of Google Cloud Messaging, whose clients were never changed.
    Route::new(Method::Post, "/gcm/send", "Send"),
    Route::new(Method::Post, "/send", "Send"),
];

pub(super) fn check(options: &Map<String, Value>) -> Result<(), Error> {
    super::only(options, &[])
}

pub(super) fn caller(incoming: &Incoming) -> Caller {
    match incoming.values("authorization").count() {
        0 => return Caller::Unnamed,
        1 => {}
        _ => {
            return Caller::Unreadable {
                fault: "twice".to_owned(),
            };
        }
    }
    let value = incoming.header("authorization").unwrap_or_default();
    // Clients write `key=...`, `key = ...`, and some the key alone.
    let key = match value.split_once('=') {
        Some((name, key)) if name.trim().eq_ignore_ascii_case("key") => key.trim(),
        _ => value,
    };
    match key {
        "" => Caller::Unreadable {
            fault: "empty".to_owned(),
        },
        key => Caller::token(key),
    }
}

pub(super) fn run(run: &mut Run<'_>) -> Result<Reply, Stop> {
    send::send(run)
}

pub(super) fn unrouted(_run: &mut Run<'_>, why: Unrouted) -> Reply {
    match why {
        Unrouted::Path => text(404, "Not Found"),
        Unrouted::Method => text(405, "Method Not Allowed"),
    }
}

fn text(status: u16, text: impl Into<String>) -> Reply {
    Reply::new(status, text.into()).with_header("Content-Type", "text/plain; charset=UTF-8")
}
