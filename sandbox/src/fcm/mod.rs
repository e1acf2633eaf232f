//! FCM HTTP v1 with its OAuth2 token endpoint and both topic APIs.

mod error;
mod identity;
mod message;
mod metadata;
mod oauth;
mod schema;
mod topics;

use crate::exchange::{Exchange, Reply, percent_decode};
use crate::record::Record;
use crate::shared::{Moment, Profile};
use error::Problem;
use foldhash::{HashMap, HashMapExt};
use http::Method;
use identity::User;
use jsonwebtoken::DecodingKey;
use oauth::Bearer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use schema::Schema;

/// The state of a registration (token or installation id) in this project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Pushes arrive.
    #[default]
    Active,
    /// 404 `UNREGISTERED`.
    Unregistered,
    /// 403 `SENDER_ID_MISMATCH`: a registration of another project.
    OtherProject,
    /// 429 `QUOTA_EXCEEDED`: this device gets too many.
    Throttled,
    /// 401 `THIRD_PARTY_AUTH_ERROR`: the project's APNs or Web Push key is bad.
    BadThirdPartyKey,
}

/// The FCM world of one sandbox.
pub(crate) struct Fcm {
    pub(crate) profile: Profile,
    pub(crate) project_id: String,
    pub(crate) project_number: String,
    pub(crate) client_email: String,
    pub(crate) key_id: String,
    /// Where the service-account file points.
    pub(crate) token_uri: String,
    pub(crate) key: Option<DecodingKey>,
    /// The identity that may impersonate the service account.
    pub(crate) user: User,
    /// Registration tokens and installation ids.
    pub(crate) registrations: HashMap<String, Registration>,
    /// Lifetime of the access tokens it mints, seconds.
    pub(crate) token_lifetime: i64,
    /// Access tokens minted so far.
    pub(crate) mints: u64,
    /// Take self-signed JWTs as bearers (AIP-4111).
    pub(crate) self_signed: bool,
    schema: Schema,
    /// The access tokens that were minted.
    bearers: HashMap<String, Bearer>,
    /// Registration to its topics.
    topics: BTreeMap<String, BTreeSet<String>>,
    sent: u64,
}

impl Fcm {
    pub(crate) fn new(profile: Profile, project_id: &str) -> Self {
        Self {
            profile,
            project_id: project_id.to_owned(),
            project_number: "123456789012".to_owned(),
            client_email: format!("sandbox@{project_id}.iam.gserviceaccount.com"),
            key_id: crate::ids::hex(&crate::ids::random::<20>()),
            token_uri: String::new(),
            key: None,
            user: User::new(),
            registrations: HashMap::new(),
            token_lifetime: 3600,
            mints: 0,
            self_signed: false,
            schema: Schema::load(),
            bearers: HashMap::new(),
            topics: BTreeMap::new(),
            sent: 0,
        }
    }

    /// Forgets every access token: the next request with one gets 401.
    pub(crate) fn revoke_all(&mut self) {
        self.bearers.clear();
    }

    pub(crate) fn handle(&mut self, exchange: &Exchange, now: Moment) -> (Reply, Record) {
        let mut record = Record::begin("fcm", "push", exchange, now);
        let reply = if exchange.path == "/token" {
            self.token(exchange, now, &mut record)
        } else {
            match self.route(exchange, now, &mut record) {
                Ok(body) => {
                    record.accepted = true;
                    Reply::json(200, &body)
                }
                Err(problem) => problem.reply(&mut record),
            }
        };
        record.status = reply.status;
        (reply, record)
    }

    fn route(&mut self, exchange: &Exchange, now: Moment, record: &mut Record) -> Result<Value, Problem> {
        if let Some(call) = exchange.path.strip_prefix("/iid/v1:") {
            return self.batch(call, exchange, now, record);
        }
        // Google's other host, on the same authority here.
        if let Some(call) = exchange.path.strip_prefix("/v1/projects/-/serviceAccounts/") {
            return self.impersonate(call, exchange, now, record);
        }
        let rest = exchange
            .path
            .strip_prefix("/v1/projects/")
            .ok_or_else(Problem::no_such_page)?;
        let (project, rest) = rest.split_once('/').ok_or_else(Problem::no_such_page)?;
        if rest == "messages:send" {
            if exchange.method != Method::POST {
                return Err(Problem::no_such_page());
            }
            self.bearer(exchange, now)?;
            self.project(project)?;
            return self.send(exchange, record);
        }
        if let Some(rest) = rest.strip_prefix("registrations/") {
            self.bearer(exchange, now)?;
            self.project(project)?;
            return self.subscription(rest, exchange, now, record);
        }
        Err(Problem::no_such_page())
    }

    fn project(&self, given: &str) -> Result<(), Problem> {
        let is_mine = |given: &str| given == self.project_id || given == self.project_number;
        if is_mine(given) || is_mine(&percent_decode(given, false)) {
            return Ok(());
        }
        // Google names the status only: no FcmError, so no device may be dropped for it.
        Err(Problem::new(
            404,
            "NOT_FOUND",
            "fcm.project",
            "Requested entity was not found.",
        ))
    }

