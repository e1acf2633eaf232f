//! How many connections a host is to have: a pure rule (`docs/connections.md`).

use std::time::Duration;

/// The shortest wait of the oldest message that is a reason for more connections: a client that is busy with its own work
/// takes some milliseconds for a full queue, and another connection would not help it.
const SHORTEST_PATIENCE: Duration = Duration::from_millis(10);

/// The number of connections that may be had for each one that has answered: what is known of a host is known from its
/// answers, and a wrong estimate costs at most this.
const GROWTH: usize = 4;

/// The dials that a host may be asked for in a minute are counted over this time.
const MINUTE: Duration = Duration::from_secs(60);

/// The messages that wait for a host, and those under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    /// Messages that wait for a stream.
    pub(super) waiting: usize,
    /// How long the oldest of them has waited.
    pub(super) waited: Duration,
    /// Requests without an answer.
    pub(super) in_flight: usize,
}

/// The connections of a host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Supply {
    /// Connections that are being made.
    pub(super) dialling: usize,
    /// Connections that can be sent over.
    pub(super) ready: usize,
    /// Connections, of those, that have answered a request.
    pub(super) answered: usize,
    /// Whether none of them takes another request now.
    pub(super) full: bool,
    /// The number of requests that one connection holds at a time: its stream limit, or its window in bodies.
    pub(super) share: usize,
    /// The time from a request to its answer; `None` before the first one.
    pub(super) round_trip: Option<Duration>,
}

/// The limits of the configuration and of what happened before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The most connections to the host.
    pub(super) most: usize,
    /// The connections that may still be made in this minute.
    pub(super) budget: usize,
    /// The longest wait that is no reason for more connections.
    pub(super) patience: Duration,
}

/// How long the oldest message may wait before there are to be more connections: a quarter of the round trip.
pub(super) fn patience(round_trip: Option<Duration>, longest: Duration) -> Duration {
    let quarter = round_trip.map_or(longest, |time| time / 4);
    quarter.max(SHORTEST_PATIENCE).min(longest)
}

/// Returns how many connections are to be made now, beside those that there are.
///
/// Enough to have everything that waits under way at once, as far as the stream limit and the window of one
/// connection allow.
pub(super) fn connections_to_add(demand: Demand, supply: Supply, bounds: Bounds) -> usize {
    let there = supply.dialling + supply.ready;
    if demand.waiting == 0 {
        return 0;
    }
    if there == 0 {
        return 1;
    }
    if supply.ready == 0 || !supply.full || demand.waited < patience(supply.round_trip, bounds.patience) {
        return 0;
    }
    let known = match supply.answered {
        // A host that says nothing on one connection may say something on another.
        0 if demand.waited >= bounds.patience => 2,
        answered => answered.saturating_mul(GROWTH),
    };
    let needed = demand
        .in_flight
        .saturating_add(demand.waiting)
        .div_ceil(supply.share.max(1));
    let wanted = needed.min(known).min(bounds.most);
    wanted.saturating_sub(there).min(bounds.budget)
}

/// The dials of a host in the last minute: as many as are allowed may come at once, and come back one by one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DialBudget {
    /// The time at which everything that was spent has come back.
    whole_at: Duration,
}

impl DialBudget {
    /// The number of dials that are left at `now`, of `a_minute` at most.
    pub(super) fn left(self, a_minute: u32, now: Duration) -> usize {
        let back = MINUTE.saturating_sub(self.whole_at.saturating_sub(now));
        (back.as_nanos() * u128::from(a_minute) / MINUTE.as_nanos()) as usize
    }

    /// Counts a dial, which is made whether the budget allows it or not.
    pub(super) fn spend(&mut self, a_minute: u32, now: Duration) {
        let whole_at = self.whole_at.max(now).saturating_add(MINUTE / a_minute.max(1));
        self.whole_at = whole_at.min(now.saturating_add(MINUTE));
    }

