//! The metadata server of a machine in Google's cloud.

use std::net::IpAddr;

use super::source;
use crate::error::{Error, ErrorKind};
use crate::fcm::project::ProjectId;
use crate::http::{Authority, Response};
use crate::oauth::TokenRequest;

/// Whether `address` can be that of Google's metadata server, when `authority` is: link-local, private or loopback
/// (it is 169.254.169.254). Its name is answered for by whatever resolver the machine has, over plain text; a token
/// from an address of the open internet would be a stranger's. Other hosts pass.
///
/// # Errors
/// `AddressNotAllowed`.
pub fn allow_metadata_address(authority: &Authority, address: IpAddr) -> Result<(), Error> {
    let near = match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_loopback() || v6.is_unique_local(),
    };
    if near || authority.host() != source::METADATA_HOST {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::AddressNotAllowed,
        "the metadata server's name resolves to an address that is not of this machine's network",
    ))
}

/// Asks the metadata server which project the machine belongs to.
///
/// # Errors
/// None in practice: the request is constant.
pub fn metadata_project_request() -> Result<TokenRequest, Error> {
    source::metadata("project/project-id")
}

/// Reads the answer to [`metadata_project_request`].
///
/// # Errors
/// `TokenAnswerInvalid` when it is not from a metadata server; `InvalidCredential` when it
/// holds no project id.
pub fn metadata_project(response: &Response) -> Result<ProjectId, Error> {
    if response.status != 200 || response.header("metadata-flavor") != Some("Google") {
        return Err(Error::new(
            ErrorKind::TokenAnswerInvalid,
            "the answer is not from a metadata server",
        ));
    }
    ProjectId::new(String::from_utf8_lossy(&response.body).trim())
}
