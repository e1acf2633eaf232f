//! Google's token endpoint for service accounts: RFC 7523 assertions, RS256.

use super::Fcm;
use crate::exchange::{Exchange, Reply};
use crate::jose::Token;
use crate::record::Record;
use crate::shared::Moment;
use serde_json::{Value, json};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Google's own libraries put this into `aud`, whatever `token_uri` says.
const GOOGLE_AUDIENCE: &str = "https://oauth2.googleapis.com/token";
pub(super) const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
pub(super) const SCOPES: [&str; 2] = [
    "https://www.googleapis.com/auth/firebase.messaging",
    CLOUD_PLATFORM,
];
/// Tolerated clock skew, seconds.
const SKEW: i64 = 300;

pub(super) struct Refused {
    error: &'static str,
    rule: &'static str,
    description: &'static str,
}

impl Refused {
    pub(super) fn new(error: &'static str, rule: &'static str, description: &'static str) -> Self {
        Self {
            error,
            rule,
            description,
        }
    }
}

/// An access token that was minted here.
pub(super) struct Bearer {
    /// Its last valid millisecond.
    pub(super) until: i64,
    /// Good for more than FCM: for IAM.
    pub(super) iam: bool,
}

impl Fcm {
    pub(super) fn token(&mut self, exchange: &Exchange, now: Moment, record: &mut Record) -> Reply {
        "oauth.token".clone_into(&mut record.operation);
        // The form is the credential: it stays out of the log.
        record.show_body(Value::Null);
        match self.judge(exchange, now) {
            Ok(iam) => {
                record.accepted = true;
                Reply::json(200, &self.grant(iam, now))
            }
            Err(refused) => {
                record.rule = Some(refused.rule.to_owned());
                record.reason = Some(refused.error.to_owned());
                let status = if refused.error == "invalid_client" {
                    401
                } else {
                    400
                };
                let body = json!({ "error": refused.error, "error_description": refused.description });
                Reply::json(status, &body)
            }
        }
    }

    /// A fresh access token.
    pub(super) fn mint(&mut self, iam: bool, seconds: i64, now: Moment) -> String {
        self.mints += 1;
        let token = format!("ya29.sandbox.{}", crate::ids::b64url(&crate::ids::random::<24>()));
        let until = now.unix_ms.saturating_add(seconds.saturating_mul(1000));
        self.bearers.insert(token.clone(), Bearer { until, iam });
        token
    }

    /// Whether the token to be minted is good for IAM as well.
    fn judge(&self, exchange: &Exchange, now: Moment) -> Result<bool, Refused> {
        let form = String::from_utf8_lossy(&exchange.body).into_owned();
        let form = Exchange::form(&form);
        let field = |name: &str| {
            form.iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let form_type = exchange.header("content-type").unwrap_or_default();
        if exchange.method != http::Method::POST
            || !form_type.starts_with("application/x-www-form-urlencoded")
        {
            return Err(Refused::new(
                "invalid_request",
                "fcm.oauth.form",
                "A form must be posted.",
            ));
        }
        match field("grant_type") {
            Some(GRANT) => self.judge_assertion(field("assertion"), now),
            // What the person agreed to, long ago.
            Some("refresh_token") => self.user.judge(field).map(|()| true),
            _ => Err(Refused::new(
                "unsupported_grant_type",
                "fcm.oauth.grant",
                "Invalid grant_type.",
            )),
        }
    }

    fn judge_assertion(&self, assertion: Option<&str>, now: Moment) -> Result<bool, Refused> {
        let refuse = |error, rule, description| Err(Refused::new(error, rule, description));
        let Some(token) = assertion
            .and_then(Token::read)
            .filter(|token| token.strict_base64)
        else {
            return refuse("invalid_grant", "fcm.oauth.assertion", "Bad Request");
        };
        if token.header_text("alg") != Some("RS256") {
            return refuse(
                "invalid_grant",
                "fcm.oauth.alg",
                "Invalid JWT: unsupported algorithm.",
            );
        }
        if token.header_text("kid").is_some_and(|kid| kid != self.key_id) {
            return refuse("invalid_grant", "fcm.oauth.kid", "Invalid JWT Signature.");
        }
        if token.claim_text("iss") != Some(self.client_email.as_str()) {
            return refuse(
                "invalid_grant",
                "fcm.oauth.iss",
                "Invalid grant: account not found",
            );
        }
        if !self.key.as_ref().is_some_and(|key| token.verifies_rs256(key)) {
            return refuse("invalid_grant", "fcm.oauth.signature", "Invalid JWT Signature.");
        }
        let audience = token.claim_text("aud");
        if audience != Some(GOOGLE_AUDIENCE) && audience != Some(self.token_uri.as_str()) {
            return refuse(
                "invalid_grant",
                "fcm.oauth.aud",
                "Invalid JWT: Failed audience check.",
            );
        }
        let seconds = |name| token.claims.get(name).and_then(Value::as_i64);
        let (Some(iat), Some(exp)) = (seconds("iat"), seconds("exp")) else {
            return refuse(
                "invalid_grant",
                "fcm.oauth.times",
                "Invalid JWT: iat and exp are required integers.",
            );
        };
        let now = now.unix_ms / 1000;
        let lifetime = exp.checked_sub(iat);
        if iat > now + SKEW || exp < now - SKEW || !lifetime.is_some_and(|life| (0..=3600).contains(&life)) {
            return refuse(
                "invalid_grant",
                "fcm.oauth.lifetime",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
                 Check your iat and exp values in the JWT claim.",
            );
        }
        let scopes: Vec<&str> = token.claim_text("scope").unwrap_or_default().split(' ').collect();
        if !scopes.iter().any(|scope| SCOPES.contains(scope)) {
            return refuse(
                "invalid_scope",
                "fcm.oauth.scope",
                "Invalid OAuth scope or ID token audience provided.",
            );
        }
        Ok(scopes.contains(&CLOUD_PLATFORM))
    }

    /// AIP-4111: `iss` = `sub`, and either the service as `aud` or a `scope`, never both.
    pub(super) fn self_signed_is_good(&self, jwt: &str, now: Moment) -> bool {
        let Some(token) = Token::read(jwt) else {
            return false;
        };
        let email = Some(self.client_email.as_str());
        let seconds = |name| token.claims.get(name).and_then(Value::as_i64);
        let (Some(iat), Some(exp)) = (seconds("iat"), seconds("exp")) else {
            return false;
        };
        let now = now.unix_ms / 1000;
        let target = match (token.claim_text("aud"), token.claim_text("scope")) {
            (Some(audience), None) => audience == "https://fcm.googleapis.com/",
            (None, Some(scope)) => scope.split(' ').any(|scope| SCOPES.contains(&scope)),
            _ => false,
        };
        target
            && token.header_text("alg") == Some("RS256")
            && token.claim_text("iss") == email
            && token.claim_text("sub") == email
            && iat <= now + SKEW
            && exp >= now
            && exp
                .checked_sub(iat)
                .is_some_and(|life| (0..=3600).contains(&life))
            && self.key.as_ref().is_some_and(|key| token.verifies_rs256(key))
    }
}
