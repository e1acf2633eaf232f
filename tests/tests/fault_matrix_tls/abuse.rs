//! Rows 42 to 45: a server that attacks.

use pushcore_tests::sim::frame::{self, code, kind};
use pushcore_tests::sim::hpack;

use super::*;

/// Ten requests are acted on, then these octets come; the connection ends, nothing is sent twice.
fn ends_the_connection(what: &str, bytes: Vec<u8>, answered: u64) {
    let row = Row::first(move || {
        let bytes = bytes.clone();
        Script::new(move |seen, _| match seen.nth {
            10 => vec![Act::Process, Act::Raw(bytes.clone())],
            _ => vec![Act::Process],
        })
        .streams(10)
    })
    .lenient();
    let sent = row.send(N / 10, |_| {});
    let stats = &sent.stats;
    assert_eq!(
        (stats.unknown, stats.accepted),
        (10 - answered, N as u64 / 10 - 10 + answered),
        "{what}: {stats:?}"
    );
    row.first_goaway(code::ENHANCE_YOUR_CALM, what);
}

#[test]
fn row_42_continuation_flood() {
    let begin = frame::frame(kind::HEADERS, 0, 1, &[0x88]);
    let empty = frame::frame(kind::CONTINUATION, 0, 1, &[]).repeat(100_000);
    ends_the_connection("empty", [begin.clone(), empty].concat(), 0);
    let mut block = Vec::new();
    hpack::literal(&mut block, b"x", &[b'y'; 100]);
    let full = frame::frame(kind::CONTINUATION, 0, 1, &block).repeat(10_000);
    ends_the_connection("full", [begin, full].concat(), 0);
}

/// 4,000 octets remembered once, named 16,000 times: 64 MiB from 16 KiB.
#[test]
fn row_43_hpack_bomb() {
    let mut block = vec![0x88];
    hpack::remembered(&mut block, b"x", &[b'y'; 4000]);
    block.extend(vec![0xbe; 16_000]);
    let row = Row::first(move || {
        let mut answer = Answer::ok();
        answer.block = Some(block.clone());
        Script::new(move |seen, _| match seen.nth {
            10 => vec![Act::Answer(answer.clone())],
            nth if nth < 10 => Vec::new(),
            _ => vec![ok()],
        })
        .streams(10)
    })
    .lenient();
    let sent = row.send(N / 10, |_| {});
    let stats = &sent.stats;
    // The stream at least; all ten when the connection goes with it.
    assert!((1..=10).contains(&stats.unknown), "{stats:?}");
    assert_eq!(stats.accepted + stats.unknown, N as u64 / 10, "{stats:?}");
}

#[test]
fn row_44_header_sections_that_are_not_allowed() {
    let fields = |fields: &[(&[u8], &[u8])]| hpack::block(fields);
    for (what, block) in [
        (
            "CR LF in a value",
            fields(&[(b":status", b"200"), (b"x", b"a\r\nb: c")]),
        ),
        ("no :status", fields(&[(b"x", b"a")])),
        (
            "two :status",
            fields(&[(b":status", b"200"), (b":status", b"200")]),
        ),
        ("upper case", fields(&[(b":status", b"200"), (b"X-Upper", b"a")])),
        (
            "transfer-encoding",
            fields(&[(b":status", b"200"), (b"transfer-encoding", b"chunked")]),
        ),
    ] {
        let row = Row::new(move |_| {
            let block = block.clone();
            Script::new(move |seen, _| {
                let mut answer = Answer::ok();
                if seen.nth == 5 {
                    answer.block = Some(block.clone());
                }
                vec![Act::Answer(answer)]
            })
        })
        .lenient();
        let sent = row.send(30, |_| {});
        let stats = &sent.stats;
        assert_eq!(
            (stats.accepted, stats.unknown + stats.rejected),
            (29, 1),
            "{what}: {stats:?}"
        );
        assert_eq!(
            row.server.log().connections(),
            1,
            "one stream, not the connection"
        );
    }
}

#[test]
fn row_45_empty_and_padded_data() {
    let begin = frame::headers(1, false, &[0x88]);
    for (what, data) in [
        ("empty", frame::data(1, false, &[])),
        ("padded", frame::padded_data(1, false, &[], 255)),
        ("single", frame::data(1, false, b"x")),
    ] {
        // Where the header section of a 200 came whole, that answer counts.
        ends_the_connection(what, [begin.clone(), data.repeat(30_000)].concat(), 1);
    }
}
