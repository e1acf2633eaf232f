//! The Huffman code of HPACK (RFC 7541 §5.2 and Appendix B).
//!
//! The code is canonical: codes of one length ascend with the symbol. So the lengths alone
//! define it, and everything else here is computed from them at compile time.

/// End-of-string: pads the last octet, and must never be decoded.
const EOS: u16 = 256;
const SYMBOLS: usize = 257;
const LONGEST: usize = 30;
const FAST_BITS: u32 = 8;

/// Code length in bits of every octet and, last, of EOS.
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

struct Tables {
    /// The code of each symbol, right-aligned.
    codes: [u32; SYMBOLS],
    /// The symbols in the order of their codes.
    sorted: [u16; SYMBOLS],
    /// Per length: the index into `sorted` of its first symbol.
    offset: [u16; LONGEST + 1],
    /// Per length: its first code, right-aligned.
    first: [u32; LONGEST + 1],
    /// Per length: the first code that is longer, aligned to the left of 32 bits.
    end: [u64; LONGEST + 1],
    /// For each possible next octet: symbol and code length; length 0 when the code is longer.
    fast: [(u8, u8); 1 << FAST_BITS],
}

static TABLES: Tables = tables();

const fn tables() -> Tables {
    let mut t = Tables {
        codes: [0; SYMBOLS],
        sorted: [0; SYMBOLS],
        offset: [0; LONGEST + 1],
        first: [0; LONGEST + 1],
        end: [0; LONGEST + 1],
        fast: [(0, 0); 1 << FAST_BITS],
    };
    let mut code: u32 = 0;
    let mut at: usize = 0;
    let mut length: usize = 1;
    while length <= LONGEST {
        code <<= 1;
        t.first[length] = code;
        t.offset[length] = at as u16;
        let mut symbol: usize = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == length {
                t.codes[symbol] = code;
                t.sorted[at] = symbol as u16;
                if length <= FAST_BITS as usize {
                    let shift = FAST_BITS as usize - length;
                    let start = (code as usize) << shift;
                    let mut i = 0;
                    while i < 1 << shift {
                        t.fast[start + i] = (symbol as u8, length as u8);
                        i += 1;
                    }
                }
                code += 1;
                at += 1;
            }
            symbol += 1;
        }
        t.end[length] = (code as u64) << (32 - length);
        length += 1;
    }
    t
}

/// The number of octets that `input` takes when encoded.
pub(crate) fn encoded_len(input: &[u8]) -> usize {
    let bits: usize = input
        .iter()
        .map(|&byte| usize::from(LENGTHS[usize::from(byte)]))
        .sum();
    bits.div_ceil(8)
}

/// Appends `input`, encoded and padded with the beginning of EOS.
pub(crate) fn encode(input: &[u8], out: &mut Vec<u8>) {
    // At most 31 bits are left over, and a code adds at most 30.
    let mut acc: u64 = 0;
    let mut bits: u32 = 0;
    for &byte in input {
        let symbol = usize::from(byte);
        acc = (acc << LENGTHS[symbol]) | u64::from(TABLES.codes[symbol]);
        bits += u32::from(LENGTHS[symbol]);
        if bits >= 32 {
            bits -= 32;
            out.extend_from_slice(&((acc >> bits) as u32).to_be_bytes());
        }
    }
    while bits >= 8 {
        bits -= 8;
        out.push((acc >> bits) as u8);
    }
    if bits > 0 {
        let pad = 8 - bits;
        out.push(((acc << pad) as u8) | ((1u16 << pad) - 1) as u8);
    }
}

/// Why an encoded string is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid;

/// Appends the decoded `input`.
///
/// # Errors
/// [`Invalid`] when EOS is encoded, or the padding is longer than seven bits or not all ones (§5.2).
pub(crate) fn decode(input: &[u8], out: &mut Vec<u8>) -> Result<(), Invalid> {
    // `acc` holds the next `bits` bits, aligned to the left of 64.
    let mut acc: u64 = 0;
    let mut bits: u32 = 0;
    let mut rest = input.iter();
    loop {
        while bits <= 56 {
            match rest.next() {
                Some(&byte) => {
                    acc |= u64::from(byte) << (56 - bits);
                    bits += 8;
                }
                None => break,
            }
        }
        if bits == 0 {
            return Ok(());
        }
        let (symbol, length) = TABLES.fast[(acc >> (64 - FAST_BITS)) as usize];
        if length != 0 && u32::from(length) <= bits {
            out.push(symbol);
            acc <<= length;
            bits -= u32::from(length);
            continue;
        }
        if bits < 8 && acc >> (64 - bits) == (1 << bits) - 1 {
            return Ok(());
        }
        let (symbol, length) = long_code(acc >> 32).ok_or(Invalid)?;
        if length > bits || symbol == EOS {
            return Err(Invalid);
        }
        out.push(u8::try_from(symbol).map_err(|_| Invalid)?);
        acc <<= length;
        bits -= length;
    }
}

/// The symbol at the left of `window` (32 bits) and its length.
fn long_code(window: u64) -> Option<(u16, u32)> {
    for length in FAST_BITS as usize + 1..=LONGEST {
        if window < TABLES.end[length] {
            let code = u32::try_from(window >> (32 - length)).ok()?;
            let index = usize::from(TABLES.offset[length]) + code.checked_sub(TABLES.first[length])? as usize;
            return Some((*TABLES.sorted.get(index)?, length as u32));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_and_pair_returns() {
        let (mut wire, mut back) = (Vec::new(), Vec::new());
        for a in 0..=255u8 {
            for b in [0, b'0', b'a', b'~', 0x7f, 0x80, 0xff] {
                wire.clear();
                back.clear();
                encode(&[a, b, a], &mut wire);
                assert_eq!(wire.len(), encoded_len(&[a, b, a]));
                decode(&wire, &mut back).unwrap();
                assert_eq!(back, [a, b, a]);
            }
        }
    }

    #[test]
    fn rfc_examples() {
        let mut wire = Vec::new();
        encode(b"www.example.com", &mut wire);
        assert_eq!(
            wire,
            [
                0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff
            ]
        );
    }

    #[test]
    fn refuses_bad_padding_and_eos() {
        let mut out = Vec::new();
        // `0` is 00000; padding must be ones, shorter than an octet.
        assert_eq!(decode(&[0b0000_0111], &mut out), Ok(()));
        assert_eq!(decode(&[0b0000_0110], &mut out), Err(Invalid));
        assert_eq!(decode(&[0b0000_0111, 0xff], &mut out), Err(Invalid));
        assert_eq!(decode(&[0xff], &mut out), Err(Invalid), "eight bits of padding");
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff], &mut out), Err(Invalid), "EOS");
        assert_eq!(
            decode(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &mut out),
            Err(Invalid),
            "EOS"
        );
        assert_eq!(decode(&[0xfe], &mut out), Err(Invalid), "a long code cut short");
    }

    #[test]
    fn the_code_is_complete() {
        let sum: f64 = LENGTHS.iter().map(|&l| 0.5f64.powi(i32::from(l))).sum();
        assert_eq!(sum, 1.0);
        assert_eq!(TABLES.codes[usize::from(EOS)], 0x3fff_ffff);
    }
}
