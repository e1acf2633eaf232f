//! The core's errors in the words of Swift and Kotlin.

use pushcore::{Error, ErrorKind as Kind};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// The kind of an error; docs/errors.md says what each one means and what to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
        pub enum ErrorKind {
            $($(#[$doc])* $name,)*
        }

        /// A kind that is new in the core and missing here breaks the build: this constant has its length.
        const _: [Kind; ALL.len()] = [$(Kind::$name),*];

        impl From<Kind> for ErrorKind {
            fn from(kind: Kind) -> Self {
                match kind {
                    $(Kind::$name => Self::$name,)*
                    // Reached by none of them: the list above is as long as the core's.
                    _ => Self::Internal,
                }
            }
        }

        impl From<ErrorKind> for Kind {
            fn from(kind: ErrorKind) -> Self {
                match kind {
                    $(ErrorKind::$name => Self::$name,)*
                }
            }
        }
    };
}

const ALL: &[Kind] = Kind::ALL;

kinds! {
    /// The key material cannot be read in any known form.
    InvalidKey
    /// A readable key of another algorithm: RSA where P-256 is needed, or the reverse, or a public key.
    WrongKeyType
    /// An elliptic-curve key on a curve other than P-256.
    WrongCurve
    /// The key is encrypted with a password; decrypt it first.
    EncryptedKey
    /// The private and the public key do not belong together.
    KeyMismatch
    /// A field of a credential is missing or malformed (key id, team id, client e-mail, subject ...).
    InvalidCredential
    /// The password does not open the PKCS#12 file.
    WrongPassword
    /// The credential names a token endpoint that is not on the allow-list.
    TokenEndpointNotAllowed
    /// The token endpoint answered "no" (`invalid_grant`, `invalid_client` ...).
    TokenRefused
    /// The token endpoint's answer makes no sense.
    TokenAnswerInvalid
    /// No access token is at hand: fetch one, or wait for the fetch under way.
    TokenNeeded
    /// The service refuses the credentials, so that what waits is not sent: fix them first.
    CredentialsRefused
    /// The bulk send was stopped, because many answers in a row blame the tokens: check the configuration first.
    MixUpSuspected
    /// A device token, registration token or id is malformed.
    InvalidToken
    /// A topic or bundle id is malformed or does not fit the push type.
    InvalidTopic
    /// A value that becomes a header breaks the rules of that header.
    InvalidHeader
    /// The payload is not what the service takes (not JSON, not an object, a wrong type ...).
    InvalidPayload
    /// The payload is larger than the service takes; the context says by how much.
    PayloadTooLarge
    /// The payload is empty where the service needs one.
    PayloadEmpty
    /// Text that is not UTF-8.
    InvalidUtf8
    /// No target, or more than one.
    InvalidTarget
    /// A key that the service keeps for itself.
    ReservedKey
    /// A value outside its range or enumeration.
    InvalidValue
    /// A Web Push subscription is malformed.
    InvalidSubscription
    /// The endpoint policy refuses this endpoint.
    EndpointNotAllowed
    /// Two fields that exclude each other.
    Conflict
    /// A topic condition that does not parse or names too many topics.
    InvalidCondition
    /// A required field is missing.
    MissingField
    /// An encrypted body is malformed (header, record size, key id, padding).
    InvalidCiphertext
    /// An encrypted body does not decrypt with this key.
    DecryptionFailed
    /// The browser has removed the Web Push subscription for good: delete it.
    SubscriptionRemoved
    /// An earlier device of the same list has the same token: nothing was sent for this one.
    DuplicateDevice
    /// The server's certificate has expired.
    CertificateExpired
    /// The server's certificate is not valid yet.
    CertificateNotYetValid
    /// The server's certificate is for another name.
    CertificateWrongName
    /// The server's certificate comes from an unknown issuer.
    CertificateUnknownIssuer
    /// The server's certificate is not acceptable for another reason.
    CertificateInvalid
    /// The server does not offer a protocol that this service needs (ALPN).
    NoApplicationProtocol
    /// The server speaks no TLS version or cipher suite that we accept.
    TlsIncompatible
    /// The server sent a TLS alert.
    TlsAlert
    /// The server broke the TLS protocol.
    TlsProtocol
    /// The host refused the connection.
    ConnectRefused
    /// The connection, or the handshake on it, was not made in time.
    ConnectTimeout
    /// The name did not resolve.
    NameNotResolved
    /// The name resolved to an address that the policy refuses.
    AddressNotAllowed
    /// The connection was lost.
    ConnectionLost
    /// The server broke HTTP/2.
    Http2Protocol
    /// The server broke HTTP/1.1.
    Http1Protocol
    /// The server went over a limit of ours (header list, body, frames of a kind).
    LimitExceeded
    /// The server closed the connection in an orderly way (GOAWAY).
    GoAway
    /// The server reset the stream.
    StreamReset
    /// The proxy refused, or answered nonsense.
    ProxyRefused
    /// The server does not answer on an open connection (PING unanswered).
    PeerSilent
    /// The service has asked for a pause, and the message waited for its end.
    Paused
    /// This machine has no descriptor left for another socket: raise the limit (`ulimit -n`). Messages wait meanwhile.
    OutOfDescriptors
    /// Never processed by the service: not written, refused, or above the last id of GOAWAY. Safe to send again.
    NotSent
    /// Written, and no answer came: the service may or may not have taken it.
    Unknown
    /// The deadline passed before it was written.
    Expired
    /// Cancelled by the caller.
    Cancelled
    /// A call that the documentation forbids; fix the calling code.
    Misuse
    /// The queue is full: drain outcomes first.
    QueueFull
    /// The client, session or connection is closed.
    Closed
    /// A bug of ours; please report it.
    Internal
}

