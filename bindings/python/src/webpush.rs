//! Web Push, both ways.

use std::sync::Arc;

use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::webpush::{self, EndpointPolicy as Policy};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::errors::OrRaise;
use crate::keys::SigningKey;
use crate::recipe::{PySecret, secret};
use crate::values::{Items, SecretStr, Str, bytes, credential, date, json_text, seconds, unix_time};

/// A VAPID key and the sender's contact.
#[pyclass(frozen, extends = PySecret, module = "pushcore")]
pub(crate) struct VapidCredentials(pub(crate) Arc<webpush::Credentials>);

#[pymethods]
impl VapidCredentials {
    #[new]
    #[pyo3(signature = (key, *, subject, any_subject=false))]
    fn new(
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        subject: Str,
        any_subject: bool,
    ) -> PyResult<PyClassInitializer<Self>> {
        let material = match key.cast::<SigningKey>() {
            Ok(key) => key.get().0.to_pkcs8_der(),
            Err(_) => credential(key)?,
        };
        let key = Es256Key::read(material.expose_secret()).or_raise(py)?;
        let credentials = match any_subject {
            true => webpush::Credentials::with_any_subject(key, &subject),
            false => webpush::Credentials::new(key, &subject),
        };
        Ok(secret(Self(Arc::new(credentials.or_raise(py)?))))
    }

    /// The key that JavaScript takes as `applicationServerKey`.
    #[getter]
    fn public_key(&self) -> String {
        self.0.public_key().to_base64()
    }

    fn __repr__(&self) -> String {
        format!("<VapidCredentials public_key={}>", self.public_key())
    }
}

/// Which Web Push endpoints may be talked to: by default the public services, by name.
///
/// `hosts` allows more hosts (`.example.org`: and all under it), `any_public_host` every public
/// name, `ports` more ports besides 443, `trusted` (`"host:port"`) exactly these, whatever they
/// are: only from configuration, never from a user's input.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct EndpointPolicy(pub(crate) Policy);

#[pymethods]
impl EndpointPolicy {
    #[new]
    #[pyo3(signature = (*, hosts=Items::default(), any_public_host=false, ports=Items::default(), trusted=Items::default()))]
    fn new(
        py: Python<'_>,
        hosts: Items<Str>,
        any_public_host: bool,
        ports: Items<u16>,
        trusted: Items<Str>,
    ) -> PyResult<Self> {
        let policy = hosts
            .iter()
            .fold(Policy::default(), |policy, host| policy.allow_host(host));
        let policy = ports.into_iter().fold(policy, Policy::allow_port);
        let policy = if any_public_host {
            policy.allow_any_public_host()
        } else {
            policy
        };
        let policy = trusted.iter().try_fold(policy, |policy, at| {
            Authority::parse(at).map(|at| policy.trust(at))
        });
        policy.map(Self).or_raise(py)
    }

    fn __repr__(&self) -> String {
        "<EndpointPolicy>".to_owned()
    }
}

/// Reads what the browser handed out: the JSON of a `PushSubscription`, as text or as a dict.
///
/// Checked once, here; raises `MessageError`.
#[pyclass(frozen, module = "pushcore", eq)]
#[derive(PartialEq, Eq)]
pub(crate) struct Subscription(pub(crate) Arc<webpush::Subscription>);

#[pymethods]
impl Subscription {
    #[new]
    #[pyo3(signature = (subscription, *, policy=None, created_at=None))]
    fn new(
        subscription: &Bound<'_, PyAny>,
        policy: Option<&EndpointPolicy>,
        created_at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let parsed = parse(subscription, policy)?;
        Ok(Self(Arc::new(match created_at {
            Some(time) => parsed.created_at(date(time, "time of creation")?),
            None => parsed,
        })))
    }

    /// Where messages go: a URL, and a secret.
    #[getter]
    fn endpoint(&self) -> String {
        self.0.endpoint().url()
    }

    /// When the browser says that it expires, in seconds since 1970.
    #[getter]
    fn expires(&self) -> Option<f64> {
        self.0.expires().map(seconds)
    }

    /// Whether it can receive a payload.
    #[getter]
    fn has_keys(&self) -> bool {
        self.0.has_keys()
    }

