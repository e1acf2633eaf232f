//! The figures of field cases: lists of tokens under a right and a wrong configuration.

use super::*;
use crate::http::Response;
use crate::time::{Now, UnixTime};
use crate::{apns, baidu, fcm, webpush};
use std::time::Duration;

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000));

const SENDER: &str = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"SENDER_ID_MISMATCH"}]}}"#;
const BLAMED: &str = r#"{"error":{"code":400,"message":"The registration token is not a valid FCM registration token","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"}]}}"#;
const OTHER_KEY: &str = "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.";

/// The answers as the services give them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Good,
    BadDeviceToken,
    NotForTopic,
    Unregistered,
    Sender,
    Payload,
    Key,
    Baidu,
}

impl Answer {
    fn outcome(self) -> Outcome {
        let apns = |status, reason: &str| {
            apns::outcome(&Response::new(status, format!(r#"{{"reason":"{reason}"}}"#)), NOW)
        };
        match self {
            Answer::Good => apns::outcome(&Response::new(200, ""), NOW),
            Answer::BadDeviceToken => apns(400, "BadDeviceToken"),
            Answer::NotForTopic => apns(400, "DeviceTokenNotForTopic"),
            Answer::Unregistered => apns(410, "Unregistered"),
            Answer::Sender => fcm::outcome(&Response::new(403, SENDER), NOW),
            Answer::Payload => fcm::outcome(&Response::new(400, BLAMED), NOW),
            Answer::Key => webpush::outcome(&Response::new(403, OTHER_KEY), NOW),
            Answer::Baidu => baidu::outcome(&Response::new(400, r#"{"error_code":40001}"#), NOW),
        }
    }
}

/// A token, and the circumstances of a campaign.
type At = (usize, Circumstances);

fn at(token: usize, campaign: &str) -> At {
    let topic = Circumstances::new().with(Suspect::Topic, b"com.example.app");
    (token, topic.with(Suspect::Payload, campaign.as_bytes()))
}

fn observe(witness: &mut Witness<usize>, ticket: usize, answer: Answer, (token, at): At) -> Observed<usize> {
    witness.observe(ticket, answer.outcome(), at, &token.to_le_bytes())
}

/// The end of each message, and the suspicions that arose.
struct End {
    names: Vec<&'static str>,
    suspicions: Vec<Suspicion>,
    most_held: usize,
}

impl End {
    fn count(&self, name: &str) -> usize {
        self.names.iter().filter(|had| **had == name).count()
    }

    fn gone(&self) -> Vec<usize> {
        let numbered = self.names.iter().enumerate();
        numbered
            .filter_map(|(token, name)| (*name == "token_gone").then_some(token))
            .collect()
    }
}

/// One message to each of `answers`, in their order.
fn run(hold: usize, answers: impl IntoIterator<Item = (Answer, At)>) -> End {
    let mut witness = Witness::holding(hold);
    let mut end = End {
        names: Vec::new(),
        suspicions: Vec::new(),
        most_held: 0,
    };
    for (ticket, (answer, at)) in answers.into_iter().enumerate() {
        end.names.push("held");
        if let Observed::Now(ticket, outcome) = observe(&mut witness, ticket, answer, at) {
            end.names[ticket] = outcome.name();
        }
        while let Some((ticket, outcome)) = witness.poll_settled() {
            assert_eq!(end.names[ticket], "held", "{ticket} ended twice");
            end.names[ticket] = outcome.name();
        }
        end.most_held = end.most_held.max(witness.held());
        end.suspicions
            .extend(std::iter::from_fn(|| witness.poll_suspicion()));
    }
    witness.release();
    while let Some((ticket, outcome)) = witness.poll_settled() {
        assert_eq!(end.names[ticket], "held", "{ticket} ended twice");
        end.names[ticket] = outcome.name();
    }
    assert_eq!(witness.held(), 0);
    assert_eq!(end.count("held"), 0, "every message has an end");
    end
}

const HOLDS: [usize; 3] = [0, 10, 1000];

#[test]
fn a_wrong_configuration_deletes_nothing() {
    for (answer, suspect) in [
        (Answer::BadDeviceToken, Suspect::Environment),
        (Answer::NotForTopic, Suspect::Topic),
        (Answer::Sender, Suspect::Sender),
        (Answer::Key, Suspect::Key),
        (Answer::Payload, Suspect::Payload),
        (Answer::Baidu, Suspect::Environment),
    ] {
        for hold in HOLDS {
            let end = run(hold, (0..10_000).map(|token| (answer, at(token, "a"))));
            assert_eq!(end.count("token_mismatch"), 10_000, "{answer:?} {hold}");
            let told = [Suspicion {
                suspects: suspect.into(),
                answers: 16,
            }];
            assert_eq!(end.suspicions, told, "{answer:?} {hold}");
        }
    }
}

/// The same tokens took another message, topic or key a second before.
#[test]
fn what_was_accepted_otherwise_is_no_witness() {
    let other = |token: usize, suspect| (token, at(token, "a").1.with(suspect, b"other"));
    for (answer, suspect) in [
        (Answer::Sender, Suspect::Sender),
        (Answer::Key, Suspect::Key),
        (Answer::Payload, Suspect::Payload),
    ] {
        for hold in HOLDS {
            let good = (0..30).map(|token| (Answer::Good, other(token, suspect)));
            let bad = (0..30).map(|token| (answer, at(token, "a")));
            let end = run(hold, good.chain(bad));
            assert_eq!(
                (end.count("accepted"), end.count("token_mismatch")),
                (30, 30),
                "{answer:?} {hold}"
            );
        }
    }
}

#[test]
fn the_dead_among_good_ones_are_all_found() {
    // Every hundredth, the first among them; by chance; the first and the last token.
    let mut seed = 1u64;
    let chance: Vec<bool> = (0..10_000)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % 100 == 0
        })
        .collect();
    let lists: [(&str, Vec<bool>); 3] = [
        ("regular", (0..10_000).map(|n| n % 100 == 0).collect()),
        ("chance", chance),
        ("both ends", (0..10_000).map(|n| n == 0 || n == 9_999).collect()),
    ];
    for answer in [
        Answer::BadDeviceToken,
        Answer::Sender,
        Answer::Key,
        Answer::Payload,
        Answer::Baidu,
    ] {
        for (name, dead) in &lists {
            let answers = dead.iter().enumerate().map(|(token, dead)| {
                let answer = if *dead { answer } else { Answer::Good };
                (answer, at(token, "a"))
            });
            let expected: Vec<usize> = (0..dead.len()).filter(|token| dead[*token]).collect();
            let end = run(1000, answers);
            assert_eq!(end.gone(), expected, "{answer:?} {name}");
            assert_eq!(end.suspicions, [], "{answer:?} {name}");
            assert!(end.most_held < 10, "{}", end.most_held);
        }
    }
}

#[test]
fn a_witness_that_does_not_hold_finds_those_that_come_after_it() {
    let answers = (0..10_000).map(|token| {
        let dead = token % 100 == 0;
        (
            if dead {
                Answer::BadDeviceToken
            } else {
                Answer::Good
            },
            at(token, "a"),
        )
    });
    let end = run(0, answers);
    // The very first had no witness yet.
    assert_eq!((end.count("token_gone"), end.names[0]), (99, "token_mismatch"));
}

#[test]
fn certain_ends_are_never_held() {
    let mut witness = Witness::holding(10);
    let gone = Answer::Unregistered.outcome();
    assert_eq!(
        observe(&mut witness, 1, Answer::Unregistered, at(1, "a")),
        Observed::Now(1, gone)
    );
}

#[test]
fn a_token_of_another_app_is_never_gone() {
    for hold in HOLDS {
        let answers = (0..10_000).map(|token| {
            let other = token % 100 == 50;
            (
                if other { Answer::NotForTopic } else { Answer::Good },
                at(token, "a"),
            )
        });
        let end = run(hold, answers);
        assert_eq!(
            (end.count("token_gone"), end.count("token_mismatch")),
            (0, 100),
            "{hold}"
        );
    }
}

/// Five thousand of production, then five thousand of development.
#[test]
fn a_list_that_changes_in_the_middle_loses_no_row_of_tokens() {
    let answers = || {
        (0..10_000).map(|token| {
            let bad = token >= 5_000;
            (
                if bad { Answer::BadDeviceToken } else { Answer::Good },
                at(token, "a"),
            )
        })
    };
    let end = run(1000, answers());
    assert_eq!((end.count("token_gone"), end.count("token_mismatch")), (0, 5_000));
    assert_eq!(end.suspicions.len(), 1);
    // Without holding, the first three look like three dead ones.
    let end = run(0, answers());
    assert_eq!((end.count("token_gone"), end.count("token_mismatch")), (3, 4_997));
}

/// A service that refuses everything for a while, and then works again.
#[test]
fn an_outage_deletes_nothing() {
    let answers = (0..3_000).map(|token| {
        let out = (1_000..1_500).contains(&token);
        (if out { Answer::Payload } else { Answer::Good }, at(token, "a"))
    });
    let end = run(1000, answers);
    assert_eq!(
        (end.gone(), end.count("token_mismatch"), end.suspicions.len()),
        (vec![], 500, 1)
    );
}

#[test]
fn half_bad_is_suspected_and_a_quarter_is_not() {
    let share = |of: usize| {
        run(
            1000,
            (0..4_000).map(move |token| {
                let bad = token % of == 0;
                (
                    if bad { Answer::BadDeviceToken } else { Answer::Good },
                    at(token, "a"),
                )
            }),
        )
    };
    let half = share(2);
    // One of two is not many yet.
    assert_eq!((half.suspicions.len(), half.gone()), (1, vec![0]));
    let quarter = share(4);
    assert_eq!(
        (quarter.suspicions.len(), quarter.count("token_gone")),
        (0, 1_000)
    );
}

/// One campaign of ten is wrong from beginning to end; the session's answers as a whole look well.
#[test]
fn one_wrong_campaign_among_others_is_suspected() {
    let answers = (0..2_000).map(|token| match token % 10 {
        0 => (Answer::Key, at(token, "wrong")),
        _ => (Answer::Good, at(token, "right")),
    });
    let end = run(1000, answers);
    assert_eq!((end.count("token_gone"), end.count("token_mismatch")), (0, 200));
    assert_eq!(end.suspicions.len(), 1);
}

#[test]
fn a_suspicion_ends_and_can_arise_again() {
    let answers = (0..400).map(|token| {
        let bad = (token / 100) % 2 == 0;
        (
            if bad { Answer::BadDeviceToken } else { Answer::Good },
            at(token, "a"),
        )
    });
    let end = run(0, answers);
    assert_eq!(end.suspicions.len(), 2);
}

#[test]
fn the_same_token_is_no_witness_for_itself() {
    for hold in HOLDS {
        let answers = [(Answer::Good, at(1, "a")), (Answer::BadDeviceToken, at(1, "a"))];
        assert_eq!(run(hold, answers).names, ["accepted", "token_mismatch"], "{hold}");
        let answers = [
            (Answer::Good, at(1, "a")),
            (Answer::Good, at(2, "a")),
            (Answer::BadDeviceToken, at(1, "a")),
        ];
        assert_eq!(run(hold, answers).names[2], "token_gone", "{hold}");
    }
}

#[test]
fn what_only_some_devices_get_has_no_witness() {
    let answers = (0..1_000).map(|token| {
        let bad = token % 100 == 50;
        (
            if bad { Answer::Payload } else { Answer::Good },
            (token, at(token, "a").1.that_vary()),
        )
    });
    let end = run(1000, answers);
    assert_eq!((end.count("token_gone"), end.count("token_mismatch")), (0, 10));
}

#[test]
fn personal_messages_have_no_witness_and_are_suspected_all_the_same() {
    let personal = |token: usize| at(token, &token.to_string());
    for hold in HOLDS {
        let end = run(
            hold,
            (0..10_000).map(|token| (Answer::BadDeviceToken, personal(token))),
        );
        assert_eq!(
            (end.count("token_mismatch"), end.suspicions.len()),
            (10_000, 1),
            "{hold}"
        );
        let few = (0..10_000).map(|token| {
            let bad = token % 100 == 0;
            (
                if bad { Answer::BadDeviceToken } else { Answer::Good },
                personal(token),
            )
        });
        let end = run(hold, few);
        assert_eq!((end.count("token_gone"), end.suspicions.len()), (0, 0), "{hold}");
        assert!(end.most_held <= hold);
    }
}

#[test]
fn memory_is_bounded() {
    let mut witness = Witness::holding(100);
    for token in 0..50_000 {
        let answer = if token % 3 == 0 {
            Answer::BadDeviceToken
        } else {
            Answer::Good
        };
        let _ = observe(&mut witness, token, answer, at(token, &token.to_string()));
        assert!(witness.held() <= 100);
    }
    // Two generations, and what waits.
    assert!(witness.young.len() + witness.old.len() <= 2 * (CASES + 100));
}

#[test]
fn a_bulk_send_that_wants_to_stop_stops() {
    for (choice, stops) in [(OnSuspicion::GoOn, false), (OnSuspicion::Stop, true)] {
        let mut witness = Witness::holding(1000).with_on_suspicion(choice);
        for token in 0..16 {
            assert!(!witness.is_stopped());
            let _ = observe(&mut witness, token, Answer::NotForTopic, at(token, "a"));
        }
        assert_eq!((witness.is_stopped(), witness.is_suspected()), (stops, true));
        for token in 16..1_000 {
            let _ = observe(&mut witness, token, Answer::Good, at(token, "b"));
        }
        assert!(!witness.is_suspected());
        assert_eq!(witness.is_stopped(), stops, "a stop is not taken back");
        assert_eq!(OnSuspicion::from_name(choice.name()), Some(choice));
    }
}

#[test]
fn a_witness_can_be_asked_for_some_of_what_it_holds() {
    let mut witness = Witness::holding(10);
    for ticket in 0..4 {
        let held = observe(&mut witness, ticket, Answer::BadDeviceToken, at(ticket, "a"));
        assert_eq!(held, Observed::Held);
    }
    witness.release_if(|ticket| ticket % 2 == 0);
    let ended: Vec<usize> = std::iter::from_fn(|| witness.poll_settled().map(|(ticket, _)| ticket)).collect();
    assert_eq!((ended, witness.held()), (vec![0, 2], 2));
}

#[test]
fn outcomes_without_circumstances_are_counted_only() {
    let mut witness: Witness<()> = Witness::new();
    for _ in 0..15 {
        witness.note(&Answer::Key.outcome());
    }
    assert_eq!(witness.poll_suspicion(), None);
    witness.note(&Answer::Key.outcome());
    let suspicion = witness.poll_suspicion().expect("a suspicion");
    assert_eq!((suspicion.suspects, suspicion.answers), (Suspect::Key.into(), 16));
    assert_eq!(witness.poll_suspicion(), None);
    for _ in 0..32 {
        witness.note(&Answer::Good.outcome());
    }
    assert!(!witness.is_suspected());
}

/// Refusals that come in one row at the end, because the server answers them last, are few all the same.
#[test]
fn a_row_of_refusals_at_the_end_is_judged_by_all_answers() {
    for (good, bad, gone) in [(1000, 10, 10), (32, 10, 10), (20, 10, 0), (1000, 16, 0)] {
        let all = (0..good + bad).map(|token| {
            let answer = if token < good {
                Answer::Good
            } else {
                Answer::BadDeviceToken
            };
            (answer, at(token, "a"))
        });
        let end = run(1000, all);
        assert_eq!(end.count("token_gone"), gone, "{good} {bad}");
    }
}
