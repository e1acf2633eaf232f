//! Real nginx in front: a server that ends each connection after so many requests, as every load balancer
//! does sooner or later.

use std::collections::HashSet;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::{fixture, log};

/// Where packages put nginx, which is not on every user's path.
const PATHS: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/bin/nginx"];

/// A running nginx; stops when dropped.
struct Nginx {
    process: Child,
    directory: PathBuf,
    port: u16,
    authority: Authority,
}

impl Nginx {
    /// Answers every request, and ends each connection after `keepalive_requests` of them. `None` where
    /// nginx is not installed: on a developer's machine that is said and passed over, in CI it fails.
    fn start(keepalive_requests: u32) -> Self {
        let Some(binary) = PATHS.iter().find(|path| Path::new(path).exists()) else {
            panic!("nginx is not installed (apt-get install nginx-light)");
        };
        let directory = std::env::temp_dir().join(format!(
            "pushcore-nginx-{}-{keepalive_requests}",
            std::process::id()
        ));
        fs::create_dir_all(&directory).expect("a directory");
        let authority = Authority::new();
        let issued = authority.server_files();
        let write = |name: &str, text: &str| fs::write(directory.join(name), text).expect("a file");
        write("cert.pem", &issued.certificate);
        write("key.pem", &issued.key);
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let at = directory.display();
        write(
            "nginx.conf",
            &format!(
                "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log;
                 events {{ worker_connections 512; }}
                 http {{
                   log_format path '$request_uri'; access_log {at}/access.log path;
                   client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;
                   uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
                   server {{
                     listen 127.0.0.1:{port} ssl http2;
                     ssl_certificate {at}/cert.pem; ssl_certificate_key {at}/key.pem;
                     keepalive_requests {keepalive_requests};
                     location / {{ return 200; }}
                   }}
                 }}"
            ),
        );
        let process = Command::new(binary)
            .args(["-p", &at.to_string(), "-c", &format!("{at}/nginx.conf")])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let nginx = Self {
            process,
            directory,
            port,
            authority,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "nginx does not listen: {}",
                fs::read_to_string(nginx.directory.join("error.log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        nginx
    }

    /// The messages that nginx has answered, in its order.
    fn answered(&self) -> Vec<usize> {
        let text = fs::read_to_string(self.directory.join("access.log")).expect("a log");
        text.lines().filter_map(log::number_of).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// All pushes are accepted, each once, whatever a connection is good for; over one connection at a time in the
/// order in which they were submitted.
#[test]
fn connections_that_end_after_some_requests_cost_no_push() {
    for (keepalive_requests, count) in [(50, 1000), (10, 1000), (1, 200)] {
        let nginx = Nginx::start(keepalive_requests);
        let host = format!("localhost:{}", nginx.port);
        let client = fixture::client(&nginx.authority, &host, |_| {});
        let start = Instant::now();
        let mut ends: Vec<(usize, String)> = Vec::new();
        for ((number, _), result) in client.send_many(fixture::messages(64, 0..count)) {
            if !result.as_ref().is_ok_and(|outcome| outcome.is_accepted()) {
                ends.push((number, format!("{result:?}")));
            }
        }
        let stats = client.stats();
        println!(
            "keepalive_requests {keepalive_requests}: {} of {count} accepted in {:?}, {} requeued",
            stats.accepted,
            start.elapsed(),
            stats.requeued
        );
        assert!(
            ends.is_empty(),
            "{keepalive_requests}: {} ends, {:?}",
            ends.len(),
            ends.first()
        );
        let answered = nginx.answered();
        assert_eq!(answered.len(), count, "each once");
        assert_eq!(answered.iter().collect::<HashSet<_>>().len(), count);
        let late = answered.windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert_eq!(late, 0, "{keepalive_requests}: out of order");
    }
}
