//! Amazon Device Messaging: the token endpoint and messages.

mod audience;

use crate::exchange::{Exchange, Reply, percent_decode};
use crate::ids::{b64, b64url, random};
use crate::record::{LENIENT, Record};
use crate::shared::{Moment, Profile};
use http::Method;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bytes of a message.
const BODY_LIMIT: usize = 6144;
const TYPE_VERSION: &str = "com.amazon.device.messaging.ADMMessage@1.0";
const ACCEPT_TYPE: &str = "com.amazon.device.messaging.ADMSendResult@1.0";

/// The state of an ADM registration id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdmRegistration {
    /// Pushes arrive.
    #[default]
    Active,
    /// 400 `Unregistered`.
    Unregistered,
    /// Pushes arrive, and the answer names the id to use from now on.
    Replaced(String),
    /// 429 `MaxRateExceeded`.
    Throttled,
}

/// The ADM world of one sandbox.
pub(crate) struct Adm {
    pub(crate) profile: Profile,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) registrations: HashMap<String, AdmRegistration>,
    pub(crate) token_lifetime: i64,
    pub(crate) mints: u64,
    bearers: HashMap<String, i64>,
    /// Group to its members.
    groups: HashMap<String, BTreeSet<String>>,
}

/// A refusal: status, Amazon's word, the rule.
struct Refused(u16, &'static str, &'static str);

