//! A server's script, from JSON.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::sim::frame::{self, setting};
use crate::sim::hpack;
use crate::sim::{Act, Answer, Last, Pings, Rng, Script, Seen};

/// How often each message has been seen by all connections of a case.
pub(super) type Times = Arc<Mutex<HashMap<usize, usize>>>;

/// The seconds of a number.
pub(super) fn seconds(value: &Value) -> Duration {
    Duration::from_secs_f64(value.as_f64().expect("seconds"))
}

fn number(value: &Value) -> u32 {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.unwrap_or_else(|| panic!("not a number of 32 bits: {value}"))
}

/// The octets of hexadecimal digits.
pub(super) fn octets(value: &Value) -> Vec<u8> {
    let digits: Vec<u8> = value
        .as_str()
        .expect("hexadecimal")
        .bytes()
        .filter(|digit| *digit != b' ')
        .collect();
    let pair = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(text, 16).expect("hexadecimal")
    };
    digits.chunks(2).map(pair).collect()
}

/// What a connection does for requests: the first rule whose numbers hold.
struct Rules(Vec<(u32, u32, Vec<Act>)>);

impl Rules {
    fn read(value: &Value) -> Self {
        let rule = |(range, list): (&String, &Value)| {
            let (first, last) = match range.split_once('-') {
                _ if range == "*" => (0, u32::MAX),
                Some((first, "")) => (first.parse().expect("a number"), u32::MAX),
                Some((first, last)) => (first.parse().expect("a number"), last.parse().expect("a number")),
                None => (range.parse().expect("a number"), range.parse().expect("a number")),
            };
            (first, last, acts(list))
        };
        Self(value.as_object().expect("rules").iter().map(rule).collect())
    }

    fn of(&self, nth: u32) -> Vec<Act> {
        let rule = self
            .0
            .iter()
            .find(|(first, last, _)| (*first..=*last).contains(&nth));
        rule.map(|(_, _, acts)| acts.clone()).unwrap_or_default()
    }
}

/// A list of acts.
pub(super) fn acts(list: &Value) -> Vec<Act> {
    list.as_array()
        .expect("a list of acts")
        .iter()
        .flat_map(act)
        .collect()
}

fn act(value: &Value) -> Vec<Act> {
    let one = match value.as_str() {
        Some("ok") => Act::Answer(Answer::ok()),
        Some("process") => Act::Process,
        Some("answer_held") => Act::AnswerHeld(Answer::ok()),
        Some("close") => Act::Close,
        Some("abort") => Act::Abort,
        Some("silence") => Act::Silence,
        Some(other) => panic!("no act is called {other}"),
        None => return compound(value.as_object().expect("an act")),
    };
    vec![one]
}

fn compound(fields: &Map<String, Value>) -> Vec<Act> {
    let times = fields.get("times").map_or(1, number);
    let (name, value) = fields.iter().next().expect("an act");
    let one = match name.as_str() {
        "wait" => Act::Wait(seconds(value)),
        "pause" => Act::Pause(seconds(value)),
        "answer" => Act::Answer(answer(value)),
        "reset" => Act::Reset(number(value)),
        "go_away" => go_away(value),
        "settings" => Act::Settings(settings(value)),
        "connection_window" => Act::ConnectionWindow(number(value)),
        "stream_window" => Act::StreamWindow(number(value)),
        "window_update" => Act::Raw(frame::window_update(number(&value[0]), number(&value[1]))),
        "ping" => Act::Ping([0x70; 8]),
        "raw" => Act::Raw(octets(value)),
        "text" => Act::Raw(value.as_str().expect("text").replace('\n', "\r\n").into_bytes()),
        "frame" => {
            let kind = u8::try_from(number(&value["type"])).expect("an octet");
            let flags = u8::try_from(value.get("flags").map_or(0, number)).expect("an octet");
            let payload = value.get("zeros").map(|count| vec![0; number(count) as usize]);
            let payload = payload.unwrap_or_else(|| octets(&value["payload"]));
            // A flood is one write: as many acts would be as many writes.
            let bytes = frame::frame(kind, flags, number(&value["stream"]), &payload);
            return vec![Act::Raw(bytes.repeat(times as usize))];
        }
        "late_answers" => {
            let last = number(value);
            let bytes = (0..last).flat_map(|nth| frame::headers(2 * nth + 1, true, &[0x88]));
            Act::Raw(bytes.collect())
        }
        "trickle" => Act::Trickle(octets(&value["octets"]), seconds(&value["every"])),
        "alert" => Act::Alert(u8::try_from(number(value)).expect("an octet")),
        other => panic!("no act is called {other}"),
    };
    vec![one; times as usize]
}

