//! Signing keys: made, read in every form, written in every form.

use pushcore::crypto::Es256Key;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::OrRaise;
use crate::recipe::{PySecret, secret};
use crate::values::credential;

/// A P-256 private key that signs: for APNs provider tokens and for VAPID.
#[pyclass(frozen, extends = PySecret, module = "pushcore")]
pub(crate) struct SigningKey(pub(crate) Es256Key);

#[pymethods]
impl SigningKey {
    /// A new key from the system's generator.
    #[staticmethod]
    fn generate(py: Python<'_>) -> PyResult<Py<Self>> {
        let key = py.detach(Es256Key::generate).or_raise(py)?;
        Py::new(py, secret(Self(key)))
    }

    /// A key in any form that people have: PEM (PKCS#8, SEC1), DER, JWK, base64 of 32 bytes, in quotes, in
    /// base64, in UTF-16; or the file that holds it. Content is recognised before the name of a file.
    ///
    /// Raises `CredentialError` that says what it is instead.
    #[staticmethod]
    fn read(py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<Py<Self>> {
        let key = Es256Key::read(credential(key)?.expose_secret()).or_raise(py)?;
        Py::new(py, secret(Self(key)))
    }

    /// Reads a key as `read` does, under the name of the usual case.
    #[staticmethod]
    fn from_file(py: Python<'_>, path: &Bound<'_, PyAny>) -> PyResult<Py<Self>> {
        Self::read(py, path)
    }

    /// PKCS#8 in PEM, the form of an APNs `.p8` file.
    fn to_pem(&self) -> String {
        self.0.to_pkcs8_pem().expose_secret().clone()
    }

    /// PKCS#8 in DER.
    fn to_der<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.to_pkcs8_der().expose_secret())
    }

    /// SEC1 in PEM (`EC PRIVATE KEY`).
    fn to_sec1_pem(&self) -> String {
        self.0.to_sec1_pem().expose_secret().clone()
    }

    /// A JSON Web Key.
    fn to_jwk(&self) -> String {
        self.0.to_jwk().expose_secret().clone()
    }

    /// The 32 bytes in base64url: the form of `web-push generate-vapid-keys`.
    fn to_base64(&self) -> String {
        self.0.to_base64().expose_secret().clone()
    }

    /// The public key in base64url: what JavaScript takes as `applicationServerKey`.
    #[getter]
    fn public_key(&self) -> String {
        self.0.public_key().to_base64()
    }

    /// The public key in PEM.
    fn public_pem(&self) -> String {
        self.0.public_key().to_pem()
    }

    /// The public key as a JSON Web Key.
    fn public_jwk(&self) -> String {
        self.0.public_key().to_jwk()
    }

    fn __repr__(&self) -> String {
        format!("<SigningKey public_key={}>", self.public_key())
    }
}
