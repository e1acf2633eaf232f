//! A service with its credentials and settings: what clients and sessions are opened from.

use std::sync::Arc;
use std::time::Duration;

use pushcore::apns::Hosts;
use pushcore::net::Security;
use pushcore::net::tls::{ClientIdentity, TlsConfig};
use pushcore::service::{self, Kind};
use pushcore::session::{Delivery, Session, SessionConfig};
use pushcore::{Error, Now};
use pushcore::{adm, apns, baidu, fcm, webpush};
use pushcore_client::{Client, ClientConfig, Proxy, Resolver};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::adm_credentials::AdmCredentials;
use crate::apns_credentials::{self, ApnsCredentials};
use crate::baidu_credentials::BaiduCredentials;
use crate::errors::OrRaise;
use crate::fcm_credentials::{self, FcmCredentials};
use crate::values::{Str, authority, credential, duration, integer, string, type_error};
use crate::webpush::{EndpointPolicy, VapidCredentials};

/// A service with its credentials and settings: what clients and sessions are opened from.
#[pyclass(frozen, module = "pushcore._pushcore")]
pub(crate) struct Service {
    service: service::Service,
    security: Security,
    config: SessionConfig,
    proxy: Option<Proxy>,
    proxy_url: Option<String>,
    gather: Option<Duration>,
    resolve_on_threads: bool,
}

/// The service that the credentials are for. What the service has no use for is refused, because it was meant for
/// another one.
pub(crate) fn of(
    credentials: &Bound<'_, PyAny>,
    environment: Option<Str>,
    host: Option<Str>,
    policy: Option<&EndpointPolicy>,
) -> PyResult<service::Service> {
    let py = credentials.py();
    let given = [
        ("environment", environment.is_some()),
        ("host", host.is_some()),
        ("policy", policy.is_some()),
    ];
    let (service, taken): (service::Service, &[&str]) =
        if let Ok(known) = credentials.cast::<ApnsCredentials>() {
            let hosts = apns_credentials::hosts(environment, host).or_raise(py)?;
            let service = apns::Service::new(known.get().credentials.clone(), hosts);
            (service.into(), &["environment", "host"])
        } else if let Ok(known) = credentials.cast::<FcmCredentials>() {
            let hosts = fcm_credentials::hosts(host).or_raise(py)?;
            (
                fcm::Service::new(Arc::clone(&known.get().0), hosts).into(),
                &["host"],
            )
        } else if let Ok(known) = credentials.cast::<VapidCredentials>() {
            let policy = policy.map(|policy| policy.0.clone()).unwrap_or_default();
            (
                webpush::Service::new(Arc::clone(&known.get().0), policy).into(),
                &["policy"],
            )
        } else if let Ok(known) = credentials.cast::<AdmCredentials>() {
            let host = authority(py, host)?.unwrap_or_else(adm::default_authority);
            (
                adm::Service::new(Arc::clone(&known.get().0), host).into(),
                &["host"],
            )
        } else if let Ok(known) = credentials.cast::<BaiduCredentials>() {
            let host = authority(py, host)?.unwrap_or_else(baidu::default_authority);
            (
                baidu::Service::new(Arc::clone(&known.get().0), host).into(),
                &["host"],
            )
        } else {
            return Err(type_error(credentials, "credentials of one of the services"));
        };
    match given.iter().find(|(name, given)| *given && !taken.contains(name)) {
        Some((name, _)) => {
            let text = format!("{name} is no option of {}", service.kind());
            Err(PyTypeError::new_err(text))
        }
        None => Ok(service),
    }
}

/// [`of`] credentials that have to be for `kind`.
pub(crate) fn of_kind(
    kind: Kind,
    credentials: &Bound<'_, PyAny>,
    environment: Option<Str>,
    host: Option<Str>,
    policy: Option<&EndpointPolicy>,
) -> PyResult<service::Service> {
    let service = of(credentials, environment, host, policy)?;
    if service.kind() != kind {
        let text = format!("expected credentials of {kind}, not of {}", service.kind());
        return Err(PyTypeError::new_err(text));
    }
    Ok(service)
}

impl Service {
    /// A session of its own.
    pub(crate) fn session(&self, now: Now) -> Result<Session, Error> {
        Session::new(
            self.service.clone(),
            self.security.clone(),
            self.config.clone(),
            now,
        )
    }