fn go_away(value: &Value) -> Act {
    let last = match &value["last"] {
        Value::String(word) => match word.as_str() {
            "max" => Last::Max,
            "processed" => Last::Processed,
            "seen" => Last::Seen,
            other => panic!("no last stream is called {other}"),
        },
        id => Last::Id(number(id)),
    };
    let debug = value.get("debug").and_then(Value::as_str).unwrap_or_default();
    Act::GoAway(last, value.get("code").map_or(0, number), debug.into())
}

fn settings(value: &Value) -> Vec<(u16, u32)> {
    let setting = |(name, value): (&String, &Value)| {
        let id = match name.as_str() {
            "streams" => setting::MAX_CONCURRENT_STREAMS,
            "window" => setting::INITIAL_WINDOW_SIZE,
            other => other.parse().expect("a setting"),
        };
        (id, number(value))
    };
    value.as_object().expect("settings").iter().map(setting).collect()
}

fn answer(value: &Value) -> Answer {
    let mut answer = Answer::status(u16::try_from(number(&value["status"])).expect("a status"));
    for (name, value) in value.as_object().expect("an answer") {
        let list = || value.as_array().expect("a list").iter();
        match name.as_str() {
            "status" => {}
            "reason" => answer.body = format!("{{\"reason\":{value}}}").into_bytes(),
            "body" => answer.body = value.as_str().expect("text").into(),
            "octets" => answer.body = octets(value),
            "length" => answer.body = vec![b'x'; number(value) as usize],
            "fields" => {
                for (name, value) in value.as_object().expect("fields") {
                    let text = value.as_str().expect("text");
                    answer.fields.push((name.as_bytes().into(), text.into()));
                }
            }
            "interim" => answer.informational = list().map(|status| number(status) as u16).collect(),
            "trailers" => {
                let fields = value.as_object().expect("fields").iter();
                let pair = |(name, value): (&String, &Value)| {
                    (name.as_bytes().to_vec(), value.as_str().expect("text").into())
                };
                answer.trailers = Some(fields.map(pair).collect());
            }
            "pieces" => answer.chunk = number(value).max(1) as usize,
            "padding" => answer.pad = Some(u8::try_from(number(value)).expect("an octet")),
            "bomb" => {
                let mut block = vec![0x88];
                hpack::remembered(&mut block, b"x", &[b'y'; 4000]);
                block.extend(vec![0xbe; number(value) as usize]);
                answer.block = Some(block);
            }
            "block" => answer.block = Some(octets(value)),
            "resets" => answer.resets = list().map(number).collect(),
            other => panic!("no answer has `{other}`"),
        }
    }
    answer
}

/// The script of one connection.
pub(super) fn script(value: &Value, times: &Times, conforming: bool) -> Script {
    let fields = value.as_object().expect("a script");
    let everything = serde_json::json!({"*": ["ok"]});
    let rules = Rules::read(fields.get("requests").unwrap_or(&everything));
    let per_message: Option<Vec<Vec<Act>>> = fields
        .get("per_message")
        .map(|lists| lists.as_array().expect("lists").iter().map(acts).collect());
    let numbers = fields.get("numbers").map(Rules::read);
    let times = Arc::clone(times);
    let mut script = Script::new(move |seen: &Seen, _: &mut Rng| match &per_message {
        Some(lists) => {
            let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
            let count = times.entry(seen.number().unwrap_or(usize::MAX)).or_default();
            *count += 1;
            lists[(*count).min(lists.len()) - 1].clone()
        }
        None => match (
            &numbers,
            seen.number().and_then(|number| u32::try_from(number).ok()),
        ) {
            (Some(numbers), Some(number)) => numbers.of(number),
            _ => rules.of(seen.nth),
        },
    });
    script.conforming = conforming;
    for (name, value) in fields {
        let flag = || value.as_bool().expect("true or false");
        match name.as_str() {
            "requests" | "numbers" | "per_message" => {}
            "streams" => script = script.streams(number(value)),
            "greeting" => script.greeting = acts(value),
            "headers" => {
                let rules = Rules::read(value);
                script.on_headers = Some(Box::new(move |seen, _| rules.of(seen.nth)));
            }
            "at" => {
                for entry in value.as_array().expect("a list") {
                    script = script.at(seconds(&entry[0]), acts(&entry[1]));
                }
            }
            "pings" => {
                script.pings = match value.as_str() {
                    Some("wrong") => Pings::Wrong,
                    Some("ignore") => Pings::Ignore,
                    _ => Pings::Late(seconds(&value["late"])),
                };
            }
            "deaf" => script.deaf = flag(),
            "acknowledge" => script.acknowledge = flag(),
            "replenish" => script.replenish = flag(),
            other => panic!("no script has `{other}`"),
        }
    }
    script
}
