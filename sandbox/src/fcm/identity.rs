//! People and service accounts: gcloud's refresh token, and `generateAccessToken` of Google's IAM.

use super::Fcm;
use super::error::Problem;
use super::oauth::{CLOUD_PLATFORM, Refused, SCOPES};
use crate::exchange::{Exchange, percent_decode};
use crate::record::Record;
use crate::shared::Moment;
use http::Method;
use serde_json::{Value, json};

/// A person who has logged in with gcloud, and may impersonate the service account.
pub(crate) struct User {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) refresh_token: String,
}

impl User {
    pub(super) fn new() -> Self {
        let random = || crate::ids::b64url(&crate::ids::random::<24>());
        Self {
            client_id: format!(
                "{}.apps.googleusercontent.com",
                crate::ids::hex(&crate::ids::random::<8>())
            ),
            client_secret: format!("GOCSPX-{}", random()),
            refresh_token: format!("1//{}", random()),
        }
    }

    /// The refresh token grant (RFC 6749 §6).
    pub(super) fn judge<'a>(&self, field: impl Fn(&str) -> Option<&'a str>) -> Result<(), Refused> {
        let client = field("client_id") == Some(self.client_id.as_str())
            && field("client_secret") == Some(self.client_secret.as_str());
        if !client {
            return Err(Refused::new(
                "invalid_client",
                "fcm.oauth.client",
                "The OAuth client was not found.",
            ));
        }
        if field("refresh_token") != Some(self.refresh_token.as_str()) {
            return Err(Refused::new("invalid_grant", "fcm.oauth.refresh", "Bad Request"));
        }
        Ok(())
    }
}

impl Fcm {
    /// `POST /v1/projects/-/serviceAccounts/<email>:generateAccessToken`.
    pub(super) fn impersonate(
        &mut self,
        call: &str,
        exchange: &Exchange,
        now: Moment,
        record: &mut Record,
    ) -> Result<Value, Problem> {
        "oauth.impersonate".clone_into(&mut record.operation);
        let account = call
            .strip_suffix(":generateAccessToken")
            .ok_or_else(Problem::no_such_page)?;
        if exchange.method != Method::POST {
            return Err(Problem::no_such_page());
        }
        self.bearer(exchange, now)?;
        let denied = |rule, text: &str| Problem::new(403, "PERMISSION_DENIED", rule, text);
        if !self.has_iam_scope(exchange) {
            let text = "Request had insufficient authentication scopes.";
            return Err(denied("fcm.iam.scope", text).info("ACCESS_TOKEN_SCOPE_INSUFFICIENT"));
        }
        let account = percent_decode(account, false);
        record.target = Some(account.clone());
        if account != self.client_email {
            let text =
                "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
            return Err(denied("fcm.iam.account", text).info("IAM_PERMISSION_DENIED"));
        }
        let invalid = |text: &str| Problem::new(400, "INVALID_ARGUMENT", "fcm.iam.body", text);
        let body: Value =
            serde_json::from_slice(&exchange.body).map_err(|_| invalid("Invalid JSON payload received."))?;
        let texts = |name: &str| -> Option<Vec<&str>> {
            let list = body.get(name)?.as_array()?;
            list.iter().map(Value::as_str).collect()
        };
        let scopes = texts("scope").unwrap_or_default();
        if scopes.is_empty() || !scopes.iter().all(|scope| SCOPES.contains(scope)) {
            return Err(invalid("The scope is missing or not one of this service's."));
        }
        let path = |name: &&str| name.starts_with("projects/-/serviceAccounts/");
        let delegates =
            body.get("delegates").is_none() || texts("delegates").is_some_and(|names| names.iter().all(path));
        let seconds = match body.get("lifetime") {
            None => Some(3600),
            Some(text) => text
                .as_str()
                .and_then(|text| text.strip_suffix('s')?.parse().ok()),
        };
        let Some(seconds) = seconds.filter(|seconds| delegates && (1..=3600).contains(seconds)) else {
            return Err(invalid(
                "A delegate is no service account, or the lifetime is not 1 to 3600 seconds.",
            ));
        };
        let seconds: i64 = self.token_lifetime.min(seconds);
        let token = self.mint(scopes.contains(&CLOUD_PLATFORM), seconds, now);
        let until = now.unix_ms.saturating_add(seconds.saturating_mul(1000));
        Ok(json!({ "accessToken": token, "expireTime": crate::http_date::rfc3339(until) }))
    }
}
