//! Reports, statistics, tags, timers and topics.

use super::{Baidu, Refused, params};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The messages that were sent, and those that wait.
#[derive(Default)]
pub(super) struct Books {
    /// Message id to the time it is sent at, Unix seconds.
    messages: BTreeMap<String, i64>,
    /// Timer id to its message.
    timers: BTreeMap<String, String>,
    /// Topic id to its messages.
    topics: BTreeMap<String, Vec<String>>,
    /// Tag to its channels.
    tags: BTreeMap<String, BTreeSet<String>>,
}

impl Books {
    /// A message was taken; its timer, if it waits for its time.
    pub(super) fn note(
        &mut self,
        id: &str,
        fields: &BTreeMap<String, String>,
        send_time: Option<i64>,
        now: i64,
    ) -> Option<String> {
        self.messages.insert(id.to_owned(), send_time.unwrap_or(now));
        if let Some(topic) = fields.get("topic_id") {
            self.topics.entry(topic.clone()).or_default().push(id.to_owned());
        }
        send_time.map(|_| {
            let timer = format!("timer{id}");
            self.timers.insert(timer.clone(), id.to_owned());
            timer
        })
    }

    fn status(&self, id: &str, now: i64) -> Option<Value> {
        let at = *self.messages.get(id)?;
        let (status, success) = if at > now { (1, 0) } else { (0, 1) };
        Some(json!({ "msg_id": id, "status": status, "send_time": at, "success": success }))
    }
}

impl Baidu {
    /// Calls other than pushes; `None` when there is no such call.
    pub(super) fn manage(
        &mut self,
        call: &str,
        fields: &BTreeMap<String, String>,
        now: i64,
    ) -> Option<Result<Value, Refused>> {
        let books = &mut self.books;
        let field = |name: &str| fields.get(name).map(String::as_str);
        let channels = &self.channels;
        let page = |all: Vec<Value>, most: i64| list(all, fields, most);
        Some(match call {
            "report/query_msg_status" => (|| {
                let text = field("msg_id").ok_or_else(|| params("baidu.report.msg-id"))?;
                let ids = serde_json::from_str::<Vec<String>>(text).unwrap_or_else(|_| vec![text.to_owned()]);
                let found: Vec<Value> = ids.iter().filter_map(|id| books.status(id, now)).collect();
                if found.is_empty() {
                    return Err(Refused(
                        400,
                        30605,
                        "Data Required Not Found",
                        "baidu.report.unknown",
                    ));
                }
                Ok(json!({ "total_num": found.len(), "result": found }))
            })(),
            "report/query_timer_records" => {
                let of = field("timer_id");
                let timers = books
                    .timers
                    .iter()
                    .filter(|(id, _)| of.is_none_or(|of| of == **id));
                let sent = timers.filter_map(|(_, message)| books.status(message, now));
                page(within(sent, fields), 100)
            }
            "report/query_topic_records" => named(field("topic_id")).and_then(|topic| {
                let sent = books.topics.get(topic).into_iter().flatten();
                let sent = sent.filter_map(|message| books.status(message, now));
                let mut answer = page(within(sent, fields), 100)?;
                answer["topic_id"] = json!(topic);
                Ok(answer)
            }),
            "report/statistic_device" => Ok(json!({
                "total_num": 1,
                "result": { now.to_string(): { "total_term": channels.len(), "online_term": channels.len() } },
            })),
            "report/statistic_topic" => named(field("topic_id")).map(|topic| {
                let count = books.topics.get(topic).map_or(0, Vec::len);
                json!({ "total_num": 1, "result": { now.to_string(): { "ack": count } } })
            }),
            "topic/query_list" => {
                let topics = books.topics.iter().map(|(topic, sent)| {
                    json!({ "topic_id": topic, "push_cnt": sent.len(), "ack_cnt": sent.len() })
                });
                page(topics.collect(), 20)
            }
            "app/query_tags" => {
                let of = field("tag");
                let tags = books
                    .tags
                    .keys()
                    .filter(|tag| of.is_none_or(|of| of == tag.as_str()));
                page(tags.map(|tag| json!({ "tag": tag, "type": 2 })).collect(), 100)
            }
            "app/create_tag" => named(field("tag")).and_then(|tag| {
                if tag == "default" {
                    return Err(Refused(400, 30619, "Default Tag Reserved", "baidu.tag.default"));
                }
                if books.tags.contains_key(tag) {
                    return Err(Refused(400, 30610, "Duplicate Operation", "baidu.tag.exists"));
                }
                books.tags.insert(tag.to_owned(), BTreeSet::new());
                Ok(json!({ "tag": tag, "result": 0 }))
            }),
            "app/del_tag" => named(field("tag")).and_then(|tag| match books.tags.remove(tag) {
                Some(_) => Ok(json!({ "tag": tag, "result": 0 })),
                None => Err(no_tag()),
            }),
            "tag/add_devices" | "tag/del_devices" => named(field("tag")).and_then(|tag| {
                let ids =
                    field("channel_ids").and_then(|text| serde_json::from_str::<Vec<String>>(text).ok());
                let ids = ids
                    .filter(|ids| !ids.is_empty())
                    .ok_or_else(|| params("baidu.channels"))?;
                let members = books.tags.get_mut(tag).ok_or_else(no_tag)?;
                let change = |id: &String| {
                    let done = match call {
                        "tag/add_devices" => {
                            if channels.contains(id) {
                                members.insert(id.clone());
                            }
                            channels.contains(id)
                        }
                        _ => members.remove(id),
                    };
                    json!({ "channel_id": id, "result": u8::from(!done) })
                };
                Ok(json!({ "result": ids.iter().map(change).collect::<Vec<_>>() }))
            }),
            "tag/device_num" => named(field("tag")).and_then(|tag| {
                let members = books.tags.get(tag).ok_or_else(no_tag)?;
                Ok(json!({ "device_num": members.len() }))
            }),
            "timer/query_list" => {
                let of = field("timer_id");
                let waiting = books
                    .timers
                    .iter()
                    .filter(|(id, _)| of.is_none_or(|of| of == **id));
                let waiting =
                    waiting.filter(|(_, message)| books.messages.get(*message).is_some_and(|at| *at > now));
                let shown = waiting.map(|(id, message)| {
                    json!({ "timer_id": id, "send_time": books.messages.get(message), "status": 1 })
                });
                page(shown.collect(), 100)
            }
            "timer/cancel" => named(field("timer_id")).and_then(|timer| {
                let late = |message: &String| books.messages.get(message).is_none_or(|at| *at <= now);
                match books.timers.get(timer).filter(|message| !late(message)) {
                    Some(message) => {
                        books.messages.remove(&message.clone());
                        books.timers.remove(timer);
                        Ok(json!({}))
                    }
                    None => Err(Refused(400, 41001, "Timer Not Found", "baidu.timer.unknown")),
                }
            }),
            _ => return None,
        })
    }
}

