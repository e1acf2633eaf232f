//! The share of doubts among the last answers.

/// The number of answers that a share is taken of.
const RECENT: u32 = u32::BITS;
/// The number of doubts among them with which a suspicion begins: half.
const MANY: u32 = 16;
/// The number of doubts among them up to which nothing is suspected: a quarter. A list of tokens decays slowly.
const FEW: u32 = 8;
/// The number of doubts in a row up to which each may be judged by the answers before it.
const IN_A_ROW: u32 = 3;

/// The last 32 answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// The newest is the lowest bit; 1 is a doubt.
    answers: u32,
    seen: u32,
    suspected: bool,
}

/// The change that one more answer brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The suspicion begins.
    Begins,
    /// The suspicion ends.
    Ends,
    Nothing,
}

impl Watch {
    pub(super) fn record(&mut self, doubt: bool) -> Change {
        self.answers = (self.answers << 1) | u32::from(doubt);
        self.seen = (self.seen + 1).min(RECENT);
        let doubts = self.answers.count_ones();
        match self.suspected {
            // An acceptance raises no suspicion.
            false if doubt && doubts >= MANY => {
                self.suspected = true;
                Change::Begins
            }
            true if doubts <= FEW => {
                self.suspected = false;
                Change::Ends
            }
            _ => Change::Nothing,
        }
    }

    pub(super) fn is_suspected(&self) -> bool {
        self.suspected
    }

    /// No doubt among the last answers.
    pub(super) fn is_quiet(&self) -> bool {
        self.answers == 0
    }

    /// Returns whether there are as many answers as a share is taken of.
    pub(super) fn is_full(&self) -> bool {
        self.seen == RECENT
    }

    /// Few doubts: at most a quarter of the answers that there are. One doubt beside one acceptance is few, too.
    pub(super) fn is_calm(&self) -> bool {
        !self.suspected && self.answers.count_ones() * RECENT <= FEW * (self.seen + 2)
    }

    /// The newest doubts are no long row.
    pub(super) fn is_single(&self) -> bool {
        self.answers.trailing_ones() <= IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(answers: impl IntoIterator<Item = bool>) -> (Watch, Vec<(usize, Change)>) {
        let mut watch = Watch::default();
        let changes = answers
            .into_iter()
            .enumerate()
            .map(|(at, doubt)| (at, watch.record(doubt)))
            .filter(|(_, change)| *change != Change::Nothing)
            .collect();
        (watch, changes)
    }

    #[test]
    fn begins_with_sixteen_doubts_and_ends_with_eight() {
        let all = std::iter::repeat_n(true, 40).chain(std::iter::repeat_n(false, 40));
        // 32 of 32 doubt when the acceptances begin: 24 of them leave eight.
        assert_eq!(fed(all).1, [(15, Change::Begins), (63, Change::Ends)]);
    }

    #[test]
    fn a_third_of_doubts_is_no_suspicion_and_every_second_is() {
        assert_eq!(fed((0..3000).map(|n| n % 3 == 0)).1, []);
        assert_eq!(fed((0..3000).map(|n| n % 2 == 0)).1, [(30, Change::Begins)]);
    }

    #[test]
    fn calm_is_a_quarter_of_doubts() {
        for (answers, calm, single) in [
            (&[true][..], false, true),
            (&[true, false], true, true),
            (&[false, true], true, true),
            (&[true, true, false], false, true),
            (&[false, true, true, true], false, true),
            (&[true, false, true, false], false, true),
            (&[true, false, false, false, true, false], true, true),
        ] {
            let (watch, _) = fed(answers.iter().copied());
            assert_eq!(
                (watch.is_calm(), watch.is_single()),
                (calm, single),
                "{answers:?}"
            );
        }
        let row = |doubts: usize| fed((0..14 + doubts).map(|n| n >= 14)).0;
        assert!(row(3).is_calm() && row(3).is_single());
        assert!(row(4).is_calm() && !row(4).is_single());
        let (nine, _) = fed((0..32).map(|n| n < 9));
        assert!(!nine.is_calm());
    }
}
