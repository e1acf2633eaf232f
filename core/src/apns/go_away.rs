//! Why APNs closed a connection: it says so in GOAWAY's debug data. And what it means that it
//! reset a stream.

use serde_json::Value;

use super::answer::{decide, read};
use super::reasons;
use crate::outcome::{Evidence, Outcome, Reason, Rejected};
use crate::printable::is_obeyed;

/// RFC 9113 §7.
const HTTP_1_1_REQUIRED: u32 = 13;

/// The reason in the debug data of a GOAWAY: usually JSON as in an error body,
/// sometimes plain text, often nothing. Text is cut at 200 characters.
pub fn go_away_reason(debug_data: &[u8]) -> Option<Reason> {
    if let Some(text) = read(debug_data).reason {
        return Some(match reasons::find(&text) {
            Some(row) => Reason::known(row.reason),
            None => Reason::other(text),
        });
    }
    let text = std::str::from_utf8(debug_data).ok()?.trim();
    if text.is_empty() || serde_json::from_str::<Value>(text).is_ok() {
        return None;
    }
    let plain: String = text.chars().filter(|c| !is_obeyed(*c)).take(200).collect();
    Some(Reason::other(plain))
}

/// Returns the meaning of a known reason in a GOAWAY for everything that would be sent on
/// such a connection: a refused certificate, say, would only be refused again.
/// `None` when the connection simply ends.
pub fn go_away_outcome(debug_data: &[u8]) -> Option<Outcome> {
    let reason = go_away_reason(debug_data)?;
    let row = reasons::find(reason.as_str())?;
    let evidence = Evidence::new(row.status, Some(reason), debug_data);
    Some(decide(row.action, evidence, None, None))
}

/// Returns the meaning of a stream reset with this error code (RFC 9113 §7), where the code says more
/// than that there is no answer: HTTP_1_1_REQUIRED (13) refuses the request for good, because APNs
/// has no HTTP/1.1 to send it by. The outcome's status is 0: there was none. `None` for every
/// other code; see [`Error::http2_code`](crate::Error::http2_code).
pub fn reset_outcome(code: u32) -> Option<Outcome> {
    (code == HTTP_1_1_REQUIRED).then(|| {
        let reason = Reason::known("HTTP_1_1_REQUIRED");
        Outcome::Rejected(Rejected {
            evidence: Evidence::new(0, Some(reason), &[]),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_json_plain_text_and_nothing() {
        let reason = |data: &[u8]| go_away_reason(data).map(|reason| reason.as_str().to_owned());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            reason(br#"{"reason":"BadCertificateEnvironment"}"#),
            some("BadCertificateEnvironment")
        );
        assert_eq!(reason(br#"{"reason":"Novel"}"#), some("Novel"));
        let plain = "Maximum active streams violated for this endpoint.";
        assert_eq!(reason(plain.as_bytes()), some(plain));
        assert_eq!(reason(b""), None);
        assert_eq!(reason(b"{}"), None);
        assert_eq!(reason(b"\xff\xfe"), None);
        assert_eq!(reason(&[b'x'; 4096]).map(|text| text.len()), Some(200));
    }

    #[test]
    fn only_one_code_of_a_reset_is_an_answer() {
        let outcome = reset_outcome(13).unwrap();
        assert_eq!((outcome.name(), outcome.status()), ("rejected", 0));
        assert_eq!(
            outcome.reason().map(|reason| reason.as_str()),
            Some("HTTP_1_1_REQUIRED")
        );
        // RFC 9113 §7: NO_ERROR to INADEQUATE_SECURITY, and a code that nobody has named.
        for code in (0..=12).chain([14]) {
            assert_eq!(reset_outcome(code), None, "{code}");
        }
    }

    #[test]
    fn a_refused_certificate_is_an_outcome() {
        let outcome = go_away_outcome(br#"{"reason":"BadCertificate"}"#).unwrap();
        assert_eq!(outcome.name(), "fix_credentials");
        assert_eq!(outcome.status(), 403);
        assert!(go_away_outcome(b"").is_none());
        assert!(go_away_outcome(b"bye").is_none());
    }
}
