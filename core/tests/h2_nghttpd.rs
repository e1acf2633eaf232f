//! The engine against nghttp2's server over a real socket. They need the program `nghttpd` (Debian: nghttp2-server).

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use h2_support::*;
use pushcore::http::{Body, HeaderBlock, Headers, Indexing, Request};
use pushcore::net::Event;
use pushcore::net::h2::Config;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> (Server, TcpStream) {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let child = Command::new("nghttpd")
        .args(["--no-tls", "--address=127.0.0.1"])
        .args(arguments)
        .arg(port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut server = Server(child.expect("this test needs the program nghttpd (Debian: nghttp2-server)"));
    loop {
        assert!(server.0.try_wait().unwrap().is_none(), "nghttpd ended by itself");
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                return (server, stream);
            }
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Sends `count` requests and returns the answers in the order of the requests.
fn exchange(
    stream: &mut TcpStream,
    config: Config,
    count: usize,
    mut request: impl FnMut(usize) -> Request,
) -> Vec<String> {
    let mut connection = connection(config, at(0));
    let (mut sent, mut answers) = (0, Vec::new());
    let mut buffer = [0; 32 * 1024];
    loop {
        while sent < count && connection.capacity() > 0 {
            connection.send(&request(sent), at(0)).unwrap();
            sent += 1;
        }
        let out = connection.transmit();
        stream.write_all(out).unwrap();
        let written = out.len();
        connection.transmitted(written);
        if answers.len() == count {
            break;
        }
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "closed after {} answers", answers.len());
        connection.receive(&buffer[..read], at(0));
        while let Some(event) = connection.poll_event() {
            match &event {
                Event::Response { id, .. } => answers.push((*id, describe(&event))),
                Event::Failed { .. } | Event::Closed(_) => panic!("{}", describe(&event)),
                _ => {}
            }
        }
    }
    connection.close(at(0));
    stream.write_all(connection.transmit()).unwrap();
    while let Some(event) = connection.poll_event() {
        assert_eq!(describe(&event), "closed Local");
    }
    answers.sort();
    answers.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn bodies_are_echoed_through_small_windows_and_tables() {
    for arguments in [
        &["--echo-upload"][..],
        &["--echo-upload", "--max-concurrent-streams=3", "--window-bits=10"],
        &["--echo-upload", "--header-table-size=0"],
        &["--echo-upload", "--header-table-size=100", "--padding=50"],
        &[
            "--echo-upload",
            "--trailer=x-trailer: yes",
            "--connection-window-bits=16",
        ],
    ] {
        let (_server, mut stream) = start(arguments);
        let mut common = Headers::new();
        common
            .push("apns-topic", "com.example.app", Indexing::Incremental)
            .unwrap();
        common
            .push_sensitive("authorization", &"a".repeat(180), Indexing::Incremental)
            .unwrap();
        let common = HeaderBlock::new(common);
        let answers = exchange(&mut stream, Config::default(), 500, |n| {
            let mut request = request(format!("{n}:{}", "b".repeat(n * 53 % 9000)).as_bytes());
            request.common = Some(common.clone());
            request
                .headers
                .push("apns-id", &format!("{n:036}"), Indexing::Without)
                .unwrap();
            request
        });
        for (n, line) in answers.iter().enumerate() {
            assert!(
                line.starts_with(&format!("response {} 200 ", 2 * n + 1)),
                "{line}"
            );
            let body = format!(" \"{n}:{}\"", "b".repeat(n * 53 % 9000));
            assert!(line.ends_with(&body), "{arguments:?} {n}: {} octets", line.len());
        }
    }
}

#[test]
fn errors_have_their_status_and_body() {
    let (_server, mut stream) = start(&["--htdocs=/nonexistent"]);
    let answers = exchange(&mut stream, Config::default(), 200, |_| {
        let mut request = request(b"");
        request.method = pushcore::http::Method::Get;
        request.body = Body::Empty;
        request
    });
    for line in &answers {
        assert!(line.contains(" 404 ") && line.contains("404"), "{line}");
    }
}
