//! Baidu Cloud Push, REST 3.0: signature, parameters, error codes.

mod calls;

use crate::exchange::{Exchange, Reply};
use crate::ids::{hex, random};
use crate::record::{Record, readable};
use crate::shared::Moment;
use http::Method;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A signature is good for ten minutes.
const WINDOW: i64 = 600;
const MESSAGE_LIMIT: usize = 4096;
/// Channels in one batch; the SDKs name no limit, Baidu's page named this one.
const BATCH_LIMIT: usize = 10_000;

/// The Baidu world of one sandbox.
pub(crate) struct Baidu {
    pub(crate) api_key: String,
    pub(crate) secret_key: String,
    /// Bound channel ids.
    pub(crate) channels: BTreeSet<String>,
    sent: u64,
    books: calls::Books,
}

/// A refusal: status, Baidu's code and text, the rule.
struct Refused(u16, u32, &'static str, &'static str);

fn params(rule: &'static str) -> Refused {
    Refused(400, 30602, "Request Params Not Valid", rule)
}

impl Baidu {
    pub(crate) fn new() -> Self {
        Self {
            api_key: crate::ids::b64url(&random::<18>()),
            secret_key: hex(&random::<16>()).to_uppercase(),
            channels: BTreeSet::new(),
            sent: 0,
            books: calls::Books::default(),
        }
    }

    pub(crate) fn handle(&mut self, exchange: &Exchange, now: Moment) -> (Reply, Record) {
        let mut record = Record::begin("baidu", "push", exchange, now);
        let request_id = u64::from(u32::from_be_bytes(random::<4>()));
        let reply = match self.judge(exchange, now, &mut record) {
            Ok(body) => {
                record.accepted = true;
                Reply::json(200, &json!({ "request_id": request_id, "response_params": body }))
            }
            Err(Refused(status, code, text, rule)) => {
                record.rule = Some(rule.to_owned());
                record.reason = Some(code.to_string());
                let body = json!({ "request_id": request_id, "error_code": code, "error_msg": text });
                Reply::json(status, &body)
            }
        };
        record.status = reply.status;
        (reply, record)
    }

    fn judge(&mut self, exchange: &Exchange, now: Moment, record: &mut Record) -> Result<Value, Refused> {
        let call = exchange.path.strip_prefix("/rest/3.0/").ok_or(Refused(
            404,
            30601,
            "Method Not Allowed",
            "baidu.path",
        ))?;
        call.clone_into(&mut record.operation);
        let method = &exchange.method;
        if method != Method::POST && method != Method::GET {
            return Err(Refused(405, 30601, "Method Not Allowed", "baidu.method"));
        }
        let mut pairs = Exchange::form(exchange.query.as_deref().unwrap_or_default());
        if method == Method::POST {
            let kind = exchange.header("content-type").unwrap_or_default();
            if !kind.starts_with("application/x-www-form-urlencoded") {
                return Err(params("baidu.content-type"));
            }
            pairs.extend(Exchange::form(&String::from_utf8_lossy(&exchange.body)));
        }
        let fields: BTreeMap<String, String> = pairs.into_iter().collect();
        record.show_body(shown(&fields));
        if !exchange
            .header("user-agent")
            .is_some_and(|agent| agent.starts_with("BCCS_SDK/3.0"))
        {
            record.warnings.push("baidu.user-agent".to_owned());
        }
        let field = |name: &str| fields.get(name).map(String::as_str);
        if field("apikey") != Some(&self.api_key) {
            return Err(Refused(403, 30603, "Authentication Failed", "baidu.apikey"));
        }
        let number = |name: &str| field(name).and_then(|text| text.parse::<i64>().ok());
        let timestamp = number("timestamp").ok_or_else(|| params("baidu.timestamp"))?;
        let seconds = now.unix_ms / 1000;
        let expires = number("expires").unwrap_or_else(|| timestamp.saturating_add(WINDOW));
        if expires < seconds || timestamp > seconds.saturating_add(WINDOW) {
            return Err(Refused(400, 30606, "Request Expired", "baidu.timestamp.window"));
        }
        let url = format!("https://{}{}", exchange.authority, exchange.path);
        if field("sign") != Some(&sign(method.as_str(), &url, &fields, &self.secret_key)) {
            return Err(Refused(403, 30603, "Authentication Failed", "baidu.sign"));
        }
        if field("device_type").is_some_and(|kind| kind != "3" && kind != "4") {
            return Err(params("baidu.device-type"));
        }
        self.call(call, &fields, seconds, record)
    }

