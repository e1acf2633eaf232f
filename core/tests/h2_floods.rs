//! Floods: every type of frame has a budget, and servers as they are never come near it. The numbers are
//! in `docs/faults.md`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use h2_support::*;
use pushcore::net::h2::Config;

const ENHANCE_YOUR_CALM: u32 = 11;
const PROTOCOL_ERROR: u32 = 1;

/// A connection with one request in flight, of which the body waits for its stream's window.
fn waiting() -> Client {
    let mut client = Client::ready(Config::default());
    client.receive(&settings(&[(4, 0)]));
    client.connection.send(&request(b"{}"), client.now).unwrap();
    client.drain();
    client.forget();
    client
}

/// How many of `frames` are taken before the connection ends, and with which code.
fn taken(mut client: Client, frames: impl Iterator<Item = Vec<u8>>) -> (usize, Option<u32>) {
    let mut count = 0;
    for frame in frames {
        client.receive(&frame);
        if client.connection.is_closed() {
            return (count, client.goaway());
        }
        count += 1;
    }
    (count, None)
}

/// The nth frame of a flood.
type Flood = Box<dyn Fn(u32) -> Vec<u8>>;

#[test]
fn every_type_of_frame_has_a_budget() {
    // One request has been sent: 16 cheap frames more than the 10,000.
    let cheap = 10_016;
    let again = |frame: Vec<u8>| move |_: u32| frame.clone();
    let cases: Vec<(&str, Flood, usize)> = vec![
        ("WINDOW_UPDATE", Box::new(again(window_update(0, 1))), cheap),
        (
            "WINDOW_UPDATE, no hole",
            Box::new(|n| window_update(0, 1 + n % 7)),
            cheap,
        ),
        ("PRIORITY", Box::new(again(frame(PRIORITY, 0, 1, &[0; 5]))), cheap),
        (
            "PRIORITY of idle streams",
            Box::new(|n| frame(PRIORITY, 0, 2 * n + 1, &[0; 5])),
            cheap,
        ),
        (
            "unknown types",
            Box::new(|n| frame(10 + (n % 200) as u8, 0, n, b"?")),
            cheap,
        ),
        (
            "unknown types, large",
            Box::new(again(frame(99, 0, 0, &[7; 16_384]))),
            cheap,
        ),
        ("RST_STREAM", Box::new(again(reset(1, 8))), cheap + 1),
        // The first is the one of our SETTINGS in `ready`; two more for the request.
        (
            "SETTINGS acknowledgement",
            Box::new(again(settings_ack())),
            100 + 2 - 2,
        ),
        ("SETTINGS", Box::new(|n| settings(&[(4, n % 2)])), 100 + 2 - 2),
        ("PING", Box::new(again(frame(PING, 0, 0, &[7; 8]))), 200),
        (
            "PING acknowledgement",
            Box::new(again(frame(PING, ACK, 0, &[7; 8]))),
            200,
        ),
        ("GOAWAY", Box::new(again(goaway(0x7fff_ffff, 0, b""))), 1 + 20),
        (
            "GOAWAY, lower each time",
            Box::new(|n| goaway(0x7fff_ffff - n, 0, b"")),
            1 + 20,
        ),
        (
            "interim",
            Box::new(again(list(0, 1, &[(":status", "103")]))),
            1_000 + 2,
        ),
        (
            "HEADERS without an end",
            Box::new(|n| match n {
                0 => frame(HEADERS, 0, 1, OK),
                _ => frame(CONTINUATION, 0, 1, b""),
            }),
            1 + 5,
        ),
    ];
    for (name, make, allowed) in cases {
        let (count, code) = taken(waiting(), (0..20_000).map(make));
        assert_eq!((count, code), (allowed, Some(ENHANCE_YOUR_CALM)), "{name}");
    }
    // DATA and HEADERS on a stream that we gave up.
    for late in [
        frame(DATA, END_STREAM, 1, b""),
        frame(DATA, 0, 1, &[7; 300]),
        list(END_STREAM, 1, &[(":status", "200")]),
        window_update(1, 1),
    ] {
        let mut client = Client::ready(Config::default());
        let id = client.connection.send(&request(b""), client.now).unwrap();
        client.connection.cancel(id, client.now);
        client.drain();
        client.forget();
        let result = taken(client, (0..20_000).map(|_| late.clone()));
        assert_eq!(result, (cheap, Some(ENHANCE_YOUR_CALM)), "{late:?}");
    }
    // Not one.
    let push = frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]);
    assert_eq!(taken(waiting(), std::iter::once(push)), (0, Some(PROTOCOL_ERROR)));
}

