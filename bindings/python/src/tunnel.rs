//! Asking a proxy for a tunnel, for event loops that own the sockets.

use std::sync::{Mutex, PoisonError};

use pushcore::http::Authority;
use pushcore::{Error, ErrorKind};
use pushcore_client::{Handshake, Proxy};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::OrRaise;
use crate::service::Service;
use crate::values::{Str, bytes, string};

/// The dialogue with a proxy: bytes in, bytes out.
#[pyclass(frozen, module = "pushcore._pushcore")]
pub(crate) struct Tunnel {
    handshake: Mutex<Handshake>,
    proxy: Authority,
}

impl Tunnel {
    /// The lock is free again before anything of Python's is made.
    fn with<T>(&self, work: impl FnOnce(&mut Handshake) -> T) -> T {
        work(&mut self.handshake.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[pymethods]
impl Tunnel {
    /// `proxy` is a URL, or a service that uses one.
    #[new]
    fn new(py: Python<'_>, proxy: &Bound<'_, PyAny>, host: Str, port: u16) -> PyResult<Self> {
        let proxy = match proxy.cast::<Service>() {
            Ok(service) => service
                .get()
                .proxy()
                .cloned()
                .ok_or_else(|| Error::new(ErrorKind::Misuse, "the service uses no proxy")),
            Err(_) => Proxy::parse(&string(proxy)?),
        };
        let proxy = proxy.or_raise(py)?;
        let target = Authority::new(&host, port).or_raise(py)?;
        let handshake = Mutex::new(Handshake::new(&proxy, &target));
        Ok(Self {
            handshake,
            proxy: proxy.authority().clone(),
        })
    }

    /// Where the proxy listens.
    #[getter]
    fn proxy(&self) -> (&str, u16) {
        (self.proxy.host(), self.proxy.port())
    }

    /// Returns the bytes to be written to the proxy now; they count as written.
    fn data_to_send<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let data = self.with(|handshake| {
            let data = handshake.transmit().to_vec();
            handshake.transmitted(data.len());
            data
        });
        PyBytes::new(py, &data)
    }

    /// Takes what the proxy said; returns `bytes` when the tunnel stands: they came through it already.
    fn receive<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let data = bytes(data)?;
        let rest = self.with(|handshake| handshake.receive(&data)).or_raise(py)?;
        Ok(rest.map(|rest| PyBytes::new(py, &rest)))
    }
}