impl Adm {
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            profile,
            client_id: format!(
                "amzn1.application-oa2-client.{}",
                crate::ids::hex(&random::<16>())
            ),
            client_secret: crate::ids::hex(&random::<32>()),
            registrations: HashMap::new(),
            token_lifetime: 3600,
            mints: 0,
            bearers: HashMap::new(),
            groups: HashMap::new(),
        }
    }

    pub(crate) fn revoke_all(&mut self) {
        self.bearers.clear();
    }

    pub(crate) fn handle(&mut self, exchange: &Exchange, now: Moment) -> (Reply, Record) {
        let mut record = Record::begin("adm", "push", exchange, now);
        let reply = if exchange.path == "/auth/O2/token" {
            self.token(exchange, now, &mut record)
        } else {
            let judged = match self.audience(exchange, now, &mut record) {
                Some(judged) => judged,
                None => self.send(exchange, now, &mut record),
            };
            match judged {
                Ok(reply) => {
                    record.accepted = true;
                    reply
                }
                Err(Refused(status, reason, rule)) => {
                    record.reason = Some(reason.to_owned());
                    record.rule = Some(rule.to_owned());
                    let reply = Reply::json(status, &json!({ "reason": reason }));
                    if status == 429 {
                        reply.with("retry-after", "30")
                    } else {
                        reply
                    }
                }
            }
        };
        record.status = reply.status;
        (reply.with("x-amzn-requestid", crate::ids::uuid()), record)
    }

    /// RFC 6749 client credentials.
    fn token(&mut self, exchange: &Exchange, now: Moment, record: &mut Record) -> Reply {
        "oauth.token".clone_into(&mut record.operation);
        // The form is the credential: it stays out of the log.
        record.show_body(Value::Null);
        let form = Exchange::form(&String::from_utf8_lossy(&exchange.body));
        let field = |name: &str| {
            form.iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let form_type = exchange
            .header("content-type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let refused = if exchange.method != Method::POST
            || !form_type.starts_with("application/x-www-form-urlencoded")
        {
            Some(Refused(400, "invalid_request", "adm.token.form"))
        } else if field("grant_type") != Some("client_credentials") {
            Some(Refused(400, "unsupported_grant_type", "adm.token.grant"))
        } else if field("client_id") != Some(&self.client_id)
            || field("client_secret") != Some(&self.client_secret)
        {
            Some(Refused(401, "invalid_client", "adm.token.client"))
        } else if field("scope") != Some("messaging:push") {
            Some(Refused(400, "invalid_scope", "adm.token.scope"))
        } else {
            None
        };
        if let Some(Refused(status, error, rule)) = refused {
            record.rule = Some(rule.to_owned());
            record.reason = Some(error.to_owned());
            let body = json!({ "error": error, "error_description": format!("refused by rule {rule}") });
            return Reply::json(status, &body);
        }
        record.accepted = true;
        self.mints += 1;
        let token = format!("Atc|sandbox{}", b64url(&random::<32>()));
        self.bearers.insert(
            token.clone(),
            now.unix_ms
                .saturating_add(self.token_lifetime.saturating_mul(1000)),
        );
        let body = json!({
            "access_token": token,
            "expires_in": self.token_lifetime,
            "scope": "messaging:push",
            "token_type": "bearer",
        });
        Reply::json(200, &body)
    }

    fn send(&self, exchange: &Exchange, now: Moment, record: &mut Record) -> Result<Reply, Refused> {
        let id = exchange
            .path
            .strip_prefix("/messaging/registrations/")
            .and_then(|rest| rest.strip_suffix("/messages"))
            .filter(|id| !id.is_empty() && !id.contains('/'))
            .ok_or(Refused(404, "NotFound", "adm.path"))?;
        let id = percent_decode(id, false);
        record.target = Some(id.clone());
        self.common(exchange, now, record)?;
        let md5 = body(&exchange.body, None)?;
        let reply =
            |id: &str| Reply::json(200, &json!({ "registrationID": id })).with("x-amzn-data-md5", md5);
        match self.registrations.get(&id) {
            None => Err(Refused(400, "InvalidRegistrationId", "adm.registration.unknown")),
            Some(AdmRegistration::Unregistered) => {
                Err(Refused(400, "Unregistered", "adm.registration.unregistered"))
            }
            Some(AdmRegistration::Throttled) => Err(Refused(429, "MaxRateExceeded", "adm.registration.rate")),
            Some(AdmRegistration::Active) => Ok(reply(&id)),
            Some(AdmRegistration::Replaced(new)) => Ok(reply(new)),
        }
    }

    /// Checks what every call needs: POST, with a live token.
    fn bearer(&self, exchange: &Exchange, now: Moment) -> Result<(), Refused> {
        if exchange.method != Method::POST {
            return Err(Refused(405, "MethodNotAllowed", "adm.method"));
        }
        let bearer = exchange
            .header("authorization")
            .and_then(|header| header.split_once(' '));
        let until = match bearer {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => self.bearers.get(token.trim()),
            _ => None,
        };
        if until.is_none_or(|until| now.unix_ms > *until) {
            return Err(Refused(401, "AccessTokenExpired", "adm.auth"));
        }
        Ok(())
    }

    /// Checks what every message needs.
    fn common(&self, exchange: &Exchange, now: Moment, record: &mut Record) -> Result<(), Refused> {
        self.bearer(exchange, now)?;
        if exchange.header("x-amzn-type-version") != Some(TYPE_VERSION) {
            return Err(Refused(400, "InvalidType", "adm.header.type-version"));
        }
        if exchange.header("x-amzn-accept-type") != Some(ACCEPT_TYPE) {
            if self.profile == Profile::Strict {
                record.hint = Some(LENIENT);
                return Err(Refused(400, "InvalidType", "adm.header.accept-type"));
            }
            record.warnings.push("adm.header.accept-type".to_owned());
        }
        if !exchange
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"))
        {
            return Err(Refused(400, "InvalidType", "adm.header.content-type"));
        }
        if exchange.body.len() > BODY_LIMIT {
            return Err(Refused(413, "MessageTooLarge", "adm.body.size"));
        }
        Ok(())
    }
}

/// An id of the shape Amazon's have.
pub(crate) fn new_id() -> String {
    format!("amzn1.adm-registration.v3.{}", b64url(&random::<48>()))
}

/// Checks the message, with its `audience` (`topic` or `group`) where it has one; the MD5 of its data.
fn body(bytes: &[u8], audience: Option<&str>) -> Result<String, Refused> {
    let invalid = |rule| Refused(400, "InvalidData", rule);
    let body: Value = serde_json::from_slice(bytes).map_err(|_| invalid("adm.body.json"))?;
    let body = body.as_object().ok_or_else(|| invalid("adm.body.json"))?;
    let known = [
        "data",
        "notification",
        "priority",
        "consolidationKey",
        "expiresAfter",
        "md5",
    ];
    if body
        .keys()
        .any(|key| !known.contains(&key.as_str()) && Some(key.as_str()) != audience)
    {
        return Err(invalid("adm.body.field"));
    }
    let named = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .is_some_and(|name| !name.is_empty())
    };
    if audience.is_some_and(|audience| !named(audience)) {
        return Err(invalid("adm.body.audience"));
    }
    let mut data = BTreeMap::new();
    match body.get("data") {
        Some(Value::Object(entries)) => {
            for (key, value) in entries {
                data.insert(
                    key.as_str(),
                    value.as_str().ok_or_else(|| invalid("adm.body.data.string"))?,
                );
            }
        }
        None if body.contains_key("notification") => {}
        _ => return Err(invalid("adm.body.data")),
    }
    if body
        .get("notification")
        .is_some_and(|notification| !notification.is_object())
    {
        return Err(invalid("adm.body.notification"));
    }
    if !matches!(
        body.get("priority").map(Value::as_str),
        None | Some(Some("normal" | "high"))
    ) {
        return Err(invalid("adm.body.priority"));
    }
    if let Some(key) = body.get("consolidationKey") {
        if key.as_str().is_none_or(|key| key.chars().count() > 64) {
            return Err(Refused(
                400,
                "InvalidConsolidationKey",
                "adm.body.consolidation-key",
            ));
        }
    }
    if let Some(expires) = body.get("expiresAfter") {
        if !expires
            .as_u64()
            .is_some_and(|seconds| (60..=2_678_400).contains(&seconds))
        {
            return Err(Refused(400, "InvalidExpiration", "adm.body.expires-after"));
        }
    }
    // A BTreeMap of str is in unsigned UTF-8 byte order, as Amazon's sample sorts.
    let joined: Vec<String> = data.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    let sum = b64(&Md5::digest(joined.join(",").as_bytes()));
    match body.get("md5") {
        Some(given) if given.as_str() != Some(&sum) => Err(Refused(400, "InvalidChecksum", "adm.body.md5")),
        _ => Ok(sum),
    }
}

#[cfg(test)]
mod tests {
    use super::body;

    #[test]
    fn md5_matches_the_known_values() {
        let vectors = [
            (r#"{"message":"your message"}"#, "qzF+HgArKZjJrpfcTbiFxg=="),
            (r#"{"key1":"value1","key2":"value2"}"#, "mysMS9RLodXKUzD3uiNpYw=="),
            ("{}", "1B2M2Y8AsgTpgAmY7PhCfg=="),
            (r#"{"b":"2","a":"1","é":"x","Z":"z"}"#, "NoXmVqmDv765FW2lloqEug=="),
        ];
        for (data, md5) in vectors {
            let message = format!(r#"{{"data":{data},"md5":"{md5}"}}"#);
            assert_eq!(
                body(message.as_bytes(), None).ok().as_deref(),
                Some(md5),
                "{data}"
            );
            let wrong = format!(r#"{{"data":{data},"md5":"AAAA"}}"#);
            assert_eq!(
                body(wrong.as_bytes(), None).map_err(|refused| refused.2),
                Err("adm.body.md5")
            );
        }
    }
}
