//! Bytes as no server would send them.

use super::frame::{self, kind};
use super::rng::Rng;

/// Numbers that break things where they stand for a length, a window or a stream.
const EDGES: [u32; 14] = [
    0,
    1,
    2,
    5,
    8,
    9,
    100,
    16_383,
    16_384,
    16_385,
    65_535,
    0x00ff_ffff,
    0x7fff_ffff,
    0xffff_ffff,
];

/// Changes octets, runs of octets, and whole frames: one to four things, anywhere.
pub fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..rng.between(1, 4) {
        match rng.below(12) {
            0 | 1 => at(bytes, rng, |byte, rng| *byte ^= 1 << rng.below(8)),
            2 => at(bytes, rng, |byte, rng| *byte = noise(rng, 1)[0]),
            3 => {
                let (place, length) = (index(bytes, rng), rng.between(1, 40));
                bytes.splice(place..place, noise(rng, length));
            }
            4 => {
                let run = run(bytes, rng);
                bytes.drain(run);
            }
            5 => {
                let (run, place) = (run(bytes, rng), index(bytes, rng));
                let copy = bytes[run].to_vec();
                bytes.splice(place..place, copy);
            }
            6 => bytes.truncate(index(bytes, rng)),
            7 | 8 => in_a_head(bytes, rng),
            9 => {
                let heads = heads(bytes);
                let place = heads.get(rng.below(heads.len() as u64) as usize).copied();
                let place = place.unwrap_or(0);
                bytes.splice(place..place, some_frame(rng));
            }
            10 => {
                // A frame twice, or out of its order.
                let heads = heads(bytes);
                if let [first, .., _] = heads[..] {
                    let from = rng.below(heads.len() as u64 - 1) as usize;
                    let copy = bytes[heads[from]..heads[from + 1]].to_vec();
                    bytes.splice(first..first, copy);
                }
            }
            _ => {
                let length = rng.between(1, 200);
                bytes.extend(noise(rng, length));
            }
        }
    }
}

/// Random octets.
pub fn noise(rng: &mut Rng, length: u64) -> Vec<u8> {
    (0..length).map(|_| rng.next_u64().to_le_bytes()[0]).collect()
}

/// A frame of any kind with any content: mostly of the kinds and lengths that exist.
pub fn some_frame(rng: &mut Rng) -> Vec<u8> {
    let edge = |rng: &mut Rng| EDGES[rng.below(EDGES.len() as u64) as usize];
    let small = |rng: &mut Rng| rng.below(40) as u32;
    let stream = if rng.chance(800) { small(rng) } else { edge(rng) };
    let word = edge(rng);
    match rng.below(9) {
        0 => frame::settings(&[(rng.below(8) as u16, word)]),
        1 => frame::window_update(stream, word),
        2 => frame::goaway(small(rng), rng.below(15) as u32, &noise(rng, 20)),
        3 => frame::reset(stream, rng.below(16) as u32),
        4 => frame::ping(rng.chance(500), [rng.below(3) as u8; 8]),
        5 => frame::data(stream, rng.chance(300), &noise(rng, 30)),
        6 => frame::headers(stream, rng.chance(500), &noise(rng, 12)),
        7 => frame::headers(stream, rng.chance(500), &[0x88]),
        _ => {
            let (length, flags) = (rng.below(300), rng.next_u64().to_le_bytes()[0]);
            frame::frame(rng.below(12) as u8, flags, stream, &noise(rng, length))
        }
    }
}

fn index(bytes: &[u8], rng: &mut Rng) -> usize {
    rng.below(bytes.len() as u64 + 1) as usize
}

fn run(bytes: &[u8], rng: &mut Rng) -> std::ops::Range<usize> {
    let start = index(bytes, rng);
    let end = (start + rng.between(1, 60) as usize).min(bytes.len());
    start..end
}

fn at(bytes: &mut [u8], rng: &mut Rng, change: impl FnOnce(&mut u8, &mut Rng)) {
    let place = rng.below(bytes.len() as u64) as usize;
    if let Some(byte) = bytes.get_mut(place) {
        change(byte, rng);
    }
}

/// Where frames begin, as long as they fit, and the end of the last.
fn heads(bytes: &[u8]) -> Vec<usize> {
    let mut heads = vec![0];
    let mut place = 0;
    while let Some((_, length)) = frame::parse(&bytes[place..]) {
        place += length;
        heads.push(place);
    }
    heads
}

/// Changes length, kind, flags or stream of a frame.
fn in_a_head(bytes: &mut [u8], rng: &mut Rng) {
    let heads = heads(bytes);
    let place = heads[rng.below(heads.len() as u64) as usize];
    let Some(head) = bytes.get_mut(place..place + 9) else {
        return;
    };
    let edge = EDGES[rng.below(EDGES.len() as u64) as usize].to_be_bytes();
    match rng.below(4) {
        0 => head[..3].copy_from_slice(&edge[1..]),
        1 => head[3] = rng.below(u64::from(kind::CONTINUATION) + 3) as u8,
        2 => head[4] ^= 1 << rng.below(8),
        _ => head[5..].copy_from_slice(&edge),
    }
}
