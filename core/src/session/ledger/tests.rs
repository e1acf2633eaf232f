use super::*;
use crate::outcome::{Accepted, Suspect};

const NOW: Duration = Duration::from_secs(10);
const LATER: Duration = Duration::from_secs(20);
const REQUEST: RequestId = RequestId { number: 1, label: 0 };

fn link() -> LinkId {
    LinkId::from_u64(1 << 32)
}

fn ledger() -> Ledger {
    Ledger::new(Duration::from_secs(30))
}

fn entrant(purpose: Purpose) -> Entrant {
    Entrant {
        purpose,
        host: HostId::NONE,
        marks: Marks {
            user_data: 7,
            driver_data: 8,
        },
        deadline: LATER,
        circumstances: None,
        manner: Manner::default(),
    }
}

fn queued(ledger: &mut Ledger, purpose: Purpose) -> Ticket {
    let (slot, _) = ledger.reserve().unwrap();
    ledger.queue(slot, entrant(purpose), Context::None, NOW).unwrap()
}

fn opened(ledger: &mut Ledger, purpose: Purpose) -> (Ticket, u32) {
    let ticket = queued(ledger, purpose);
    let slot = ledger.find(ticket).unwrap();
    ledger.begin_opening(NOW);
    ledger.open(slot, link(), REQUEST, NOW);
    (ticket, slot)
}

/// Every way to an end, and the one count in which it is found.
#[test]
fn every_ending_has_its_own_count() {
    type Count = fn(&Stats) -> u64;
    let table: [(Unanswered, Count); 4] = [
        (Unanswered::not_sent("a"), |stats| stats.not_sent),
        (Unanswered::unknown("a"), |stats| stats.unknown),
        (Unanswered::expired("a"), |stats| stats.expired),
        (Unanswered::cancelled("a"), |stats| stats.cancelled),
    ];
    for (ending, count) in table {
        for purpose in [Purpose::Push, Purpose::Call] {
            let mut ledger = ledger();
            let (_, slot) = opened(&mut ledger, purpose);
            ledger.end_unanswered(slot, ending.clone());
            let stats = ledger.stats();
            assert!(stats.is_balanced(), "{stats:?}");
            assert_eq!(
                (count(&stats), stats.ended(), stats.open),
                (1, 1, 0),
                "{ending:?}"
            );
        }
    }
    let mut ledger = ledger();
    let (_, slot) = opened(&mut ledger, Purpose::Push);
    ledger.end_answered(slot, Outcome::Accepted(Accepted::default()));
    let (_, slot) = opened(&mut ledger, Purpose::Call);
    ledger.end_call_answered(slot, Response::new(500, ""));
    let stats = ledger.stats();
    assert_eq!((stats.accepted, stats.exchanges_answered), (1, 1));
    assert!(stats.is_balanced() && !ledger.take_fault());
}

#[test]
fn a_message_ends_once() {
    let mut ledger = ledger();
    let (ticket, slot) = opened(&mut ledger, Purpose::Push);
    ledger.end_unanswered(slot, Unanswered::unknown("a"));
    ledger.end_unanswered(slot, Unanswered::not_sent("b"));
    ledger.end_answered(slot, Outcome::Accepted(Accepted::default()));
    assert_eq!(ledger.stats().ended(), 1);
    assert_eq!(ledger.find(ticket), None);
    let ended = ledger.poll_outcome().expect("it has ended");
    assert_eq!((ended.ticket, ended.user_data, ended.driver_data), (ticket, 7, 8));
    assert!(ledger.poll_outcome().is_none() && !ledger.take_fault());
}

/// A ticket that a caller still holds must not name the next message.
#[test]
fn a_slot_is_not_used_again_before_its_end_is_fetched() {
    let mut ledger = ledger();
    let (first, slot) = opened(&mut ledger, Purpose::Push);
    ledger.end_unanswered(slot, Unanswered::unknown("a"));
    let second = queued(&mut ledger, Purpose::Push);
    assert_ne!(second.slot(), first.slot());
    ledger.poll_outcome();
    let third = queued(&mut ledger, Purpose::Push);
    assert_eq!(third.slot(), first.slot());
    assert_ne!(third, first);
}

#[test]
fn requests_for_tokens_are_not_counted() {
    let mut ledger = ledger();
    let (ticket, slot) = opened(&mut ledger, Purpose::Token);
    ledger.requeue(slot, None, NOW);
    assert_eq!(ledger.stats(), Stats::default());
    ledger.release(slot);
    assert_eq!(ledger.find(ticket), None);
    assert_eq!(ledger.stats(), Stats::default());
    assert!(!ledger.take_fault());
}

#[test]
fn what_was_in_doubt_once_does_not_end_as_not_sent() {
    let mut ledger = ledger();
    let (_, slot) = opened(&mut ledger, Purpose::Push);
    let again = Again {
        counts: true,
        in_doubt: true,
        refused: false,
        reported: ErrorKind::ConnectionLost,
    };
    assert_eq!(ledger.count_failure(slot, again, 0), 0);
    ledger.requeue(slot, None, NOW);
    assert!(ledger.get(slot).unwrap().is_in_doubt());
    ledger.end_unanswered(slot, Unanswered::expired("a"));
    let stats = ledger.stats();
    assert_eq!((stats.unknown, stats.expired, stats.requeued), (1, 0, 1));
    assert!(stats.is_balanced());
}

