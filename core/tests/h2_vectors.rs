//! The error vectors of http2jp/http2-frame-test-case (`data/http2jp`): each must end the connection, or the
//! stream, with one of the codes that it names.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod h2_support;

use h2_support::Client;
use pushcore::net::h2::Config;

#[test]
fn all_22_broken_frames_are_refused() {
    let vectors: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("data/http2jp/frames.json")).unwrap();
    assert_eq!(vectors.len(), 22);
    for vector in vectors {
        let allowed: Vec<u64> = serde_json::from_value(vector["error"].clone()).unwrap();
        let hex = vector["wire"].as_str().unwrap();
        let wire: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        let mut client = Client::with_requests(Config::default(), 1);
        client.receive(&wire);
        let code = client
            .goaway()
            .or(client.resets().first().map(|reset| reset.1))
            .unwrap_or_else(|| panic!("{} was accepted", vector["name"]));
        assert!(allowed.contains(&u64::from(code)), "{}: {code}", vector["name"]);
    }
}
