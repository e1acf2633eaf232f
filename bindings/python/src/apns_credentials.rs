//! APNs: who pushes.

use pushcore::Error;
use pushcore::apns::{self, BundleId};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::tls::ClientIdentity;
use pushcore::secret::Secret;
use pyo3::prelude::*;

use crate::errors::OrRaise;
use crate::recipe::{PySecret, secret};
use crate::values::{Items, SecretStr, Str, clock, credential, unknown_word};

/// The sender of pushes to APNs: a signing key or a client certificate. Clients share its provider token.
#[pyclass(frozen, extends = PySecret, module = "pushcore")]
pub(crate) struct ApnsCredentials {
    pub(crate) credentials: apns::Credentials,
    /// The certificate that the connection presents, where the credentials are one.
    pub(crate) identity: Option<ClientIdentity>,
}

impl ApnsCredentials {
    fn made(
        py: Python<'_>,
        credentials: apns::Credentials,
        identity: Option<ClientIdentity>,
    ) -> PyResult<Py<Self>> {
        Py::new(
            py,
            secret(Self {
                credentials,
                identity,
            }),
        )
    }
}

#[pymethods]
impl ApnsCredentials {
    /// A signing key: the `.p8` file or what it holds.
    ///
    /// `key_id` and `team_id` have ten characters each. `topics` are the bundle ids that a
    /// topic-scoped key is for. Raises `CredentialError`.
    #[staticmethod]
    #[pyo3(signature = (key, *, key_id, team_id, topics=None))]
    fn from_p8(
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        key_id: Str,
        team_id: Str,
        topics: Option<Items<Str>>,
    ) -> PyResult<Py<Self>> {
        let key = credential(key)?;
        let make = || -> Result<_, Error> {
            let scope = match topics {
                Some(topics) => {
                    let bundles = topics.iter().map(|topic| BundleId::parse(topic));
                    apns::KeyScope::Topics(bundles.collect::<Result<_, _>>()?)
                }
                None => apns::KeyScope::Team,
            };
            let (key_id, team_id) = (apns::KeyId::parse(&key_id)?, apns::TeamId::parse(&team_id)?);
            let key = Es256Key::from_pem(key.expose_secret())?;
            let policy = apns::HeaderPolicy::default();
            Ok(apns::Credentials::token_with(key_id, team_id, key, scope, policy))
        };
        let credentials = make().or_raise(py)?;
        Self::made(py, credentials, None)
    }

    /// A client certificate in PEM; `key` where it is not in the same file.
    #[staticmethod]
    #[pyo3(signature = (certificate, key=None))]
    fn from_certificate(
        py: Python<'_>,
        certificate: &Bound<'_, PyAny>,
        key: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<Self>> {
        let certificate = credential(certificate)?;
        let certificate = certificate.expose_secret();
        let key = key.map(credential).transpose()?;
        let key = key.as_ref().map_or(certificate, Secret::expose_secret);
        let identity = Some(ClientIdentity::from_pem(certificate, key).or_raise(py)?);
        let certificate = apns::ClientCertificate::from_pem(certificate, key).or_raise(py)?;
        Self::made(py, apns::Credentials::certificate(certificate), identity)
    }

    /// A client certificate with its key in a PKCS#12 file (`.p12`, `.pfx`), or what it holds.
    ///
    /// At most 10 MiB and a million key-derivation rounds. Raises `CredentialError`: `WRONG_PASSWORD`,
    /// `INVALID_KEY`, `INVALID_CREDENTIAL` or `KEY_MISMATCH`.
    #[staticmethod]
    #[pyo3(signature = (file, password=None))]
    fn from_pkcs12(
        py: Python<'_>,
        file: &Bound<'_, PyAny>,
        password: Option<SecretStr>,
    ) -> PyResult<Py<Self>> {
        let file = credential(file)?;
        let make = || -> Result<_, Error> {
            let identity =
                ClientIdentity::from_pkcs12(file.expose_secret(), password.as_deref().unwrap_or_default())?;
            let chain = identity.chain().map(<[u8]>::to_vec).collect();
            // The connection has the key; nothing here asks the certificate for it.
            let certificate = apns::ClientCertificate::from_der(chain, Vec::new())?;
            Ok((apns::Credentials::certificate(certificate), identity))
        };
        let (credentials, identity) = py.detach(make).or_raise(py)?;
        Self::made(py, credentials, Some(identity))
    }

    /// No key here: provider tokens of one key that other processes make and hand in with `import_token`.
    #[staticmethod]
    #[pyo3(signature = (*, key_id, team_id))]
    fn from_provider_tokens(py: Python<'_>, key_id: Str, team_id: Str) -> PyResult<Py<Self>> {
        let make = || -> Result<_, Error> {
            let (key_id, team_id) = (apns::KeyId::parse(&key_id)?, apns::TeamId::parse(&team_id)?);
            Ok(apns::Credentials::imported(key_id, team_id))
        };
        Self::made(py, make().or_raise(py)?, None)
    }

    /// Takes over a provider token that another process made with the same key: `True` where it is newer than
    /// the present one. Apple refuses a key whose tokens change more often than every 20 minutes, so workers
    /// share one. Raises `CredentialError` for a token of another key or team, or older than an hour.
    #[pyo3(signature = (token, *, now=None))]
    fn import_token(
        &self,
        py: Python<'_>,
        token: SecretStr,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        self.credentials
            .import_token(&token, clock(py, now)?)
            .or_raise(py)
    }

    /// The provider token of now (a JWT).
    #[pyo3(signature = (*, now=None))]
    fn provider_token(&self, py: Python<'_>, now: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
        let now = clock(py, now)?;
        let token = py.detach(|| self.credentials.provider_token(now)).or_raise(py)?;
        Ok(token.expose_secret().clone())
    }

    fn __repr__(&self) -> String {
        format!("<ApnsCredentials {:?}>", self.credentials)
    }
}

/// Apple's hosts of an environment, or one host for everything.
pub(crate) fn hosts(environment: Option<Str>, host: Option<Str>) -> Result<apns::Hosts, Error> {
    let named = match environment {
        Some(name) => {
            let all = [apns::Environment::Production, apns::Environment::Sandbox];
            let known = all.into_iter().find(|environment| environment.name() == &*name);
            known.ok_or_else(|| unknown_word("the environment"))?
        }
        None => apns::Environment::default(),
    };
    match host {
        Some(host) => {
            let authority = Authority::parse(&host)?;
            Ok(named
                .hosts()
                .with_device(authority.clone())
                .with_management(authority))
        }
        None => Ok(named.hosts()),
    }
}