/// Refusals count while they come one after the other.
#[test]
fn refusals_in_a_row_are_counted() {
    let mut ledger = ledger();
    let (_, slot) = opened(&mut ledger, Purpose::Push);
    let again = |refused| Again {
        counts: true,
        in_doubt: false,
        refused,
        reported: ErrorKind::StreamReset,
    };
    let counts = [true, true, false, true].map(|refused| ledger.count_failure(slot, again(refused), 0));
    assert_eq!(counts, [1, 2, 0, 1]);
}

#[test]
fn a_message_is_due_at_its_deadline_or_when_its_answer_is_late() {
    let mut ledger = Ledger::new(Duration::from_secs(5));
    let ticket = queued(&mut ledger, Purpose::Push);
    assert_eq!(ledger.next_due(), Some(LATER));
    assert_eq!(ledger.due(false, LATER), [ticket]);
    let slot = ledger.find(ticket).unwrap();
    ledger.begin_opening(NOW);
    ledger.open(slot, link(), REQUEST, NOW);
    let late = NOW + Duration::from_secs(5);
    assert_eq!(ledger.next_due(), Some(late));
    assert_eq!(ledger.due(true, late - Duration::from_nanos(1)), []);
    assert_eq!(ledger.due(true, late), [ticket]);
    assert_eq!(ledger.due(false, LATER), []);
    assert_eq!(ledger.opened(ticket), Some((link(), NOW)));
}

/// Wrong books are our bug, and no reason to take the caller's process down.
#[test]
fn books_that_do_not_balance_are_told_of_and_do_not_panic() {
    let mut ledger = ledger();
    let (_, slot) = opened(&mut ledger, Purpose::Push);
    ledger.stats.open = 0;
    ledger.end_unanswered(slot, Unanswered::unknown("a"));
    assert_eq!((ledger.stats().open, ledger.stats().unknown), (0, 1));
    assert!(ledger.take_fault());
    assert!(!ledger.take_fault(), "once");
    queued(&mut ledger, Purpose::Push);
    ledger.stats.queued = 0;
    let (_, slot) = {
        let ticket = ledger.tickets()[0];
        (ticket, ledger.find(ticket).unwrap())
    };
    ledger.open(slot, link(), REQUEST, NOW);
    assert_eq!(ledger.stats().queued, 0);
    assert!(ledger.take_fault());
}

/// Queue, wire and whole of a push; a push without a stream has only a whole, a call has none.
#[test]
fn a_push_is_timed_from_submission_to_its_end() {
    let mut ledger = ledger();
    let ticket = queued(&mut ledger, Purpose::Push);
    let slot = ledger.find(ticket).unwrap();
    let opened_at = NOW + Duration::from_millis(4);
    ledger.begin_opening(opened_at);
    ledger.open(slot, link(), REQUEST, opened_at);
    ledger.note_time(NOW + Duration::from_millis(34));
    ledger.end_answered(slot, Outcome::Accepted(Accepted::default()));
    let unsent = queued(&mut ledger, Purpose::Push);
    let slot = ledger.find(unsent).unwrap();
    ledger.note_time(NOW + Duration::from_secs(7));
    ledger.end_unanswered(slot, Unanswered::expired("late"));
    let (_, slot) = opened(&mut ledger, Purpose::Call);
    ledger.end_unanswered(slot, Unanswered::unknown("no answer"));
    let latencies = ledger.latencies();
    let sums = latencies
        .list()
        .map(|(name, histogram)| (name, histogram.count(), histogram.sum()));
    let millis = Duration::from_millis;
    assert_eq!(
        sums,
        [
            ("queue", 1, millis(4)),
            ("wire", 1, millis(30)),
            ("whole", 2, millis(7034))
        ]
    );
}

/// What the caller says of a message at the entrance is there until its end, for those who ask.
#[test]
fn what_was_said_at_the_entrance_is_kept() {
    let mut ledger = ledger();
    let manner = Manner {
        bulk: true,
        patient: true,
        ..Manner::default()
    };
    let said_of = Circumstances::new().with(Suspect::Topic, b"a");
    assert_ne!(said_of, Circumstances::new());
    let said = Entrant {
        circumstances: Some(said_of),
        manner,
        ..entrant(Purpose::Push)
    };
    let (slot, _) = ledger.reserve().unwrap();
    let ticket = ledger.queue(slot, said, Context::None, NOW).unwrap();
    let pending = ledger.get(ledger.find(ticket).unwrap()).unwrap();
    assert_eq!(pending.circumstances(), Some(said_of));
    assert_eq!((pending.manner(), pending.manner().bulk), (manner, true));
    assert_eq!((pending.marks().user_data, pending.marks().driver_data), (7, 8));
    assert!(!pending.is_in_doubt());
}

#[test]
fn a_deadline_has_passed_when_it_is_reached() {
    let mut ledger = ledger();
    let ticket = queued(&mut ledger, Purpose::Push);
    let pending = ledger.get(ledger.find(ticket).unwrap()).unwrap();
    let instant = Duration::from_nanos(1);
    assert!(!pending.is_overdue(LATER - instant));
    assert!(pending.is_overdue(LATER) && pending.is_overdue(LATER + instant));
}