/// What a server says about a push of so many octets, which it has on this stream for the `nth` time.
type Habit = fn(client: &Client, stream: u32, body: u32, nth: u32) -> Vec<u8>;

type Settings = &'static [(u16, u32)];

/// Servers as they are, at full speed: 30,000 pushes of 4 KiB without a tick of the clock.
#[test]
fn servers_as_they_are_never_hit_a_budget() {
    let habits: [(&str, Settings, Habit); 6] = [
        (
            "Apple: the connection's window in steps of 32,822",
            &[(3, 1000)],
            |_, stream, body, nth| {
                let steps = (nth + 1) * body / 32_822 - nth * body / 32_822;
                [window_update(0, 32_822).repeat(steps as usize), answer(stream)].concat()
            },
        ),
        (
            "Go: both windows for what was read, in two halves, and a reset",
            &[(3, 250), (5, 1 << 20)],
            |_, stream, body, _| {
                let half = |n| [window_update(0, n), window_update(stream, n)].concat();
                [
                    half(body / 2),
                    half(body - body / 2),
                    answer(stream),
                    reset(stream, 0),
                ]
                .concat()
            },
        ),
        (
            "nginx: each stream's window raised to the most",
            &[(3, 128), (4, 65_536), (5, 0x00ff_ffff)],
            |_, stream, body, _| {
                [
                    window_update(stream, 0x7fff_ffff - 65_536),
                    window_update(0, body),
                    answer(stream),
                ]
                .concat()
            },
        ),
        (
            "HAProxy: the connection's window for each DATA frame, an interim response",
            &[(3, 100)],
            |_, stream, body, _| {
                let interim = list(0, stream, &[(":status", "103")]);
                [window_update(0, body), interim, answer(stream)].concat()
            },
        ),
        (
            "APNs: its limit of streams goes down and up with each refusal",
            &[(3, 1000)],
            |_, stream, body, _| {
                [
                    window_update(0, body),
                    settings(&[(3, 1)]),
                    list(0, stream, &[(":status", "400")]),
                    frame(DATA, END_STREAM, stream, br#"{"reason":"BadDeviceToken"}"#),
                    settings(&[(3, 1000)]),
                ]
                .concat()
            },
        ),
        ("one that is fond of extensions", &[], |_, stream, body, _| {
            [
                window_update(0, body),
                frame(PRIORITY, 0, stream, &[0; 5]),
                frame(0x0a, 0, stream, b"\0\0h3=\":443\""),
                frame(0x0c, 0, 0, b"\0\x13https://example.com"),
                frame(0x10, 0, 0, b"\0\0\0\x01u=1"),
                answer(stream),
            ]
            .concat()
        }),
    ];
    let body = request(&[7; 4096]);
    for (name, choices, habit) in habits {
        let mut client = Client::fresh(Config::default());
        client.receive(&settings(choices));
        client.receive(&settings_ack());
        let (mut sent, mut answered) = (0u32, 0u32);
        while answered < 30_000 {
            // As many as there is room for, then all that is said about them at once.
            while sent < 30_000
                && client.connection.capacity() > 0
                && (client.connection.window() >= 4096 || sent == answered)
            {
                client.connection.send(&body, client.now).unwrap();
                sent += 1;
            }
            let said: Vec<u8> = (answered..sent)
                .flat_map(|nth| habit(&client, 2 * nth + 1, 4096, nth))
                .collect();
            answered = sent;
            client.receive(&said);
            assert!(
                !client.connection.is_closed(),
                "{name}: {:?} after {sent}",
                client.events.last()
            );
            assert_eq!(client.connection.in_flight(), 0, "{name} after {sent}");
            client.forget();
        }
    }
}

/// A server with tiny windows is slow, but no flood.
#[test]
fn windows_of_some_octets_are_slow_and_allowed() {
    for step in [1u32, 16, 100] {
        let mut client = Client::fresh(Config::default());
        client.receive(&settings(&[(4, 0)]));
        client.receive(&settings_ack());
        for nth in 0..12 {
            client.connection.send(&request(&[7; 4096]), client.now).unwrap();
            client.drain();
            client.forget();
            let stream = 2 * nth + 1;
            let mut seen = 0;
            while seen < 4096 {
                client.receive(&[window_update(stream, step), window_update(0, step)].concat());
                seen += client.sent().iter().map(|f| f.3.len()).sum::<usize>();
                client.forget();
                assert!(!client.connection.is_closed(), "{step}, {nth}, {seen}");
            }
            client.receive(&answer(stream));
        }
        assert_eq!(client.connection.in_flight(), 0);
    }
}
