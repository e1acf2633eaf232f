//! Messages to topics and groups, and the groups.

use super::{Adm, AdmRegistration, Refused, body};
use crate::exchange::{Exchange, Reply};
use crate::record::Record;
use crate::shared::Moment;
use serde_json::{Value, json};

const ROOT: &str = "/v1/messaging/";

impl Adm {
    /// Calls below `/v1/messaging/`; `None` when the path is not one of them.
    pub(super) fn audience(
        &mut self,
        exchange: &Exchange,
        now: Moment,
        record: &mut Record,
    ) -> Option<Result<Reply, Refused>> {
        let call = exchange.path.strip_prefix(ROOT)?;
        Some(match call {
            "topic/messages" => self.to_audience("topic", exchange, now, record),
            "group/messages" => self.to_audience("group", exchange, now, record),
            "group/operations" => self.operate(exchange, now, record),
            _ => Err(Refused(404, "NotFound", "adm.path")),
        })
    }

    fn to_audience(
        &self,
        kind: &'static str,
        exchange: &Exchange,
        now: Moment,
        record: &mut Record,
    ) -> Result<Reply, Refused> {
        kind_of(kind).clone_into(&mut record.operation);
        self.common(exchange, now, record)?;
        let md5 = body(&exchange.body, Some(kind))?;
        let name = serde_json::from_slice::<Value>(&exchange.body).ok();
        let name = name
            .as_ref()
            .and_then(|body| body[kind].as_str())
            .unwrap_or_default();
        record.target = Some(name.to_owned());
        // Topics come to be when an app subscribes; the sandbox has no apps, so any will do.
        if kind == "group" && !self.groups.contains_key(name) {
            return Err(Refused(400, "InvalidData", "adm.group.unknown"));
        }
        let id = crate::ids::uuid();
        record.id = Some(id.clone());
        Ok(Reply::json(200, &json!({ "messageId": id })).with("x-amzn-data-md5", md5))
    }

    /// `{"operation", "group_name", "registration_ids"}`.
    fn operate(&mut self, exchange: &Exchange, now: Moment, record: &mut Record) -> Result<Reply, Refused> {
        "group".clone_into(&mut record.operation);
        self.bearer(exchange, now)?;
        let invalid = |rule| Refused(400, "InvalidData", rule);
        let body: Value = serde_json::from_slice(&exchange.body).map_err(|_| invalid("adm.group.body"))?;
        let ids = body["registration_ids"].as_array().map(|ids| {
            let ids: Option<Vec<&str>> = ids.iter().map(Value::as_str).collect();
            ids.unwrap_or_default()
        });
        let ids = ids
            .filter(|ids| !ids.is_empty())
            .ok_or_else(|| invalid("adm.group.members"))?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let name = body["group_name"].as_str().unwrap_or_default();
        if name.is_empty() || !name.bytes().all(fits) {
            return Err(invalid("adm.group.name"));
        }
        let operation = body["operation"].as_str().unwrap_or_default();
        record.operation = format!("group.{operation}");
        record.target = Some(name.to_owned());
        if !["create", "add", "remove"].contains(&operation) {
            return Err(invalid("adm.group.operation"));
        }
        if operation != "create" && !self.groups.contains_key(name) {
            return Err(invalid("adm.group.unknown"));
        }
        let alive = |id: &&str| {
            let known = self.registrations.get(*id);
            known.is_some_and(|state| *state != AdmRegistration::Unregistered)
        };
        let (good, failed): (Vec<&str>, Vec<&str>) = ids.into_iter().partition(alive);
        if operation == "remove" {
            if let Some(members) = self.groups.get_mut(name) {
                members.retain(|member| !good.contains(&member.as_str()));
            }
        } else if !good.is_empty() {
            let members = self.groups.entry(name.to_owned()).or_default();
            members.extend(good.iter().map(|id| (*id).to_owned()));
        }
        let mut answer = json!({ "success": good.len(), "failure": failed.len() });
        if !failed.is_empty() {
            answer["failed_registration_ids"] = json!(failed);
        }
        Ok(Reply::json(200, &answer))
    }
}

/// A push to many is a push.
fn kind_of(kind: &str) -> String {
    format!("push/{kind}")
}
