//! What happens to octets below TLS: cut into pieces, cut off anywhere, never read.

use std::net::SocketAddr;

use pushcore::session::{Ended, SendOptions};
use pushcore_client::Batch;
use pushcore_tests::sim::frame::setting;
use pushcore_tests::sim::road::{Cut, Relay, Road};
use socket2::{Domain, Socket, Type};

use super::*;

/// Sends everything through a relay. The server must have seen what the results say.
fn through(
    row: &Row,
    count: usize,
    roads: impl FnMut(u32, &mut Rng) -> Road + Send + 'static,
    change: impl FnOnce(&mut ClientConfig),
) -> (Sent, u32) {
    let relay = Relay::start(7, row.server.address(), roads);
    let client = client(
        &row.ca,
        &format!("localhost:{}", relay.address().port()),
        |config| {
            config.session.max_requeues = u8::MAX;
            change(config);
        },
    );
    let results = send(&client, &[&row.server], count);
    assert_eq!(row.server.log().violations(), Vec::<String>::new());
    (Sent::new(client, results), relay.connections())
}

/// Every record arrives in pieces of one to seven octets, both ways.
#[test]
fn dribbled_octets() {
    let row = Row::first(Script::accepting);
    let dribble = |_: u32, _: &mut Rng| Road {
        piece: 7,
        ..Road::smooth()
    };
    let (sent, connections) = through(&row, 200, dribble, |_| {});
    assert_eq!((sent.stats.accepted, connections), (200, 1), "{:?}", sent.stats);
}

/// The first connection ends after so many octets, wherever that is: in the handshake, in a record, in
/// an answer. Messages are lost only where they may have been processed, and the rest goes on.
fn cut_anywhere(cut: Cut, up: bool) {
    let mut in_doubt = 0;
    // Silence takes its time to be noticed.
    let all = &[0, 1, 5, 200, 700, 1500, 2500, 3000, 4001, 6007, 9001, 15_013];
    let few = &[200, 2500, 6007];
    for octets in if cut == Cut::Silence { &few[..] } else { &all[..] }
        .iter()
        .copied()
    {
        let row = Row::first(Script::accepting);
        let roads = move |nth: u32, _: &mut Rng| {
            let mut road = Road::smooth();
            if nth == 1 {
                let side = if up { &mut road.up } else { &mut road.down };
                *side = Some((octets, cut));
            }
            road
        };
        let (sent, connections) = through(&row, 300, roads, |config| {
            if cut == Cut::Silence {
                impatient(config);
                config.session.connect_timeout = millis(500);
            }
        });
        let stats = &sent.stats;
        assert_eq!(stats.accepted + stats.unknown, 300, "{octets} octets: {stats:?}");
        // No more than the streams that could be open.
        assert!(stats.unknown <= 100, "{octets} octets: {stats:?}");
        let processed = row.server.log().total_processed();
        assert!(
            (stats.accepted..=300).contains(&processed),
            "{processed} processed: {stats:?}"
        );
        if octets <= if up { 200 } else { 700 } {
            assert_eq!(stats.unknown, 0, "before any request");
            assert!(connections >= 2, "{octets} octets");
        }
        in_doubt += stats.unknown;
    }
    assert!(in_doubt > 0, "the cuts were not where requests are");
}

#[test]
fn closed_after_any_octet_from_the_server() {
    cut_anywhere(Cut::Close, false);
}

#[test]
fn closed_after_any_octet_from_the_client() {
    cut_anywhere(Cut::Close, true);
}

#[test]
fn reset_after_any_octet_from_the_server() {
    cut_anywhere(Cut::Reset, false);
}

#[test]
fn reset_after_any_octet_from_the_client() {
    cut_anywhere(Cut::Reset, true);
}

#[test]
fn half_closed_after_any_octet_from_the_server() {
    cut_anywhere(Cut::HalfClose, false);
}