    /// A client of its own.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        let mut config = ClientConfig::new();
        config.session = self.config.clone();
        config.security = Some(self.security.clone());
        config.proxy = self.proxy.clone();
        if let Some(gather) = self.gather {
            config.gather = gather;
        }
        if !self.resolve_on_threads {
            config.resolver = Resolver::system().blocking();
        }
        Client::new(self.service.clone(), config)
    }

    /// Returns the service.
    pub(crate) fn service_kind(&self) -> Kind {
        self.service.kind()
    }

    pub(crate) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// From submission to the end at the latest.
    pub(crate) fn longest(&self) -> Duration {
        self.config.deadline
    }

    fn with_options(
        py: Python<'_>,
        service: service::Service,
        identity: Option<ClientIdentity>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut tls = TlsConfig::builder();
        let mut config = SessionConfig::default();
        let mut proxy_url = None;
        let mut proxy_wanted = true;
        let mut gather = None;
        let mut resolve_on_threads = true;
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
                "ca" => tls = tls.add_roots(credential(&value)?.expose_secret().clone()),
                "bundled_roots" if !value.extract::<bool>()? => tls = tls.without_bundled_roots(),
                "bundled_roots" => {}
                "proxy" if value.is_instance_of::<PyBool>() => {
                    if value.is_truthy()? {
                        return Err(type_error(
                            &value,
                            "a proxy's url, None (the environment's) or False (none)",
                        ));
                    }
                    proxy_wanted = false;
                }
                "proxy" => proxy_url = Some(string(&value)?),
                "at_least_once" if value.extract::<bool>()? => config.delivery = Delivery::AtLeastOnce,
                "at_least_once" => config.delivery = Delivery::AtMostOnce,
                "max_queued" => config.max_queued = integer(&value, count)?,
                "max_connections" => config.max_connections = integer(&value, count)?,
                "dials_per_minute" => config.dials_per_minute = integer(&value, count)?,
                "max_hosts" => config.max_hosts = integer(&value, count)?,
                "first_backoff" => config.first_backoff = duration(&value)?,
                "longest_backoff" => config.longest_backoff = duration(&value)?,
                "queue_wait_before_dial" => config.queue_wait_before_dial = duration(&value)?,
                "seed" => config.seed = Some(integer(&value, count)?),
                "http2" => config.http2 = Some(crate::http2::config(&value)?),
                "gather" => gather = Some(duration(&value)?),
                "resolve_on_threads" => resolve_on_threads = value.extract::<bool>()?,
                "max_requeues" => config.max_requeues = integer(&value, count)?,
                "deadline" => config.deadline = duration(&value)?,
                "response_timeout" => config.response_timeout = duration(&value)?,
                "connect_timeout" => config.connect_timeout = duration(&value)?,
                "idle_timeout" => config.idle_timeout = Some(duration(&value)?),
                "probe_after" => config.probe_after = Some(duration(&value)?),
                "rate" => config.rate = Some(integer(&value, count)?),
                "call_rate" => config.call_rate = Some(integer(&value, count)?),
                "compact_headers" => config.compact_headers = value.extract::<bool>()?,
                _ => {
                    return Err(PyTypeError::new_err(format!(
                        "unexpected keyword argument {name:?}"
                    )));
                }
            }
        }
        config.check().or_raise(py)?;
        let proxy = match &proxy_url {
            Some(url) => Some(Proxy::parse(url).or_raise(py)?),
            None if proxy_wanted => Proxy::of_environment().or_raise(py)?,
            None => None,
        };
        let tls = py.detach(|| tls.build()).or_raise(py)?;
        Ok(Self {
            service,
            security: Security::Tls(tls),
            config,
            proxy,
            proxy_url,
            gather,
            resolve_on_threads,
        })
    }
}

#[pymethods]
impl Service {
    /// The service of `kind` with these credentials. Channels of APNs are managed at `management_host`, broadcasts go
    /// to `broadcast_host`: `host` unless told.
    #[new]
    #[pyo3(signature = (
        kind, credentials, *, environment=None, host=None, management_host=None, broadcast_host=None, policy=None,
        **options
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        kind: Str,
        credentials: &Bound<'_, PyAny>,
        environment: Option<Str>,
        host: Option<Str>,
        management_host: Option<Str>,
        broadcast_host: Option<Str>,
        policy: Option<&EndpointPolicy>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let kind = Kind::parse(&kind).or_raise(py)?;
        let mut service = of_kind(kind, credentials, environment, host, policy)?;
        let (management, broadcast) = (authority(py, management_host)?, authority(py, broadcast_host)?);
        if let service::Service::Apns(apns) = &service {
            let mut hosts = apns.hosts().clone();
            hosts = management.into_iter().fold(hosts, Hosts::with_management);
            hosts = broadcast.into_iter().fold(hosts, Hosts::with_broadcast);
            service = apns::Service::new(apns.credentials().clone(), hosts).into();
        } else if management.is_some() || broadcast.is_some() {
            let text = format!("management_host and broadcast_host are no options of {kind}");
            return Err(PyTypeError::new_err(text));
        }
        let identity = match credentials.cast::<ApnsCredentials>() {
            Ok(credentials) => credentials.get().identity.clone(),
            Err(_) => None,
        };
        Self::with_options(py, service, identity, options)
    }

    /// The name of the service: `apns`, `fcm`, `web_push`, `adm` or `baidu`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.service.kind().as_str()
    }

    /// From submission to the end at the latest, in seconds.
    #[getter]
    fn deadline(&self) -> f64 {
        self.config.deadline.as_secs_f64()
    }

    /// Whether names are looked up in threads of the client's own.
    #[getter]
    fn resolve_on_threads(&self) -> bool {
        self.resolve_on_threads
    }

    /// The proxy that was asked for; the environment's is not shown.
    #[getter]
    fn proxy_url(&self) -> Option<&str> {
        self.proxy_url.as_deref()
    }

    /// Whether connections to `host` go through a proxy.
    fn uses_proxy(&self, host: Str) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| proxy.serves(&host))
    }
}
