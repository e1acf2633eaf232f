//! Proxies, and what they do wrong.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pushcore::apns::Environment;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::{Error, ErrorKind};
use pushcore_client::{Client, ClientConfig, Proxy, Resolver};
use pushcore_tests::sim::certificates::Authority as Ca;
use pushcore_tests::sim::{Act, Script, Server, fixture};

use crate::world::World;

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
        .args(["--exact", "proxies::a_proxy_from_the_environment", "--nocapture"])
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

/// A client that goes through this proxy to a host that has no address of its own.
fn behind(ca: &Ca, url: &str, change: impl FnOnce(&mut ClientConfig)) -> Client {
    let port = url.rsplit(':').next().expect("a port").parse().expect("a number");
    fixture::client(ca, "api.sandbox.push.apple.com:443", |config| {
        config.proxy = Some(Proxy::parse(url).expect("a proxy"));
        config.resolver = Resolver::new(move |host, asked| {
            assert_eq!(
                (host, asked),
                ("proxy.local", port),
                "the proxy resolves the rest"
            );
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
        });
        change(config);
    })
}

/// Everybody hears that nothing was sent, and why.
fn nobody_gets_through(url: &str, patience: Duration, cause: ErrorKind, words: &str) {
    let client = behind(&Ca::new(), url, |config| {
        config.session.connect_timeout = patience
    });
    let results: Vec<_> = client.send_many(fixture::messages(64, 0..100)).collect();
    let stats = client.stats();
    assert!(stats.is_balanced());
    assert_eq!((stats.not_sent, stats.ended()), (100, 100), "{stats:?}");
    for (_, result) in results {
        let error = result.expect_err("no tunnel");
        assert_eq!(error.cause().map(Error::kind), Some(cause), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_proxy_that_is_not_there() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    for scheme in ["http", "socks5"] {
        let url = format!("{scheme}://proxy.local:{port}");
        nobody_gets_through(&url, LONG, ErrorKind::ProxyRefused, "refused");
    }
}

#[test]
fn a_proxy_that_says_nothing() {
    let silent = proxy(|stream| {
        // Held until the client lets go.
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.read(&mut [0; 1024]);
        None
    });
    for scheme in ["http", "socks5"] {
        let url = format!("{scheme}://proxy.local:{}", silent.address.port());
        let patience = Duration::from_millis(200);
        nobody_gets_through(&url, patience, ErrorKind::ConnectTimeout, "in time");
    }
}

/// Each answer is no tunnel, and says so in its own way.
#[test]
fn a_proxy_that_answers_something_else() {
    let long = "X-Filler: 0123456789\r\n".repeat(1000);
    for (scheme, answer, words) in [
        ("http", b"".to_vec(), "closed the connection"),
        ("http", b"HTTP/1.1 200 O".to_vec(), "closed the connection"),
        ("http", b"HTTP/1.1 502 Bad Gateway\r\n\r\n".to_vec(), "502"),
        (
            "http",
            b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec(),
            "does not answer in http",
        ),
        (
            "http",
            format!("HTTP/1.1 200 OK\r\n{long}").into_bytes(),
            "too long",
        ),
        ("socks5", b"".to_vec(), "closed the connection"),
        (
            "socks5",
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            "does not speak socks5",
        ),
        ("socks5", vec![5, 0xff], "wants a login"),
        ("socks5", vec![5, 2], "wants a login"),
        (
            "socks5",
            vec![5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0],
            "not allowed by its rules",
        ),
        (
            "socks5",
            vec![5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0],
            "connection refused",
        ),
        (
            "socks5",
            vec![5, 0, 5, 0, 0, 9, 0, 0, 0, 0, 0, 0],
            "does not speak socks5",
        ),
    ] {
        let server = proxy(move |stream| {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(&answer);
            let _ = stream.shutdown(Shutdown::Write);
            // What the client still says is read, so that closing is no reset.
            let _ = stream.read_to_end(&mut Vec::new());
            None
        });
        let url = format!("{scheme}://proxy.local:{}", server.address.port());
        nobody_gets_through(&url, LONG, ErrorKind::ProxyRefused, words);
    }
}

/// The tunnel ends with fifty in flight: they are in doubt, and the rest goes through another one.
#[test]
fn a_tunnel_that_ends() {
    let ca = Ca::new();
    let server = Server::start(1, Some(ca.server(&["h2"], |_| {})), |nth| {
        if nth > 1 {
            return Script::accepting();
        }
        Script::new(|seen, _| match seen.nth {
            50 => vec![Act::Abort],
            _ => Vec::new(),
        })
        .streams(50)
    });
    let port = server.address().port();
    let tunnel = proxy(move |stream| {
        let head = connect_head(stream);
        assert!(
            head.starts_with("CONNECT api.sandbox.push.apple.com:443 HTTP/1.1\r\n"),
            "{head}"
        );
        // The answer dribbles.
        for octet in b"HTTP/1.1 200 Connection established\r\n\r\n" {
            stream.write_all(&[*octet]).expect("a client");
        }
        Some(port)
    });
    let url = format!("http://proxy.local:{}", tunnel.address.port());
    let client = behind(&ca, &url, |_| {});
    let results: Vec<_> = client.send_many(fixture::messages(64, 0..500)).collect();
    let stats = client.stats();
    assert!(stats.is_balanced());
    assert_eq!(
        (results.len(), stats.unknown, stats.accepted),
        (500, 50, 450),
        "{stats:?}"
    );
    assert_eq!(server.log().duplicates(), 0);
    assert_eq!(tunnel.tunnels.load(Ordering::SeqCst), 2);
}

/// Behind the proxy's answer, in the same segment, comes what the server says first: its SETTINGS.
#[test]
fn what_comes_with_the_proxys_answer_counts() {
    let server = Server::start(1, None, |_| Script::accepting());
    let far = server.address();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let near = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        connect_head(&mut client);
        let mut server = TcpStream::connect(far).expect("the server");
        // The greeting is one frame: nine octets and what they announce.
        let head = read(&mut server, 9);
        let rest = read(&mut server, usize::from(head[2]));
        let answer = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &head, &rest].concat();
        client.write_all(&answer).expect("a client");
        let (mut client_too, mut server_too) = (
            client.try_clone().expect("a clone"),
            server.try_clone().expect("a clone"),
        );
        std::thread::spawn(move || std::io::copy(&mut client_too, &mut server_too));
        let _ = std::io::copy(&mut server, &mut client);
    });
    let mut config = ClientConfig::new();
    config.security = Some(Security::Cleartext);
    config.proxy = Some(Proxy::parse(&format!("http://{near}")).expect("a proxy"));
    config.session.deadline = Duration::from_secs(5);
    let hosts = Environment::Sandbox.hosts();
    let client = Client::new(
        pushcore::apns::Service::new(fixture::credentials(), hosts),
        config,
    )
    .expect("a client");
    let outcome = client.send(&fixture::message(10)).expect("an answer");
    assert!(outcome.is_accepted(), "{outcome:?}");
    assert_eq!(server.log().violations(), Vec::<String>::new());
}
