//! What another implementation encodes (PyPI's `hpack`): `tests/interop/hpack/corpus.py` made the file.

use serde_json::Value;

use super::{Decoder, Encoder};
use crate::http::Indexing;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

fn stories() -> Vec<Value> {
    let corpus = include_str!("../../../../tests/data/hpack_python.json");
    let parsed: Value = serde_json::from_str(corpus).unwrap();
    parsed["stories"].as_array().unwrap().clone()
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// The fields of a block, whose characters are octets (ISO 8859-1).
fn fields(block: &Value) -> Fields {
    let octets = |text: &Value| -> Vec<u8> {
        let text = text.as_str().unwrap().chars();
        text.map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
    };
    let fields = block["fields"].as_array().unwrap().iter();
    fields
        .map(|field| (octets(&field[0]), octets(&field[1])))
        .collect()
}

fn decode(decoder: &mut Decoder, wire: &[u8]) -> Result<Fields, &'static str> {
    let mut fields = Vec::new();
    let result = decoder.decode(wire, |name, value| fields.push((name.to_vec(), value.to_vec())));
    result.map(|()| fields).map_err(|error| error.0)
}

/// Our decoder as the story's peer: with its table size announced and acknowledged.
fn decoder(story: &Value) -> Decoder {
    let limit = usize::try_from(story["limit"].as_u64().unwrap()).unwrap();
    let mut decoder = Decoder::new(limit);
    decoder.acknowledged(limit);
    decoder
}

#[test]
fn every_block_of_another_encoder_is_decoded() {
    let (mut blocks, mut updates, mut limits) = (0, 0, std::collections::BTreeSet::new());
    for (number, story) in stories().iter().enumerate() {
        let mut decoder = decoder(story);
        limits.insert(story["limit"].as_u64());
        for (at, block) in story["blocks"].as_array().unwrap().iter().enumerate() {
            let wire = unhex(block["wire"].as_str().unwrap());
            let decoded = decode(&mut decoder, &wire);
            assert_eq!(decoded, Ok(fields(block)), "story {number}, block {at}");
            blocks += 1;
            updates += usize::from(wire[0] & 0xe0 == 0x20);
        }
    }
    // The corpus is what it is meant to be.
    assert_eq!((blocks, limits.len()), (480, 4));
    assert!(updates > 100, "{updates} blocks with a size update");
}

/// What is cut short or changed is refused or read as something, and never more than it can hold.
#[test]
fn broken_blocks_do_no_harm() {
    let mut refused = 0;
    for story in stories() {
        let blocks = story["blocks"].as_array().unwrap();
        for (at, block) in blocks.iter().enumerate().take(4) {
            let wire = unhex(block["wire"].as_str().unwrap());
            for broken in 0..wire.len() {
                let mut decoder = decoder(&story);
                for before in &blocks[..at] {
                    decode(&mut decoder, &unhex(before["wire"].as_str().unwrap())).unwrap();
                }
                let mut changed = wire.clone();
                match broken % 2 {
                    0 => changed.truncate(broken),
                    _ => changed[broken] ^= 1 << (broken % 8),
                }
                refused += usize::from(decode(&mut decoder, &changed).is_err());
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

/// The same fields through our encoder and back, in every way of indexing them.
#[test]
fn our_own_encoding_of_the_same_comes_back() {
    for (number, story) in stories().iter().enumerate() {
        let limit = usize::try_from(story["limit"].as_u64().unwrap()).unwrap();
        let mut encoder = Encoder::new(65_536, number % 2 == 0);
        encoder.peer_limit(limit);
        let mut decoder = decoder(story);
        for block in story["blocks"].as_array().unwrap() {
            let fields: Fields = fields(block);
            // Ours sends text only, and names that are tokens: callers cannot hand it anything else.
            let text = |octets: &[u8]| std::str::from_utf8(octets).ok().map(str::to_owned);
            let plain: Vec<(String, String)> = fields
                .iter()
                .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
                .collect();
            let mut wire = Vec::new();
            encoder.begin(&mut wire);
            for (at, (name, value)) in plain.iter().enumerate() {
                let indexing = [Indexing::Incremental, Indexing::Without, Indexing::Never][(at + number) % 3];
                encoder.field(name.as_bytes(), value.as_bytes(), indexing, &mut wire);
            }
            let expected = plain.into_iter().map(|(n, v)| (n.into_bytes(), v.into_bytes()));
            assert_eq!(
                decode(&mut decoder, &wire),
                Ok(expected.collect()),
                "story {number}"
            );
        }
    }
}
