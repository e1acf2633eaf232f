//! Amazon Pinpoint, the push part that AWS now calls End User Messaging Push.

use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::reply::Reply;
use super::route::{Route, Unrouted};
use super::run::{Run, Stop};
use super::sigv4;
use crate::error::Error;
use crate::http::{Incoming, Method};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Method::Post, "/v1/apps/{application-id}/messages", "SendMessages"),
    Route::new(
        Method::Post,
        "/v1/apps/{application-id}/users-messages",
        "SendUsersMessages",
    ),
];

pub(super) fn check(options: &Map<String, Value>) -> Result<(), Error> {
    super::only(options, &[])
}

pub(super) fn caller(incoming: &Incoming) -> Caller {
    sigv4::caller(incoming)
}

pub(super) fn run(_run: &mut Run<'_>) -> Result<Reply, Stop> {
    Ok(Reply::json(403, &json!({"Message": "Missing Authentication Token"})))
}

pub(super) fn unrouted(_run: &mut Run<'_>, why: Unrouted) -> Reply {
    match why {
        Unrouted::Path => Reply::json(404, &json!({"Message": "Not Found"})),
        Unrouted::Method => Reply::json(405, &json!({"Message": "Method Not Allowed"})),
    }
}