/// One error of a chain: the error itself, or one that caused it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Cause {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The number of the kind, the same in every language.
    pub number: u16,
    /// The error in words: one lower-case line without secrets and tokens.
    pub text: String,
}

/// An error whole: why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Failure {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The number of the kind, the same in every language.
    pub number: u16,
    /// The error in words, with its causes.
    pub text: String,
    /// The HTTP/2 error code with which the server reset the stream or gave up the connection; nil where it named none.
    pub http2_code: Option<u32>,
    /// The TLS alert with which the server ended the connection; nil where it sent none.
    pub tls_alert: Option<u8>,
    /// The errors underneath, the nearest first.
    pub causes: Vec<Cause>,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let causes = std::iter::successors(error.cause(), |error| error.cause());
        Self {
            kind: error.kind().into(),
            number: error.kind().code(),
            text: error.to_string(),
            http2_code: error.http2_code(),
            tls_alert: error.tls_alert(),
            causes: causes
                .map(|cause| Cause {
                    kind: cause.kind().into(),
                    number: cause.kind().code(),
                    text: cause.context().to_owned(),
                })
                .collect(),
        }
    }
}

macro_rules! groups {
    ($($(#[$doc:meta])* $name:ident: $($hundred:literal)|+,)*) => {
        /// Why a call failed. The cases are the groups of the numbers; `failure` has the rest.
        #[derive(Clone, Debug, PartialEq, Eq, uniffi::Error)]
        pub enum PushError {
            $(
                $(#[$doc])*
                $name {
                    /// The error whole.
                    failure: Failure,
                },
            )*
            /// A bug of ours (900 and above): please report it.
            Internal {
                /// The error whole.
                failure: Failure,
            },
        }

        impl PushError {
            fn of(failure: Failure) -> Self {
                match failure.number / 100 {
                    $($($hundred)|+ => Self::$name { failure },)*
                    _ => Self::Internal { failure },
                }
            }

            /// The error whole, whatever its group.
            pub(crate) fn failure(&self) -> &Failure {
                match self {
                    $(Self::$name { failure })|* | Self::Internal { failure } => failure,
                }
            }
        }
    };
}

groups! {
    /// The credentials cannot be used (100 to 199).
    Credentials: 1,
    /// The message, the target or a value is not what the service takes (200 to 299): nothing was sent.
    Message: 2,
    /// TLS failed (300 to 399).
    Tls: 3,
    /// The connection failed (400 to 499).
    Transport: 4,
    /// There is no answer (500 to 599): not sent, unknown, expired or cancelled.
    NoAnswer: 5,
    /// A call that the documentation forbids, a full queue, a closed client (800 to 899).
    Misuse: 8,
}

impl From<Error> for PushError {
    fn from(error: Error) -> Self {
        Self::of(Failure::from(&error))
    }
}

impl std::fmt::Display for PushError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let failure = self.failure();
        write!(f, "{:?} ({}): {}", failure.kind, failure.number, failure.text)
    }
}

impl std::error::Error for PushError {}

/// Returns every kind with its number, for the check that all languages agree.
#[uniffi::export]
pub fn error_kinds() -> Vec<Cause> {
    let kinds = ALL.iter().map(|kind| Cause {
        kind: (*kind).into(),
        number: kind.code(),
        text: kind.name().to_owned(),
    });
    kinds.collect()
}

/// Throws the error of a failure, as it is handed out for one message of many.
#[uniffi::export]
pub fn raise(failure: Failure) -> Result<(), PushError> {
    Err(PushError::of(failure))
}

/// An error about an argument, made here because no core saw the argument.
#[cfg(feature = "l1")]
pub(crate) fn invalid(text: &'static str) -> PushError {
    Error::new(Kind::InvalidValue, text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_chain_and_its_codes() {
        let reset = Error::new(Kind::StreamReset, "stream reset").with_http2_code(11);
        let error = Error::new(Kind::NotSent, "not sent").with_source(reset);
        let PushError::NoAnswer { failure } = PushError::from(error) else {
            panic!("another group")
        };
        assert_eq!((failure.kind, failure.number), (ErrorKind::NotSent, 500));
        assert_eq!((failure.http2_code, failure.tls_alert), (Some(11), None));
        assert_eq!(failure.text, "not sent: stream reset");
        let cause = Cause {
            kind: ErrorKind::StreamReset,
            number: 409,
            text: "stream reset".into(),
        };
        assert_eq!(failure.causes, [cause]);
    }

    #[test]
    fn every_kind_is_its_own_and_in_a_group() {
        for kind in ALL {
            let error = PushError::from(Error::new(*kind, "x"));
            assert_eq!(Kind::from(error.failure().kind), *kind);
            let internal = matches!(error, PushError::Internal { .. });
            assert_eq!(internal, kind.code() >= 900, "{kind}");
        }
    }
}
