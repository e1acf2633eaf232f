//! The Huffman code of HPACK (RFC 7541 §5.2 and Appendix B).
//!
//! The code is canonical: codes of one length ascend with the symbol. So the lengths alone
//! define it, and everything else here is computed from them at compile time.

/// End-of-string: pads the last octet, and must never be decoded.
const EOS: u16 = 256;
const SYMBOLS: usize = 257;
const LONGEST: usize = 30;
/// The number of bits that are looked at at once: two of the characters that ids are made of.
const FAST_BITS: usize = 12;

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
    /// The codes that the next bits begin with.
    fast: [Fast; 1 << FAST_BITS],
}

/// One or two symbols whose codes lie within [`FAST_BITS`] bits.
#[derive(Clone, Copy)]
struct Fast {
    symbols: [u8; 2],
    /// The length of the first code; 0 when it is longer than that.
    first: u8,
    /// The length of both codes in bits; that of the first where there is no second.
    both: u8,
}

static TABLES: Tables = tables();

const fn tables() -> Tables {
    let mut t = Tables {
        codes: [0; SYMBOLS],
        sorted: [0; SYMBOLS],
        offset: [0; LONGEST + 1],
        first: [0; LONGEST + 1],
        end: [0; LONGEST + 1],
        fast: [Fast {
            symbols: [0; 2],
            first: 0,
            both: 0,
        }; 1 << FAST_BITS],
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
                if length <= FAST_BITS {
                    let shift = FAST_BITS - length;
                    let start = (code as usize) << shift;
                    let mut i = 0;
                    while i < 1 << shift {
                        let one = &mut t.fast[start + i];
                        one.symbols[0] = symbol as u8;
                        one.first = length as u8;
                        one.both = length as u8;
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
    // What follows the first code is looked up among the codes that fit into what is left.
    let mut at: usize = 0;
    while at < 1 << FAST_BITS {
        let first = t.fast[at].first as usize;
        let next = t.fast[(at << first) & ((1 << FAST_BITS) - 1)];
        if first != 0 && next.first != 0 && first + next.first as usize <= FAST_BITS {
            t.fast[at].symbols[1] = next.symbols[0];
            t.fast[at].both = first as u8 + next.first;
        }
        at += 1;
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
    // No code is shorter than five bits.
    out.reserve(input.len() * 8 / 5);
    // `acc` holds the next `bits` bits, aligned to the left of 64; there may be more of them behind.
    let mut acc: u64 = 0;
    let mut bits: u32 = 0;
    let mut rest = input;
    loop {
        // As many whole octets as fit; those that fit in part are read again.
        if let Some(word) = rest.first_chunk::<8>() {
            acc |= u64::from_be_bytes(*word) >> bits;
            let (_, later) = rest.split_at((63 - bits) as usize / 8);
            rest = later;
            bits |= 56;
        } else {
            while let (true, Some((&byte, later))) = (bits <= 56, rest.split_first()) {
                acc |= u64::from(byte) << (56 - bits);
                bits += 8;
                rest = later;
            }
        }
        while bits >= FAST_BITS as u32 {
            let next = TABLES.fast[(acc >> (64 - FAST_BITS)) as usize];
            if next.first != 0 {
                out.push(next.symbols[0]);
                if next.both != next.first {
                    out.push(next.symbols[1]);
                }
                acc <<= next.both;
                bits -= u32::from(next.both);
                continue;
            }
            if bits < LONGEST as u32 && !rest.is_empty() {
                break;
            }
            let (symbol, length) = long_code(acc >> 32).ok_or(Invalid)?;
            if length > bits || symbol == EOS {
                return Err(Invalid);
            }
            out.push(u8::try_from(symbol).map_err(|_| Invalid)?);
            acc <<= length;
            bits -= length;
        }
        if rest.is_empty() {
            break;
        }
    }
    while bits > 0 {
        let next = TABLES.fast[(acc >> (64 - FAST_BITS)) as usize];
        if next.first == 0 || u32::from(next.first) > bits {
            // Nothing but padding may be left.
            let ones = bits < 8 && acc >> (64 - bits) == (1 << bits) - 1;
            return if ones { Ok(()) } else { Err(Invalid) };
        }
        out.push(next.symbols[0]);
        acc <<= next.first;
        bits -= u32::from(next.first);
    }
    Ok(())
}

/// The symbol at the left of `window` (32 bits) and its length.
fn long_code(window: u64) -> Option<(u16, u32)> {
    for length in FAST_BITS + 1..=LONGEST {
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

    /// Bit by bit, as §5.2 says it.
    fn slowly(input: &[u8]) -> Result<Vec<u8>, Invalid> {
        let (mut out, mut code, mut length) = (Vec::new(), 0_u32, 0_u8);
        for at in 0..input.len() * 8 {
            code = code << 1 | u32::from(input[at / 8] >> (7 - at % 8) & 1);
            length += 1;
            if let Some(symbol) = (0..SYMBOLS).find(|&s| LENGTHS[s] == length && TABLES.codes[s] == code) {
                out.push(u8::try_from(symbol).map_err(|_| Invalid)?);
                (code, length) = (0, 0);
            }
        }
        match length < 8 && code == (1 << length) - 1 {
            true => Ok(out),
            false => Err(Invalid),
        }
    }

    #[test]
    fn octets_in_a_lump_are_what_single_bits_are() {
        let mut seed = 1_u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize
        };
        for round in 0..600 {
            let text: Vec<u8> = (0..random() % 40)
                .map(|_| match round % 3 {
                    0 => b"0123456789abcdef-"[random() % 17],
                    1 => random() as u8,
                    _ => b"0aX\\\xff"[random() % 5],
                })
                .collect();
            let mut wire = Vec::new();
            encode(&text, &mut wire);
            let mut out = Vec::new();
            assert_eq!(decode(&wire, &mut out), Ok(()));
            assert_eq!(out, text);
            // And with a bit turned round, which may be broken or not.
            if let Some(octet) = wire.len().checked_sub(1).map(|last| random() % (last + 1)) {
                wire[octet] ^= 1 << (random() % 8);
            }
            out.clear();
            match slowly(&wire) {
                Ok(expected) => assert_eq!((decode(&wire, &mut out), &out), (Ok(()), &expected)),
                Err(Invalid) => assert_eq!(decode(&wire, &mut out), Err(Invalid), "{wire:02x?}"),
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
