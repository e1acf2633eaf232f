//! Client certificates: who presents one, and what it is good for.

use super::{Apns, Environment};
use crate::record::Record;
use crate::shared::Moment;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::time::Duration;
use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::asn1_rs::FromDer;

/// The subject's UID (RFC 4519 §2.39): the bundle id, or the topic of an MDM certificate.
const UID: &str = "0.9.2342.19200300.100.1.1";
/// Apple's marks: for development, for production, for calls, and the list of topics.
const DEVELOPMENT: &str = "1.2.840.113635.100.6.3.1";
const PRODUCTION: &str = "1.2.840.113635.100.6.3.2";
const VOIP: &str = "1.2.840.113635.100.6.3.4";
const TOPICS: &str = "1.2.840.113635.100.6.3.6";
/// How the UID of an MDM certificate begins.
pub(super) const MDM: &str = "com.apple.mgmt.";

/// The content of a connection's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    uid: String,
    topics: Vec<String>,
    development: bool,
    production: bool,
}

impl Certificate {
    /// Reads a certificate; `None` when it is not of the kind that APNs issues.
    fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let uid = certificate
            .subject()
            .iter_attributes()
            .find(|attribute| attribute.attr_type().to_id_string() == UID)
            .and_then(|attribute| attribute.as_str().ok())?
            .to_owned();
        let extension = |oid: &str| {
            certificate
                .extensions()
                .iter()
                .find(|extension| extension.oid.to_id_string() == oid)
        };
        let topics = match extension(TOPICS) {
            Some(list) => strings(list.value)?,
            None if extension(VOIP).is_some() => vec![uid.clone(), format!("{uid}.voip")],
            None => vec![uid.clone()],
        };
        let (development, production) = (extension(DEVELOPMENT).is_some(), extension(PRODUCTION).is_some());
        Some(Self {
            uid,
            topics,
            // One that names no environment is taken in both.
            development: development || !production,
            production: production || !development,
        })
    }

    fn serves(&self, environment: Environment) -> bool {
        match environment {
            Environment::Development => self.development,
            Environment::Production => self.production,
        }
    }

    pub(super) fn topics(&self) -> &[String] {
        &self.topics
    }

    /// The topic of requests that name none: there must be only one to choose from.
    pub(super) fn default_topic(&self) -> Option<&str> {
        match self.topics.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// The strings of a DER sequence; each is followed by a sequence of what it is for.
fn strings(der: &[u8]) -> Option<Vec<String>> {
    let (0x30, mut content, []) = element(der)? else {
        return None;
    };
    let mut found = Vec::new();
    while !content.is_empty() {
        let (tag, value, rest) = element(content)?;
        if tag == 0x0c {
            found.push(String::from_utf8(value.to_vec()).ok()?);
        }
        content = rest;
    }
    (!found.is_empty()).then_some(found)
}

/// One DER element: its tag, its content, what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 3))?;
            (
                bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
                rest,
            )
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// A refusal of a whole connection.
type Refused = (&'static str, &'static str);

impl Apns {
    /// A new connection presents these certificates, leaf first. When they are no good,
    /// the reason to end it with, and a record of operation `connection` for the log.
    pub(crate) fn present(
        &mut self,
        connection: u64,
        chain: &[CertificateDer<'_>],
        now: Moment,
    ) -> Option<(&'static str, Record)> {
        match self.judge(chain, now) {
            Ok(certificate) => {
                let binding = self.bindings.entry(connection).or_default();
                binding.certificate = Some(certificate);
                None
            }
            Err((reason, rule)) => {
                let record = Record {
                    at_ms: now.unix_ms,
                    service: "apns".to_owned(),
                    operation: "connection".to_owned(),
                    status: 403,
                    reason: Some(reason.to_owned()),
                    rule: Some(rule.to_owned()),
                    connection,
                    ..Record::default()
                };
                Some((reason, record))
            }
        }
    }

    fn judge(&self, chain: &[CertificateDer<'_>], now: Moment) -> Result<Certificate, Refused> {
        let issuer = ("BadCertificate", "apns.certificate.issuer");
        let (leaf, intermediates) = chain.split_first().ok_or(issuer)?;
        // The certificate ages by the sandbox's clock.
        let seconds = u64::try_from(now.unix_ms / 1000).unwrap_or(0);
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let trusted = self
            .issuer
            .as_ref()
            .is_some_and(|issuer| issuer.verify_client_cert(leaf, intermediates, time).is_ok());
        if !trusted {
            return Err(issuer);
        }
        let certificate = Certificate::read(leaf).ok_or(("BadCertificate", "apns.certificate.form"))?;
        if !certificate.serves(self.environment) {
            return Err(("BadCertificateEnvironment", "apns.certificate.environment"));
        }
        Ok(certificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_topics_are_read_strictly() {
        // SEQUENCE { UTF8String "a.b", SEQUENCE { UTF8String "app" }, UTF8String "a.b.voip" }
        let list = b"\x30\x16\x0c\x03a.b\x30\x05\x0c\x03app\x0c\x08a.b.voip";
        assert_eq!(strings(list), Some(vec!["a.b".to_owned(), "a.b.voip".to_owned()]));
        assert_eq!(strings(b"\x30\x00"), None);
        for cut in 0..list.len() {
            assert_eq!(strings(&list[..cut]), None, "{cut}");
        }
        let long = [b"\x30\x81\x82\x0c\x81\x7f".as_slice(), &[b'x'; 127]].concat();
        assert_eq!(strings(&long).map(|found| found[0].len()), Some(127));
    }
}
