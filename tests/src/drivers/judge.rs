//! What a driver says, compared with what the servers saw and what the case expects.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::bounds::Bounds;
use super::case::Case;
use super::stage::Stage;

/// The report on a driver's results: `faults` is empty where all is well.
///
/// `results` is `{"ends": [[number, end, cause], ...], "seconds": ..., ...}`.
pub fn judge(case: &Case, stage: &Stage, results: &Value) -> Value {
    let expect = case
        .get("expect")
        .and_then(Value::as_object)
        .expect("expectations");
    let mut expected = json!({"left_open": 0, "kept": 0, "duplicates": 0});
    for (name, value) in expect
        .get("peer")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        expected[name] = value.clone();
    }
    stage.settle(Bounds::read(&expected["left_open"]));
    let mut judge = Judge::default();
    judge.ends(stage, expect, results);
    let seen = stage.seen();
    for (name, value) in expected.as_object().into_iter().flatten() {
        judge.number(&format!("peer: {name}"), &seen[name], value);
    }
    // What only some drivers can measure is judged where it was measured; `seconds` always.
    for (name, value) in expect
        .get("driver")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if name == "seconds" || results.get(name).is_some() {
            judge.number(&format!("driver: {name}"), &results[name], value);
        }
    }
    if let Some(code) = expect.get("first_go_away") {
        let first = stage.go_aways().first().copied();
        judge.that(first.map(u64::from) == code.as_u64(), || {
            format!("the first GOAWAY was {first:?}, not {code}")
        });
    }
    if !case.get("lenient").is_some_and(|value| value == true) {
        let violations = stage.violations();
        judge.that(violations.is_empty(), || {
            format!("RFC 9113 forbids: {violations:?}")
        });
    }
    if let Some(words) = results.get("error").and_then(Value::as_str) {
        judge.faults.push(format!("the driver failed: {words}"));
    }
    json!({
        "case": case.name(),
        "faults": judge.faults,
        "ends": judge.counts,
        "seen": seen,
        "servers": stage.story(),
    })
}

#[derive(Default)]
struct Judge {
    faults: Vec<String>,
    counts: BTreeMap<String, u64>,
}

impl Judge {
    fn that(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(otherwise());
        }
    }

    fn number(&mut self, name: &str, found: &Value, expected: &Value) {
        let holds = found
            .as_f64()
            .is_some_and(|number| Bounds::read(expected).hold(number));
        self.that(holds, || format!("{name}: {found}, expected {expected}"));
    }

    /// Each message ended once, as the case has it and as the servers saw it.
    fn ends(&mut self, stage: &Stage, expect: &Map<String, Value>, results: &Value) {
        let empty = Vec::new();
        let mut numbers = BTreeMap::<u64, u32>::new();
        let causes = expect.get("causes").and_then(Value::as_array);
        for entry in results["ends"].as_array().unwrap_or(&empty) {
            let (Some(number), Some(end)) = (entry[0].as_u64(), entry[1].as_str()) else {
                self.faults.push(format!("no end of a message: {entry}"));
                continue;
            };
            *numbers.entry(number).or_default() += 1;
            *self.counts.entry(end.to_owned()).or_default() += 1;
            let processed = stage.processed(usize::try_from(number).unwrap_or(usize::MAX));
            match end {
                "accepted" => self.that(processed == 1, || {
                    format!("{number} is accepted, and was acted on {processed} times")
                }),
                "NotSent" | "Expired" | "Closed" | "QueueFull" => {
                    self.that(processed == 0, || format!("{number} is {end}, and was acted on"));
                }
                _ => {}
            }
            // Whoever cancels or leaves a message needs no cause.
            let has_cause = matches!(end, "NotSent" | "Expired" | "Unknown");
            if let Some(causes) = causes.filter(|_| has_cause) {
                self.that(causes.contains(&entry[2]), || {
                    format!("the cause of {number} is {}", entry[2])
                });
            }
        }
        let twice = numbers.values().filter(|count| **count != 1).count();
        self.that(twice == 0, || {
            format!("{twice} messages have ended more than once")
        });
        let expected = expect.get("ends").and_then(Value::as_object).expect("ends");
        for (end, value) in expected {
            let found = self.counts.get(end).copied().unwrap_or(0);
            self.number(end, &found.into(), value);
        }
        let others: Vec<String> = self
            .counts
            .keys()
            .filter(|end| !expected.contains_key(*end))
            .cloned()
            .collect();
        self.that(others.is_empty(), || format!("nobody expects {others:?}"));
        let total: u64 = self.counts.values().sum();
        if let Some(count) = expect.get("messages") {
            self.number("messages", &total.into(), count);
        }
        self.faults.truncate(20);
    }
}
