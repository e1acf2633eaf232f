//! What rustls says, in the words of this crate: each failure with what to fix.

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible, PeerMisbehaved};

use crate::error::{Error, ErrorKind};

/// The last second that an HTTP date can show: the year 9999.
const LAST_SHOWN: u64 = 253_402_300_799;

/// Translates an error of the TLS layer. `host` is the name that was asked for.
pub(super) fn explain(error: rustls::Error, host: &str) -> Error {
    let (kind, context) = match &error {
        rustls::Error::InvalidCertificate(reason) => certificate(reason, host),
        rustls::Error::NoCertificatesPresented => (
            ErrorKind::CertificateInvalid,
            format!("{host} presented no certificate").into(),
        ),
        rustls::Error::AlertReceived(alert) => received(*alert),
        rustls::Error::PeerIncompatible(reason) => (ErrorKind::TlsIncompatible, incompatible(reason).into()),
        rustls::Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedApplicationProtocol) => (
            ErrorKind::NoApplicationProtocol,
            "server chose an application protocol that was not offered".into(),
        ),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => (
            ErrorKind::TlsProtocol,
            "server does not speak tls on this port".into(),
        ),
        rustls::Error::FailedToGetRandomBytes => {
            (ErrorKind::Internal, "the system gave no random bytes".into())
        }
        _ => (ErrorKind::TlsProtocol, "server broke the tls protocol".into()),
    };
    let explained = Error::new(kind, context);
    match error {
        // Its source would only repeat the names and dates above, at length.
        rustls::Error::InvalidCertificate(
            CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYetContext { .. }
            | CertificateError::NotValidForNameContext { .. },
        ) => explained,
        rustls::Error::AlertReceived(alert) => explained.with_tls_alert(u8::from(alert)),
        other => explained.with_source(other),
    }
}

fn certificate(reason: &CertificateError, host: &str) -> (ErrorKind, Cow<'static, str>) {
    match reason {
        CertificateError::Expired => (
            ErrorKind::CertificateExpired,
            format!("certificate of {host} has expired").into(),
        ),
        CertificateError::ExpiredContext { time, not_after } => (
            ErrorKind::CertificateExpired,
            format!(
                "certificate of {host} expired on {}, the clock says {}",
                date(not_after.as_secs()),
                date(time.as_secs())
            )
            .into(),
        ),
        CertificateError::NotValidYet => (
            ErrorKind::CertificateNotYetValid,
            format!("certificate of {host} is not valid yet; is the clock right?").into(),
        ),
        CertificateError::NotValidYetContext { time, not_before } => (
            ErrorKind::CertificateNotYetValid,
            format!(
                "certificate of {host} is valid from {}, the clock says {}; is it right?",
                date(not_before.as_secs()),
                date(time.as_secs())
            )
            .into(),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            ErrorKind::CertificateWrongName,
            format!("certificate of the server is not for {host}: check the host name").into(),
        ),
        CertificateError::UnknownIssuer => (
            ErrorKind::CertificateUnknownIssuer,
            format!("certificate of {host} comes from an unknown issuer: add its ca to the trusted roots")
                .into(),
        ),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => (
            ErrorKind::CertificateInvalid,
            format!("certificate of {host} is not meant for servers (extended key usage)").into(),
        ),
        CertificateError::BadSignature => (
            ErrorKind::CertificateInvalid,
            format!("signature on the certificate of {host}, or in its handshake, is wrong").into(),
        ),
        CertificateError::Revoked => (
            ErrorKind::CertificateInvalid,
            format!("certificate of {host} is revoked").into(),
        ),
        _ => (
            ErrorKind::CertificateInvalid,
            format!("certificate of {host} is not acceptable").into(),
        ),
    }
}

fn received(alert: AlertDescription) -> (ErrorKind, Cow<'static, str>) {
    let text: Cow<'static, str> = match alert {
        AlertDescription::NoApplicationProtocol => {
            return (
                ErrorKind::NoApplicationProtocol,
                "server offers none of the application protocols that were asked for (alert no_application_protocol)"
                    .into(),
            );
        }
        AlertDescription::ProtocolVersion => {
            return (
                ErrorKind::TlsIncompatible,
                "server speaks neither tls 1.2 nor tls 1.3 (alert protocol_version)".into(),
            );
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            return (
                ErrorKind::TlsIncompatible,
                "server found no common cipher suite, or in tls 1.2 misses a client certificate (alert handshake_failure)"
                    .into(),
            );
        }
        AlertDescription::CertificateRequired => {
            "server wants a client certificate and none is configured (alert certificate_required)".into()
        }
        AlertDescription::CertificateRevoked => {
            "server says that the client certificate is revoked (alert certificate_revoked)".into()
        }
        AlertDescription::CertificateExpired => {
            "server says that the client certificate has expired (alert certificate_expired)".into()
        }
        AlertDescription::UnknownCA => {
            "server does not know the issuer of the client certificate (alert unknown_ca)".into()
        }
        AlertDescription::BadCertificate => {
            "server refuses the client certificate (alert bad_certificate)".into()
        }
        AlertDescription::UnsupportedCertificate => {
            "server refuses this kind of client certificate (alert unsupported_certificate)".into()
        }
        AlertDescription::CertificateUnknown => {
            "server refuses the client certificate (alert certificate_unknown)".into()
        }
        AlertDescription::AccessDenied => {
            "server refuses whom the client certificate names (alert access_denied)".into()
        }
        AlertDescription::UnrecognisedName => {
            "server does not know this host name (alert unrecognized_name)".into()
        }
        other => format!("server sent the tls alert {other:?}").into(),
    };
    (ErrorKind::TlsAlert, text)
}

fn incompatible(reason: &PeerIncompatible) -> &'static str {
    match reason {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            "server speaks neither tls 1.2 nor tls 1.3"
        }
        PeerIncompatible::NoCipherSuitesInCommon => "server and client have no cipher suite in common",
        PeerIncompatible::NoKxGroupsInCommon => "server and client have no key exchange group in common",
        PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => {
            "server and client have no signature scheme in common"
        }
        _ => "server's tls is not compatible",
    }
}

fn date(secs: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(secs.min(LAST_SHOWN)))
}