    fn call(
        &mut self,
        call: &str,
        fields: &BTreeMap<String, String>,
        now: i64,
        record: &mut Record,
    ) -> Result<Value, Refused> {
        let field = |name: &str| fields.get(name).map(String::as_str);
        match call {
            "push/single_device" => {
                let channel = field("channel_id").ok_or_else(|| params("baidu.channel.missing"))?;
                record.target = Some(channel.to_owned());
                message(fields, now)?;
                if !self.channels.contains(channel) {
                    return Err(Refused(
                        400,
                        30608,
                        "Bind Relation Not Found",
                        "baidu.channel.unknown",
                    ));
                }
                Ok(self.sent(fields, now))
            }
            "push/batch_device" => {
                let channels =
                    field("channel_ids").and_then(|text| serde_json::from_str::<Vec<String>>(text).ok());
                let channels = channels
                    .filter(|ids| !ids.is_empty() && ids.len() <= BATCH_LIMIT)
                    .ok_or_else(|| params("baidu.channels"))?;
                if field("device_type") == Some("4") {
                    return Err(params("baidu.batch.android-only"));
                }
                record.target = Some(format!("{} channels", channels.len()));
                message(fields, now)?;
                Ok(self.sent(fields, now))
            }
            "push/all" => {
                record.target = Some("all".to_owned());
                message(fields, now)?;
                Ok(self.sent(fields, now))
            }
            "push/tags" => {
                match (field("type"), field("tag"), field("selector")) {
                    (Some("1"), Some(tag), _) if (1..=128).contains(&tag.len()) => {
                        record.target = Some(tag.to_owned());
                    }
                    (Some("6"), _, Some(_)) if field("device_type") != Some("4") => {}
                    _ => return Err(params("baidu.tag")),
                }
                message(fields, now)?;
                Ok(self.sent(fields, now))
            }
            _ => match self.manage(call, fields, now) {
                Some(judged) => judged,
                None => Err(Refused(404, 30601, "Method Not Allowed", "baidu.path")),
            },
        }
    }

    fn sent(&mut self, fields: &BTreeMap<String, String>, now: i64) -> Value {
        self.sent += 1;
        let id = format!("{}", 7_000_000_000_u64 + self.sent);
        let send_time = fields.get("send_time").and_then(|text| text.parse::<i64>().ok());
        let timer = self.books.note(&id, fields, send_time, now);
        let mut answer = json!({ "msg_id": id, "send_time": send_time.unwrap_or(now) });
        if let Some(timer) = timer {
            answer["timer_id"] = json!(timer);
        }
        answer
    }
}

/// The parameters that all pushes share.
fn message(fields: &BTreeMap<String, String>, now: i64) -> Result<(), Refused> {
    let field = |name: &str| fields.get(name).map(String::as_str);
    let text = field("msg").ok_or_else(|| params("baidu.msg.missing"))?;
    if text.len() > MESSAGE_LIMIT {
        return Err(params("baidu.msg.size"));
    }
    let kind = field("msg_type").unwrap_or("0");
    let body: Option<Value> = serde_json::from_str(text).ok();
    match (kind, &body) {
        ("0", _) => {}
        ("1", Some(Value::Object(body))) => {
            let apple = field("device_type") == Some("4");
            if apple && !body.contains_key("aps") {
                return Err(Refused(400, 40002, "iOS Message Not Valid", "baidu.msg.aps"));
            }
            if !apple && !body.get("description").is_some_and(Value::is_string) {
                return Err(params("baidu.msg.description"));
            }
        }
        _ => return Err(params("baidu.msg.type")),
    }
    let within = |name: &str, low: i64, high: i64, rule| match field(name) {
        None => Ok(()),
        Some(text) => match text.parse::<i64>() {
            Ok(number) if (low..=high).contains(&number) => Ok(()),
            _ => Err(params(rule)),
        },
    };
    within("msg_expires", 1, 604_800, "baidu.msg.expires")?;
    within("deploy_status", 1, 2, "baidu.deploy-status")?;
    within("send_time", now + 60, now + 31_536_000, "baidu.send-time")?;
    match field("topic_id") {
        Some(topic) if !(1..=128).contains(&topic.len()) => Err(params("baidu.topic-id")),
        _ => Ok(()),
    }
}

/// The form for the log: without the signature, the message as JSON.
fn shown(fields: &BTreeMap<String, String>) -> Value {
    let entries = fields
        .iter()
        .filter(|(name, _)| *name != "sign")
        .map(|(name, value)| {
            let value = if name == "msg" {
                readable(value.as_bytes())
            } else {
                json!(value)
            };
            (name.clone(), value)
        });
    Value::Object(entries.collect())
}

/// `md5(urlencode(METHOD + url + sorted "k=v" + secret))`, hexadecimal.
fn sign(method: &str, url: &str, fields: &BTreeMap<String, String>, secret: &str) -> String {
    let pairs = fields.iter().filter(|(name, _)| *name != "sign");
    let pairs: String = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    hex(&Md5::digest(
        php_urlencode(&format!("{method}{url}{pairs}{secret}")).as_bytes(),
    ))
}

/// PHP's `urlencode`: all but `A-Za-z0-9-_.` escaped, the space as `+`.
fn php_urlencode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b' ' => out.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::sign;

    fn fields(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn signature_of_baidus_own_document() {
        let fields = fields(&[
            ("apikey", "Ljc710pzAa99GULCo8y48NvB"),
            ("expires", "1313293565"),
            ("timestamp", "1427180905"),
        ]);
        let sign = sign(
            "POST",
            "http://api.tuisong.baidu.com/rest/3.0/test/echo",
            &fields,
            "87772555E1C16715EBA5C85341684C58",
        );
        assert_eq!(sign, "7d14113142e2a1583b4e9dad3fba73d0");
    }

    #[test]
    fn signature_with_what_php_escapes() {
        let fields = fields(&[
            ("apikey", "AK"),
            ("timestamp", "1500000000"),
            ("channel_id", "123"),
            ("device_type", "3"),
            ("msg_type", "1"),
            ("msg", r#"{"title":"a*b~c d","description":"你好"}"#),
        ]);
        let url = "https://api.tuisong.baidu.com/rest/3.0/push/single_device";
        assert_eq!(
            sign("POST", url, &fields, "SK"),
            "decc4490144743d2dad32f705f481d67"
        );
    }
}
