//! Listeners and connections: TLS, ALPN, HTTP/2 behind the frame filter, HTTP/1.1.

mod audit;
mod frame;
mod h1;
mod h2c;
mod late;
mod outbound;
mod refused;
mod stream;
mod wire;

use crate::connections::Note;
use crate::fault::ConnectFault;
use crate::shared::{Door, Shared};
use crate::workers::Turns;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Bytes read from a socket at once; `rustls` alone reads 4096.
const READ: usize = 32 * 1024;

/// A connection behind TLS.
type Tls = TlsStream<BufReader<TcpStream>>;

/// Accepts connections for one door, for as long as the threads run.
pub(crate) async fn listen(
    shared: Arc<Shared>,
    door: Door,
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    mut connections: Turns,
) {
    loop {
        match listener.accept().await.and_then(|(tcp, _)| tcp.into_std()) {
            Ok(tcp) => {
                let (shared, acceptor) = (shared.clone(), acceptor.clone());
                connections.spawn(async move {
                    // A peer that breaks its own connection is no news to the sandbox.
                    if let Ok(tcp) = TcpStream::from_std(tcp) {
                        let _ = connection(shared, door, tcp, acceptor).await;
                    }
                });
            }
            // Out of descriptors, most likely: yield and try again.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}

async fn connection(
    shared: Arc<Shared>,
    door: Door,
    tcp: TcpStream,
    acceptor: Option<TlsAcceptor>,
) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    // The control endpoint's connections are not counted.
    if door == Door::Control {
        return h1::serve(shared, door, 0, tcp).await;
    }
    let id = shared.next_connection(door);
    let note = shared.notes.begin(id, door, shared.now().unix_ms);
    let done = noted(shared, door, id, tcp, acceptor, &note).await;
    note.write().closed = true;
    done
}

async fn noted(
    shared: Arc<Shared>,
    door: Door,
    id: u64,
    tcp: TcpStream,
    acceptor: Option<TlsAcceptor>,
    note: &Note,
) -> io::Result<()> {
    let Some(acceptor) = acceptor else {
        return h1::serve(shared, door, id, tcp).await;
    };
    if let Some(fault) = shared.connect_fault(door) {
        return misbehave(&fault, tcp, &acceptor).await;
    }
    let tls = match acceptor.accept(BufReader::with_capacity(READ, tcp)).await {
        Ok(tls) => tls,
        Err(error) => {
            // A peer that just goes away has refused nothing and is refused nothing.
            if error.kind() == io::ErrorKind::InvalidData {
                let (rule, reason) = handshake(&error);
                shared.refused_below_http(door, id, 0, rule, &reason);
            }
            return Err(error);
        }
    };
    describe(&tls, note);
    if let Some(chain) = tls.get_ref().1.peer_certificates() {
        if let Err(reason) = shared.present(id, chain) {
            return turn_away(reason, tls).await;
        }
    }
    let done = match tls.get_ref().1.alpn_protocol() {
        Some(b"h2") => h2c::serve(shared.clone(), door, id, note.clone(), tls).await,
        // Clients exist that offer no ALPN and are served by APNs nevertheless.
        None if door.is_apns() && shared.serves_without_alpn() => {
            h2c::serve(shared.clone(), door, id, note.clone(), tls).await
        }
        _ if door.is_apns() => {
            let reason = "the client offered no ALPN: APNs speaks h2 only (RFC 9113 section 3.3)";
            shared.refused_below_http(door, id, 0, "tls.alpn", reason);
            Ok(())
        }
        _ => h1::serve(shared.clone(), door, id, tls).await,
    };
    shared.connection_closed(id);
    done
}

/// Returns the rule and the words for a handshake that failed.
fn handshake(error: &io::Error) -> (&'static str, String) {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::NoApplicationProtocol) => (
            "tls.alpn",
            "the client offers no protocol of this service (ALPN)".to_owned(),
        ),
        Some(rustls::Error::AlertReceived(alert)) => ("tls.handshake", format!("the client says {alert:?}")),
        _ => ("tls.handshake", error.to_string()),
    }
}

/// Notes the result of the handshake.
fn describe(tls: &Tls, note: &Note) {
    let (_, session) = tls.get_ref();
    let mut note = note.write();
    note.tls = session
        .protocol_version()
        .and_then(|version| version.as_str().map(str::to_owned));
    note.server_name = session.server_name().map(str::to_owned);
    note.alpn = session
        .alpn_protocol()
        .map(|name| String::from_utf8_lossy(name).into_owned());
    note.client_certificate = session.peer_certificates().is_some_and(|chain| !chain.is_empty());
}

/// Says GOAWAY with Apple's JSON, and reads until the client has understood.
async fn turn_away(reason: &str, mut tls: Tls) -> io::Result<()> {
    tls.write_all(&frame::turn_away(&format!(r#"{{"reason":"{reason}"}}"#)))
        .await?;
    tls.shutdown().await?;
    // Closing before the client's bytes are read would reset the connection under its answer.
    let mut ignored = [0; 4096];
    while tls.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// A connection that is not served.
async fn misbehave(fault: &ConnectFault, mut tcp: TcpStream, acceptor: &TlsAcceptor) -> io::Result<()> {
    let mut ignored = Vec::new();
    match fault {
        ConnectFault::Close => Ok(()),
        ConnectFault::Hold => tcp.read_to_end(&mut ignored).await.map(drop),
        ConnectFault::Garbage { hex } => {
            tcp.write_all(&frame::unhex(hex)).await?;
            tcp.shutdown().await
        }
        ConnectFault::AfterTls { hex } => {
            let mut tls = acceptor.accept(tcp).await?;
            tls.write_all(&frame::unhex(hex)).await?;
            tls.flush().await?;
            tls.read_to_end(&mut ignored).await.map(drop)
        }
    }
}
