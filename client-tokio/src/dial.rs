//! Making one TCP connection: try the addresses one after the other with a head start for the first (happy eyeballs,
//! RFC 8305), then ask the proxy if there is one.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use pushcore::http::Authority;
use pushcore::{Error, ErrorKind};
use pushcore_client::dialling::{HEAD_START, keep_alive, refused};
use pushcore_client::{Handshake, Proxy};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// A connection being made.
pub(crate) type Dial = Pin<Box<dyn Future<Output = Result<Dialled, Error>> + Send>>;

type Attempt = Pin<Box<dyn Future<Output = Result<TcpStream, Error>> + Send>>;

/// A connection that has been made.
#[derive(Debug)]
pub(crate) struct Dialled {
    pub(crate) stream: TcpStream,
    /// The bytes that came right behind a proxy's answer.
    pub(crate) early: Vec<u8>,
}

/// Connects to one of the addresses, which are the proxy's where there is one, and has the proxy open a tunnel to `authority`.
pub(crate) fn dial(addresses: VecDeque<SocketAddr>, proxy: Option<Proxy>, authority: Authority) -> Dial {
    Box::pin(async move {
        let stream = race(addresses).await;
        let Some(proxy) = proxy else {
            return stream.map(|stream| Dialled {
                stream,
                early: Vec::new(),
            });
        };
        let stream = stream.map_err(|error| {
            if error.kind() == ErrorKind::OutOfDescriptors {
                // Nobody was asked: it is this machine.
                return error;
            }
            // Not the service's port: a program must be able to tell one from the other.
            Error::new(ErrorKind::ProxyRefused, "the proxy cannot be reached").with_source(error)
        })?;
        let early = tunnel(&stream, Handshake::new(&proxy, &authority)).await?;
        Ok(Dialled { stream, early })
    })
}

async fn race(mut addresses: VecDeque<SocketAddr>) -> Result<TcpStream, Error> {
    let mut running: Vec<Attempt> = Vec::new();
    let mut failure = None;
    let mut head_start = pin!(sleep(Duration::ZERO));
    poll_fn(move |context| {
        loop {
            let (mut index, mut lost) = (0, false);
            while let Some(attempt) = running.get_mut(index) {
                match attempt.as_mut().poll(context) {
                    Poll::Ready(Ok(stream)) => return Poll::Ready(Ok(stream)),
                    Poll::Ready(Err(error)) => {
                        failure = Some(error);
                        lost = true;
                        drop(running.swap_remove(index));
                    }
                    Poll::Pending => index += 1,
                }
            }
            let due = running.is_empty() || lost || head_start.as_mut().poll(context).is_ready();
            let next = if due { addresses.pop_front() } else { None };
            match next {
                Some(address) => {
                    running.push(Box::pin(attempt(address)));
                    head_start.as_mut().reset(Instant::now() + HEAD_START);
                }
                None if running.is_empty() => {
                    let nobody = || Error::new(ErrorKind::ConnectRefused, "no address took the connection");
                    return Poll::Ready(Err(failure.take().unwrap_or_else(nobody)));
                }
                None => return Poll::Pending,
            }
        }
    })
    .await
}

async fn attempt(address: SocketAddr) -> Result<TcpStream, Error> {
    let connect = async {
        let stream = TcpStream::connect(address).await?;
        // A lone push must not wait for the ack of the one before it.
        stream.set_nodelay(true)?;
        keep_alive(&SockRef::from(&stream));
        Ok(stream)
    };
    connect.await.map_err(|source| refused(address, source))
}

/// Asks the proxy for a tunnel; returns the bytes that came behind its answer.
async fn tunnel(stream: &TcpStream, mut handshake: Handshake) -> Result<Vec<u8>, Error> {
    let lost = |source: io::Error| {
        Error::new(ErrorKind::ProxyRefused, "the proxy closed the connection").with_source(source)
    };
    let mut buffer = [0u8; 2048];
    loop {
        while !handshake.transmit().is_empty() {
            stream.writable().await.map_err(lost)?;
            match stream.try_write(handshake.transmit()) {
                Ok(0) => return Err(lost(io::ErrorKind::WriteZero.into())),
                Ok(count) => handshake.transmitted(count),
                Err(error) if is_transient(&error) => {}
                Err(error) => return Err(lost(error)),
            }
        }
        stream.readable().await.map_err(lost)?;
        match stream.try_read(&mut buffer) {
            Ok(0) => return Err(lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                if let Some(early) = handshake.receive(buffer.get(..count).unwrap_or_default())? {
                    return Ok(early);
                }
            }
            Err(error) if is_transient(&error) => {}
            Err(error) => return Err(lost(error)),
        }
    }
}

/// Whether the call is to be made again.
pub(crate) fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
