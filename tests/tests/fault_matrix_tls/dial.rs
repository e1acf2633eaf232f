//! Rows 1 to 5: the way to a connection.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;

use pushcore_client::Resolver;
use pushcore_tests::sim::Last;
use socket2::{Domain, Socket, Type};

use super::*;

/// Everybody hears that nothing was sent, and why.
fn nobody_is_reached(config: impl FnOnce(&mut ClientConfig), cause: ErrorKind) {
    let row = Row::first(Script::accepting);
    let sent = row.send(N, config);
    let stats = &sent.stats;
    assert_eq!(
        (stats.not_sent + stats.expired, stats.unknown),
        (N as u64, 0),
        "{stats:?}"
    );
    let causes = sent.causes();
    assert!(
        causes.len() == N && causes.iter().all(|found| *found == cause),
        "{causes:?}"
    );
    assert_eq!(row.server.log().connections(), 0);
}

/// A port where nobody listens.
fn closed() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

#[test]
fn row_01_connect_refused() {
    let nobody = closed();
    nobody_is_reached(
        |config| config.resolver = Resolver::new(move |_, _| Ok(vec![nobody])),
        ErrorKind::ConnectRefused,
    );
}

/// A listener whose queue is full: the kernel drops every SYN. Kept alive with those in the queue.
struct BlackHole {
    address: SocketAddr,
    _listener: Socket,
    _queue: Vec<TcpStream>,
}

impl BlackHole {
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener
            .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .expect("a port");
        listener.listen(0).expect("a listener");
        let address = listener
            .local_addr()
            .expect("an address")
            .as_socket()
            .expect("ip");
        let mut queue = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, millis(200)) {
            queue.push(stream);
            assert!(queue.len() < 100, "the queue never fills");
        }
        Self {
            address,
            _listener: listener,
            _queue: queue,
        }
    }
}

#[test]
fn row_02_black_hole() {
    let hole = BlackHole::new();
    let address = hole.address;
    nobody_is_reached(
        |config| {
            config.session.connect_timeout = millis(100);
            config.resolver = Resolver::new(move |_, _| Ok(vec![address]));
        },
        ErrorKind::ConnectTimeout,
    );
    // With another address behind it, it costs a head start and no message.
    let row = Row::first(Script::accepting);
    let (hole, server) = (hole.address, row.server.address());
    let sent = row.send(N, |config| {
        config.resolver = Resolver::new(move |_, _| Ok(vec![hole, server]));
    });
    assert_eq!(
        (sent.stats.accepted, sent.stats.requeued),
        (N as u64, 0),
        "{:?}",
        sent.stats
    );
}

#[test]
fn row_03_name_does_not_resolve() {
    let row = Row::first(Script::accepting);
    let client = client(&row.ca, "no-such-host.invalid", |_| {});
    let results = send(&client, &[&row.server], 100);
    let sent = Sent::new(client, results);
    assert_eq!(
        (sent.stats.not_sent + sent.stats.expired, sent.stats.unknown),
        (100, 0),
        "{:?}",
        sent.stats
    );
    assert!(
        sent.causes()
            .iter()
            .all(|cause| *cause == ErrorKind::NameNotResolved)
    );
    // For a while only: the failure is not remembered.
    let address = row.server.address();
    let asked = Mutex::new(0);
    let sent = row.send(N, |config| {
        config.resolver = Resolver::new(move |_, _| {
            let mut asked = asked.lock().expect("a lock");
            *asked += 1;
            match *asked {
                1 | 2 => Err(std::io::ErrorKind::TimedOut.into()),
                _ => Ok(vec![address]),
            }
        });
    });
    assert_eq!(sent.stats.accepted, N as u64, "{:?}", sent.stats);
}

