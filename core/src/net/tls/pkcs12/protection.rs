//! What a password protects in a PKCS#12 file: the integrity check and the encryption.

use super::der::{Broken, Element, INTEGER, OCTETS, OID, SEQUENCE};
use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipher, BlockDecryptMut, InnerIvInit, KeyInit};
use des::{TdesEde2, TdesEde3};
use hmac::digest::core_api::BlockSizeUser;
use hmac::digest::{Digest, FixedOutput, Update};
use hmac::{Mac, SimpleHmac};
use rc2::Rc2;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

/// Rounds of one key derivation that are paid for, half a second of work. OpenSSL writes 2048, Apple 1 to 10,000.
const MOST_ROUNDS: u32 = 1_000_000;

// Uses of the key derivation (RFC 7292, appendix B.3).
const KEY: u8 = 1;
const IV: u8 = 2;
const INTEGRITY: u8 = 3;

/// Why something protected cannot be had.
#[derive(Debug)]
pub(super) enum Refused {
    /// The structure is not that of RFC 7292, 8018 or 5958.
    Broken,
    /// An algorithm that is not supported.
    Unsupported,
    /// Too many rounds, or none.
    Rounds,
    /// The integrity check fails: it depends on the password alone, or the file was changed.
    Integrity,
    /// The padding is wrong after decryption.
    Padding,
}

impl From<Broken> for Refused {
    fn from(Broken: Broken) -> Self {
        Self::Broken
    }
}

/// A password in the two forms in which it becomes a key.
pub(super) struct Password<'a> {
    /// PBES2 takes the bytes of UTF-8.
    utf8: &'a [u8],
    /// RFC 7292's own key derivation takes big-endian UTF-16.
    utf16: Zeroizing<Vec<u8>>,
}

impl<'a> Password<'a> {
    /// Returns the forms to try: an empty password may be written with the two zero bytes that end every
    /// password (OpenSSL), or as nothing at all (Apple, Windows).
    pub(super) fn forms(text: &'a str) -> Vec<Self> {
        let ended = text.encode_utf16().chain([0]).flat_map(u16::to_be_bytes);
        let of = |utf16| Self {
            utf8: text.as_bytes(),
            utf16: Zeroizing::new(utf16),
        };
        let mut forms = vec![of(ended.collect())];
        if text.is_empty() {
            forms.push(of(Vec::new()));
        }
        forms
    }

