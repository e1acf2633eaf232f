//! Requests and responses, for callers with an HTTP client of their own.

use pushcore::http;

/// One header of a request or a response.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Header {
    /// The name, in lower case.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A request, complete with its authorization: hand it to any HTTP client as it is.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers, without `host` and `content-length` where the service asks for neither.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
}

impl From<&http::Request> for Request {
    fn from(request: &http::Request) -> Self {
        Self {
            method: request.method.as_str().to_owned(),
            url: request.url(),
            headers: request
                .all_headers()
                .map(|header| Header { name: header.name.to_owned(), value: header.value.to_owned() })
                .collect(),
            body: request.body.as_bytes().to_vec(),
        }
    }
}

/// The answer that an HTTP client got.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    #[uniffi(default)]
    pub headers: Vec<Header>,
    /// The body.
    #[uniffi(default)]
    pub body: Vec<u8>,
}

impl From<Response> for http::Response {
    fn from(response: Response) -> Self {
        let empty = http::Response::new(response.status, response.body);
        let headers = response.headers.iter();
        headers.fold(empty, |response, header| response.with_header(&header.name, &header.value))
    }
}
