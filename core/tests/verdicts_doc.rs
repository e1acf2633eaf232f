//! The table of answers in `docs/decisions/0013-verdicts.md` is what the services' readers say.

use std::time::Duration;

use pushcore::http::Response;
use pushcore::time::{Now, UnixTime};
use pushcore::{Outcome, adm, apns, baidu, fcm, webpush};

const DOC: &str = include_str!("../../docs/decisions/0013-verdicts.md");
const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000));

/// Status, and after a blank a header of WNS or the body.
fn response(answer: &str) -> Response {
    let (status, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    let status = status.parse().expect("a status");
    match rest
        .split_once(": ")
        .filter(|(name, _)| name.starts_with("x-wns"))
    {
        Some((name, value)) => Response::new(status, "").with_header(name, value),
        None => Response::new(status, rest),
    }
}

fn read(service: &str, response: &Response) -> Outcome {
    match service.split(',').next().unwrap_or_default() {
        "APNs" => apns::outcome(response, NOW),
        "FCM" => fcm::outcome(response, NOW),
        "Web Push" => webpush::outcome(response, NOW),
        "ADM" => adm::outcome(response, &adm::RegistrationId::new("used").expect("an id"), NOW),
        "Baidu" => baidu::outcome(response, NOW),
        other => panic!("no service {other}"),
    }
}

#[test]
fn every_row_is_what_the_reader_says() {
    let (_, table) = DOC.split_once("|---|---|---|---|---|\n").expect("the table");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() >= 30, "{} rows", rows.len());
    for row in rows {
        let [service, answer, outcome, suspects, _why] = row[..] else {
            panic!("five cells: {row:?}")
        };
        let read = read(service, &response(answer.trim_matches('`')));
        let said = read.parts().suspects.to_string();
        assert_eq!(
            (read.name(), said.as_str()),
            (outcome.trim_matches('`'), suspects.trim_matches('`')),
            "{service}: {answer}"
        );
    }
}
