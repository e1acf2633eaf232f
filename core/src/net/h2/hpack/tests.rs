//! The examples of RFC 7541 Appendix C, and what must be refused.

use super::{Decoder, Encoder};
use crate::http::{HeaderBlock, Headers, Indexing};

fn bytes(hex: &str) -> Vec<u8> {
    let hex: Vec<char> = hex.chars().filter(|c| !c.is_whitespace()).collect();
    hex.chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
        .collect()
}

type Fields = Vec<(String, String)>;

fn decode(decoder: &mut Decoder, wire: &[u8]) -> Result<Fields, &'static str> {
    let mut fields = Vec::new();
    decoder
        .decode(wire, |name, value| {
            fields.push((
                String::from_utf8(name.to_vec()).unwrap(),
                String::from_utf8(value.to_vec()).unwrap(),
            ));
        })
        .map_err(|error| error.0)?;
    Ok(fields)
}

fn fields(list: &[(&str, &str)]) -> Fields {
    list.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect()
}

#[test]
fn appendix_c_3_and_c_4_requests() {
    let lists = [
        fields(&[
            (":method", "GET"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "www.example.com"),
        ]),
        fields(&[
            (":method", "GET"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "www.example.com"),
            ("cache-control", "no-cache"),
        ]),
        fields(&[
            (":method", "GET"),
            (":scheme", "https"),
            (":path", "/index.html"),
            (":authority", "www.example.com"),
            ("custom-key", "custom-value"),
        ]),
    ];
    for wires in [
        [
            "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            "8286 84be 5808 6e6f 2d63 6163 6865",
            "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        ],
        [
            "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
            "8286 84be 5886 a8eb 1064 9cbf",
            "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        ],
    ] {
        let mut decoder = Decoder::new(4096);
        for (wire, list) in wires.iter().zip(&lists) {
            assert_eq!(decode(&mut decoder, &bytes(wire)).unwrap(), *list);
        }
    }
}

#[test]
fn appendix_c_5_and_c_6_responses_with_eviction() {
    let date1 = "Mon, 21 Oct 2013 20:13:21 GMT";
    let date2 = "Mon, 21 Oct 2013 20:13:22 GMT";
    let cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    let location = ("location", "https://www.example.com");
    let private = ("cache-control", "private");
    let lists = [
        fields(&[(":status", "302"), private, ("date", date1), location]),
        fields(&[(":status", "307"), private, ("date", date1), location]),
        fields(&[
            (":status", "200"),
            private,
            ("date", date2),
            location,
            ("content-encoding", "gzip"),
            ("set-cookie", cookie),
        ]),
    ];
    let plain = [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 \
         2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 \
         6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d \
         54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 \
         5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e \
         3d31",
    ];
    let coded = [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 \
         2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab \
         77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f \
         9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];
    for wires in [plain, coded] {
        let mut decoder = Decoder::new(4096);
        // The examples use a table of 256 octets: announced the regular way.
        decode(&mut decoder, &bytes("3fe101")).unwrap();
        for (wire, list) in wires.iter().zip(&lists) {
            assert_eq!(decode(&mut decoder, &bytes(wire)).unwrap(), *list);
        }
    }
}

#[test]
fn broken_blocks_are_refused() {
    for (hex, why) in [
        ("80", "index outside the table"),
        ("be", "index outside the table"),
        ("ffffffffff7f", "integer too large"),
        ("7f", "integer too large"),
        ("40", "string is missing"),
        ("4003 6162", "string is cut short"),
        ("4001 61", "string is missing"),
        ("0484 ffff ffff", "huffman code is invalid"),
        ("8820", "table size update after a field"),
        ("3fe11f", ""),
        ("3fe21f", "table size update above the limit"),
    ] {
        let result = decode(&mut Decoder::new(4096), &bytes(hex));
        assert_eq!(result.err().unwrap_or(""), why, "{hex}");
    }
}

#[test]
fn a_smaller_acknowledged_table_must_be_confirmed_by_the_peer() {
    let mut decoder = Decoder::new(0);
    decoder.acknowledged(0);
    assert_eq!(
        decode(&mut decoder, &bytes("88")),
        Err("table size update is missing")
    );
    let mut decoder = Decoder::new(0);
    decoder.acknowledged(0);
    assert_eq!(
        decode(&mut decoder, &bytes("2088")),
        Ok(fields(&[(":status", "200")]))
    );
}

fn list(entries: &[(&str, &str, Indexing)]) -> Headers {
    let mut headers = Headers::new();
    for &(name, value, indexing) in entries {
        headers.push(name, value, indexing).unwrap();
    }
    headers
}

#[test]
fn constant_blocks_shrink_to_indices_and_survive_table_changes() {
    let block = HeaderBlock::new(list(&[
        ("apns-topic", "com.example.app", Indexing::Incremental),
        ("apns-push-type", "alert", Indexing::Incremental),
        (
            "authorization",
            "bearer abcdefghijklmnopqrstuvwxyz",
            Indexing::Incremental,
        ),
    ]));
    let own = |n: usize| list(&[("apns-id", &format!("{n:032}"), Indexing::Without)]);
    let mut encoder = Encoder::new(4096, false);
    let mut decoder = Decoder::new(4096);
    let mut sizes = Vec::new();
    for n in 0..12usize {
        // The server changes its mind about the table in between, down to nothing.
        match n {
            5 => encoder.peer_limit(0),
            8 => {
                encoder.peer_limit(64);
                encoder.peer_limit(4096);
            }
            _ => {}
        }
        let mut wire = Vec::new();
        encoder.begin(&mut wire);
        encoder.authority("api.push.apple.com", &mut wire);
        encoder.block(&block, &mut wire);
        encoder.headers(&own(n), &mut wire);
        let seen = decode(&mut decoder, &wire).unwrap();
        let values: Vec<&str> = seen.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(
            values,
            [
                "api.push.apple.com",
                "com.example.app",
                "alert",
                "bearer abcdefghijklmnopqrstuvwxyz",
                &format!("{n:032}")
            ]
        );
        sizes.push(wire.len());
    }
    assert_eq!(sizes[2..5], [39, 39, 39], "4 indices, and 35 for the id");
    assert!(sizes[5..8].iter().all(|&size| size > 100), "no table: {sizes:?}");
    assert_eq!(sizes[10..], [39, 39]);
}

#[test]
fn never_indexed_stays_out_of_the_table() {
    let mut encoder = Encoder::new(4096, true);
    let secret = list(&[("crypto-key", "a-secret-value", Indexing::Never)]);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    encoder.headers(&secret, &mut first);
    encoder.headers(&secret, &mut second);
    assert_eq!(first, second);
    assert_eq!(first[0], 0x10);
    assert_eq!(
        decode(&mut Decoder::new(4096), &first).unwrap(),
        fields(&[("crypto-key", "a-secret-value")])
    );
}
