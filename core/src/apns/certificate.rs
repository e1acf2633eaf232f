//! Client certificates, and the topics that one is good for.

use std::fmt;
use std::sync::Arc;

use x509_cert::Certificate;
use x509_cert::der::asn1::{Any, AnyRef, ObjectIdentifier};
use x509_cert::der::{Decode, Reader, Tag, Tagged};

use super::push_type::PushType;
use crate::error::{Error, ErrorKind};
use crate::secret::{PemBlock, Secret};

/// The subject's UID: the bundle id, or the topic of an MDM certificate (RFC 4519 §2.39).
const UID: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.1");
/// Apple's list of the topics that a certificate is good for.
const TOPICS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113635.100.6.3.6");
/// Apple's mark of a VoIP certificate.
const VOIP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113635.100.6.3.4");

/// A client certificate with its private key, as APNs issues them for one app or one MDM server.
#[derive(Clone)]
pub struct ClientCertificate(Arc<Inner>);

struct Inner {
    chain: Vec<Vec<u8>>,
    key: Secret<Vec<u8>>,
    uid: Option<String>,
    topics: Vec<String>,
}

impl ClientCertificate {
    /// Reads PEM: the certificate first, then what leads to its issuer; and the
    /// private key (PKCS#8, PKCS#1 or SEC1, not encrypted). Both may be one text.
    ///
    /// # Errors
    /// `InvalidKey` when there is no certificate or no key in it, or the certificate
    /// does not parse; `EncryptedKey` when the key needs a password.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, Error> {
        let blocks = PemBlock::all(certificates);
        let chain = blocks.iter().filter(|block| block.label() == "CERTIFICATE");
        let chain: Option<Vec<_>> = chain
            .map(|block| block.content().map(|der| der.to_vec()))
            .collect();
        let chain =
            chain.ok_or_else(|| Error::new(ErrorKind::InvalidKey, "the certificate is not in pem form"))?;
        let blocks = PemBlock::all(key);
        let der = blocks
            .iter()
            .find(|block| block.label().ends_with("PRIVATE KEY") && !block.label().starts_with("ENCRYPTED"))
            .and_then(PemBlock::content);
        let mut der = der.ok_or_else(|| {
            let mark = b"ENCRYPTED";
            if key.windows(mark.len()).any(|window| window == mark) {
                return Error::new(
                    ErrorKind::EncryptedKey,
                    "the certificate's key is encrypted: decrypt it first (openssl pkey)",
                );
            }
            Error::new(ErrorKind::InvalidKey, "there is no private key in pem form")
        })?;
        Self::from_der(chain, std::mem::take(&mut *der))
    }

    /// Reads the chain, leaf first, and the key from DER.
    ///
    /// # Errors
    /// `InvalidKey` when there is no certificate, or the first one does not parse.
    pub fn from_der(chain: Vec<Vec<u8>>, key: impl Into<Secret<Vec<u8>>>) -> Result<Self, Error> {
        let leaf = chain
            .first()
            .ok_or_else(|| Error::new(ErrorKind::InvalidKey, "there is no certificate"))?;
        let leaf = Certificate::from_der(leaf)
            .map_err(|_| Error::new(ErrorKind::InvalidKey, "the certificate does not parse"))?;
        let uid = uid(&leaf);
        let topics = topics(&leaf, uid.as_deref());
        Ok(Self(Arc::new(Inner {
            chain,
            key: key.into(),
            uid,
            topics,
        })))
    }

    /// The certificates in DER, leaf first.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.0.chain
    }

    /// The private key in DER.
    pub fn key(&self) -> &Secret<Vec<u8>> {
        &self.0.key
    }

    /// The UID of the subject: the bundle id, or the topic for `mdm` pushes.
    pub fn uid(&self) -> Option<&str> {
        self.0.uid.as_deref()
    }

    /// The topics it is good for. Empty when the certificate names none (it may
    /// not be Apple's): then APNs has to judge.
    pub fn topics(&self) -> &[String] {
        &self.0.topics
    }

    /// Whether a push to that topic, or to the default topic, can go over this certificate's connection.
    pub(crate) fn permits(&self, topic: Option<&str>) -> Result<(), Error> {
        match topic {
            Some(topic) if !self.0.topics.is_empty() && !self.0.topics.iter().any(|known| known == topic) => {
                Err(Error::new(
                    ErrorKind::InvalidTopic,
                    "the certificate is not for this topic (TopicDisallowed)",
                ))
            }
            None if self.0.topics.len() > 1 => Err(Error::new(
                ErrorKind::InvalidTopic,
                "the certificate has several topics: name one (MissingTopic)",
            )),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("uid", &self.0.uid)
            .field("topics", &self.0.topics)
            .finish_non_exhaustive()
    }
}

fn uid(certificate: &Certificate) -> Option<String> {
    let subject = &certificate.tbs_certificate.subject;
    let mut attributes = subject.0.iter().flat_map(|rdn| rdn.0.iter());
    let value: &Any = &attributes.find(|attribute| attribute.oid == UID)?.value;
    text(value.tag(), value.value())
}

fn topics(certificate: &Certificate, uid: Option<&str>) -> Vec<String> {
    let extensions = certificate
        .tbs_certificate
        .extensions
        .as_deref()
        .unwrap_or_default();
    let find = |oid| extensions.iter().find(|extension| extension.extn_id == oid);
    let listed = find(TOPICS).map(|extension| strings_of_sequence(extension.extn_value.as_bytes()));
    match (listed, uid) {
        (Some(listed), _) if !listed.is_empty() => listed,
        // Older certificates list nothing: one app, and its calls if so marked.
        (_, Some(uid)) if find(VOIP).is_some() => {
            vec![uid.to_owned(), format!("{uid}{}", PushType::Voip.topic_suffix())]
        }
        (_, Some(uid)) => vec![uid.to_owned()],
        (_, None) => Vec::new(),
    }
}

/// The topics stand as strings in a sequence, each followed by a sequence of
/// names for what it is (`app`, `voip` ...), which says nothing new.
fn strings_of_sequence(der: &[u8]) -> Vec<String> {
    let mut strings = Vec::new();
    // What was read before a defect counts.
    let _ = AnyRef::from_der(der).and_then(|any| {
        any.sequence(|reader| {
            while !reader.is_finished() {
                let item = AnyRef::decode(reader)?;
                strings.extend(text(item.tag(), item.value()));
            }
            Ok(())
        })
    });
    strings
}

fn text(tag: Tag, value: &[u8]) -> Option<String> {
    match tag {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => String::from_utf8(value.to_vec()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