    /// `authorization: Bearer <access token>`.
    fn bearer(&self, exchange: &Exchange, now: Moment) -> Result<(), Problem> {
        let missing = "Request is missing required authentication credential. Expected OAuth 2 access token, \
                       login cookie or other valid authentication credential.";
        let invalid = "Request had invalid authentication credentials. Expected OAuth 2 access token, \
                       login cookie or other valid authentication credential.";
        let Some(header) = exchange.header("authorization") else {
            return Err(
                Problem::new(401, "UNAUTHENTICATED", "fcm.auth.missing", missing).info("CREDENTIALS_MISSING")
            );
        };
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => {
                return Err(Problem::new(401, "UNAUTHENTICATED", "fcm.auth.scheme", invalid)
                    .info("ACCESS_TOKEN_TYPE_UNSUPPORTED"));
            }
        };
        match self.bearers.get(token) {
            Some(bearer) if now.unix_ms <= bearer.until => Ok(()),
            Some(_) => Err(Problem::new(401, "UNAUTHENTICATED", "fcm.auth.expired", invalid)
                .info("ACCESS_TOKEN_EXPIRED")),
            None if self.self_signed && self.self_signed_is_good(token, now) => Ok(()),
            None => Err(Problem::new(401, "UNAUTHENTICATED", "fcm.auth.unknown", invalid)
                .info("ACCESS_TOKEN_TYPE_UNSUPPORTED")),
        }
    }

    /// Whether the bearer is good for IAM.
    fn has_iam_scope(&self, exchange: &Exchange) -> bool {
        let token = exchange
            .header("authorization")
            .and_then(|header| header.split_once(' '));
        let bearer = token.and_then(|(_, token)| self.bearers.get(token.trim()));
        bearer.is_some_and(|bearer| bearer.iam)
    }

    /// `messages:send`.
    fn send(&mut self, exchange: &Exchange, record: &mut Record) -> Result<Value, Problem> {
        let body: Value = serde_json::from_slice(&exchange.body).map_err(|_| {
            Problem::new(
                400,
                "INVALID_ARGUMENT",
                "fcm.body.json",
                "Invalid JSON payload received.",
            )
        })?;
        if let Err((field, description)) = self.schema.check("SendMessageRequest", &body) {
            return Err(
                Problem::new(400, "INVALID_ARGUMENT", "fcm.body.schema", &description)
                    .violation(&field, &description),
            );
        }
        let message = message::Message::of(&body);
        record.target = message.target().map(|(_, value)| value.to_owned());
        message.check(self.profile)?;
        let (kind, value) = message.target().ok_or_else(message::no_target)?;
        if kind == "token" || kind == "fid" {
            self.registration(kind, value)?;
        }
        self.sent += 1;
        let id = if message.validate_only() {
            "validate".clone_into(&mut record.operation);
            "fake_message_id".to_owned()
        } else {
            format!("0:{}%{}", self.sent, crate::ids::hex(&crate::ids::random::<8>()))
        };
        let name = format!("projects/{}/messages/{id}", self.project_id);
        record.id = Some(name.clone());
        Ok(json!({ "name": name }))
    }

    fn registration(&self, kind: &str, value: &str) -> Result<(), Problem> {
        let fcm = |status, word, rule, message, code: &str| {
            Err(Problem::new(status, word, rule, message).fcm(code))
        };
        match self.registrations.get(value) {
            Some(Registration::Active) => Ok(()),
            Some(Registration::Unregistered) => fcm(
                404,
                "NOT_FOUND",
                "fcm.target.unregistered",
                "Requested entity was not found.",
                "UNREGISTERED",
            ),
            Some(Registration::OtherProject) => fcm(
                403,
                "PERMISSION_DENIED",
                "fcm.target.sender",
                "SenderId mismatch",
                "SENDER_ID_MISMATCH",
            ),
            Some(Registration::Throttled) => fcm(
                429,
                "RESOURCE_EXHAUSTED",
                "fcm.target.rate",
                "Message rate exceeded quota for this device.",
                "QUOTA_EXCEEDED",
            ),
            Some(Registration::BadThirdPartyKey) => fcm(
                401,
                "UNAUTHENTICATED",
                "fcm.target.third-party",
                "Auth error from APNS or Web Push Service",
                "THIRD_PARTY_AUTH_ERROR",
            ),
            None => {
                let text = "The registration token is not a valid FCM registration token";
                let problem =
                    Problem::new(400, "INVALID_ARGUMENT", "fcm.target.unknown", text).fcm("INVALID_ARGUMENT");
                // The quirk profile answers as the documentation's second sample does:
                // without naming the field.
                Err(match self.profile {
                    Profile::Quirk => problem,
                    _ => problem.violation(&format!("message.{kind}"), "Invalid registration token"),
                })
            }
        }
    }
}
