//! Listeners and connections: TLS, ALPN, HTTP/2 behind the frame filter, HTTP/1.1.

mod audit;
mod h1;
mod h2c;
mod wire;

use crate::fault::ConnectFault;
use crate::shared::{Door, Shared};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Accepts connections for one door until the runtime stops.
pub(crate) async fn listen(
    shared: Arc<Shared>,
    door: Door,
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
) {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => {
                let (shared, acceptor) = (shared.clone(), acceptor.clone());
                tokio::spawn(async move {
                    // A peer that breaks its own connection is no news to the sandbox.
                    let _ = connection(shared, door, tcp, acceptor).await;
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
    let Some(acceptor) = acceptor else {
        return h1::serve(shared, door, id, tcp).await;
    };
    if let Some(fault) = shared.connect_fault(door) {
        return misbehave(&fault, tcp, &acceptor).await;
    }
    let tls = acceptor.accept(tcp).await?;
    if let Some(chain) = tls.get_ref().1.peer_certificates() {
        if let Err(reason) = shared.present(id, chain) {
            return turn_away(reason, tls).await;
        }
    }
    let done = match tls.get_ref().1.alpn_protocol() {
        Some(b"h2") => h2c::serve(shared.clone(), door, id, tls).await,
        // Clients exist that offer no ALPN and are served by APNs nevertheless.
        None if door.is_apns() && shared.serves_without_alpn() => {
            h2c::serve(shared.clone(), door, id, tls).await
        }
        _ if door.is_apns() => Ok(()),
        _ => h1::serve(shared.clone(), door, id, tls).await,
    };
    shared.connection_closed(id);
    done
}

/// Says GOAWAY with Apple's JSON, and reads until the client has understood.
async fn turn_away(reason: &str, mut tls: TlsStream<TcpStream>) -> io::Result<()> {
    tls.write_all(&wire::turn_away(&format!(r#"{{"reason":"{reason}"}}"#)))
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
            tcp.write_all(&wire::unhex(hex)).await?;
            tcp.shutdown().await
        }
        ConnectFault::AfterTls { hex } => {
            let mut tls = acceptor.accept(tcp).await?;
            tls.write_all(&wire::unhex(hex)).await?;
            tls.flush().await?;
            tls.read_to_end(&mut ignored).await.map(drop)
        }
    }
}
