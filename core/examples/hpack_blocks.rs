//! Prints what connections write, for `tests/interop/hpack/compare.py` to decode with another
//! implementation of HPACK.
//!
//! One JSON object a line. `{"connection": ...}` begins a connection; `{"settings": SIZE}` is a table size
//! that the server has announced and we have acknowledged; `{"wire": HEX, "fields": [[NAME, VALUE, NEVER], ...]}`
//! is one request as it was written (frames and all), and the fields that it has to be: NEVER is
//! whether the field must be marked as one that no table may hold.

use std::sync::Arc;
use std::time::Duration;

use pushcore::http::{Authority, HeaderBlock, Headers, Indexing, Method, Request};
use pushcore::net::{Connection, ConnectionConfig, Security};
use pushcore::{Error, Now, UnixTime};
use serde_json::json;

/// splitmix64: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as usize % limit
    }

    fn text(&mut self, longest: usize) -> String {
        let length = self.below(longest + 1);
        (0..length)
            .map(|_| char::from(b'!' + self.below(94) as u8))
            .collect()
    }
}

const NAMES: [&str; 8] = [
    "apns-topic",
    "apns-id",
    "apns-expiration",
    "authorization",
    "content-type",
    "ttl",
    "urgency",
    "x-goog-user-project",
];

fn headers(random: &mut Random, most: usize) -> Result<Headers, Error> {
    let mut headers = Headers::new();
    for _ in 0..random.below(most + 1) {
        let indexing = [Indexing::Incremental, Indexing::Without, Indexing::Never][random.below(3)];
        // Some values come again, some names do, some are new.
        let value = match random.below(3) {
            0 => ["10", "high", "application/json"][random.below(3)].to_owned(),
            _ => random.text(80),
        };
        headers.push(NAMES[random.below(NAMES.len())], &value, indexing)?;
    }
    Ok(headers)
}

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, payload.len() as u8, kind, flags, 0, 0, 0, 0];
    bytes.extend_from_slice(payload);
    bytes
}

fn take(connection: &mut Connection) -> Vec<u8> {
    let bytes = connection.transmit().to_vec();
    connection.transmitted(bytes.len());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn connection(number: usize, random: &mut Random) -> Result<(), Error> {
    let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000));
    let mut config = ConnectionConfig::new(Security::Cleartext);
    config.http2.huffman_literals = number % 2 == 1;
    config.http2.encoder_table_size = [4096, 4096, 65_536, 200, 0][number % 5];
    let authority = Authority::new("push.example", 443)?;
    let mut connection = Connection::new(&Arc::new(config), &authority, now)?;
    println!("{}", json!({ "connection": number }));
    connection.receive(&frame(4, 0, &[0, 3, 0, 0, 3, 0xe8]), now);
    take(&mut connection);
    let blocks: Vec<Arc<HeaderBlock>> = (0..6)
        .map(|_| Ok(HeaderBlock::new(headers(random, 6)?)))
        .collect::<Result<_, Error>>()?;
    for _ in 0..60 {
        if random.below(6) == 0 {
            let size = [0u32, 64, 150, 1000, 4096, 8192][random.below(6)];
            let mut payload = vec![0, 1];
            payload.extend_from_slice(&size.to_be_bytes());
            connection.receive(&frame(4, 0, &payload), now);
            take(&mut connection);
            println!("{}", json!({ "settings": size }));
        }
        let mut request = Request::new();
        request.method = [Method::Post, Method::Get, Method::Delete, Method::Put][random.below(4)];
        request.authority = Some(authority.clone());
        request.path = format!("/3/device/{:064x}", random.below(usize::MAX));
        request.authorization = (random.below(4) > 0).then(|| blocks[random.below(2)].clone());
        request.common = (random.below(4) > 0).then(|| blocks[2 + random.below(4)].clone());
        request.headers = headers(random, 4)?;
        let mut fields = vec![
            (":method", request.method.as_str(), false),
            (":scheme", "https", false),
            (":authority", "push.example", false),
            (":path", &request.path, false),
        ];
        for header in request.all_headers() {
            let never = header.indexing == Indexing::Never;
            fields.push((header.name, header.value, never));
        }
        connection
            .send(&request, now)
            .map_err(|error| Error::new(pushcore::ErrorKind::Internal, format!("{error:?}")))?;
        println!(
            "{}",
            json!({ "wire": hex(&take(&mut connection)), "fields": fields })
        );
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    let mut random = Random(7541);
    (0..20).try_for_each(|number| connection(number, &mut random))
}