/// 100 messages over two connections; the lookup for the second takes longer than messages wait for their
/// answers. How many were accepted before it was over.
fn a_slow_lookup(on_threads: bool) -> (Stats, u64) {
    let row = Row::new(|_| Script::new(|_, _| vec![Act::Wait(millis(20)), ok()]).streams(50));
    let address = row.server.address();
    let log = row.server.log();
    let (asked, before) = (Mutex::new(0), Arc::new(Mutex::new(0)));
    let (seen, counter) = (Arc::clone(&before), log.clone());
    let client = row.client(|config| {
        config.session.max_connections = 2;
        // Another connection is wanted as soon as the first is full.
        config.session.queue_wait_before_dial = Duration::ZERO;
        config.session.response_timeout = millis(1000);
        fixture::ping(config, millis(100), millis(1000));
        let resolver = Resolver::new(move |_, _| {
            let nth = {
                let mut asked = asked.lock().expect("a lock");
                *asked += 1;
                *asked
            };
            if nth > 1 {
                std::thread::sleep(millis(1500));
                *seen.lock().expect("a lock") = counter.total_processed();
            }
            Ok(vec![address])
        });
        config.resolver = match on_threads {
            true => resolver.on_threads(),
            false => resolver.blocking(),
        };
    });
    let mut all = messages(0..100).map(|(_, message)| message);
    let first = all.next().expect("a message");
    assert!(client.send(&first).expect("an answer").is_accepted());
    assert_eq!(client.send_many(all).count(), 99);
    let stats = client.stats();
    assert!(stats.is_balanced());
    assert_eq!(log.total_processed(), 100);
    // A lookup that nobody waits for any more ends by itself.
    eventually(|| *before.lock().expect("a lock") > 0, "the end of the lookup");
    let before = *before.lock().expect("a lock");
    (stats, before)
}

/// A lookup blocks the thread that drives the client: what is ready to go leaves before it, what has
/// arrived meanwhile counts, and nobody is given up for it.
#[test]
fn row_03_a_slow_lookup_costs_time_and_no_message() {
    let (stats, before) = a_slow_lookup(false);
    assert_eq!((stats.accepted, stats.unknown), (100, 0), "{stats:?}");
    assert!(before < 100, "it held up the rest");
}

/// With a thread for it, it holds up nobody.
#[test]
fn row_03_a_slow_lookup_on_a_thread_costs_nothing() {
    let (stats, before) = a_slow_lookup(true);
    assert_eq!((stats.accepted, stats.unknown), (100, 0), "{stats:?}");
    assert_eq!(before, 100, "all were accepted before it was over");
}

/// On threads, the rest is as ever: failures are told, time-outs end the wait, and what was refused by
/// then is not connected to.
#[test]
fn row_03_lookups_on_threads() {
    let row = Row::first(Script::accepting);
    let address = row.server.address();
    let good = row.send(N, |config| {
        config.resolver = Resolver::new(move |_, _| Ok(vec![address])).on_threads();
    });
    assert_eq!(good.stats.accepted, N as u64, "{:?}", good.stats);
    nobody_is_reached(
        |config| {
            config.resolver = Resolver::new(|_, _| Err(std::io::ErrorKind::NotFound.into())).on_threads()
        },
        ErrorKind::NameNotResolved,
    );
    nobody_is_reached(
        |config| {
            config.session.connect_timeout = millis(100);
            let never = Resolver::new(|_, _| {
                std::thread::sleep(millis(600));
                Err(std::io::ErrorKind::NotFound.into())
            });
            config.resolver = never.on_threads();
        },
        ErrorKind::ConnectTimeout,
    );
}

/// The name moves to another address: the next connection goes there, the old one drains.
#[test]
fn row_04_address_changes_between_connections() {
    let ca = Authority::new();
    let config = ca.server(H2, |_| {});
    let leaving = || {
        Script::new(|seen, _| match seen.nth {
            300 => vec![ok(), Act::GoAway(Last::Max, 0, Vec::new())],
            _ => vec![ok()],
        })
    };
    let first = start(Arc::clone(&config), move |_| leaving());
    let second = Server::start_at([127, 0, 0, 2], 2, Some(config), |_| Script::accepting());
    let addresses = [first.address(), second.address()];
    let asked = Mutex::new(0);
    let client = client(&ca, "localhost:1", |config| {
        config.resolver = Resolver::new(move |_, _| {
            let mut asked = asked.lock().expect("a lock");
            *asked += 1;
            Ok(vec![addresses[(*asked - 1).min(1)]])
        });
    });
    let results = send(&client, &[&first, &second], N);
    let sent = Sent::new(client, results);
    assert_eq!(
        (sent.stats.accepted, sent.stats.unknown),
        (N as u64, 0),
        "{:?}",
        sent.stats
    );
    assert_eq!((first.log().connections(), second.log().connections()), (1, 1));
    assert_eq!(first.log().duplicates() + second.log().duplicates(), 0);
}

#[test]
fn row_05_first_of_several_addresses_is_dead() {
    let row = Row::first(Script::accepting);
    let (dead, alive) = (closed(), row.server.address());
    let sent = row.send(N, |config| {
        config.resolver = Resolver::new(move |_, _| Ok(vec![dead, alive]));
    });
    assert_eq!(
        (sent.stats.accepted, sent.stats.requeued),
        (N as u64, 0),
        "{:?}",
        sent.stats
    );
}
