//! Responses, good and bad, however they are cut.

use super::*;

#[test]
fn reads_good_responses_however_they_are_cut() {
    let ok = &["200 \"hello\""][..];
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 \r\nContent-Length:5\r\n\r\nhello",
        "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
        "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nh\r\n04\r\nello\r\n000\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nX: \u{e9}\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        check(text.as_bytes(), None, ok);
    }
    for (text, expected) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", "204 \"\""),
        (
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n",
            "304 \"\"",
        ),
        ("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", "201 \"\""),
        // A redirect is an answer like any other.
        (
            "HTTP/1.1 307 T\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
            "307 \"\"",
        ),
        (
            "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n\u{c3}\u{a9}",
            "503 \"é\"",
        ),
    ] {
        let bytes: Vec<u8> = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect();
        check(&bytes, None, &[expected]);
    }
}

#[test]
fn the_connection_ends_when_the_server_says_so() {
    let closed = ["200 \"hello\"", "closed Remote"];
    for text in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        check(text.as_bytes(), None, &closed);
        check(text.as_bytes(), Some(false), &closed);
    }
    // A body that runs to the end: whole only when the end was announced.
    let open_ended = b"HTTP/1.1 200 OK\r\n\r\nhello";
    check(open_ended, None, &[]);
    check(open_ended, Some(true), &closed);
    check(
        open_ended,
        Some(false),
        &["200 \"hello\" truncated", "closed Remote"],
    );
}

#[test]
fn a_known_status_outlives_a_broken_body() {
    for text in [
        "HTTP/1.1 410 Gone\r\nContent-Length: 9\r\n\r\nhello",
        "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello",
    ] {
        for clean in [true, false] {
            check(
                text.as_bytes(),
                Some(clean),
                &["410 \"hello\" truncated", "closed Remote"],
            );
        }
    }
    for rest in [
        "x\r\n",
        "-1\r\n",
        "\r\n",
        "5 5\r\n",
        "fffffffffffffffff\r\n",
        "0\r\nno colon\r\n\r\n",
    ] {
        let text = format!("HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n{rest}");
        check(
            text.as_bytes(),
            None,
            &["410 \"hello\" truncated", "closed Http1Protocol"],
        );
    }
    let long = "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n";
    check(
        long.as_bytes(),
        None,
        &["410 \"hello\" truncated", "closed Http1Protocol"],
    );
}

#[test]
fn refuses_heads_that_two_readers_could_read_differently() {
    let failed = ["failed Unknown Http1Protocol", "closed Http1Protocol"];
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5,\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n folded\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\nhello",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "<html>\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ] {
        check(text.as_bytes(), None, &failed);
    }
}

#[test]
fn keeps_its_limits() {
    let limit = ["failed Unknown LimitExceeded", "closed LimitExceeded"];
    let padded = |len: usize| {
        let fixed = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \r\n\r\n".len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: {}\r\n\r\n",
            "a".repeat(len - fixed)
        )
    };
    check(padded(16 * 1024).as_bytes(), None, &["200 \"\""]);
    check(padded(16 * 1024 + 1).as_bytes(), None, &limit);
    let fields = |count| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{}\r\n",
            "a: b\r\n".repeat(count)
        )
    };
    check(fields(95).as_bytes(), None, &["200 \"\""]);
    check(fields(96).as_bytes(), None, &limit);
    let interim = |count| "HTTP/1.1 100 C\r\n\r\n".repeat(count) + "HTTP/1.1 204 N\r\n\r\n";
    check(interim(32).as_bytes(), None, &["204 \"\""]);
    check(interim(33).as_bytes(), None, &limit);
    check(&vec![b'a'; 20_000], None, &limit);

    let body = |len: usize| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n{}",
            "b".repeat(len)
        )
    };
    let full = format!("200 {:?}", "b".repeat(64 * 1024));
    check(body(64 * 1024).as_bytes(), None, &[&full]);
    check(
        body(64 * 1024 + 1).as_bytes(),
        None,
        &[&format!("{full} truncated"), "closed Remote"],
    );
    // A size that nobody can hold costs nothing.
    let huge = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nhello";
    check(
        huge.as_bytes(),
        Some(false),
        &["200 \"hello\" truncated", "closed Remote"],
    );
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello";
    check(
        chunk.as_bytes(),
        Some(false),
        &["200 \"hello\" truncated", "closed Remote"],
    );
    let line = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;{}",
        "e".repeat(5000)
    );
    check(
        line.as_bytes(),
        None,
        &["200 \"\" truncated", "closed LimitExceeded"],
    );
}

/// Marsaglia's xorshift: the same numbers in every run.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 16) as usize
}

#[test]
fn garbled_responses_end_the_same_way_however_they_are_cut() {
    let good: [&[u8]; 4] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
        b"HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nt: x\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
        b"HTTP/1.0 500 Oh\r\nConnection: close\r\n\r\nhello",
    ];
    let interesting = b"\r\n\0 :;,0123456789abcdefGHTP/\xff\t-+";
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for round in 0..4000 {
        let mut bytes = good[random(&mut state) % good.len()].to_vec();
        for _ in 0..=random(&mut state) % 3 {
            let at = random(&mut state) % bytes.len();
            let byte = interesting[random(&mut state) % interesting.len()];
            match random(&mut state) % 3 {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        let eof = [None, Some(true), Some(false)][random(&mut state) % 3];
        let whole = answer(&[&bytes], eof);
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(1 + random(&mut state) % rest.len());
            pieces.push(piece);
            rest = after;
        }
        let shown = String::from_utf8_lossy(&bytes);
        assert_eq!(answer(&pieces, eof), whole, "round {round}: {shown:?}");
        assert!(whole.len() <= 2, "round {round}: {whole:?}");
        if eof.is_some() {
            assert!(
                whole.last().is_some_and(|last| last.starts_with("closed")),
                "round {round}: {whole:?}"
            );
        }
    }
}