    /// Checks the file's `macData` over `contents` (RFC 7292 §4 and appendix A).
    pub(super) fn check(&self, mac_data: Element<'_>, contents: &[u8]) -> Result<(), Refused> {
        let mut fields = mac_data.inside();
        let mut digest_info = fields.expect(SEQUENCE)?.inside();
        let salt = fields.expect(OCTETS)?;
        let rounds = rounds(fields.optional(INTEGER)?)?;
        let algorithm = digest_info.expect(SEQUENCE)?.inside().expect(OID)?.contents;
        let expected = digest_info.expect(OCTETS)?.contents;
        let salt = salt.contents;
        match algorithm {
            [0x2b, 0x0e, 0x03, 0x02, 0x1a] => self.mac::<Sha1>(salt, rounds, contents, expected),
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last] => match last {
                1 => self.mac::<Sha256>(salt, rounds, contents, expected),
                2 => self.mac::<Sha384>(salt, rounds, contents, expected),
                3 => self.mac::<Sha512>(salt, rounds, contents, expected),
                4 => self.mac::<Sha224>(salt, rounds, contents, expected),
                _ => Err(Refused::Unsupported),
            },
            _ => Err(Refused::Unsupported),
        }
    }

    fn mac<D: Digest + BlockSizeUser>(
        &self,
        salt: &[u8],
        rounds: u32,
        contents: &[u8],
        expected: &[u8],
    ) -> Result<(), Refused> {
        let key = derive::<D>(INTEGRITY, &self.utf16, salt, rounds, <D as Digest>::output_size());
        let mut mac = <SimpleHmac<D> as Mac>::new_from_slice(&key).map_err(|_| Refused::Unsupported)?;
        Mac::update(&mut mac, contents);
        mac.verify_slice(expected).map_err(|_| Refused::Integrity)
    }

    /// Decrypts what an `AlgorithmIdentifier` of PKCS#12 or PBES2 says how.
    pub(super) fn decrypt(
        &self,
        algorithm: Element<'_>,
        bytes: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let mut fields = algorithm.inside();
        let oid = fields.expect(OID)?.contents;
        let parameters = fields.expect(SEQUENCE)?;
        match oid {
            // pkcs-12PbeIds (RFC 7292, appendix C).
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, kind] => {
                self.pkcs12_scheme(*kind, parameters, bytes)
            }
            // id-PBES2 (RFC 8018, appendix A.4).
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d] => self.pbes2(parameters, bytes),
            _ => Err(Refused::Unsupported),
        }
    }

    fn pkcs12_scheme(
        &self,
        kind: u8,
        parameters: Element<'_>,
        bytes: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let mut fields = parameters.inside();
        let salt = fields.expect(OCTETS)?.contents;
        let rounds = rounds(Some(fields.expect(INTEGER)?))?;
        let key = |length| derive::<Sha1>(KEY, &self.utf16, salt, rounds, length);
        let iv = || derive::<Sha1>(IV, &self.utf16, salt, rounds, 8);
        match kind {
            3 => cbc::<TdesEde3>(&key(24), &iv(), bytes),
            4 => cbc::<TdesEde2>(&key(16), &iv(), bytes),
            5 => cbc::<Rc2>(&key(16), &iv(), bytes),
            6 => cbc::<Rc2>(&key(5), &iv(), bytes),
            _ => Err(Refused::Unsupported),
        }
    }

    fn pbes2(&self, parameters: Element<'_>, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let mut schemes = parameters.inside();
        let mut derivation = schemes.expect(SEQUENCE)?.inside();
        let mut encryption = schemes.expect(SEQUENCE)?.inside();
        // id-PBKDF2 (RFC 8018, appendix A.2).
        if derivation.expect(OID)?.contents != [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c] {
            return Err(Refused::Unsupported);
        }
        let mut fields = derivation.expect(SEQUENCE)?.inside();
        let salt = fields.expect(OCTETS)?.contents;
        let rounds = rounds(Some(fields.expect(INTEGER)?))?;
        let length = fields.optional(INTEGER)?;
        let function = match fields.optional(SEQUENCE)? {
            Some(function) => function.inside().expect(OID)?.contents,
            None => HMAC_SHA1,
        };
        let cipher = encryption.expect(OID)?.contents;
        let iv = encryption.expect(OCTETS)?.contents;
        let (key_length, open): (usize, Open) = match cipher {
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02] => (16, cbc::<Aes128>),
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x16] => (24, cbc::<Aes192>),
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a] => (32, cbc::<Aes256>),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07] => (24, cbc::<TdesEde3>),
            _ => return Err(Refused::Unsupported),
        };
        // keyLength may be told; it has to be the cipher's.
        if length.is_some_and(|told| told.small().map(usize::try_from) != Some(Ok(key_length))) {
            return Err(Refused::Broken);
        }
        let mut key = Zeroizing::new(vec![0; key_length]);
        let [prefix @ .., last] = function else {
            return Err(Refused::Broken);
        };
        if prefix != &HMAC_SHA1[..7] {
            return Err(Refused::Unsupported);
        }
        match last {
            7 => pbkdf2::<Sha1>(self.utf8, salt, rounds, &mut key)?,
            8 => pbkdf2::<Sha224>(self.utf8, salt, rounds, &mut key)?,
            9 => pbkdf2::<Sha256>(self.utf8, salt, rounds, &mut key)?,
            10 => pbkdf2::<Sha384>(self.utf8, salt, rounds, &mut key)?,
            11 => pbkdf2::<Sha512>(self.utf8, salt, rounds, &mut key)?,
            _ => return Err(Refused::Unsupported),
        }
        open(&key, iv, bytes)
    }
}

/// A cipher: key, initialisation vector, bytes.
type Open = fn(&[u8], &[u8], &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused>;

/// id-hmacWithSHA1, 1.2.840.113549.2.7; the others of RFC 8018, appendix B.1.2, differ in the last byte.
const HMAC_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x07];

/// A number of rounds; absent, it is 1 (RFC 7292, appendix A: `DEFAULT 1`).
fn rounds(element: Option<Element<'_>>) -> Result<u32, Refused> {
    match element.map_or(Some(1), Element::small) {
        Some(rounds @ 1..=MOST_ROUNDS) => Ok(rounds),
        _ => Err(Refused::Rounds),
    }
}

