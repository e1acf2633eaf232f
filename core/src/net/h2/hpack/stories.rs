//! Stories of http2jp/hpack-test-case (`tests/data/http2jp`): header blocks of eight other encoders, and our own blocks of the same fields.

use serde_json::Value;

use super::{Decoder, Encoder};
use crate::http::Indexing;

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

type Fields = Vec<(String, String)>;

/// The header lists of a story, one for each header block.
fn lists(story: &Value) -> Vec<Fields> {
    serde_json::from_value(story["headers"].clone()).unwrap()
}

fn decode(decoder: &mut Decoder, wire: &[u8]) -> Fields {
    let mut fields = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    decoder
        .decode(wire, |name, value| fields.push((text(name), text(value))))
        .unwrap();
    fields
}

fn indexing(at: usize) -> Indexing {
    match at % 5 {
        0..=2 => Indexing::Incremental,
        3 => Indexing::Without,
        _ => Indexing::Never,
    }
}

#[test]
fn every_story_is_decoded_and_told_again() {
    let stories: Vec<Value> =
        serde_json::from_str(include_str!("../../../../tests/data/http2jp/hpack.json")).unwrap();
    let (mut told, mut decoded) = (0, 0);
    for story in &stories {
        let lists = lists(story);
        for (encoder, blocks) in story["blocks"].as_object().unwrap() {
            let blocks = blocks.as_array().unwrap();
            assert_eq!(blocks.len(), lists.len(), "{encoder}");
            let mut theirs = Decoder::new(1 << 16);
            let mut ours = (Encoder::new(4096, true), Decoder::new(4096));
            for (block, expected) in blocks.iter().zip(&lists) {
                let wire = unhex(block[1].as_str().unwrap());
                assert_eq!(&decode(&mut theirs, &wire), expected, "{encoder}");
                decoded += 1;
                if let Some(size) = block[0].as_u64() {
                    ours.0.peer_limit(usize::try_from(size).unwrap());
                }
                let mut wire = Vec::new();
                ours.0.begin(&mut wire);
                for (at, (name, value)) in expected.iter().enumerate() {
                    ours.0
                        .field(name.as_bytes(), value.as_bytes(), indexing(at), &mut wire);
                }
                assert_eq!(&decode(&mut ours.1, &wire), expected, "{encoder}");
            }
            told += 1;
        }
    }
    // Six stories by eight encoders, with 75 header lists in all: 8 × (3 + 2 + 10 + 10 + 10 + 40).
    assert_eq!((told, decoded), (48, 600));
}
