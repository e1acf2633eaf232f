//! A proxy that does what a case says, good or bad.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

/// What a proxy does with a client that has said what it wants.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Tunnel,
    /// As `Tunnel`, an octet of the answer at a time.
    Slow,
    Refuse,
    HangUp,
    /// Says nothing at all.
    Silent,
    /// Answers in no language that a proxy speaks.
    Garbage,
}

/// A listening proxy.
#[derive(Debug)]
pub(super) struct Proxy {
    /// Where it is, as clients are told.
    pub(super) url: String,
    greeted: Arc<AtomicU32>,
    tunnels: Arc<AtomicU32>,
}

impl Proxy {
    /// The proxy of `{"kind": "connect" | "socks5", "does": ...}`; every tunnel leads to `server`.
    pub(super) fn start(value: &Value, server: SocketAddr) -> Self {
        let socks = match value["kind"].as_str() {
            Some("connect") => false,
            Some("socks5") => true,
            _ => panic!("no proxy is of this kind: {value}"),
        };
        let manner = match value["does"].as_str() {
            Some("tunnel") => Manner::Tunnel,
            Some("slow") => Manner::Slow,
            Some("refuse") => Manner::Refuse,
            Some("hang_up") => Manner::HangUp,
            Some("silent") => Manner::Silent,
            Some("garbage") => Manner::Garbage,
            _ => panic!("no proxy does this: {value}"),
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (greeted, tunnels) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let counters = (Arc::clone(&greeted), Arc::clone(&tunnels));
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let (greeted, tunnels) = (Arc::clone(&counters.0), Arc::clone(&counters.1));
                std::thread::spawn(move || {
                    greeted.fetch_add(1, Ordering::SeqCst);
                    // A client that goes away in the middle is the client's affair.
                    let _ = serve(near, socks, manner, server, &tunnels);
                });
            }
        });
        let scheme = if socks { "socks5" } else { "http" };
        Self {
            url: format!("{scheme}://{address}"),
            greeted,
            tunnels,
        }
    }

    /// How many clients came, and how many tunnels were made.
    pub(super) fn counts(&self) -> (u32, u32) {
        (
            self.greeted.load(Ordering::SeqCst),
            self.tunnels.load(Ordering::SeqCst),
        )
    }
}

fn serve(
    mut near: TcpStream,
    socks: bool,
    manner: Manner,
    server: SocketAddr,
    tunnels: &AtomicU32,
) -> io::Result<()> {
    if manner == Manner::Silent {
        return io::copy(&mut near, &mut io::sink()).map(|_| ());
    }
    let mut greeting = [0; 3];
    if socks {
        near.read_exact(&mut greeting)?;
        if manner != Manner::Garbage {
            say(&mut near, manner, &[5, 0])?;
            let mut request = [0; 5];
            near.read_exact(&mut request)?;
            // By name, as every driver asks; or an address of four octets, the first of which has been read.
            let rest = if request[3] == 3 {
                usize::from(request[4]) + 2
            } else {
                5
            };
            near.read_exact(&mut vec![0; rest])?;
        }
    } else {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut octet = [0];
            near.read_exact(&mut octet)?;
            head.extend(octet);
        }
    }
    let answer: &[u8] = match (manner, socks) {
        (Manner::HangUp, _) => return Ok(()),
        (Manner::Garbage, _) => b"SSH-2.0-nobody\r\n\r\n",
        (Manner::Refuse, true) => &[5, 2, 0, 1, 0, 0, 0, 0, 0, 0],
        (Manner::Refuse, false) => b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
        (_, true) => &[5, 0, 0, 1, 127, 0, 0, 1, 0, 0],
        (_, false) => b"HTTP/1.1 200 Connection established\r\n\r\n",
    };
    say(&mut near, manner, answer)?;
    if !matches!(manner, Manner::Tunnel | Manner::Slow) {
        return io::copy(&mut near, &mut io::sink()).map(|_| ());
    }
    tunnels.fetch_add(1, Ordering::SeqCst);
    let mut far = TcpStream::connect(server)?;
    let (mut near_too, mut far_too) = (near.try_clone()?, far.try_clone()?);
    std::thread::spawn(move || {
        let _ = io::copy(&mut far, &mut near);
        near.shutdown(Shutdown::Write)
    });
    io::copy(&mut near_too, &mut far_too)?;
    far_too.shutdown(Shutdown::Write)
}

fn say(near: &mut TcpStream, manner: Manner, answer: &[u8]) -> io::Result<()> {
    near.set_nodelay(true)?;
    if manner != Manner::Slow {
        return near.write_all(answer);
    }
    for octet in answer {
        std::thread::sleep(Duration::from_millis(10));
        near.write_all(&[*octet])?;
    }
    Ok(())
}
