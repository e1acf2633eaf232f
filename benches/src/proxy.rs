//! A TCP proxy that delays: a round trip of a chosen length, without loss, a limit of its own or slow start.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Hands on what comes to `listener` to `target`, and back, each way after `delay`. Does not return.
pub fn serve(listener: &TcpListener, target: &str, delay: Duration) {
    for near in listener.incoming().flatten() {
        let target = target.to_owned();
        thread::spawn(move || {
            // A connection takes a round trip to be made, too: half of it has passed when the server is reached.
            thread::sleep(delay * 2);
            let Ok(far) = TcpStream::connect(&target) else {
                return;
            };
            for (from, to) in [(&near, &far), (&far, &near)] {
                let _ = from.set_nodelay(true);
                if let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) {
                    hand_on(from, to, delay);
                }
            }
        });
    }
}

/// Listens on a port of this machine; 0 is any.
///
/// # Errors
/// When the port is taken.
pub fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port))
}

fn hand_on(mut from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, receiver) = channel();
    thread::spawn(move || write_later(to, &receiver));
    thread::spawn(move || {
        let mut buffer = vec![0; 256 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let piece = buffer[..count].to_vec();
            if sender.send((Instant::now() + delay, piece)).is_err() {
                break;
            }
        }
    });
}

fn write_later(mut to: TcpStream, pieces: &Receiver<(Instant, Vec<u8>)>) {
    while let Ok((due, piece)) = pieces.recv() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&piece).is_err() {
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