fn no_tag() -> Refused {
    Refused(400, 30611, "Tag Not Found", "baidu.tag.unknown")
}

/// A name of 1 to 128 characters.
fn named(text: Option<&str>) -> Result<&str, Refused> {
    text.filter(|text| (1..=128).contains(&text.chars().count()))
        .ok_or_else(|| params("baidu.name"))
}

/// Returns the records of the time asked for.
fn within(sent: impl Iterator<Item = Value>, fields: &BTreeMap<String, String>) -> Vec<Value> {
    let number = |name: &str| fields.get(name).and_then(|text| text.parse::<i64>().ok());
    let from = number("range_start").unwrap_or(i64::MIN);
    let to = number("range_end").unwrap_or(i64::MAX);
    let fits = |value: &Value| {
        value["send_time"]
            .as_i64()
            .is_some_and(|at| (from..=to).contains(&at))
    };
    sent.filter(fits).collect()
}

/// The page asked for, with the number of all.
fn list(all: Vec<Value>, fields: &BTreeMap<String, String>, most: i64) -> Result<Value, Refused> {
    let number = |name: &str, default: i64| match fields.get(name) {
        None => Ok(default),
        Some(text) => text.parse::<i64>().map_err(|_| params("baidu.page")),
    };
    let (start, limit) = (number("start", 0)?, number("limit", most)?);
    if start < 0 || !(1..=most).contains(&limit) {
        return Err(params("baidu.page"));
    }
    let total = all.len();
    let at = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let shown: Vec<Value> = all.into_iter().skip(at(start)).take(at(limit)).collect();
    Ok(json!({ "total_num": total, "result": shown }))
}
