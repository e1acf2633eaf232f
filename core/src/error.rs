//! Why there is no answer: the caller's input, the transport, or our bug.
//!
//! A service that says "no" is not an error: see [`Outcome`](crate::outcome::Outcome).

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::printable::Printable;

/// The most bytes of one error's own text.
const LONGEST: usize = 1024;

/// The one error type of the crate: a stable [`ErrorKind`], a lower-case line
/// that says what to fix, and the error underneath where there is one.
///
/// The text never holds a secret, a device token, or more than a short prefix
/// of the input.
///
/// A clone has the whole chain of causes of the error that it is made of.
#[derive(Clone)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    context: Cow<'static, str>,
    http2_code: Option<u32>,
    tls_alert: Option<u8>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `context` is one lower-case line without a final period.
    ///
    /// Control characters in `context` are replaced, and what is longer than 1,024 bytes is cut, because the text may quote a peer.
    pub fn new(kind: ErrorKind, context: impl Into<Cow<'static, str>>) -> Self {
        let mut context = context.into();
        if let Cow::Owned(text) = &context {
            let printable = Printable::new(text, LONGEST);
            if !printable.is_plain() {
                context = Cow::Owned(printable.to_string());
            }
        }
        Self {
            inner: Box::new(Inner {
                kind,
                context,
                http2_code: None,
                tls_alert: None,
                source: None,
            }),
        }
    }

    /// Returns the error with the one that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(Arc::from(source.into()));
        self
    }

    /// Returns the error with the HTTP/2 error code that the server gave for it.
    #[must_use]
    pub fn with_http2_code(mut self, code: u32) -> Self {
        self.inner.http2_code = Some(code);
        self
    }

    /// The error code (RFC 9113 §7) with which the server reset the stream (RST_STREAM) or gave
    /// the connection up (GOAWAY), where that is why there is no answer: of this error, or of the
    /// nearest one underneath that has one. 7, REFUSED_STREAM, is behind a `NotSent`; 11,
    /// ENHANCE_YOUR_CALM, asks to slow down; any number may come, known or not. `None` where
    /// the server named no code: a lost connection, an error of ours, HTTP/1.1.
    pub fn http2_code(&self) -> Option<u32> {
        self.inner
            .http2_code
            .or_else(|| self.cause().and_then(Error::http2_code))
    }

    /// Returns the error with the TLS alert that the server gave for it.
    #[must_use]
    pub fn with_tls_alert(mut self, alert: u8) -> Self {
        self.inner.tls_alert = Some(alert);
        self
    }

    /// The TLS alert (RFC 8446 §6) with which the server ended the connection, where that is why
    /// there is no answer: of this error, or of the nearest one underneath that has one. 44 is
    /// `certificate_revoked`, 116 `certificate_required`.
    pub fn tls_alert(&self) -> Option<u8> {
        self.inner
            .tls_alert
            .or_else(|| self.cause().and_then(Error::tls_alert))
    }

    /// Returns the error with the server's codes that `other` has.
    pub(crate) fn with_codes_of(mut self, other: &Error) -> Self {
        self.inner.http2_code = other.http2_code();
        self.inner.tls_alert = other.tls_alert();
        self
    }

    /// Returns the kind of error, a stable number shared by all languages.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Returns the error in words: one lower-case line, without its cause.
    pub fn context(&self) -> &str {
        &self.inner.context
    }

    /// The error of this crate underneath, if that is what caused this one.
    pub fn cause(&self) -> Option<&Error> {
        self.inner
            .source
            .as_ref()
            .and_then(|source| source.downcast_ref::<Error>())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.inner.kind)
            .field("context", &self.inner.context);
        if let Some(code) = self.inner.http2_code {
            out.field("http2_code", &code);
        }
        if let Some(alert) = self.inner.tls_alert {
            out.field("tls_alert", &alert);
        }
        if let Some(source) = &self.inner.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.context)?;
        match &self.inner.source {
            Some(source) if source.is::<Error>() => write!(f, ": {source}"),
            // Another crate's, which may quote what the peer sent.
            Some(source) => write!(f, ": {}", Printable::new(&source.to_string(), LONGEST)),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// The kind of an error. The numbers are the same in every language, are
        /// grouped by hundreds (1 credentials, 2 message, 3 TLS, 4 transport
        /// and HTTP, 5 no answer, 8 misuse, 9 our bug) and are never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum ErrorKind {
            $($(#[$doc])* $name = $code,)*
        }

        impl ErrorKind {
            /// Every kind, in the order of its number.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$name,)*];

            /// The stable number.
            pub const fn code(self) -> u16 {
                self as u16
            }

            /// The name as written here, e.g. `WrongKeyType`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(ErrorKind::$name => stringify!($name),)*
                }
            }
        }
    };
}

