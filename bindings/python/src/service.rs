//! A service with its credentials and settings: what clients and sessions are opened from.

use std::sync::Arc;

use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::{ClientIdentity, TlsConfig};
use pushcore::session::{Delivery, Session, SessionConfig};
use pushcore::{Error, Now};
use pushcore::{adm, apns, baidu, fcm, webpush};
use pushcore_client::Proxy;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::adm::AdmCredentials;
use crate::apns_credentials::ApnsCredentials;
use crate::baidu::BaiduCredentials;
use crate::errors::OrRaise;
use crate::fcm::FcmCredentials;
use crate::values::{Str, authority, bytes_or_file, duration, integer, string};
use crate::webpush::{EndpointPolicy, VapidCredentials};

enum Room {
    Adm(Arc<adm::Credentials>, Authority),
    Apns(apns::Credentials, apns::Hosts),
    Baidu(Arc<baidu::Credentials>, Authority),
    Fcm(Arc<fcm::Credentials>, fcm::Hosts),
    WebPush(Arc<webpush::Credentials>, Arc<webpush::EndpointPolicy>),
}

/// A service with its credentials and settings: what clients and sessions are opened from.
#[pyclass(frozen, module = "pushcore._pushcore")]
pub(crate) struct Service {
    room: Room,
    security: Security,
    config: SessionConfig,
    proxy: Option<String>,
}

impl Service {
    /// A session of its own.
    pub(crate) fn open(&self, config: SessionConfig, now: Now) -> Result<Session, Error> {
        let security = self.security.clone();
        match &self.room {
            Room::Adm(credentials, host) => {
                Session::adm(Arc::clone(credentials), host.clone(), security, config, now)
            }
            Room::Apns(credentials, hosts) => {
                Session::apns(credentials.clone(), hosts.clone(), security, config, now)
            }
            Room::Baidu(credentials, host) => {
                Session::baidu(Arc::clone(credentials), host.clone(), security, config, now)
            }
            Room::Fcm(credentials, hosts) => {
                Session::fcm(Arc::clone(credentials), hosts.clone(), security, config, now)
            }
            Room::WebPush(credentials, policy) => {
                Session::web_push(Arc::clone(credentials), Arc::clone(policy), security, config, now)
            }
        }
    }

    pub(crate) fn config(&self) -> SessionConfig {
        self.config.clone()
    }

    pub(crate) fn proxy(&self) -> Result<Option<Proxy>, Error> {
        self.proxy.as_deref().map(Proxy::parse).transpose()
    }

    fn new(
        py: Python<'_>,
        room: Room,
        identity: Option<ClientIdentity>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut tls = TlsConfig::builder();
        let mut config = SessionConfig::default();
        let mut proxy = None;
        if let Some(identity) = identity {
            tls = tls.identity(identity);
        }
        for (name, value) in options.into_iter().flat_map(|options| options.iter()) {
            if value.is_none() {
                continue;
            }
            let name = string(&name)?;
            let count = "the count is out of range";
            match name.as_str() {
                "ca" => tls = tls.add_roots(bytes_or_file(&value)?),
                "bundled_roots" if !value.extract::<bool>()? => tls = tls.without_bundled_roots(),
                "bundled_roots" => {}
                "proxy" => {
                    let url = string(&value)?;
                    Proxy::parse(&url).or_raise(py)?;
                    proxy = Some(url);
                }
                "at_least_once" if value.extract::<bool>()? => config.delivery = Delivery::AtLeastOnce,
                "at_least_once" => config.delivery = Delivery::AtMostOnce,
                "max_queued" => config.max_queued = integer(&value, count)?,
                "max_connections" => config.max_connections = integer(&value, count)?,
                "max_requeues" => config.max_requeues = integer(&value, count)?,
                "deadline" => config.deadline = duration(&value)?,
                "response_timeout" => config.response_timeout = duration(&value)?,
                "connect_timeout" => config.connect_timeout = duration(&value)?,
                "idle_timeout" => config.idle_timeout = Some(duration(&value)?),
                "rate" => config.rate = Some(integer(&value, count)?),
                _ => {
                    return Err(PyTypeError::new_err(format!(
                        "unexpected keyword argument {name:?}"
                    )));
                }
            }
        }
        let tls = py.detach(|| tls.build()).or_raise(py)?;
        Ok(Self {
            room,
            security: Security::Tls(tls),
            config,
            proxy,
        })
    }
}

#[pymethods]
impl Service {
    /// APNs.
    #[staticmethod]
    #[pyo3(signature = (credentials, *, environment=None, host=None, **options))]
    fn apns(
        py: Python<'_>,
        credentials: &ApnsCredentials,
        environment: Option<Str>,
        host: Option<Str>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let hosts = crate::apns::hosts(environment, host).or_raise(py)?;
        let room = Room::Apns(credentials.credentials.clone(), hosts);
        Self::new(py, room, credentials.identity.clone(), options)
    }

    /// FCM.
    #[staticmethod]
    #[pyo3(signature = (credentials, *, host=None, **options))]
    fn fcm(
        py: Python<'_>,
        credentials: &FcmCredentials,
        host: Option<Str>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let hosts = crate::fcm::hosts(host).or_raise(py)?;
        Self::new(py, Room::Fcm(Arc::clone(&credentials.0), hosts), None, options)
    }

    /// Web Push.
    #[staticmethod]
    #[pyo3(signature = (credentials, *, policy=None, **options))]
    fn web_push(
        py: Python<'_>,
        credentials: &VapidCredentials,
        policy: Option<&EndpointPolicy>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let policy = policy.map(|policy| policy.0.clone()).unwrap_or_default();
        let room = Room::WebPush(Arc::clone(&credentials.0), Arc::new(policy));
        Self::new(py, room, None, options)
    }

    /// ADM.
    #[staticmethod]
    #[pyo3(signature = (credentials, *, host=None, **options))]
    fn adm(
        py: Python<'_>,
        credentials: &AdmCredentials,
        host: Option<Str>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let host = authority(py, host)?.unwrap_or_else(adm::default_authority);
        Self::new(py, Room::Adm(Arc::clone(&credentials.0), host), None, options)
    }

    /// Baidu.
    #[staticmethod]
    #[pyo3(signature = (credentials, *, host=None, **options))]
    fn baidu(
        py: Python<'_>,
        credentials: &BaiduCredentials,
        host: Option<Str>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let host = authority(py, host)?.unwrap_or_else(baidu::default_authority);
        Self::new(py, Room::Baidu(Arc::clone(&credentials.0), host), None, options)
    }

    /// From submission to the end at the latest, in seconds.
    #[getter]
    fn deadline(&self) -> f64 {
        self.config.deadline.as_secs_f64()
    }

    /// The proxy.
    #[getter]
    fn proxy_url(&self) -> Option<&str> {
        self.proxy.as_deref()
    }
}