#[test]
fn silent_after_any_octet_from_the_server() {
    cut_anywhere(Cut::Silence, false);
}

#[test]
fn silent_after_any_octet_from_the_client() {
    cut_anywhere(Cut::Silence, true);
}

/// The answers and the reset have arrived, and nobody has looked, when the next message is written: the
/// write fails, and the answers count all the same.
#[test]
fn answers_before_a_reset_count() {
    let row = Row::first(|| {
        let reset = [Act::Wait(millis(20)), Act::AnswerHeld(Answer::ok()), Act::Abort];
        // There is room for one more.
        after_holding(30, reset.to_vec()).streams(31)
    });
    let client = Arc::new(row.client(|_| {}));
    let mut batch = Batch::new(Arc::clone(&client), None).expect("a batch");
    let all: Vec<_> = messages(0..31).map(|(_, message)| message).collect();
    let submit = |batch: &mut Batch, messages: &[apns::Message]| {
        let taken = batch.submit(messages.iter().zip(0..), SendOptions::default(), |ticket| {
            assert!(ticket.is_ok())
        });
        assert!(taken.expect("an open client"), "there is room");
    };
    submit(&mut batch, &all[..30]);
    let log = row.server.log();
    let mut accepted = 0;
    let mut wait = |batch: &mut Batch| {
        for result in batch.wait(millis(5)).expect("a wait").map(Ended::into_result) {
            assert!(result.expect("an answer").is_accepted());
            accepted += 1;
        }
        accepted
    };
    eventually(
        || {
            wait(&mut batch);
            log.requests() == 30
        },
        "thirty requests",
    );
    eventually(|| log.ended() == 1, "a reset");
    submit(&mut batch, &all[30..]);
    eventually(|| wait(&mut batch) == 31, "thirty-one answers");
    let stats = client.stats();
    assert!(stats.is_balanced());
    assert_eq!((stats.accepted, stats.unknown), (31, 0), "{stats:?}");
    assert_eq!((log.total_processed(), log.duplicates()), (31, 0));
}

/// The server takes 40 requests and then nothing more from its socket: TCP's own window closes. What
/// the kernel took is in doubt; what never left goes to the next connection.
#[test]
fn a_server_that_stops_reading() {
    let stops = || {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            40 => vec![Act::Process, Act::Silence],
            _ => vec![Act::Process],
        };
        let mut script = Script::new(respond).greeting([
            Act::Settings(vec![
                (setting::MAX_CONCURRENT_STREAMS, 10_000),
                (setting::INITIAL_WINDOW_SIZE, 1 << 20),
            ]),
            Act::ConnectionWindow(1 << 30),
        ]);
        script.replenish = false;
        script
    };
    // The kernel takes a few octets for the server, and what it likes for the client.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    listener.set_recv_buffer_size(4096).expect("an option");
    listener
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .expect("a port");
    listener.listen(16).expect("a listener");
    let ca = Authority::new();
    let server = Server::start_on(listener.into(), 1, Some(ca.server(H2, |_| {})), move |nth| {
        if nth == 1 { stops() } else { Script::accepting() }
    });
    let count = 3000;
    let client = client(&ca, &format!("localhost:{}", server.address().port()), |config| {
        // Time to open all of them.
        fixture::ping(config, Duration::from_secs(1), millis(100));
        config.session.max_queued = count;
    });
    let results: Results = client.send_many(fixture::messages(3900, 0..count)).collect();
    check(&client, &[&server], &results, count);
    let stats = client.stats();
    assert_eq!(stats.accepted + stats.unknown, count as u64, "{stats:?}");
    // A thousand were opened. What never left this process was provably not processed, and moved; a
    // kernel with more room than 4 MiB would have taken all of it.
    assert!((40..=1000).contains(&stats.unknown), "{stats:?}");
    assert_eq!(stats.unknown + stats.requeued, 1000, "{stats:?}");
    assert_eq!(server.log().total_processed(), 40 + stats.accepted);
}
