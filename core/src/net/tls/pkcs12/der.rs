//! Reading BER (X.690), as far as PKCS#12 files need it.

use std::borrow::Cow;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]` around another element.
pub(super) const EXPLICIT_0: u8 = 0xa0;
/// The bit of a tag that says: the contents are elements.
const CONSTRUCTED: u8 = 0x20;
/// Elements within elements of indefinite length that are followed; real files have six.
const DEEPEST: usize = 32;

/// The bytes are not what the reader expects at this place.
#[derive(Debug)]
pub(super) struct Broken;

/// One element: a tag and its contents.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) contents: &'a [u8],
    /// The element as it stands in the file, tag and length included.
    pub(super) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// Reads the elements that are the contents.
    pub(super) fn inside(self) -> Reader<'a> {
        Reader { rest: self.contents }
    }

    /// Returns the value of an OCTET STRING, also of one that is written in pieces.
    pub(super) fn octets(self) -> Result<Cow<'a, [u8]>, Broken> {
        if self.tag & CONSTRUCTED == 0 {
            return Ok(Cow::Borrowed(self.contents));
        }
        let mut whole = Vec::new();
        let mut pieces = self.inside();
        while !pieces.is_empty() {
            whole.extend_from_slice(pieces.expect(OCTETS)?.contents);
        }
        Ok(Cow::Owned(whole))
    }

    /// Returns the value of an INTEGER between 0 and 2³² - 1; `None` for any other.
    pub(super) fn small(self) -> Option<u32> {
        let digits = match self.contents {
            [] | [0x80..=0xff, ..] => return None,
            [0, digits @ ..] => digits,
            digits => digits,
        };
        (digits.len() <= 4).then(|| {
            digits
                .iter()
                .fold(0, |value, digit| value << 8 | u32::from(*digit))
        })
    }
}

/// Reads elements one after the other.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn next(&mut self) -> Result<Element<'a>, Broken> {
        let (element, rest) = split(self.rest, DEEPEST).ok_or(Broken)?;
        self.rest = rest;
        Ok(element)
    }

    /// Reads an element of this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Broken> {
        let element = self.next()?;
        // An OCTET STRING in pieces has the tag's other form.
        let pieces = tag == OCTETS && element.tag == OCTETS | CONSTRUCTED;
        (element.tag == tag || pieces).then_some(element).ok_or(Broken)
    }

    /// Reads an element if it has this tag; `None` leaves it for the next call.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Broken> {
        if self.rest.first() == Some(&tag) {
            return self.next().map(Some);
        }
        Ok(None)
    }
}

/// Takes the first element off; `None` when there is none that is whole.
fn split(bytes: &[u8], depth: usize) -> Option<(Element<'_>, &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk()?;
    // Tags of more than one byte occur in no PKCS#12 file.
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (contents, after) = match first {
        0..=0x7f => rest.split_at_checked(usize::from(first))?,
        0x80 => indefinite(rest, depth.checked_sub(1)?)?,
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = length
                .iter()
                .fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
            rest.split_at_checked(usize::try_from(length).ok()?)?
        }
        _ => return None,
    };
    let whole = bytes.get(..bytes.len() - after.len())?;
    Some((Element { tag, contents, whole }, after))
}

/// Contents that end with two zero bytes (X.690 §8.1.3.6), and what follows those.
fn indefinite(bytes: &[u8], depth: usize) -> Option<(&[u8], &[u8])> {
    let mut rest = bytes;
    loop {
        if let Some(after) = rest.strip_prefix(&[0, 0]) {
            return Some((bytes.get(..bytes.len() - rest.len())?, after));
        }
        (_, rest) = split(rest, depth)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_form() {
        for bytes in [&[4, 1, 7][..], &[4, 0x81, 1, 7], &[4, 0x84, 0, 0, 0, 1, 7]] {
            let mut reader = Reader::new(bytes);
            assert_eq!(reader.expect(OCTETS).unwrap().contents, [7]);
            assert!(reader.is_empty());
        }
        // A SEQUENCE of indefinite length with an OCTET STRING in two pieces in it.
        let bytes = [0x30, 0x80, 0x24, 0x80, 4, 1, 1, 4, 2, 2, 3, 0, 0, 0, 0, 5, 0];
        let mut reader = Reader::new(&bytes);
        let mut inside = reader.expect(SEQUENCE).unwrap().inside();
        assert_eq!(*inside.expect(OCTETS).unwrap().octets().unwrap(), [1, 2, 3]);
        assert!(inside.is_empty());
        assert_eq!(reader.next().unwrap().whole, [5, 0]);
    }

    #[test]
    fn what_is_cut_or_too_deep_is_broken() {
        for bytes in [
            &[][..],
            &[4],
            &[4, 2, 0],
            &[4, 0x85, 0, 0, 0, 0, 1],
            &[0x30, 0x80],
            &[0x1f, 1, 0],
        ] {
            assert!(Reader::new(bytes).next().is_err(), "{bytes:?}");
        }
        let deep = [0x30, 0x80].repeat(100_000);
        assert!(Reader::new(&deep).next().is_err());
    }

    #[test]
    fn integers() {
        let of = |contents: &[u8]| {
            let bytes = [&[INTEGER, u8::try_from(contents.len()).unwrap()], contents].concat();
            Reader::new(&bytes).expect(INTEGER).unwrap().small()
        };
        assert_eq!(of(&[0x07]), Some(7));
        assert_eq!(of(&[0x00, 0xff]), Some(255));
        assert_eq!(of(&[0x00, 0xff, 0xff, 0xff, 0xff]), Some(u32::MAX));
        assert_eq!(of(&[0x01, 0, 0, 0, 0]), None);
        assert_eq!(of(&[0x80]), None);
        assert_eq!(of(&[]), None);
    }
}
