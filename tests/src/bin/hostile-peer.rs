//! The hostile servers of the table for other languages: starts one of each, says where they are, and ends with its
//! standard input.
//!
//! Its one line is JSON: `{"ca": "PEM", "healthy": "host:port", "rows": [{"name": "...", "host": "host:port"}]}`.

use std::io::Read;

use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::hostile::{Hostile, healthy};
use pushcore_tests::sim::hostile_rows;

fn main() {
    let ca = Authority::new();
    let good = Hostile::start(&ca, healthy());
    let tables = [
        hostile_rows::floods(),
        hostile_rows::frames(),
        hostile_rows::http1(),
        hostile_rows::tls(),
    ];
    let rows: Vec<_> = tables
        .into_iter()
        .flatten()
        .map(|row| (row.name.clone(), Hostile::start(&ca, row)))
        .collect();
    let named: Vec<String> = rows
        .iter()
        .map(|(name, one)| format!(r#"{{"name":"{name}","host":"{}"}}"#, one.host()))
        .collect();
    // The PEM has no character but the line ends that JSON writes otherwise.
    let pem = ca.pem().replace('\r', "").replace('\n', "\\n");
    println!(
        r#"{{"ca":"{pem}","healthy":"{}","rows":[{}]}}"#,
        good.host(),
        named.join(",")
    );
    let mut rest = Vec::new();
    // Its end is the word.
    let _ = std::io::stdin().read_to_end(&mut rest);
}