kinds! {
    /// The key material cannot be read in any known form.
    InvalidKey = 100,
    /// A readable key of another algorithm: RSA where P-256 is needed, or the reverse, or a public key.
    WrongKeyType = 101,
    /// An elliptic-curve key on a curve other than P-256.
    WrongCurve = 102,
    /// The key is encrypted with a password; decrypt it first.
    EncryptedKey = 103,
    /// The private and the public key do not belong together.
    KeyMismatch = 104,
    /// A field of a credential is missing or malformed (key id, team id, client e-mail, subject ...).
    InvalidCredential = 105,
    /// The password does not open the PKCS#12 file.
    WrongPassword = 106,
    /// The credential names a token endpoint that is not on the allow-list.
    TokenEndpointNotAllowed = 107,
    /// The token endpoint answered "no" (`invalid_grant`, `invalid_client` ...).
    TokenRefused = 108,
    /// The token endpoint's answer makes no sense.
    TokenAnswerInvalid = 109,
    /// No access token is at hand: fetch one, or wait for the fetch under way.
    TokenNeeded = 110,
    /// The service refuses the credentials, so that what waits is not sent: fix them first.
    CredentialsRefused = 111,
    /// The bulk send was stopped, because many answers in a row blame the tokens: check the configuration first.
    MixUpSuspected = 112,

    /// A device token, registration token or id is malformed.
    InvalidToken = 200,
    /// A topic or bundle id is malformed or does not fit the push type.
    InvalidTopic = 201,
    /// A value that becomes a header breaks the rules of that header.
    InvalidHeader = 202,
    /// The payload is not what the service takes (not JSON, not an object, a wrong type ...).
    InvalidPayload = 203,
    /// The payload is larger than the service takes; the context says by how much.
    PayloadTooLarge = 204,
    /// The payload is empty where the service needs one.
    PayloadEmpty = 205,
    /// Text that is not UTF-8.
    InvalidUtf8 = 206,
    /// No target, or more than one.
    InvalidTarget = 207,
    /// A key that the service keeps for itself.
    ReservedKey = 208,
    /// A value outside its range or enumeration.
    InvalidValue = 209,
    /// A Web Push subscription is malformed.
    InvalidSubscription = 210,
    /// The endpoint policy refuses this endpoint.
    EndpointNotAllowed = 211,
    /// Two fields that exclude each other.
    Conflict = 212,
    /// A topic condition that does not parse or names too many topics.
    InvalidCondition = 213,
    /// A required field is missing.
    MissingField = 214,
    /// An encrypted body is malformed (header, record size, key id, padding).
    InvalidCiphertext = 215,
    /// An encrypted body does not decrypt with this key.
    DecryptionFailed = 216,
    /// The browser has removed the Web Push subscription for good: delete it.
    SubscriptionRemoved = 217,
    /// An earlier device of the same list has the same token: nothing was sent for this one.
    DuplicateDevice = 218,

    /// The server's certificate has expired.
    CertificateExpired = 300,
    /// The server's certificate is not valid yet.
    CertificateNotYetValid = 301,
    /// The server's certificate is for another name.
    CertificateWrongName = 302,
    /// The server's certificate comes from an unknown issuer.
    CertificateUnknownIssuer = 303,
    /// The server's certificate is not acceptable for another reason.
    CertificateInvalid = 304,
    /// The server does not offer a protocol that this service needs (ALPN).
    NoApplicationProtocol = 305,
    /// The server speaks no TLS version or cipher suite that we accept.
    TlsIncompatible = 306,
    /// The server sent a TLS alert.
    TlsAlert = 307,
    /// The server broke the TLS protocol.
    TlsProtocol = 308,

    /// The host refused the connection.
    ConnectRefused = 400,
    /// The connection, or the handshake on it, was not made in time.
    ConnectTimeout = 401,
    /// The name did not resolve.
    NameNotResolved = 402,
    /// The name resolved to an address that the policy refuses.
    AddressNotAllowed = 403,
    /// The connection was lost.
    ConnectionLost = 404,
    /// The server broke HTTP/2.
    Http2Protocol = 405,
    /// The server broke HTTP/1.1.
    Http1Protocol = 406,
    /// The server went over a limit of ours (header list, body, frames of a kind).
    LimitExceeded = 407,
    /// The server closed the connection in an orderly way (GOAWAY).
    GoAway = 408,
    /// The server reset the stream.
    StreamReset = 409,
    /// The proxy refused, or answered nonsense.
    ProxyRefused = 410,
    /// The server does not answer on an open connection (PING unanswered).
    PeerSilent = 411,
    /// The service has asked for a pause, and the message waited for its end.
    Paused = 412,
    /// This machine has no descriptor left for another socket: raise the limit (`ulimit -n`). Messages wait meanwhile.
    OutOfDescriptors = 413,

    /// Never processed by the service: not written, refused, or above the last id of GOAWAY. Safe to send again.
    NotSent = 500,
    /// Written, and no answer came: the service may or may not have taken it.
    Unknown = 501,
    /// The deadline passed before it was written.
    Expired = 502,
    /// Cancelled by the caller.
    Cancelled = 503,

    // 810, 811 and 901 are statuses of the C ABI (include/pushcore.h): not to be used here.
    /// A call that the documentation forbids; fix the calling code.
    Misuse = 800,
    /// The queue is full: drain outcomes first.
    QueueFull = 801,
    /// The client, session or connection is closed.
    Closed = 802,

    /// A bug of ours; please report it.
    Internal = 900,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_and_are_unique() {
        for pair in ErrorKind::ALL.windows(2) {
            assert!(pair[0].code() < pair[1].code(), "{} and {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn display_joins_context_and_source() {
        let cause = Error::new(ErrorKind::ConnectionLost, "connection closed by peer");
        let error = Error::new(ErrorKind::Unknown, "no answer").with_source(cause);
        assert_eq!(error.to_string(), "no answer: connection closed by peer");
        assert_eq!(error.cause().map(Error::kind), Some(ErrorKind::ConnectionLost));
    }

    #[test]
    fn a_clone_has_the_chain_of_causes() {
        let io = std::io::Error::other("broken pipe");
        let lost = Error::new(ErrorKind::ConnectionLost, "connection lost")
            .with_source(io)
            .with_tls_alert(44);
        let copy = Error::new(ErrorKind::Unknown, "no answer")
            .with_source(lost)
            .clone();
        assert_eq!(copy.to_string(), "no answer: connection lost: broken pipe");
        assert_eq!(copy.context(), "no answer");
        let cause = copy.cause().expect("the cause is kept");
        assert_eq!(
            (cause.kind(), cause.tls_alert()),
            (ErrorKind::ConnectionLost, Some(44))
        );
        let last = StdError::source(cause).expect("the last cause is kept");
        assert!(last.downcast_ref::<std::io::Error>().is_some());
    }

    #[test]
    fn the_code_of_the_nearest_cause_is_told() {
        let reset = Error::new(ErrorKind::StreamReset, "stream reset").with_http2_code(11);
        let error = Error::new(ErrorKind::Unknown, "no answer").with_source(reset);
        assert_eq!(error.http2_code(), Some(11));
        assert_eq!(error.with_http2_code(0).http2_code(), Some(0));
        assert_eq!(Error::new(ErrorKind::Unknown, "no answer").http2_code(), None);
    }

    /// A log line or a terminal must survive what a peer writes.
    #[test]
    fn a_hostile_text_is_tamed_and_cut() {
        #[derive(Debug)]
        struct Foreign(String);
        impl fmt::Display for Foreign {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl StdError for Foreign {}
        let hostile = format!("\u{1b}[2J\r\n\u{202e}{}", "x".repeat(70_000));
        let error = Error::new(ErrorKind::NotSent, hostile.clone()).with_source(Foreign(hostile));
        let outer = Error::new(ErrorKind::NotSent, "outer").with_source(error);
        let shown = outer.to_string();
        assert!(shown.len() < 2200, "{} bytes", shown.len());
        assert!(!shown.contains(['\u{1b}', '\r', '\n', '\u{202e}']), "{shown:?}");
        assert!(shown.starts_with("outer: \u{fffd}[2J"), "{shown:?}");
    }
}
