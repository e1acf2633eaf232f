//! Rows 42 to 45: a server that attacks.

use pushcore::session::Stats;
use pushcore_tests::sim::frame::{self, code, kind};
use pushcore_tests::sim::hpack;

use super::*;

/// Acts on ten requests, and answers with an attack.
fn attacking(bytes: &[u8]) -> Script {
    let bytes = bytes.to_vec();
    let respond = move |seen: &Seen, _: &mut Rng| match seen.nth {
        10 => vec![Act::Process, Act::Raw(bytes.clone())],
        _ => vec![Act::Process],
    };
    Script::new(respond).streams(10)
}

/// Ten streams open, then these octets; the connection ends, nothing is sent twice.
fn ends_the_connection(what: &str, bytes: &[u8], expected: Option<u32>) {
    for seed in seeds(SEEDS) {
        let bytes = bytes.to_vec();
        let mut world = world(seed, first_then_good(move || attacking(&bytes)));
        world.lenient();
        // Byte by byte takes long with megabytes.
        world.read_at_most *= 1000;
        world.submit(N / 10);
        let stats = world.finish();
        // Where the header section of a 200 came whole, that answer counts.
        let answered = u64::from(what.starts_with("DATA"));
        assert_eq!(
            (stats.unknown, stats.accepted),
            (10 - answered, N / 10 - 10 + answered),
            "{what}: {stats:?}"
        );
        assert_eq!(world.log.duplicates(), 0);
        assert!(!world.log.goaways().is_empty(), "{what}");
        if let Some(expected) = expected {
            assert_eq!(world.log.goaways().first(), Some(&expected), "{what}");
        }
    }
}

#[test]
fn row_42_continuation_flood() {
    let begin = frame::frame(kind::HEADERS, 0, 1, &[0x88]);
    let empty = frame::frame(kind::CONTINUATION, 0, 1, &[]).repeat(100_000);
    ends_the_connection(
        "empty",
        &[begin.clone(), empty].concat(),
        Some(code::ENHANCE_YOUR_CALM),
    );
    let mut block = Vec::new();
    hpack::literal(&mut block, b"x", &[b'y'; 100]);
    let full = frame::frame(kind::CONTINUATION, 0, 1, &block).repeat(100_000);
    ends_the_connection("full", &[begin, full].concat(), Some(code::ENHANCE_YOUR_CALM));
}

/// 4,000 octets remembered once, named 16,000 times: 64 MiB from 16 KiB.
#[test]
fn row_43_hpack_bomb() {
    let mut block = vec![0x88];
    hpack::remembered(&mut block, b"x", &[b'y'; 4000]);
    block.extend(vec![0xbe; 16_000]);
    for seed in seeds(SEEDS) {
        let bomb = block.clone();
        let respond = move |seen: &Seen, _: &mut Rng| match seen.nth {
            10 => {
                let mut answer = Answer::ok();
                answer.block = Some(bomb.clone());
                vec![Act::Answer(answer)]
            }
            nth if nth < 10 => Vec::new(),
            _ => vec![ok()],
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            first_then_good(move || Script::new(respond.clone()).streams(10)),
        );
        world.lenient();
        world.submit(N / 10);
        let stats = world.finish();
        // A list four times as long as allowed ends the connection with its stream.
        assert_eq!((stats.unknown, stats.accepted), (10, N / 10 - 10), "{stats:?}");
        assert_eq!(world.log.goaways().first(), Some(&code::ENHANCE_YOUR_CALM));
    }
}

/// Header sections that RFC 9113 §8.2 and §8.3 forbid.
fn bad_blocks() -> Vec<(&'static str, Vec<u8>)> {
    let fields = |fields: &[(&[u8], &[u8])]| hpack::block(fields);
    vec![
        (
            "CR LF in a value",
            fields(&[(b":status", b"200"), (b"x", b"a\r\nb: c")]),
        ),
        ("NUL in a value", fields(&[(b":status", b"200"), (b"x", b"a\0b")])),
        ("CR in a name", fields(&[(b":status", b"200"), (b"x\r", b"a")])),
        ("upper case", fields(&[(b":status", b"200"), (b"X-Upper", b"a")])),
        ("no :status", fields(&[(b"x", b"a")])),
        (
            "two :status",
            fields(&[(b":status", b"200"), (b":status", b"200")]),
        ),
        (
            ":status after a field",
            fields(&[(b"x", b"a"), (b":status", b"200")]),
        ),
        (":status of two digits", fields(&[(b":status", b"20")])),
        (":status of letters", fields(&[(b":status", b"abc")])),
        (":status of 099", fields(&[(b":status", b"099")])),
        (
            "a pseudo-header of requests",
            fields(&[(b":status", b"200"), (b":path", b"/")]),
        ),
        (
            "connection",
            fields(&[(b":status", b"200"), (b"connection", b"close")]),
        ),
        (
            "transfer-encoding",
            fields(&[(b":status", b"200"), (b"transfer-encoding", b"chunked")]),
        ),
    ]
}

