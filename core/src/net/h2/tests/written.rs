//! A layer between the engine and the transport that holds octets back, as TLS does.

use super::*;

#[test]
fn eof_tells_what_was_written_from_the_rest() {
    let mut engine = ready(Config::default());
    engine.send(&request(b"{}"), 0, at(0)).unwrap();
    let first = engine.transmit().len();
    engine.transmitted(first);
    engine.written((greeting() + first) as u64);
    // The second is taken by the next layer, which holds back its last octet; the third is not.
    engine.send(&request(b""), 0, at(0)).unwrap();
    let second = engine.transmit().len();
    engine.transmitted(second);
    engine.written((greeting() + first + second - 1) as u64);
    engine.send(&request(b"{}"), 0, at(0)).unwrap();
    engine.receive_eof(at(0));
    assert_eq!(
        events(&mut engine),
        [
            "failed 1 Unknown ConnectionLost",
            "failed 3 No ConnectionLost",
            "failed 5 No ConnectionLost",
            "closed",
        ]
    );
    assert!(engine.transmit().is_empty());
}

#[test]
fn only_a_whole_header_block_counts_as_written() {
    for missing in [0u64, 1, 20] {
        let mut engine = ready(Config::default());
        engine.send(&request(b""), 0, at(0)).unwrap();
        let length = engine.transmit().len();
        engine.transmitted(length);
        engine.written((greeting() + length) as u64 - missing);
        engine.receive_eof(at(0));
        let fate = if missing == 0 {
            "failed 1 Unknown ConnectionLost"
        } else {
            "failed 1 No ConnectionLost"
        };
        assert_eq!(events(&mut engine)[0], fate, "{missing}");
    }
}
