//! Reading a request: JSON, or the older form of names and values.

use serde_json::{Map, Value};

use super::super::query;
use super::super::reply::Reply;
use super::super::run::Run;
use super::text;
use crate::json;

/// The most tokens of one request (Google's legacy reference).
const MOST: usize = 1000;

/// Whom a message is for.
pub(super) enum To {
    /// Devices, in the order of the request.
    Tokens(Vec<String>),
    /// One topic, without `/topics/`.
    Topic(String),
    /// A condition on topics.
    Condition(String),
}

pub(super) struct Request {
    pub(super) to: To,
    pub(super) body: Map<String, Value>,
    /// Whether the request is a form: then the answer is lines of text.
    pub(super) is_form: bool,
}

impl Request {
    pub(super) fn read(run: &Run<'_>) -> Result<Self, Reply> {
        let kind = run.incoming.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if kind.is_empty() || kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Self::form(run);
        }
        // The words of Google's own answers, which people search for.
        let body = match json::parse(run.incoming.body()) {
            Ok(Value::Object(body)) => body,
            Ok(_) => return Err(text(400, "JSON_TYPE_ERROR: the body is not a JSON object")),
            Err(error) => return Err(text(400, format!("JSON_PARSING_ERROR: {}", error.context()))),
        };
        for name in ["data", "notification"] {
            if !matches!(body.get(name), None | Some(Value::Null | Value::Object(_))) {
                return Err(text(400, format!("Field \"{name}\" must be a JSON object")));
            }
        }
        let to = Self::target(&body)?;
        Ok(Self {
            to,
            body,
            is_form: false,
        })
    }

    fn target(body: &Map<String, Value>) -> Result<To, Reply> {
        let string = |name: &str| match body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(text(400, format!("Field \"{name}\" must be a JSON string"))),
        };
        let (to, condition) = (string("to")?, string("condition")?);
        let many = match body.get("registration_ids") {
            None | Some(Value::Null) => None,
            Some(Value::Array(items)) => Some(items),
            Some(_) => return Err(text(400, "Field \"registration_ids\" must be a JSON array")),
        };
        match (to, many, condition) {
            (Some(to), None, None) => Ok(match to.strip_prefix("/topics/") {
                Some(topic) => To::Topic(topic.to_owned()),
                None => To::Tokens(vec![to]),
            }),
            (None, Some(items), None) => {
                if items.is_empty() {
                    return Err(text(400, "\"registration_ids\" field cannot be empty"));
                }
                if items.len() > MOST {
                    let text_ = format!("Number of messages on bulk ({}) exceeds maximum allowed (1000)", items.len());
                    return Err(text(400, text_));
                }
                let tokens = items.iter().map(|item| item.as_str().map(str::to_owned));
                let tokens: Option<Vec<_>> = tokens.collect();
                let wrong = || text(400, "Field \"registration_ids\" must be an array of JSON strings");
                tokens.map(To::Tokens).ok_or_else(wrong)
            }
            (None, None, Some(condition)) => Ok(To::Condition(condition)),
            (None, None, None) => Err(text(400, "to")),
            _ => Err(text(
                400,
                "Must use exactly one of the fields \"to\", \"registration_ids\" and \"condition\"",
            )),
        }
    }

    /// Reads the older form, which names one device and has data as `data.name=value`.
    fn form(run: &Run<'_>) -> Result<Self, Reply> {
        let Ok(form) = std::str::from_utf8(run.incoming.body()) else {
            return Err(text(400, "the form is not UTF-8"));
        };
        let (mut body, mut data) = (Map::new(), Map::new());
        let mut token = String::new();
        for (name, value) in query::pairs(form) {
            match name.as_str() {
                "registration_id" | "to" => token = value,
                "collapse_key" | "restricted_package_name" | "priority" => drop(body.insert(name, value.into())),
                "time_to_live" => {
                    let number = value.parse::<u64>().map_or_else(|_| value.clone().into(), Value::from);
                    body.insert(name, number);
                }
                "delay_while_idle" | "dry_run" | "content_available" => {
                    let is_true = value == "1" || value.eq_ignore_ascii_case("true");
                    body.insert(name, is_true.into());
                }
                _ => {
                    if let Some(name) = name.strip_prefix("data.") {
                        data.insert(name.to_owned(), value.into());
                    }
                }
            }
        }
        if !data.is_empty() {
            body.insert("data".into(), Value::Object(data));
        }
        Ok(Self {
            to: To::Tokens(vec![token]),
            body,
            is_form: true,
        })
    }
}
