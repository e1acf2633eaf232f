//! The peer of the drivers' suite: plays one case, judges the driver that played the other side.
//!
//! `pushcore-peer --list` prints the names of the cases; `pushcore-peer --list DRIVER` those that a driver has to
//! play, and on stderr those that it lacks, with the reason. `pushcore-peer CASE` prints one line of JSON that says
//! what there is to do, and answers each line of stdin, until it ends, with one line.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use pushcore_tests::drivers::{Case, Stage, cases, judge};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["--list"] => cases().iter().for_each(|case| say(case.name())),
        ["--list", driver] => {
            for case in &cases() {
                match case.lacks(driver) {
                    Some(reason) => eprintln!("{driver} lacks {}: {reason}", case.name()),
                    None => say(case.name()),
                }
            }
        }
        [name] if !name.starts_with('-') => {
            let Some(case) = cases().into_iter().find(|case| case.name() == *name) else {
                eprintln!("no case is called {name}");
                return ExitCode::from(2);
            };
            return play(&case);
        }
        _ => {
            eprintln!("usage: pushcore-peer CASE | --list [DRIVER]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn play(case: &Case) -> ExitCode {
    let stage = Stage::new(case);
    say(stage.told(case));
    let mut report = json!({"case": case.name(), "faults": ["the driver said no results"]});
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let asked: Value = match serde_json::from_str(&line) {
            Ok(asked) => asked,
            Err(error) => {
                eprintln!("not JSON: {error}");
                return ExitCode::from(2);
            }
        };
        if let Some(wanted) = asked.get("until") {
            say(json!({"until": stage.until(wanted)}));
        } else {
            report = judge(case, &stage, &asked);
            say(&report);
        }
    }
    let well = report["faults"].as_array().is_some_and(Vec::is_empty);
    ExitCode::from(u8::from(!well))
}

/// A line of output; a reader who has gone is noticed by nobody here.
fn say(line: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
