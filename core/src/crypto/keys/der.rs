//! The little of DER (X.690) that keys are made of: definite lengths, one-byte tags.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// Reads one element after the other.
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

    /// The next element's tag.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element: its tag and content. `None` at the end, and for an
    /// indefinite, overlong or not minimal length.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], rest) = self.rest.split_first_chunk::<2>()?;
        let (len, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81 => {
                let (&[len], rest) = rest.split_first_chunk::<1>()?;
                (usize::from(len), rest)
            }
            0x82 => {
                let (&len, rest) = rest.split_first_chunk::<2>()?;
                (usize::from(u16::from_be_bytes(len)), rest)
            }
            _ => return None,
        };
        let minimal = match first {
            0x81 => len > 0x7f,
            0x82 => len > 0xff,
            _ => true,
        };
        if !minimal {
            return None;
        }
        let (content, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some((tag, content))
    }

    /// The next element's content if it has this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.peek()? != tag {
            return None;
        }
        Some(self.next()?.1)
    }
}

/// Appends one element. `content` is at most 65535 bytes, which every key is.
pub(super) fn write(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    match u16::try_from(content.len()) {
        Ok(len @ 0..=0x7f) => out.extend_from_slice(&len.to_be_bytes()[1..]),
        Ok(len @ 0x80..=0xff) => {
            out.push(0x81);
            out.extend_from_slice(&len.to_be_bytes()[1..]);
        }
        Ok(len) => {
            out.push(0x82);
            out.extend_from_slice(&len.to_be_bytes());
        }
        Err(_) => debug_assert!(false, "no key is that long"),
    }
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_round_trip() {
        for len in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff] {
            let mut out = Vec::new();
            write(&mut out, OCTET_STRING, &vec![7; len]);
            let mut reader = Reader::new(&out);
            assert_eq!(reader.take(OCTET_STRING).map(<[u8]>::len), Some(len));
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn refuses_what_is_not_der() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x81],
            &[0x30, 0x81, 0x01, 0],
            &[0x30, 0x82, 0, 1, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 2, 0],
        ] {
            assert!(Reader::new(bytes).next().is_none(), "{bytes:?}");
        }
    }
}
