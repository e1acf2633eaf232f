//! Integers with a prefix (RFC 7541 §5.1).

/// Appends `value`; `first` holds the bits above the prefix of `prefix` bits (1 to 8).
#[inline]
pub(super) fn write(value: usize, prefix: u32, first: u8, out: &mut Vec<u8>) {
    let max = (1usize << prefix) - 1;
    if value < max {
        out.push(first | value as u8);
        return;
    }
    out.push(first | max as u8);
    let mut rest = value - max;
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Reads an integer whose first octet is `first`; the following octets are taken from `input`.
/// `None` when it is cut short or above 2^28: nothing that HPACK counts is that large here.
#[inline]
pub(super) fn read(first: u8, prefix: u32, input: &mut &[u8]) -> Option<usize> {
    let max = (1usize << prefix) - 1;
    let mut value = usize::from(first) & max;
    if value < max {
        return Some(value);
    }
    // Four continuation octets: 28 bits.
    for shift in [0u32, 7, 14, 21] {
        let (&octet, rest) = input.split_first()?;
        *input = rest;
        value += usize::from(octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_examples_and_limits() {
        // RFC 7541 C.1.
        for (value, prefix, wire) in [
            (10usize, 5u32, &[0b01010u8][..]),
            (1337, 5, &[0b11111, 0b1001_1010, 0b0000_1010]),
            (42, 8, &[0b0010_1010]),
        ] {
            let mut out = Vec::new();
            write(value, prefix, 0, &mut out);
            assert_eq!(out, wire);
            let mut rest = &wire[1..];
            assert_eq!(read(wire[0], prefix, &mut rest), Some(value));
            assert!(rest.is_empty());
        }
        for bad in [
            &[][..],
            &[0x80],
            &[0x80, 0x80, 0x80, 0x80, 0x00],
            &[0xff, 0xff, 0xff, 0xff, 0x7f],
        ] {
            let mut rest = bad;
            assert_eq!(read(0x1f, 5, &mut rest), None, "{bad:?}");
        }
        // Over-long zeros are legal as long as they are short.
        assert_eq!(read(0x1f, 5, &mut &[0x80u8, 0x80, 0x00][..]), Some(31));
    }
}
