//! Amazon Pinpoint, the push part that AWS now calls End User Messaging Push.
//!
//! The shapes are those of botocore's service model `pinpoint` (rest-json 1.1, signing name `mobiletargeting`).

mod apns;
mod apps;
mod authorize;
mod channels;
mod content;
mod data;
mod endpoints;
mod fault;
mod fcm;
mod plan;
mod request;
mod result;
mod send;
mod store;
mod substitute;
mod templates;

use serde_json::{Map, Value};

use super::caller::Caller;
use super::reply::Reply;
use super::route::{Route, Unrouted};
use super::run::{Run, Stop};
use super::sigv4;
use crate::error::{Error, ErrorKind};
use crate::http::{Incoming, Method};
use fault::Fault;

pub(super) const ROUTES: &[Route] = &[
    Route::new(Method::Post, "/v1/apps/{application-id}/messages", "SendMessages"),
    Route::new(Method::Post, "/v1/apps/{application-id}/users-messages", "SendUsersMessages"),
    Route::new(Method::Put, "/v1/apps/{application-id}/endpoints", "UpdateEndpointsBatch"),
    Route::new(Method::Put, "/v1/apps/{application-id}/endpoints/{endpoint-id}", "UpdateEndpoint"),
    Route::new(Method::Get, "/v1/apps/{application-id}/endpoints/{endpoint-id}", "GetEndpoint"),
    Route::new(Method::Delete, "/v1/apps/{application-id}/endpoints/{endpoint-id}", "DeleteEndpoint"),
    Route::new(Method::Get, "/v1/apps/{application-id}/users/{user-id}", "GetUserEndpoints"),
    Route::new(Method::Delete, "/v1/apps/{application-id}/users/{user-id}", "DeleteUserEndpoints"),
    Route::new(Method::Get, "/v1/apps/{application-id}/channels", "GetChannels"),
    Route::new(Method::Get, "/v1/apps/{application-id}/channels/{channel}", "GetChannel"),
    Route::new(Method::Put, "/v1/apps/{application-id}/channels/{channel}", "UpdateChannel").secret(),
    Route::new(Method::Delete, "/v1/apps/{application-id}/channels/{channel}", "DeleteChannel"),
    Route::new(Method::Post, "/v1/apps", "CreateApp"),
    Route::new(Method::Get, "/v1/apps", "GetApps"),
    Route::new(Method::Get, "/v1/apps/{application-id}", "GetApp"),
    Route::new(Method::Delete, "/v1/apps/{application-id}", "DeleteApp"),
    Route::new(Method::Post, "/v1/templates/{template-name}/push", "CreatePushTemplate"),
    Route::new(Method::Put, "/v1/templates/{template-name}/push", "UpdatePushTemplate"),
    Route::new(Method::Get, "/v1/templates/{template-name}/push", "GetPushTemplate"),
    Route::new(Method::Delete, "/v1/templates/{template-name}/push", "DeletePushTemplate"),
];

/// The options; `docs/dialects.md` describes them.
const OPTIONS: &[&str] = &["also_notification", "content_available", "replay"];

pub(super) fn check(options: &Map<String, Value>) -> Result<(), Error> {
    super::only(options, OPTIONS)?;
    super::flag(options, "also_notification", false)?;
    super::flag(options, "content_available", true)?;
    match options.get("replay").map(Value::as_str) {
        None | Some(Some("merge" | "allow")) => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::InvalidValue,
            "the option replay is \"merge\" or \"allow\"",
        )),
    }
}

pub(super) fn caller(incoming: &Incoming) -> Caller {
    sigv4::caller(incoming)
}

pub(super) fn run(run: &mut Run<'_>) -> Result<Reply, Stop> {
    authorize::caller_may(run)?;
    match run.operation() {
        "SendMessages" => send::messages(run),
        "SendUsersMessages" => send::users_messages(run),
        "CreateApp" | "GetApps" | "GetApp" | "DeleteApp" => apps::run(run),
        "GetChannels" | "GetChannel" | "UpdateChannel" | "DeleteChannel" => channels::run(run),
        operation if operation.ends_with("PushTemplate") => templates::run(run),
        _ => endpoints::run(run),
    }
}

pub(super) fn unrouted(run: &mut Run<'_>, why: Unrouted) -> Reply {
    match why {
        Unrouted::Path => Fault::not_found("Resource not found").reply(run),
        Unrouted::Method => Fault::new(405, "MethodNotAllowedException", "Method not allowed").reply(run),
    }
}
