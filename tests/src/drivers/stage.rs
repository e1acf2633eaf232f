//! Everything that a case needs, listening.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use serde_json::{Value, json};

use super::bounds::Bounds;
use super::case::Case;
use super::places::{BlackHole, Refused, listener};
use super::proxy::Proxy;
use super::script::{Times, script};
use crate::sim::Server;
use crate::sim::certificates::Authority;

/// How long a driver's `until` waits, where the machine is slow.
const LONG: Duration = Duration::from_secs(20);
/// How long transports may take to end after a client was closed.
const ENDING: Duration = Duration::from_secs(2);
const SERVICE_ACCOUNT: &str = include_str!("../../../core/tests/data/fcm_service_account.json");

/// The servers of a case and its files, until dropped.
#[derive(Debug)]
pub struct Stage {
    servers: Vec<Server>,
    proxy: Option<Proxy>,
    refused: Refused,
    hole: Option<BlackHole>,
    directory: PathBuf,
}

impl Stage {
    /// Starts what `case` needs.
    pub fn new(case: &Case) -> Self {
        let ca = Authority::new();
        let server = case.get("server").cloned().unwrap_or_else(|| json!({}));
        let tls = tls(&ca, &server);
        let times = Times::default();
        let conforming = !case.get("lenient").is_some_and(|value| value == true);
        let buffer = server.get("receive_buffer").and_then(Value::as_u64);
        let start = |address, key| {
            let scripts = case.get(key)?.as_array().expect("a list of scripts").clone();
            let times = Arc::clone(&times);
            let socket = listener(address, buffer.map(|size| size as usize));
            let server = Server::start_on(socket.into(), 1, tls.clone(), move |nth| {
                script(
                    &scripts[(nth as usize).min(scripts.len()) - 1],
                    &times,
                    conforming,
                )
            });
            server.log().record();
            Some(server)
        };
        let first = start([127, 0, 0, 1], "connections").expect("a server");
        let servers: Vec<Server> = [Some(first), start([127, 0, 0, 2], "second")]
            .into_iter()
            .flatten()
            .collect();
        let proxy = case
            .get("proxy")
            .map(|value| Proxy::start(value, servers[0].address()));
        let wants = |place: &str| {
            case.get("lookups")
                .is_some_and(|lookups| lookups.to_string().contains(place))
        };
        let directory = std::env::temp_dir().join(format!("pushcore-peer-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        let write = |name: &str, text: &str| fs::write(directory.join(name), text).expect("a file");
        write("ca.pem", &ca.pem());
        write("key.p8", &KeyPair::generate().expect("a key").serialize_pem());
        write("account.json", SERVICE_ACCOUNT);
        Self {
            servers,
            proxy,
            refused: Refused::new(),
            hole: wants("black_hole").then(BlackHole::new),
            directory,
        }
    }

    /// The line that a driver is told: where all is, and what to do.
    pub fn told(&self, case: &Case) -> Value {
        let file = |name: &str| {
            Path::to_str(&self.directory.join(name))
                .expect("a path in UTF-8")
                .to_owned()
        };
        let or = |key: &str, value: Value| case.get(key).cloned().unwrap_or(value);
        let port = self.servers[0].address().port();
        // With lookups the name matters, and the driver's resolver is asked for it.
        let name = if case.get("lookups").is_some() {
            "localhost"
        } else {
            "127.0.0.1"
        };
        json!({
            "case": case.name(),
            "service": or("service", json!("apns")),
            "host": format!("{name}:{port}"),
            "ca": file("ca.pem"),
            "key": file("key.p8"),
            "account": file("account.json"),
            "options": or("options", json!({})),
            "lookups": case.get("lookups").map(|lookups| self.lookups(lookups)),
            "proxy": self.proxy.as_ref().map(|proxy| proxy.url.clone()),
            "size": or("size", json!(64)),
            "early": or("early", json!(0)),
            "steps": case.get("steps").expect("steps"),
        })
    }

    fn lookups(&self, lookups: &Value) -> Value {
        let place = |place: &Value| -> SocketAddr {
            match place.as_str().expect("a place") {
                "server" => self.servers[0].address(),
                "second" => self.servers[1].address(),
                "refused" => self.refused.address,
                "black_hole" => self.hole.as_ref().expect("a black hole").address,
                other => other.parse().expect("an address"),
            }
        };
        let lookup = |lookup: &Value| {
            let mut told = lookup.clone();
            if let Some(places) = lookup["addresses"].as_array() {
                let addresses = places.iter().map(|each| place(each).to_string());
                told["addresses"] = addresses.collect::<Vec<_>>().into();
            }
            told
        };
        lookups.as_array().expect("a list").iter().map(lookup).collect()
    }

    /// Waits until the servers have seen what a driver asks for, such as `{"requests": 50}`; `false` when they never do.
    pub fn until(&self, wanted: &Value) -> bool {
        let wanted = wanted.as_object().expect("what to wait for");
        let start = Instant::now();
        loop {
            let seen = self.seen();
            if wanted
                .iter()
                .all(|(name, least)| seen[name].as_u64() >= least.as_u64())
            {
                return true;
            }
            if start.elapsed() > LONG {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for the ends of the transports, where the case does not expect that they stay open.
    pub(super) fn settle(&self, left_open: Bounds) {
        let start = Instant::now();
        while !left_open.hold(self.seen()["left_open"].as_f64().unwrap_or_default())
            && start.elapsed() < ENDING
        {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How often the servers acted on message `number`.
    pub(super) fn processed(&self, number: usize) -> u32 {
        self.servers
            .iter()
            .map(|server| server.log().processed(number))
            .sum()
    }

    /// What clients did that RFC 9113 forbids.
    pub(super) fn violations(&self) -> Vec<String> {
        self.servers
            .iter()
            .flat_map(|server| server.log().violations())
            .collect()
    }

    /// The codes of the clients' GOAWAYs.
    pub(super) fn go_aways(&self) -> Vec<u32> {
        self.servers
            .iter()
            .flat_map(|server| server.log().goaways())
            .collect()
    }

    /// The counts that a case may have an opinion of.
    pub(super) fn seen(&self) -> Value {
        let sum = |count: &dyn Fn(&Server) -> u64| self.servers.iter().map(count).sum::<u64>();
        let logs = |server: &Server| server.log().clone();
        let open = |server: &Server| {
            let recorded = logs(server).recorded();
            recorded.values().filter(|request| request.end == "open").count() as u64
        };
        let kept = |server: &Server| {
            let transports = logs(server).transports();
            transports
                .iter()
                .filter(|(_, how)| how.contains("kept by the client"))
                .count() as u64
        };
        let (proxied, tunnels) = self.proxy.as_ref().map(Proxy::counts).unwrap_or_default();
        json!({
            "connections": sum(&|server| logs(server).connections().into()),
            "second_connections": self.servers.get(1).map_or(0, |server| server.log().connections()),
            "left_open": sum(&|server| u64::from(logs(server).connections().saturating_sub(logs(server).ended()))),
            "ended": sum(&|server| logs(server).ended().into()),
            "kept": sum(&kept),
            "handshakes": sum(&|server| logs(server).handshakes().len() as u64),
            "requests": sum(&|server| logs(server).requests()),
            "processed": sum(&|server| logs(server).total_processed()),
            "duplicates": sum(&|server| logs(server).duplicates()),
            "open_streams": sum(&open),
            "resets": sum(&|server| logs(server).resets().len() as u64),
            "pings": sum(&|server| logs(server).pings()),
            "acknowledgements": sum(&|server| logs(server).acknowledgements()),
            "close_notifies": sum(&|server| logs(server).close_notifies().into()),
            "go_aways": sum(&|server| logs(server).goaways().len() as u64),
            "authorizations": sum(&|server| logs(server).authorizations() as u64),
            "proxied": proxied,
            "tunnels": tunnels,
        })
    }

    /// Every request and how every transport ended, for a reader.
    pub(super) fn story(&self) -> Value {
        let server = |server: &Server| {
            let requests = server
                .log()
                .recorded()
                .into_iter()
                .map(|((connection, stream), request)| {
                    json!([connection, stream, request.number, request.id, request.end])
                });
            json!({
                "requests": requests.collect::<Vec<_>>(),
                "transports": server.log().transports(),
                "go_aways": server.log().goaways(),
                "resets": server.log().resets(),
            })
        };
        self.servers.iter().map(server).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The TLS of `{"certificate": ..., "alpn": [...], "asks": true}`; `None` for `{"tls": false}`.
fn tls(ca: &Authority, server: &Value) -> Option<Arc<ServerConfig>> {
    if server.get("tls").is_some_and(|tls| tls == false) {
        return None;
    }
    let alpn = server
        .get("alpn")
        .map(|list| list.as_array().expect("a list").clone());
    let alpn: Vec<&str> = match &alpn {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => vec!["h2"],
    };
    Some(match server.get("certificate").and_then(Value::as_str) {
        None => ca.server_with(&alpn, server["asks"] == true, |_| {}),
        Some("expired") => ca.server(&alpn, |params| params.not_after = date_time_ymd(2025, 6, 1)),
        Some("not_yet_valid") => ca.server(&alpn, |params| params.not_before = date_time_ymd(2034, 1, 1)),
        Some("other_name") => ca.server(&alpn, |params| {
            let names = CertificateParams::new(vec!["push.example".to_owned()]).expect("a name");
            params.subject_alt_names = names.subject_alt_names;
        }),
        Some("unknown_issuer") => Authority::named("Another CA").server(&alpn, |_| {}),
        Some("impostor") => Authority::new().server(&alpn, |_| {}),
        Some("other_purpose") => ca.server(&alpn, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }),
        Some("authority") => ca.server_with_ca_as_leaf(&alpn),
        Some("bad_signature") => ca.server_with_bad_signature(&alpn),
        Some(other) => panic!("no certificate is called {other}"),
    })
}
