//! Names, addresses and proxies.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::{Error, ErrorKind, webpush};
use pushcore_client::{Client, Proxy, Resolver};

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
fn a_dead_first_address_costs_nothing() {
    let world = World::new();
    let port = world.authority("/apns/authority").port();
    let dead = closed();
    // The second is in a network for documentation: at best it is refused, at worst silent.
    let addresses = vec![
        dead,
        address("192.0.2.1:9"),
        SocketAddr::from(([127, 0, 0, 1], port)),
    ];
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

/// Endpoints chosen by others: a public name that leads inside is refused before a byte is sent,
/// however many there are, and whatever the name led to the time before.
#[test]
fn a_public_name_with_a_private_address_gets_nothing() {
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
    config.resolver = Resolver::new(move |_, _| {
        // Every other time there is a public one before it.
        let mut addresses = vec![target];
        if counter.fetch_add(1, Ordering::SeqCst) % 2 == 0 {
            addresses.insert(0, address("8.8.8.8:443"));
        }
        Ok(addresses)
    });
    let client = Client::web_push(credentials, Arc::clone(&policy), config).expect("a client");
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

/// What a proxy was asked, and how many tunnels it made.
struct ProxyServer {
    address: SocketAddr,
    tunnels: Arc<AtomicUsize>,
}

fn read(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).expect("bytes from the client");
    bytes
}

/// A proxy that talks to each client as `greet` does, which names the port to connect to.
fn proxy(greet: impl Fn(&mut TcpStream) -> Option<u16> + Send + 'static) -> ProxyServer {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let tunnels = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&tunnels);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut near) = stream else { return };
            let Some(port) = greet(&mut near) else { continue };
            counter.fetch_add(1, Ordering::SeqCst);
            let mut far = TcpStream::connect(("127.0.0.1", port)).expect("the sandbox");
            let (mut near_too, mut far_too) = (
                near.try_clone().expect("a clone"),
                far.try_clone().expect("a clone"),
            );
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut near_too, &mut far_too);
                let _ = far_too.shutdown(Shutdown::Write);
            });
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut far, &mut near);
                let _ = near.shutdown(Shutdown::Write);
            });
        }
    });
    ProxyServer { address, tunnels }
}

/// Reads the head of a CONNECT request.
fn connect_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(read(stream, 1));
    }
    String::from_utf8(head).expect("text")
}

fn http_proxy(answer: &'static str) -> ProxyServer {
    proxy(move |stream| {
        let head = connect_head(stream);
        let allowed = head.contains("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n");
        if !allowed {
            let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
            return None;
        }
        stream.write_all(answer.as_bytes()).expect("a client");
        let port = head.split([' ', ':']).nth(2)?;
        answer.contains(" 200 ").then(|| port.parse().expect("a port"))
    })
}

#[test]
fn http_connect_with_a_login() {
    let world = World::new();
    let proxy = http_proxy("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
    let url = format!("http://user:pass@{}", proxy.address);
    let client = world.apns(|config| config.proxy = Some(Proxy::parse(&url).expect("a proxy")));
    assert!(
        client
            .send(&world.alert("valid"))
            .expect("an answer")
            .is_accepted()
    );
    assert_eq!(proxy.tunnels.load(Ordering::SeqCst), 1);
}

#[test]
fn a_proxy_that_refuses_is_named() {
    let world = World::new();
    for (login, answer, word) in [
        ("", "HTTP/1.1 200 OK\r\n\r\n", "407"),
        ("user:pass@", "HTTP/1.1 403 Forbidden\r\n\r\n", "403"),
    ] {
        let proxy = http_proxy(answer);
        let url = format!("http://{login}{}", proxy.address);
        let client = world.apns(|config| {
            config.proxy = Some(Proxy::parse(&url).expect("a proxy"));
            config.session.first_backoff = Duration::from_millis(20);
        });
        let error = client.send(&world.alert("valid")).expect_err("no tunnel");
        assert_eq!(error.kind(), ErrorKind::NotSent, "{error}");
        assert_eq!(
            error.cause().map(Error::kind),
            Some(ErrorKind::ProxyRefused),
            "{error}"
        );
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(proxy.tunnels.load(Ordering::SeqCst), 0);
    }
    assert!(world.sandbox.log().is_empty());
}

#[test]
fn socks5_with_a_login() {
    let world = World::new();
    let proxy = proxy(|stream| {
        let methods = read(stream, 2);
        assert!(read(stream, methods[1].into()).contains(&2));
        stream.write_all(&[5, 2]).expect("a client");
        let length = read(stream, 2)[1];
        assert_eq!(read(stream, length.into()), b"user");
        let length = read(stream, 1)[0];
        assert_eq!(read(stream, length.into()), b"pass");
        stream.write_all(&[1, 0]).expect("a client");
        let request = read(stream, 5);
        assert_eq!(request[..4], [5, 1, 0, 3], "by name: the proxy resolves");
        read(stream, request[4].into());
        let port = read(stream, 2);
        stream
            .write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])
            .expect("a client");
        Some(u16::from_be_bytes([port[0], port[1]]))
    });
    let url = format!("socks5://user:pass@{}", proxy.address);
    let client = world.apns(|config| config.proxy = Some(Proxy::parse(&url).expect("a proxy")));
    assert!(
        client
            .send(&world.alert("valid"))
            .expect("an answer")
            .is_accepted()
    );
    assert_eq!(proxy.tunnels.load(Ordering::SeqCst), 1);
}

/// The environment is the process's: read in a process of its own.
#[test]
fn a_proxy_from_the_environment() {
    if std::env::var_os("PUSHCORE_TEST_CHILD").is_some() {
        let proxy = |host: &str| Proxy::from_environment(host).expect("readable");
        let found = proxy("api.push.apple.com").expect("a proxy");
        assert_eq!(
            found.authority(),
            &Authority::new("proxy.local", 3128).expect("an authority")
        );
        assert!(proxy("push.internal.example").is_none());
        println!("the child has seen it");
        return;
    }
    let child = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "network::a_proxy_from_the_environment", "--nocapture"])
        .env("PUSHCORE_TEST_CHILD", "1")
        .env_remove("https_proxy")
        .env_remove("no_proxy")
        .env("HTTPS_PROXY", "http://proxy.local:3128")
        .env("NO_PROXY", "localhost,.internal.example")
        .output()
        .expect("a child");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("the child has seen it"),
        "{said}"
    );
}
