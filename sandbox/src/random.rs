//! Seeded chance: the same seed and the same sequence of requests give the same sequence of
//! latencies and faults.

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and spelled out here so that a seed means
/// the same in every version of the sandbox. Not for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream of its own for each name, so that what one service draws does not shift
    /// what another one gets.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        // FNV-1a (64 bits) mixes the name in.
        let name = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed ^ name)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1), with the 32 bits that a double surely holds.
    pub(crate) fn unit(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        f64::from(high) / 4_294_967_296.0
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller's transform).
    pub(crate) fn normal(&mut self) -> f64 {
        // The logarithm must not see 0.
        let (radius, angle) = (1.0 - self.unit(), self.unit());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The first outputs for state 0, as the generator's reference code prints them.
        let mut random = Random(0);
        assert_eq!(random.next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.next(), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(random.next(), 0x06c4_5d18_8009_454f);
    }

    #[test]
    fn names_and_seeds_give_streams_of_their_own() {
        let first = |seed, name| Random::new(seed, name).next();
        assert_eq!(first(7, "apns"), first(7, "apns"));
        assert_ne!(first(7, "apns"), first(7, "fcm"));
        assert_ne!(first(7, "apns"), first(8, "apns"));
    }
}
