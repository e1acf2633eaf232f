//! Where the events of a client go while it is driven: to one callable of the package.

use std::sync::Arc;

use pushcore::session::SessionEvent;
use pushcore_client::Client;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;

use crate::progress::event;

/// A client and the callable that its events are handed to; `None` where they wait for `poll_event`.
pub(crate) struct Watch {
    client: Arc<Client>,
    sink: Option<Py<PyAny>>,
}

impl Watch {
    pub(crate) fn new(client: Arc<Client>, sink: Option<Py<PyAny>>) -> Self {
        Self { client, sink }
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        Self {
            client: Arc::clone(&self.client),
            sink: self.sink.as_ref().map(|sink| sink.clone_ref(py)),
        }
    }

    /// Does `work` without Python, then hands over what happened.
    pub(crate) fn detached<T: Send>(&self, py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
        let (done, happened) = py.detach(|| {
            let done = work();
            (done, self.drain())
        });
        self.tell(py, happened)?;
        Ok(done)
    }

    /// Hands over what has happened.
    pub(crate) fn pump(&self, py: Python<'_>) -> PyResult<()> {
        self.detached(py, || ())
    }

    fn drain(&self) -> Vec<SessionEvent> {
        match self.sink {
            Some(_) => std::iter::from_fn(|| self.client.poll_event()).collect(),
            None => Vec::new(),
        }
    }

    fn tell(&self, py: Python<'_>, happened: Vec<SessionEvent>) -> PyResult<()> {
        let Some(sink) = &self.sink else { return Ok(()) };
        for one in happened {
            // The callable catches what a caller's hook raises; an interrupt comes through.
            sink.call1(py, (event(py, one)?,))?;
        }
        Ok(())
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.sink)
    }

    /// Lets go of the callable.
    pub(crate) fn clear(&mut self) {
        self.sink = None;
    }
}
