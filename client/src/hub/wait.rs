//! Waiting for the sockets of several clients in one thread.
//!
//! Each client has an event queue of its own (epoll, kqueue). On Unix such a queue is itself something that can be waited for.

use std::time::Duration;

use crate::client::Client;

/// The longest wait: a client of the hub may be closed by another thread, of which no socket tells.
const LONGEST: Duration = Duration::from_millis(100);

/// How long to sleep between looks where clients cannot be waited for together.
const NAP: Duration = Duration::from_millis(1);

/// The event queues of several clients as one.
#[derive(Debug, Default)]
pub(super) struct Wait {
    #[cfg(unix)]
    poll: Option<(mio::Poll, mio::Events)>,
    /// The clients that are in it, by their number.
    added: Vec<usize>,
}

impl Wait {
    /// Adds a client, once.
    pub(super) fn add(&mut self, number: usize, client: &Client) {
        if self.added.contains(&number) {
            return;
        }
        self.added.push(number);
        #[cfg(unix)]
        {
            if self.poll.is_none() && self.added.len() == 1 {
                self.poll = mio::Poll::new()
                    .ok()
                    .map(|poll| (poll, mio::Events::with_capacity(16)));
            }
            let fd = client.event_queue();
            let registered = self.poll.as_ref().is_some_and(|(poll, _)| {
                let source = &mut mio::unix::SourceFd(&fd);
                poll.registry()
                    .register(source, mio::Token(number), mio::Interest::READABLE)
                    .is_ok()
            });
            if !registered {
                // The system gives no more descriptors: naps will do.
                self.poll = None;
            }
        }
        #[cfg(not(unix))]
        let _ = client;
    }

    /// Waits until a client has something to do, at most `longest`. Every client was looked at right before: readiness is told
    /// once only.
    pub(super) fn wait(&mut self, longest: Duration) {
        let longest = longest.min(LONGEST);
        #[cfg(unix)]
        if let Some((poll, events)) = &mut self.poll {
            // An interrupted wait (a signal) is a short one.
            let _ = poll.poll(events, Some(longest));
            return;
        }
        std::thread::sleep(longest.min(NAP));
    }
}
