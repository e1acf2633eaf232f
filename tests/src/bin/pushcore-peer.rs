//! The peer of the drivers' suite: plays one case, judges the driver that played the other side.
//!
//! `pushcore-peer --list` prints the names of the cases; `pushcore-peer --list DRIVER` those that a driver has to
//! play, and on stderr those that it lacks, with the reason; `--drivers` the drivers. `pushcore-peer CASE [DRIVER]` prints one line of JSON that
//! says what there is to do, and answers each line of stdin, until it ends, with one line.
//!
//! Where the environment names a folder in `PUSHCORE_REPORT`, the end of each case is added to `drivers.tsv` there.

use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;

use pushcore_tests::drivers::{Case, DRIVERS, Stage, cases, judge};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["--drivers"] => DRIVERS.iter().for_each(say),
        ["--list"] => cases().iter().for_each(|case| say(case.name())),
        ["--list", driver] => {
            for case in &cases() {
                match case.lacks(driver) {
                    Some(reason) => eprintln!("{driver} lacks {}: {reason}", case.name()),
                    None => say(case.name()),
                }
            }
        }
        [name, driver @ ..] if !name.starts_with('-') && driver.len() < 2 => {
            let Some(case) = cases().into_iter().find(|case| case.name() == *name) else {
                eprintln!("no case is called {name}");
                return ExitCode::from(2);
            };
            return play(&case, driver.first().unwrap_or(&"unnamed"));
        }
        _ => {
            eprintln!("usage: pushcore-peer CASE [DRIVER] | --list [DRIVER] | --drivers");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn play(case: &Case, driver: &str) -> ExitCode {
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
    if let Some(folder) = std::env::var_os("PUSHCORE_REPORT") {
        if let Err(error) = record(Path::new(&folder), driver, case.name(), well) {
            eprintln!("PUSHCORE_REPORT: {error}");
            return ExitCode::from(2);
        }
    }
    ExitCode::from(u8::from(!well))
}

/// Adds the end of a case to the run's report, in one write, because runners play cases side by side.
fn record(folder: &Path, driver: &str, case: &str, well: bool) -> std::io::Result<()> {
    let path = folder.join("drivers.tsv");
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let end = if well { "ok" } else { "failed" };
    file.write_all(format!("{driver}\t{case}\t{end}\n").as_bytes())
}

/// A line of output; a reader who has gone is noticed by nobody here.
fn say(line: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