/// Every fifth request of 30 (there is one) gets this header section.
fn one_bad_block(seed: u64, block: &[u8]) -> (World, Stats) {
    let block = block.to_vec();
    let respond = move |seen: &Seen, _: &mut Rng| {
        let mut answer = Answer::ok();
        if seen.nth == 5 {
            answer.block = Some(block.clone());
        }
        vec![Act::Answer(answer)]
    };
    let mut world = World::new(
        seed,
        |config| config.max_connections = 1,
        first_then_good(move || Script::new(respond.clone())),
    );
    world.lenient();
    world.submit(30);
    let stats = world.finish();
    assert_eq!(world.dials().len(), 1, "one stream, not the connection");
    (world, stats)
}

/// A stream error; the message is in doubt, and its cause says that the response was malformed.
#[test]
fn row_44_header_sections_that_are_not_allowed() {
    for (what, block) in bad_blocks() {
        for seed in seeds(SEEDS) {
            let (world, stats) = one_bad_block(seed, &block);
            assert_eq!((stats.unknown, stats.accepted), (1, 29), "{what}: {stats:?}");
            assert_eq!(world.log.resets(), [code::PROTOCOL_ERROR], "{what}");
            assert_eq!(causes(&world), [ErrorKind::Http2Protocol], "{what}");
        }
    }
}

/// Too much, but well formed: the fields are cut, the stream is reset, and the status counts (row 47).
#[test]
fn row_44_header_sections_that_are_too_large() {
    for status in [&b"200"[..], b"400"] {
        let mut large = hpack::block(&[(&b":status"[..], status)]);
        hpack::literal(&mut large, b"x", &[b'y'; 16_385]);
        let tiny = std::iter::once((b":status".to_vec(), status.to_vec()));
        let tiny: Vec<_> = tiny
            .chain((0..1500).map(|_| (b"a".to_vec(), b"b".to_vec())))
            .collect();
        for block in [large, hpack::block(&tiny)] {
            for seed in seeds(SEEDS) {
                let (world, stats) = one_bad_block(seed, &block);
                let refused = u64::from(status == b"400");
                assert_eq!(
                    (stats.rejected, stats.accepted),
                    (refused, 30 - refused),
                    "{stats:?}"
                );
                assert_eq!(world.log.resets(), [code::ENHANCE_YOUR_CALM]);
                let outcome = result(&world, 4).as_ref().expect("an answer");
                let wanted = if refused == 1 { 400 } else { 200 };
                assert_eq!((outcome.status(), outcome.reason()), (wanted, None));
            }
        }
    }
}

/// The matrix has 10,000 tiny fields end their stream; they are 340 KB as RFC 9113 §6.5.2 counts,
/// more than four times the limit, and that ends the connection (§1.4 of the same text).
#[test]
fn row_44_ten_thousand_tiny_fields() {
    let tiny = (0..10_000).map(|_| (b"a".to_vec(), b"b".to_vec()));
    let fields: Vec<_> = std::iter::once((b":status".to_vec(), b"200".to_vec()))
        .chain(tiny)
        .collect();
    let literal = frame::split_headers(1, true, &hpack::block(&fields), 16_384);
    ends_the_connection("literal", &literal, Some(code::ENHANCE_YOUR_CALM));
    // The same by reference: 10 KB on the wire.
    let mut block = vec![0x88];
    hpack::remembered(&mut block, b"a", b"b");
    block.extend(vec![0xbe; 10_000]);
    ends_the_connection(
        "indexed",
        &frame::headers(1, true, &block),
        Some(code::ENHANCE_YOUR_CALM),
    );
}

#[test]
fn row_45_empty_and_padded_data() {
    let begin = frame::headers(1, false, &[0x88]);
    let empty = frame::data(1, false, &[]).repeat(100_000);
    ends_the_connection(
        "DATA, empty",
        &[begin.clone(), empty].concat(),
        Some(code::ENHANCE_YOUR_CALM),
    );
    let calm = Some(code::ENHANCE_YOUR_CALM);
    let padded = frame::padded_data(1, false, &[], 255).repeat(100_000);
    ends_the_connection("DATA, padded", &[begin.clone(), padded].concat(), calm);
    let single = frame::data(1, false, b"x").repeat(100_000);
    ends_the_connection("DATA, single", &[begin.clone(), single].concat(), calm);
    let both = frame::padded_data(1, false, b"x", 255).repeat(100_000);
    ends_the_connection("DATA, single and padded", &[begin, both].concat(), calm);
}