fn pbkdf2<D>(password: &[u8], salt: &[u8], rounds: u32, key: &mut [u8]) -> Result<(), Refused>
where
    D: Digest + BlockSizeUser + Clone + Sync,
    SimpleHmac<D>: KeyInit + Update + FixedOutput,
{
    pbkdf2::pbkdf2::<SimpleHmac<D>>(password, salt, rounds, key).map_err(|_| Refused::Unsupported)
}

/// The key derivation of PKCS#12 (RFC 7292, appendix B.2).
fn derive<D: Digest + BlockSizeUser>(
    purpose: u8,
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = D::block_size();
    let filled = |text: &[u8]| -> Vec<u8> {
        let length = text.len().div_ceil(block) * block;
        text.iter().copied().cycle().take(length).collect()
    };
    let mut input = Zeroizing::new(filled(salt));
    input.extend(filled(password));
    let diversifier = vec![purpose; block];
    let mut out = Zeroizing::new(Vec::with_capacity(length + block));
    while out.len() < length {
        let mut hash = D::new()
            .chain_update(&diversifier)
            .chain_update(&*input)
            .finalize();
        for _ in 1..rounds {
            hash = D::digest(&hash);
        }
        out.extend_from_slice(&hash);
        // Each block of the input becomes itself + the hash, repeated + 1, as big-endian numbers.
        for chunk in input.chunks_mut(block) {
            let mut carry = 1_u16;
            let addend: Vec<u8> = hash.iter().copied().cycle().take(chunk.len()).collect();
            for (digit, add) in chunk.iter_mut().zip(addend).rev() {
                let sum = u16::from(*digit) + u16::from(add) + carry;
                [_, *digit] = sum.to_be_bytes();
                carry = sum >> 8;
            }
        }
    }
    out.truncate(length);
    out
}

/// CBC with the padding of PKCS#7.
fn cbc<C>(key: &[u8], iv: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused>
where
    C: KeyInit + BlockCipher + BlockDecryptMut,
{
    let cipher = C::new_from_slice(key).map_err(|_| Refused::Broken)?;
    let cipher = Decryptor::inner_iv_slice_init(cipher, iv).map_err(|_| Refused::Broken)?;
    let mut bytes = Zeroizing::new(bytes.to_vec());
    let length = cipher
        .decrypt_padded_mut::<Pkcs7>(&mut bytes)
        .map_err(|_| Refused::Padding)?
        .len();
    bytes.truncate(length);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with OpenSSL 3.0: `openssl kdf -keylen N -kdfopt digest:D -kdfopt hexpass:P -kdfopt hexsalt:S
    /// -kdfopt iter:I -kdfopt id:K PKCS12KDF`.
    #[test]
    fn keys_are_derived_as_openssl_does() {
        for (digest, password, salt, rounds, purpose, expected) in [
            (
                "SHA1",
                "0073006d006500670000",
                "0a58cf64530d823f",
                1,
                KEY,
                "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3",
            ),
            (
                "SHA1",
                "0073006d006500670000",
                "0a58cf64530d823f",
                1,
                IV,
                "79993dfe048d3b76",
            ),
            (
                "SHA256",
                "007000650072",
                "0102030405060708",
                3,
                KEY,
                "bbf8fa7ccb78bbd57855849ccee5ef3ffe745276c88ac616cd10f8276318dc074eb8f360a5181e3b179b895edf9b83344ca955b1\
                 e70ad6f2d760a14d11d91846f4411da67c85c6d6e52c61ac84282fd9199e24487929b873800a207ef276681f67784425",
            ),
            (
                "SHA512",
                "00",
                "0102030405060708",
                2,
                INTEGRITY,
                "1954f733b0f13a80278e74693c9caaab49fc902c05c3d4c5268af0105806d440ce3150b9e374e9a1f8884e6375d0d3af\
                 4b025e08120458db62714d82b7eb8889",
            ),
        ] {
            let (password, salt, expected) = (unhex(password), unhex(salt), unhex(expected));
            let derive = match digest {
                "SHA1" => derive::<Sha1>,
                "SHA256" => derive::<Sha256>,
                _ => derive::<Sha512>,
            };
            let found = derive(purpose, &password, &salt, rounds, expected.len());
            assert_eq!(*found, expected, "{digest}");
        }
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .bytes()
            .filter_map(|byte| char::from(byte).to_digit(16)?.try_into().ok())
            .collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }
}
