//! Over real sockets, against servers of other people: `openssl s_server` and `nghttpd`.

use std::io::{ErrorKind as IoErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pushcore::Now;
use pushcore::http::{Authority, Body, Method, Request};
use pushcore::net::{Connection, ConnectionConfig, HttpVersion, Protocols};

use crate::certificates;
use crate::pair::{START, client_config, client_tls, events};

/// Longer than anything here takes; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server process, its certificate, and its port. Stopped at the end.
struct Server {
    child: Child,
    folder: PathBuf,
    authority: Authority,
    ca: certificates::Authority,
}

impl Server {
    /// `arguments` gets the port and the files of key and certificate.
    fn start(program: &str, arguments: impl Fn(u16, &str, &str) -> Vec<String>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("pushcore-sockets-{}-{id}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let ca = certificates::Authority::new();
        let issued = ca.server();
        let (key, certificate) = (folder.join("key.pem"), folder.join("cert.pem"));
        std::fs::write(&key, &issued.key_pem).unwrap();
        std::fs::write(&certificate, &issued.certificate_pem).unwrap();
        std::fs::write(folder.join("index.html"), "hello from a file\n").unwrap();
        // A port that was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new(program)
            .args(arguments(
                port,
                key.to_str().unwrap(),
                certificate.to_str().unwrap(),
            ))
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("this test needs the program {program}: {error}"));
        let authority = Authority::new("127.0.0.1", port).unwrap();
        Self {
            child,
            folder,
            authority,
            ca,
        }
    }

    fn connect(&self) -> TcpStream {
        let begin = Instant::now();
        loop {
            match TcpStream::connect((self.authority.host(), self.authority.port())) {
                Ok(socket) => return socket,
                Err(error) => assert!(begin.elapsed() < PATIENCE, "server does not listen: {error}"),
            }
            std::thread::yield_now();
        }
    }

    fn client(&self, protocols: Protocols) -> Driver {
        let config = client_config(client_tls(&self.ca), protocols);
        Driver::new(&config, &self.authority, self.connect())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The smallest blocking run loop.
struct Driver {
    connection: Connection,
    socket: TcpStream,
    begin: Instant,
    log: Vec<String>,
}

impl Driver {
    fn new(config: &Arc<ConnectionConfig>, authority: &Authority, socket: TcpStream) -> Self {
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            connection: Connection::new(config, authority, START).unwrap(),
            socket,
            begin: Instant::now(),
            log: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        START.after(self.begin.elapsed())
    }

    /// Until `enough` is true of the connection, or it has closed.
    fn run(&mut self, enough: impl Fn(&Connection, &[String]) -> bool) {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            loop {
                let shown = self.connection.transmit();
                if shown.is_empty() {
                    break;
                }
                match self.socket.write(shown) {
                    Ok(n) => self.connection.transmitted(n),
                    Err(_) => {
                        // The server has gone; what it said before can still be read.
                        let len = shown.len();
                        self.connection.transmitted(len);
                    }
                }
            }
            self.log.extend(events(&mut self.connection));
            if self.connection.is_closed() || enough(&self.connection, &self.log) {
                return;
            }
            match self.socket.read(&mut buffer) {
                Ok(0) => self.connection.receive_eof(self.now()),
                Ok(n) => {
                    let now = self.now();
                    self.connection.receive(&buffer[..n], now);
                }
                Err(error) if error.kind() == IoErrorKind::Interrupted => {}
                Err(error) if error.kind() == IoErrorKind::ConnectionReset => {
                    self.connection.receive_eof(self.now());
                }
                Err(error) => panic!("{error}; {:?}", self.log),
            }
        }
    }
}

fn get(authority: &Authority, path: &str) -> Request {
    let mut request = Request::new();
    request.method = Method::Get;
    request.authority = Some(authority.clone());
    request.path.push_str(path);
    request.body = Body::Empty;
    request
}

#[test]
fn nghttpd_answers_over_tls() {
    let server = Server::start("nghttpd", |port, key, certificate| {
        vec![
            "-a".into(),
            "127.0.0.1".into(),
            port.to_string(),
            key.into(),
            certificate.into(),
        ]
    });
    let mut driver = server.client(Protocols::Http2Only);
    driver.run(|connection, _| connection.is_ready());
    assert_eq!(driver.connection.protocol(), Some(HttpVersion::Http2));
    let mut sent = 0;
    while sent < 300 {
        while sent < 300 && driver.connection.capacity() > 0 {
            let path = if sent % 3 == 0 { "/missing" } else { "/index.html" };
            driver
                .connection
                .send(&get(&server.authority, path), driver.now())
                .unwrap();
            sent += 1;
        }
        driver.run(|connection, _| connection.in_flight() == 0);
        assert!(!driver.connection.is_closed(), "{:?}", driver.log);
    }
    let count = |text: &str| driver.log.iter().filter(|line| line.starts_with(text)).count();
    assert_eq!(
        (count("200 hello from a file"), count("404 ")),
        (200, 100),
        "{:?}",
        driver.log
    );
    let now = driver.now();
    assert!(driver.connection.ping(now));
    driver.run(|_, log| log.iter().any(|line| line.starts_with("RoundTrip")));
    driver.connection.close(driver.now());
    driver.run(|_, _| false);
    assert_eq!(driver.log.last().map(String::as_str), Some("closed Local"));
}

fn s_server(more: &'static [&'static str]) -> Server {
    Server::start("openssl", |port, key, certificate| {
        let mut arguments: Vec<String> = ["s_server", "-quiet", "-accept"].map(str::to_owned).into();
        arguments.push(format!("127.0.0.1:{port}"));
        arguments.extend(["-key".into(), key.into(), "-cert".into(), certificate.into()]);
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        arguments
    })
}

#[test]
fn openssl_serves_a_file_over_http1() {
    // -WWW answers in HTTP/1.0 with a body that runs to the end.
    for more in [
        &["-WWW", "-tls1_2"][..],
        &["-WWW", "-tls1_3"],
        &["-WWW", "-alpn", "http/1.1"],
    ] {
        let server = s_server(more);
        let mut driver = server.client(Protocols::Http2OrHttp1);
        driver.run(|connection, _| connection.is_ready());
        driver
            .connection
            .send(&get(&server.authority, "/index.html"), driver.now())
            .unwrap();
        driver.run(|_, _| false);
        assert_eq!(
            driver.log,
            ["Ready", "200 hello from a file\n", "closed Remote"],
            "{more:?}"
        );
    }
}

#[test]
fn row_11_tls_1_1_over_a_socket() {
    let server = s_server(&["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    let mut driver = server.client(Protocols::Http2Only);
    driver.run(|_, _| false);
    let [only] = &driver.log[..] else {
        panic!("{:?}", driver.log)
    };
    assert!(
        only.starts_with("closed TlsIncompatible: server speaks neither tls 1.2 nor tls 1.3"),
        "{only}"
    );
}

#[test]
fn row_12_alpn_over_a_socket() {
    for more in [&[][..], &["-alpn", "http/1.1"]] {
        let server = s_server(more);
        let mut driver = server.client(Protocols::Http2Only);
        driver.run(|_, _| false);
        let [only] = &driver.log[..] else {
            panic!("{:?}", driver.log)
        };
        assert!(only.starts_with("closed NoApplicationProtocol"), "{only}");
    }
}

#[test]
fn row_13_a_client_certificate_is_wanted_over_a_socket() {
    for (more, kind) in [
        (
            &["-Verify", "1", "-tls1_3", "-alpn", "h2", "-verify_return_error"][..],
            "closed TlsAlert",
        ),
        (
            &["-Verify", "1", "-tls1_2", "-alpn", "h2", "-verify_return_error"],
            "closed TlsIncompatible",
        ),
    ] {
        let server = s_server(more);
        let mut driver = server.client(Protocols::Http2Only);
        driver.run(|_, _| false);
        let [only] = &driver.log[..] else {
            panic!("{:?}", driver.log)
        };
        assert!(
            only.starts_with(kind) && only.contains("client certificate"),
            "{only}"
        );
    }
}

#[test]
fn rows_8_and_9_over_a_socket() {
    let server = s_server(&["-alpn", "h2"]);
    // Another CA.
    let config = client_config(
        client_tls(&certificates::Authority::named("Another CA")),
        Protocols::Http2Only,
    );
    let mut driver = Driver::new(&config, &server.authority, server.connect());
    driver.run(|_, _| false);
    assert!(
        driver.log[0].starts_with("closed CertificateUnknownIssuer"),
        "{:?}",
        driver.log
    );
    // Another name on the same server.
    let config = client_config(client_tls(&server.ca), Protocols::Http2Only);
    let other = Authority::new("localhost", server.authority.port()).unwrap();
    let mut driver = Driver::new(&config, &other, server.connect());
    driver.run(|_, _| false);
    assert!(
        driver.log[0].starts_with("closed CertificateWrongName"),
        "{:?}",
        driver.log
    );
}

#[test]
fn row_14_a_listener_that_hangs_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = Authority::new("127.0.0.1", listener.local_addr().unwrap().port()).unwrap();
    let config = client_config(client_tls(&certificates::Authority::new()), Protocols::Http2Only);
    for answer in [&b""[..], &[22, 3, 3, 0, 80, 2, 0, 0, 76, 3, 3]] {
        let socket = TcpStream::connect((authority.host(), authority.port())).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let mut driver = Driver::new(&config, &authority, socket);
        driver.connection.transmit();
        peer.write_all(answer).unwrap();
        drop(peer);
        driver.run(|_, _| false);
        let [only] = &driver.log[..] else {
            panic!("{:?}", driver.log)
        };
        assert!(only.starts_with("closed ConnectionLost"), "{only}");
    }
}
