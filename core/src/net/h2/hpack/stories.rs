//! The stories of http2jp/hpack-test-case: what eight other encoders wrote, and what we write.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Decoder, Encoder};
use crate::http::Indexing;

/// Unpacks the stories, where they are there.
fn stories() -> Option<PathBuf> {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/hpack-stories.tar.xz");
    if !archive.exists() {
        println!("skipped: no {}", archive.display());
        return None;
    }
    let folder = std::env::temp_dir().join(format!("hpack-stories-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let status = Command::new("tar")
        .arg("xf")
        .arg(&archive)
        .arg("-C")
        .arg(&folder)
        .status()
        .unwrap();
    assert!(status.success());
    Some(folder)
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn headers(case: &Value) -> Vec<(String, String)> {
    case["headers"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|header| header.as_object().unwrap())
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

fn decode(decoder: &mut Decoder, wire: &[u8]) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    decoder
        .decode(wire, |name, value| fields.push((text(name), text(value))))
        .unwrap();
    fields
}

#[test]
fn every_story_is_decoded_and_told_again() {
    let Some(folder) = stories() else { return };
    let (mut told, mut cases) = (0, 0);
    for encoder in std::fs::read_dir(&folder).unwrap() {
        let encoder = encoder.unwrap().path();
        if !encoder.is_dir() {
            continue;
        }
        for story in std::fs::read_dir(&encoder).unwrap() {
            let story = story.unwrap().path();
            let parsed: Value = serde_json::from_slice(&std::fs::read(&story).unwrap()).unwrap();
            let mut theirs = Decoder::new(1 << 16);
            let mut ours = (Encoder::new(4096, true), Decoder::new(4096));
            for case in parsed["cases"].as_array().unwrap() {
                let expected = headers(case);
                if let Some(wire) = case["wire"].as_str() {
                    assert_eq!(decode(&mut theirs, &unhex(wire)), expected, "{}", story.display());
                    cases += 1;
                }
                if let Some(size) = case["header_table_size"].as_u64() {
                    ours.0.peer_limit(usize::try_from(size).unwrap());
                }
                let mut wire = Vec::new();
                ours.0.begin(&mut wire);
                for (at, (name, value)) in expected.iter().enumerate() {
                    let indexing = match at % 5 {
                        0..=2 => Indexing::Incremental,
                        3 => Indexing::Without,
                        _ => Indexing::Never,
                    };
                    ours.0
                        .field(name.as_bytes(), value.as_bytes(), indexing, &mut wire);
                }
                assert_eq!(decode(&mut ours.1, &wire), expected, "{}", story.display());
            }
            told += 1;
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    println!("{told} stories, {cases} blocks decoded");
    assert!(told >= 280 && cases > 1000, "{told} stories, {cases} blocks");
}
