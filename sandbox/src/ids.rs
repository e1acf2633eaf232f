//! Random identifiers and the one base64 alphabet each service uses.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::elliptic_curve::rand_core::{OsRng, RngCore};
use std::cell::RefCell;

/// The random octets of the system's generator that a thread has in stock.
struct Stock {
    bytes: [u8; 1024],
    used: usize,
}

impl Stock {
    /// Each byte once.
    fn take(&mut self, wanted: &mut [u8]) {
        if wanted.len() > self.bytes.len() {
            return OsRng.fill_bytes(wanted);
        }
        if wanted.len() > self.bytes.len() - self.used {
            OsRng.fill_bytes(&mut self.bytes);
            self.used = 0;
        }
        let fresh = &mut self.bytes[self.used..][..wanted.len()];
        wanted.copy_from_slice(fresh);
        fresh.fill(0);
        self.used += wanted.len();
    }
}

/// `N` bytes of the system's generator, which is asked for many at a time: every push has an id or two.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    const NOTHING: Stock = Stock {
        bytes: [0; 1024],
        used: 1024,
    };
    thread_local!(static STOCK: RefCell<Stock> = const { RefCell::new(NOTHING) });
    let mut bytes = [0; N];
    STOCK.with_borrow_mut(|stock| stock.take(&mut bytes));
    bytes
}

const DIGITS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
];

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    text
}

/// Unpadded base64url (RFC 4648 §5).
pub(crate) fn b64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Padded standard base64 (RFC 4648 §4).
pub(crate) fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Strict unpadded base64url.
pub(crate) fn from_b64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Base64 in any of the four shapes: either alphabet, padded or not.
pub(crate) fn from_b64_any(text: &str) -> Option<Vec<u8>> {
    let plain: String = text
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    from_b64url(&plain)
}

/// A random UUID, version 4, lower case.
pub(crate) fn uuid() -> String {
    let mut bytes = random::<16>();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    text
}

/// Upper-case letters and digits, as Apple's key and team ids are.
pub(crate) fn apple_id() -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    random::<10>()
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect()
}
