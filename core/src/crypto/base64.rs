//! Base64 as people really have it: either alphabet, padded or not.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig as Config};

const LENIENT: Config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// Unpadded base64url (RFC 4648 §5), the form of every header and JSON member of Web Push.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64 of either alphabet, with or without padding, whitespace around
/// it ignored. `None` for anything else, among it a mix of the alphabets and
/// bits left over at the end that are not zero.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    match text.bytes().any(|b| matches!(b, b'+' | b'/')) {
        true => STANDARD.decode(text).ok(),
        false => URL_SAFE.decode(text).ok(),
    }
}

/// Like [`decode`], for exactly `N` bytes.
pub(crate) fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    // Four characters hold three bytes; refuse a megabyte before decoding it.
    if text.len() > N * 2 + 8 {
        return None;
    }
    decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_alphabets_padded_or_not() {
        for text in ["-_8", "-_8=", "+/8", "+/8=", " -_8\n"] {
            assert_eq!(decode(text).as_deref(), Some(&[0xfb, 0xff][..]), "{text}");
        }
        for text in ["-/8", "+_8", "-_9", "-_8==", "-", "-_8=x", "a b", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
        assert_eq!(decode_array::<2>("-_8"), Some([0xfb, 0xff]));
        assert_eq!(decode_array::<3>("-_8"), None);
    }
}
