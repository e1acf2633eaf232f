//! Stands for the client certificate where the feature `certificate` is off: there is none.

use std::fmt;

use crate::error::Error;

/// A type without values, so that code which handles a certificate compiles to nothing.
#[derive(Clone)]
pub(super) enum ClientCertificate {}

impl ClientCertificate {
    pub(super) fn permits(&self, _: Option<&str>) -> Result<(), Error> {
        match *self {}
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}
