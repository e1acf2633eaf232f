//! Names and addresses.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::{Error, ErrorKind, webpush};
use pushcore_client::{Client, Resolver};

use crate::world::{LONG, World};

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// An address where nobody listens.
fn closed() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

#[test]
fn a_dead_first_address_costs_no_attempt() {
    let world = World::new();
    let port = world.authority("/apns/authority").port();
    let dead = closed();
    let addresses = vec![dead, closed(), SocketAddr::from(([127, 0, 0, 1], port))];
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let client = world.apns(|config| {
        config.resolver = Resolver::new(move |_, _| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(addresses.clone())
        });
    });
    assert!(
        client
            .send(&world.alert("valid"))
            .expect("an answer")
            .is_accepted()
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(client.stats().requeued, 0);
}

#[test]
fn refused_everywhere_is_told_soon_and_clearly() {
    let world = World::new();
    let dead = closed();
    let client = world.apns(|config| {
        config.resolver = Resolver::new(move |_, _| Ok(vec![dead]));
        config.session.first_backoff = Duration::from_millis(20);
    });
    let started = Instant::now();
    let error = client.send(&world.alert("valid")).expect_err("nobody is there");
    assert!(started.elapsed() < LONG);
    assert_eq!(error.kind(), ErrorKind::NotSent, "{error}");
    assert_eq!(
        error.cause().map(Error::kind),
        Some(ErrorKind::ConnectRefused),
        "{error}"
    );
    assert!(error.to_string().contains(&dead.to_string()), "{error}");
}

#[test]
fn a_name_that_does_not_resolve() {
    let world = World::new();
    let client = world.apns(|config| {
        config.resolver = Resolver::new(|_, _| Err(std::io::ErrorKind::NotFound.into()));
        config.session.first_backoff = Duration::from_millis(20);
    });
    let error = client.send(&world.alert("valid")).expect_err("no address");
    assert_eq!(
        error.cause().map(Error::kind),
        Some(ErrorKind::NameNotResolved),
        "{error}"
    );
}

/// The answer of a thread is acted on when it comes, not when something else happens.
#[test]
fn a_lookup_on_a_thread_wakes_its_client() {
    let world = World::new();
    let authority = world.authority("/apns/authority");
    let target = address(&format!("127.0.0.1:{}", authority.port()));
    let named = Authority::new("localhost", authority.port()).expect("an authority");
    let client = world.apns_at(named, |config| {
        config.session.connect_timeout = LONG;
        let slow = move |_: &str, _| {
            // Long enough for the client to be waiting by then.
            std::thread::sleep(Duration::from_millis(200));
            Ok(vec![target])
        };
        config.resolver = Resolver::new(slow).on_threads();
    });
    let started = Instant::now();
    let outcome = client.send(&world.alert("valid")).expect("an answer");
    assert!(outcome.is_accepted(), "{outcome:?}");
    assert!(started.elapsed() < LONG / 3, "{:?}", started.elapsed());
}

/// Endpoints chosen by others: a public name that leads inside is refused before a byte is sent,
/// however many there are, and whatever the name led to the time before.
#[test]
fn a_public_name_with_a_private_address_gets_nothing() {
    private_addresses_are_refused(|resolver| resolver);
}

/// The policy has the last word on a thread's answer, too.
#[test]
fn a_public_name_with_a_private_address_gets_nothing_from_a_thread() {
    private_addresses_are_refused(Resolver::on_threads);
}

fn private_addresses_are_refused(finish: fn(Resolver) -> Resolver) {
    let world = World::new();
    let inside = TcpListener::bind("127.0.0.1:0").expect("a port");
    inside.set_nonblocking(true).expect("a listener");
    let target = inside.local_addr().expect("an address");
    let key = Es256Key::read(&world.file("/webpush/vapid/pem_file")).expect("a key");
    let credentials =
        webpush::Credentials::with_any_subject(key, &world.text("/webpush/vapid/subject")).expect("vapid");
    let policy = Arc::new(webpush::EndpointPolicy::default().allow_any_public_host());
    let mut config = world.config();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    config.resolver = finish(Resolver::new(move |_, _| {
        // Every other time there is a public one before it.
        let mut addresses = vec![target];
        if counter.fetch_add(1, Ordering::SeqCst) % 2 == 0 {
            addresses.insert(0, address("8.8.8.8:443"));
        }
        Ok(addresses)
    }));
    let client =
        Client::new(webpush::Service::new(credentials, Arc::clone(&policy)), config).expect("a client");
    let json = world
        .ready
        .pointer("/webpush/subscriptions/active")
        .expect("a subscription");
    let messages = (0..1000).map(|n| {
        let mut json = json.clone();
        json["endpoint"] = format!("https://push{n}.example.com/secret").into();
        let subscription =
            webpush::Subscription::parse(json.to_string().as_bytes(), &policy).expect("a public name");
        webpush::Message::builder(subscription)
            .payload("x")
            .build()
            .expect("a message")
    });
    let mut refused = 0;
    for (_, result) in client.send_many(messages) {
        let error = result.expect_err("not allowed");
        assert_eq!(error.kind(), ErrorKind::NotSent, "{error}");
        assert_eq!(
            error.cause().map(Error::kind),
            Some(ErrorKind::AddressNotAllowed),
            "{error}"
        );
        refused += 1;
    }
    assert_eq!((refused, asked.load(Ordering::SeqCst)), (1000, 1000));
    assert!(inside.accept().is_err(), "somebody connected");
}
