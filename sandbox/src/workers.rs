//! The threads that serve.

use std::future::Future;
use std::io;
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Threads, each with a runtime of its own: a connection stays on the thread that it came to. On a
/// runtime of several threads it would move whenever it wakes itself, as it does for every batch of
/// answers, and take the other CPU from whoever measures a client against the sandbox.
pub(crate) struct Workers {
    handles: Vec<Handle>,
    threads: Vec<JoinHandle<()>>,
    /// Dropped to stop the threads.
    alive: Vec<oneshot::Sender<()>>,
}

impl Workers {
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        let mut workers = Self {
            handles: Vec::new(),
            threads: Vec::new(),
            alive: Vec::new(),
        };
        for _ in 0..count.max(1) {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (alive, stopped) = oneshot::channel();
            workers.handles.push(runtime.handle().clone());
            workers.alive.push(alive);
            let thread = std::thread::Builder::new().name("pushcore-sandbox".to_owned());
            workers.threads.push(thread.spawn(move || {
                // An error is the other end's being dropped: nothing is ever sent.
                let _ = runtime.block_on(stopped);
            })?);
        }
        Ok(workers)
    }

    /// A listener of the first thread's.
    pub(crate) fn listener(&self, listener: std::net::TcpListener) -> io::Result<TcpListener> {
        // Never blocks on the runtime: the caller may be inside one of its own.
        let _entered = self.handles.first().map(Handle::enter);
        TcpListener::from_std(listener)
    }

    /// The distributor of work to the threads, in turns.
    pub(crate) fn turns(&self) -> Turns {
        Turns {
            handles: self.handles.clone(),
            next: 0,
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.alive.clear();
        for thread in self.threads.drain(..) {
            // A thread that panicked has stopped too.
            let _ = thread.join();
        }
    }
}

/// The threads, one after the other.
#[derive(Clone)]
pub(crate) struct Turns {
    handles: Vec<Handle>,
    next: usize,
}

impl Turns {
    /// Beginning one thread later.
    pub(crate) fn skip(mut self) -> Self {
        self.next = self.next.wrapping_add(1);
        self
    }

    /// Runs a task on the next thread.
    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.handles.get(self.next % self.handles.len().max(1));
        self.next = self.next.wrapping_add(1);
        if let Some(handle) = handle {
            handle.spawn(task);
        }
    }
}