    /// The JSON that browsers make of it.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.endpoint().into_pyobject(py)?.as_any().hash()
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// Read again under a policy that trusts its origin: what a client sends to is the client's policy.
    #[staticmethod]
    fn _restore(py: Python<'_>, json: &[u8], origin: Str, created_at: Option<f64>) -> PyResult<Self> {
        let origin = Authority::parse(&origin).or_raise(py)?;
        let policy = Policy::default().trust(origin);
        let parsed = webpush::Subscription::parse(json, &policy).or_raise(py)?;
        Ok(Self(Arc::new(match created_at {
            Some(time) => parsed.created_at(unix_time(time.into_pyobject(py)?.as_any())?),
            None => parsed,
        })))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let py = slf.py();
        let this = &slf.get().0;
        let json = PyBytes::new(py, this.to_json().as_bytes());
        let origin = this.endpoint().authority().as_str();
        let parts = (json, origin, this.created().map(seconds)).into_pyobject(py)?;
        Ok((slf.get_type().getattr("_restore")?, parts))
    }

    fn __repr__(&self) -> String {
        // The path of an endpoint is a capability.
        format!("<Subscription at {}>", self.0.endpoint().authority())
    }
}

fn parse(value: &Bound<'_, PyAny>, policy: Option<&EndpointPolicy>) -> PyResult<webpush::Subscription> {
    let policy = policy.map(|policy| policy.0.clone()).unwrap_or_default();
    webpush::Subscription::parse(&json_text(value)?, &policy).or_raise(value.py())
}

/// A [`Subscription`], or what one is made from. Where no policy is given, the client's counts, which asks
/// before it sends; whether a policy has been asked comes with it.
pub(crate) fn subscription(
    value: &Bound<'_, PyAny>,
    policy: Option<&EndpointPolicy>,
) -> PyResult<(Arc<webpush::Subscription>, bool)> {
    match (value.cast::<Subscription>(), policy) {
        (Ok(ready), _) => Ok((Arc::clone(&ready.get().0), true)),
        (Err(_), Some(_)) => Ok((Arc::new(parse(value, policy)?), true)),
        (Err(_), None) => {
            let read = webpush::Subscription::read(&json_text(value)?).or_raise(value.py())?;
            Ok((Arc::new(read), false))
        }
    }
}

/// The private half of a subscription: for apps, extensions and tests.
#[pyclass(frozen, extends = PySecret, module = "pushcore")]
pub(crate) struct ReceiverKeys(webpush::ReceiverKeys);

#[pymethods]
impl ReceiverKeys {
    /// New keys from the system's generator.
    #[staticmethod]
    fn generate(py: Python<'_>) -> PyResult<Py<Self>> {
        let keys = webpush::ReceiverKeys::generate().or_raise(py)?;
        Py::new(py, secret(Self(keys)))
    }

    /// From what `export` wrote, or another library's keys.
    #[staticmethod]
    #[pyo3(name = "import_keys", signature = (private_key, *, auth))]
    fn import(py: Python<'_>, private_key: &Bound<'_, PyAny>, auth: SecretStr) -> PyResult<Py<Self>> {
        let key = match private_key.cast::<PyDict>() {
            Ok(dict) => json_text(dict)?.into(),
            Err(_) => credential(private_key)?,
        };
        let keys = webpush::ReceiverKeys::import(key.expose_secret(), &auth).or_raise(py)?;
        Py::new(py, secret(Self(keys)))
    }

    /// The private key as a JSON Web Key.
    fn export(&self) -> String {
        self.0.export().expose_secret().clone()
    }

    /// The public key in base64url.
    #[getter]
    fn p256dh(&self) -> String {
        self.0.p256dh()
    }

    /// The authentication secret in base64url.
    #[getter]
    fn auth(&self) -> String {
        self.0.auth()
    }

    /// The subscription as browsers write it, for the sender.
    fn subscription_json(&self, endpoint: Str) -> String {
        self.0.subscription_json(&endpoint)
    }

    /// Decrypts a body of `aes128gcm`, or of `aesgcm` given its two headers.
    ///
    /// Raises `MessageError`: `INVALID_CIPHERTEXT` or `DECRYPTION_FAILED`.
    #[pyo3(signature = (body, *, crypto_key=None, encryption=None))]
    fn decrypt<'py>(
        &self,
        py: Python<'py>,
        body: &Bound<'_, PyAny>,
        crypto_key: Option<Str>,
        encryption: Option<Str>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let body = bytes(body)?;
        let plain = match (crypto_key, encryption) {
            (None, None) => py.detach(|| self.0.decrypt(&body)),
            (crypto_key, encryption) => {
                let (key, salt) = (crypto_key.unwrap_or_default(), encryption.unwrap_or_default());
                py.detach(|| self.0.decrypt_aesgcm(&body, &key, &salt))
            }
        };
        Ok(PyBytes::new(py, &plain.or_raise(py)?))
    }

    fn __repr__(&self) -> String {
        "<ReceiverKeys>".to_owned()
    }
}
