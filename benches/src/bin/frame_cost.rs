//! The cost of a received frame where few or many streams are open, for valgrind's callgrind to count
//! (`benches/frame-cost.sh`).
//!
//! The bodies of the open streams wait: their windows are closed, the connection's is open. Arguments: the name of the frame, how many
//! streams are open, how many such frames arrive, each in a read of its own.

use std::sync::Arc;
use std::time::Duration;

use pushcore::http::{Authority, Request};
use pushcore::net::{Connection, ConnectionConfig, Security};
use pushcore::{Now, UnixTime};

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut out = length[1..].to_vec();
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

fn setting(id: u16, value: u32) -> Vec<u8> {
    frame(4, 0, 0, &[&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

/// The frame `name` for the `nth` time, with `last` the id of the last stream.
fn make(name: &str, nth: u32, last: u32) -> Option<Vec<u8>> {
    let one = 1u32.to_be_bytes();
    Some(match name {
        "none" => Vec::new(),
        "data-small" => frame(0, 0, last, b"x"),
        "headers-interim" => frame(1, 4, last, &[0x08, 3, b'1', b'0', b'3']),
        "headers-final" => frame(1, 5, last - 2 * nth, &[0x88]),
        "priority" => frame(2, 0, last, &[0; 5]),
        "reset-open" => frame(3, 0, last - 2 * nth, &8u32.to_be_bytes()),
        "reset-ended" => frame(3, 0, 1, &8u32.to_be_bytes()),
        "settings-empty" => frame(4, 0, 0, &[]),
        "settings-window" => setting(4, 1 + nth % 2),
        "settings-ack" => frame(4, 1, 0, &[]),
        "ping" => frame(6, 0, 0, &[0; 8]),
        "ping-ack" => frame(6, 1, 0, &[0; 8]),
        "goaway-again" => frame(7, 0, 0, &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
        "window-connection" => frame(8, 0, 0, &one),
        "window-stream" => frame(8, 0, last, &one),
        "window-ended" => frame(8, 0, 1, &one),
        "unknown" => frame(0xee, 0, 0, b"?"),
        _ => return None,
    })
}

fn drain(connection: &mut Connection) {
    loop {
        let length = connection.transmit().len();
        if length == 0 {
            break;
        }
        connection.transmitted(length);
    }
    while connection.poll_event().is_some() {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().ok_or("the name of a frame")?;
    let streams: u32 = args.next().ok_or("how many streams")?.parse()?;
    let frames: u32 = args.next().ok_or("how many frames")?.parse()?;
    let authority = Authority::new("example.com", 443)?;
    let mut config = ConnectionConfig::new(Security::Cleartext);
    config.http2.max_in_flight = streams + 1;
    let mut connection = Connection::new(&Arc::new(config), &authority, NOW)?;
    // Windows at which nothing goes out even when they are raised by some octets, so that only the frame itself is counted.
    connection.receive(&setting(4, 100), NOW);
    connection.receive(&frame(4, 1, 0, &[]), NOW);
    drain(&mut connection);
    let mut request = Request::new();
    request.authority = Some(authority);
    request.path.push_str("/3/device/00");
    let first = connection
        .send(&request, NOW)
        .map_err(|error| format!("{error:?}"))?;
    connection.cancel(first, NOW);
    request.body.own().extend_from_slice(&[b'x'; 101]);
    for n in 0..streams {
        if n % 500 == 0 {
            connection.receive(&frame(8, 0, 0, &65_535u32.to_be_bytes()), NOW);
        }
        connection
            .send(&request, NOW)
            .map_err(|error| format!("{error:?}"))?;
    }
    connection.receive(&setting(4, 0), NOW);
    drain(&mut connection);
    let last = 1 + 2 * streams;
    if name == "data-small" {
        connection.receive(&frame(1, 4, last, &[0x88]), NOW);
        drain(&mut connection);
    }
    for nth in 0..frames {
        let octets = make(&name, nth, last).ok_or("no such frame")?;
        connection.receive(&octets, NOW);
        let _ = connection.poll_timeout();
        drain(&mut connection);
    }
    if connection.is_closed() {
        return Err("the connection was closed".into());
    }
    Ok(())
}
