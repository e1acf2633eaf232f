//! The log: the latest records, as many as fit into its limit.

use crate::apns::Delivery;
use crate::record::Record;
use std::collections::VecDeque;

/// Records in the order of their `seq`, which has no gaps.
pub(crate) struct Log {
    records: VecDeque<Record>,
    /// Bytes that the records may take together.
    limit: usize,
    weight: usize,
    /// The `seq` of the latest record ever.
    sequence: u64,
    counts: Counts,
}

/// The counts since the log was last emptied, forgotten records included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) judged: u64,
    pub(crate) accepted: u64,
    /// Records that made room for newer ones.
    pub(crate) forgotten: u64,
}

impl Log {
    /// Keeps records of so many bytes; the latest is always kept.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            records: VecDeque::new(),
            limit,
            weight: 0,
            sequence: 0,
            counts: Counts::default(),
        }
    }

    /// The `seq` that the next record will have.
    pub(crate) fn next_seq(&self) -> u64 {
        self.sequence + 1
    }

    pub(crate) fn append(&mut self, mut record: Record) {
        self.sequence += 1;
        record.seq = self.sequence;
        self.counts.judged += 1;
        self.counts.accepted += u64::from(record.accepted);
        self.weight += record.weight();
        self.records.push_back(record);
        while self.weight > self.limit && self.records.len() > 1 {
            let oldest = self.records.pop_front();
            self.weight -= oldest.map_or(0, |record| record.weight());
            self.counts.forgotten += 1;
        }
    }

    /// Writes what became of a push into its record, if that is still there.
    pub(crate) fn set_delivery(&mut self, seq: u64, delivery: Delivery) {
        let first = self.records.front().map_or(0, |record| record.seq);
        let at = seq.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        if let Some(record) = at.and_then(|at| self.records.get_mut(at)) {
            record.delivery = Some(delivery);
        }
    }

    /// Oldest first, headers and body still raw.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Forgets everything but how far the numbers have come.
    pub(crate) fn clear(&mut self) {
        self.records = VecDeque::new();
        self.weight = 0;
        self.counts = Counts::default();
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Log};
    use crate::apns::{Delivery, Fate};
    use crate::record::Record;

    fn record(accepted: bool) -> Record {
        Record {
            accepted,
            target: Some("t".repeat(1000)),
            ..Record::default()
        }
    }

    fn numbers(log: &Log) -> Vec<u64> {
        log.iter().map(|record| record.seq).collect()
    }

    #[test]
    fn the_oldest_records_make_room_and_are_counted() {
        let each = record(true).weight();
        assert!((1000..4000).contains(&each), "{each}");
        let mut log = Log::new(3 * each);
        for at in 0..10 {
            log.append(record(at % 2 == 0));
        }
        assert_eq!(numbers(&log), [8, 9, 10]);
        let counts = Counts {
            judged: 10,
            accepted: 5,
            forgotten: 7,
        };
        assert_eq!(log.counts(), counts);

        let delivery = Delivery {
            fate: Fate::Delivered,
            at_ms: 1,
            by: None,
        };
        for seq in [0, 1, 7, 9, 11, u64::MAX] {
            log.set_delivery(seq, delivery);
        }
        let delivered: Vec<u64> = log
            .iter()
            .filter(|r| r.delivery.is_some())
            .map(|r| r.seq)
            .collect();
        assert_eq!(delivered, [9]);

        log.clear();
        assert_eq!((log.counts(), log.next_seq()), (Counts::default(), 11));
        log.set_delivery(10, delivery);
        // One that is too large alone is kept all the same.
        let mut log = Log::new(1);
        log.append(record(true));
        log.append(record(true));
        assert_eq!(numbers(&log), [2]);
    }
}
