//! A request as HTTP/1.1 writes it.

use crate::error::{Error, ErrorKind};
use crate::http::{Authority, Method, Request};

/// Appends the request to `out`, or leaves `out` as it was.
pub(super) fn write(request: &Request, out: &mut Vec<u8>) -> Result<(), Error> {
    let authority = request
        .authority
        .as_ref()
        .ok_or_else(|| Error::new(ErrorKind::Misuse, "request has no authority"))?;
    check(request)?;
    line(out, &[request.method.as_str(), " ", &request.path, " HTTP/1.1"]);
    line(out, &["host: ", Authority::as_str(authority)]);
    for header in request
        .all_headers()
        .filter(|header| header.name != "content-length")
    {
        line(out, &[header.name, ": ", header.value]);
    }
    let body = request.body.as_bytes();
    let expects_body = matches!(request.method, Method::Patch | Method::Post | Method::Put);
    if expects_body || !body.is_empty() {
        line(out, &["content-length: ", &body.len().to_string()]);
    }
    line(out, &[]);
    out.extend_from_slice(body);
    Ok(())
}

fn line(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Header names and values were checked when they were pushed; what is left is the
/// path, and the headers that frame the message (RFC 9112 §6) and are ours to write.
fn check(request: &Request) -> Result<(), Error> {
    let visible = request.path.bytes().all(|byte| byte.is_ascii_graphic());
    if !request.path.starts_with('/') || !visible {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            "path does not begin with a slash or holds bytes that are not percent-encoded",
        ));
    }
    for header in request.all_headers() {
        let ours = match header.name {
            "connection" | "host" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade" => true,
            "content-length" => header.value.parse() != Ok(request.body.len()),
            _ => false,
        };
        if ours {
            return Err(Error::new(
                ErrorKind::InvalidHeader,
                format!("header {} belongs to the connection", header.name),
            ));
        }
    }
    Ok(())
}
