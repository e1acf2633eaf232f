//! The hostile servers of the table for other languages: starts one of each, says where they are, and ends with its
//! standard input.
//!
//! Its one line is JSON: `{"ca": "PEM", "healthy": "host:port", "rows": [{"name": "...", "host": "host:port"}], "proxies": [{"name",
//! "host", "scheme"}], "tokens": [{"name", "host"}]}`; the last two are for clients behind a proxy, and for token endpoints.

use std::io::Read;

use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::hostile::{Hostile, healthy};
use pushcore_tests::sim::{hostile_answers, hostile_rows};

fn main() {
    let ca = Authority::new();
    let good = Hostile::start(&ca, healthy());
    let tables = [
        hostile_rows::floods(),
        hostile_rows::frames(),
        hostile_rows::http1(),
        hostile_rows::tls(),
        hostile_answers::header_blocks(),
        hostile_answers::answers(),
        hostile_answers::http1_answers(),
    ];
    let rows: Vec<_> = tables
        .into_iter()
        .flatten()
        .map(|row| (row.name.clone(), Hostile::start(&ca, row)))
        .collect();
    let proxies: Vec<_> = hostile_rows::proxies()
        .into_iter()
        .map(|(row, scheme)| (row.name.clone(), Hostile::start(&ca, row), scheme))
        .collect();
    let tokens: Vec<_> = hostile_rows::tokens()
        .into_iter()
        .map(|row| (row.name.clone(), Hostile::start(&ca, row)))
        .collect();
    let pairs = |rows: &[(String, Hostile)]| -> String {
        let one = |(name, one): &(String, Hostile)| format!(r#"{{"name":"{name}","host":"{}"}}"#, one.host());
        rows.iter().map(one).collect::<Vec<_>>().join(",")
    };
    let named_proxies: Vec<String> = proxies
        .iter()
        .map(|(name, one, scheme)| {
            format!(
                r#"{{"name":"{name}","host":"{}","scheme":"{scheme}"}}"#,
                one.address()
            )
        })
        .collect();
    // The PEM has no character but the line ends that JSON writes otherwise.
    let pem = ca.pem().replace('\r', "").replace('\n', "\\n");
    println!(
        r#"{{"ca":"{pem}","healthy":"{}","rows":[{}],"proxies":[{}],"tokens":[{}]}}"#,
        good.host(),
        pairs(&rows),
        named_proxies.join(","),
        pairs(&tokens)
    );
    let mut rest = Vec::new();
    // Its end is the word.
    let _ = std::io::stdin().read_to_end(&mut rest);
}