    /// When the next dial comes back, later than `now`; `None` where one is left.
    pub(super) fn next_at(self, a_minute: u32, now: Duration) -> Option<Duration> {
        (self.left(a_minute, now) == 0).then(|| {
            let one = MINUTE / a_minute.max(1);
            let at = self.whole_at.saturating_add(one).saturating_sub(MINUTE);
            at.max(now).saturating_add(Duration::from_micros(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// A full queue of 2,000 that has waited for long, in front of connections that are full.
    fn added(ready: usize, share: usize, round_trip: u64) -> usize {
        let demand = Demand {
            waiting: 2000,
            waited: ms(50),
            in_flight: ready * share,
        };
        let supply = Supply {
            dialling: 0,
            ready,
            answered: ready,
            full: true,
            share,
            round_trip: Some(ms(round_trip)),
        };
        let bounds = Bounds {
            most: 32,
            budget: 60,
            patience: ms(100),
        };
        connections_to_add(demand, supply, bounds)
    }

    /// The rule as a table: connections there are, requests that one holds, and how many are added.
    #[test]
    fn as_many_as_hold_what_waits() {
        for (ready, share, expected) in [
            // (1000 + 2000) / 1000 = 3
            (1, 1000, 2),
            (3, 1000, 2),
            // (332 + 2000) / 332 = 7.02, but no more than four for the one that has answered
            (1, 332, 3),
            // (1328 + 2000) / 332 = 10.02
            (4, 332, 7),
            (11, 332, 7),
            (1, 100, 3),
            // (400 + 2000) / 100 = 24, no more than 16
            (4, 100, 12),
            // (1600 + 2000) / 100 = 36, no more than 32 in all
            (16, 100, 16),
            (32, 100, 0),
            // 4 KiB bodies and a window of 64 KiB
            (4, 15, 12),
            (1, 1, 3),
            (31, 1, 1),
        ] {
            assert_eq!(added(ready, share, 40), expected, "{ready} of {share}");
        }
    }

    #[test]
    fn nothing_is_added_without_need() {
        let demand = Demand {
            waiting: 10,
            waited: ms(50),
            in_flight: 100,
        };
        let supply = Supply {
            dialling: 0,
            ready: 1,
            answered: 1,
            full: true,
            share: 10,
            round_trip: Some(ms(40)),
        };
        let bounds = Bounds {
            most: 32,
            budget: 60,
            patience: ms(100),
        };
        let none = Supply {
            dialling: 0,
            ready: 0,
            ..supply
        };
        for (what, demand, supply, bounds, expected) in [
            ("the usual case", demand, supply, bounds, 3),
            (
                "nothing waits",
                Demand { waiting: 0, ..demand },
                supply,
                bounds,
                0,
            ),
            (
                "the first, without patience",
                Demand {
                    waited: ms(0),
                    ..demand
                },
                none,
                bounds,
                1,
            ),
            (
                "the first, without a budget",
                demand,
                none,
                Bounds { budget: 0, ..bounds },
                1,
            ),
            (
                "streams are free",
                demand,
                Supply {
                    full: false,
                    ..supply
                },
                bounds,
                0,
            ),
            (
                "it moves on: a quarter of 40 ms",
                Demand {
                    waited: ms(9),
                    ..demand
                },
                supply,
                bounds,
                0,
            ),
            (
                "a long way: a quarter of 300 ms",
                demand,
                Supply {
                    round_trip: Some(ms(300)),
                    ..supply
                },
                bounds,
                0,
            ),
            (
                "never more than was said",
                Demand {
                    waited: ms(100),
                    ..demand
                },
                Supply {
                    round_trip: Some(ms(3000)),
                    ..supply
                },
                bounds,
                3,
            ),
            (
                "the others are coming",
                demand,
                Supply {
                    dialling: 3,
                    ..supply
                },
                bounds,
                0,
            ),
            (
                "the first is coming",
                demand,
                Supply {
                    dialling: 1,
                    ready: 0,
                    ..supply
                },
                bounds,
                0,
            ),
            ("the budget", demand, supply, Bounds { budget: 2, ..bounds }, 2),
            ("at most one", demand, supply, Bounds { most: 1, ..bounds }, 0),
            (
                "silent, for a moment",
                demand,
                Supply {
                    answered: 0,
                    round_trip: None,
                    ..supply
                },
                bounds,
                0,
            ),
            (
                "silent",
                Demand {
                    waited: ms(5000),
                    ..demand
                },
                Supply {
                    answered: 0,
                    round_trip: None,
                    ..supply
                },
                bounds,
                1,
            ),
            (
                "two that are silent",
                Demand {
                    waited: ms(5000),
                    ..demand
                },
                Supply {
                    ready: 2,
                    answered: 0,
                    round_trip: None,
                    ..supply
                },
                bounds,
                0,
            ),
            (
                "no stream at all",
                demand,
                Supply { share: 0, ..supply },
                bounds,
                3,
            ),
        ] {
            assert_eq!(connections_to_add(demand, supply, bounds), expected, "{what}");
        }
    }

    #[test]
    fn dials_come_back_one_by_one() {
        let (mut budget, start) = (DialBudget::default(), ms(1_000_000));
        assert_eq!(budget.left(60, start), 60);
        for left in (0..60).rev() {
            assert_eq!(budget.next_at(60, start), None);
            budget.spend(60, start);
            assert_eq!(budget.left(60, start), left);
        }
        let next = budget.next_at(60, start).expect("none is left");
        assert!((ms(1_001_000)..ms(1_001_010)).contains(&next), "{next:?}");
        assert_eq!((budget.left(60, ms(1_000_999)), budget.left(60, next)), (0, 1));
        budget.spend(60, start);
        assert_eq!(budget.left(60, ms(1_010_000)), 10, "a debt is forgotten");
        assert_eq!(budget.left(60, ms(1_061_000)), 60);
        assert_eq!(budget.left(0, ms(1_061_000)), 0);
    }
}
