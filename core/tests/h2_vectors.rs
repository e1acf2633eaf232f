//! The error vectors of http2jp/http2-frame-test-case: each must end the connection, or the
//! stream, with one of the codes that it names.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use std::path::Path;
use std::process::Command;

use h2_support::Client;
use pushcore::net::h2::Config;

#[test]
fn all_22_broken_frames_are_refused() {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/http2-frames.tar.xz");
    if !archive.exists() {
        println!("skipped: no {}", archive.display());
        return;
    }
    let folder = std::env::temp_dir().join(format!("http2-frames-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let status = Command::new("tar")
        .arg("xf")
        .arg(&archive)
        .arg("-C")
        .arg(&folder)
        .status()
        .unwrap();
    assert!(status.success());
    let mut count = 0;
    for vector in std::fs::read_dir(folder.join("error")).unwrap() {
        let vector = vector.unwrap().path();
        let parsed: serde_json::Value = serde_json::from_slice(&std::fs::read(&vector).unwrap()).unwrap();
        let allowed: Vec<u64> = parsed["error"]
            .as_array()
            .unwrap()
            .iter()
            .map(|code| code.as_u64().unwrap())
            .collect();
        let hex = parsed["wire"].as_str().unwrap();
        let wire: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        let mut client = Client::with_requests(Config::default(), 1);
        client.receive(&wire);
        let code = client
            .goaway()
            .or(client.resets().first().map(|reset| reset.1))
            .unwrap_or_else(|| panic!("{} was accepted", vector.display()));
        assert!(allowed.contains(&u64::from(code)), "{}: {code}", vector.display());
        count += 1;
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(count, 22);
}
