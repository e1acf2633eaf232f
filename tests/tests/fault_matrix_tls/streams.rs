//! Rows 30 to 36: faults of single streams.

use std::collections::HashMap;

use pushcore::session::SendOptions;
use pushcore_client::Batch;
use pushcore_tests::sim::frame::{self, MAX_31, code};

use super::*;

/// A hundred ids are left on each connection: it ends by itself, and the next goes on.
#[test]
fn row_30_stream_ids_run_out() {
    let row = Row::new(|_| Script::accepting());
    let sent = row.send(N, |config| {
        config.session.http2.get_or_insert_default().initial_stream_id = MAX_31 - 2 * 99;
    });
    let stats = &sent.stats;
    assert_eq!((stats.accepted, stats.requeued), (N as u64, 0), "{stats:?}");
    assert_eq!(row.server.log().connections() as usize, N / 100);
}

/// Each message for which `refused` says so is refused that many times before it is taken.
fn refuse(refused: impl Fn(usize) -> u32 + Send + 'static) -> Script {
    let mut times: HashMap<usize, u32> = HashMap::new();
    Script::new(move |seen, _| {
        let number = seen.number().unwrap_or(0);
        let count = times.entry(number).or_default();
        *count += 1;
        if *count <= refused(number) {
            vec![Act::Reset(code::REFUSED_STREAM)]
        } else {
            vec![ok()]
        }
    })
}

#[test]
fn row_31_some_streams_refused() {
    let every_tenth = |number: usize| match number % 10 {
        3 => 1 + (number as u32 / 10) % 3,
        _ => 0,
    };
    let row = Row::new(move |_| refuse(every_tenth));
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.accepted, stats.unknown), (N as u64, 0), "{stats:?}");
    // 34 once, 33 twice, 33 three times.
    assert_eq!(stats.requeued, 34 + 33 * 2 + 33 * 3);
    assert_eq!(row.server.log().connections(), 1);
}

#[test]
fn row_32_all_streams_refused_for_ever() {
    let row = Row::new(|_| refuse(|_| u32::MAX));
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.not_sent, stats.unknown), (N as u64, 0), "{stats:?}");
    // The first time, and three times more.
    assert_eq!(row.server.log().requests(), 4 * N as u64);
    assert!(sent.causes().iter().all(|cause| *cause == ErrorKind::StreamReset));
}

#[test]
fn row_33_every_other_reset_code() {
    let codes: Vec<u32> = (0..=0xd)
        .filter(|code| *code != code::REFUSED_STREAM)
        .chain([0xff, u32::MAX])
        .collect();
    let count = codes.len() as u64;
    let row = Row::first(move || {
        let codes = codes.clone();
        Script::new(move |seen, _| match codes.get(seen.nth as usize - 1) {
            Some(code) => vec![Act::Process, Act::Reset(*code)],
            None => vec![ok()],
        })
    });
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!(
        (stats.unknown + stats.rejected, stats.accepted),
        (count, N as u64 - count),
        "{stats:?}"
    );
}

/// The response wins.
#[test]
fn row_34_reset_after_the_response() {
    for reset in [code::NO_ERROR, code::CANCEL, code::STREAM_CLOSED] {
        let row = Row::new(move |_| {
            Script::new(move |_, _| {
                let mut answer = Answer::ok();
                answer.resets = vec![reset];
                vec![Act::Answer(answer)]
            })
        });
        let sent = row.send(N, |_| {});
        let stats = &sent.stats;
        assert_eq!((stats.accepted, stats.unknown), (N as u64, 0), "{stats:?}");
    }
}

/// 7 decides, 5 says nothing more: once more, and only once.
#[test]
fn row_35_two_resets_for_one_stream() {
    let mut times: HashMap<usize, u32> = HashMap::new();
    let twice = Script::new(move |seen, _| {
        let count = times.entry(seen.number().unwrap_or(0)).or_default();
        *count += 1;
        match *count {
            1 => vec![
                Act::Reset(code::REFUSED_STREAM),
                Act::RawFor(|id| frame::reset(id, code::STREAM_CLOSED)),
            ],
            _ => vec![ok()],
        }
    });
    let mut script = Some(twice);
    let row = Row::new(move |_| script.take().expect("one connection"));
    let sent = row.send(50, |_| {});
    let stats = &sent.stats;
    assert_eq!(
        (stats.accepted, stats.requeued, row.server.log().requests()),
        (50, 50, 100),
        "{stats:?}"
    );
}

/// Fifty are in flight and fifty wait; of each, twenty are cancelled one by one. Then the answers come,
/// those of the cancelled ones too.
#[test]
fn row_36_cancelled_one_by_one() {
    let row = Row::new(|_| {
        Script::new(|seen, _| match seen.number() {
            // The last that finds room where others were cancelled.
            Some(89) => {
                let late = (0..20).flat_map(|nth| frame::headers(2 * nth + 1, true, &[0x88]));
                vec![Act::Raw(late.collect()), Act::AnswerHeld(Answer::ok())]
            }
            Some(90..) => vec![ok()],
            _ => vec![Act::Process],
        })
        .streams(50)
    });
    let client = Arc::new(row.client(|_| {}));
    let mut batch = Batch::new(Arc::clone(&client), None).expect("a batch");
    let mut other = Batch::new(Arc::clone(&client), None).expect("a batch");
    let all: Vec<_> = messages(0..100).map(|(_, message)| message).collect();
    let mut tickets = Vec::new();
    let taken = batch.submit(all.iter().zip(0..), SendOptions::default(), |ticket| {
        tickets.push(ticket.expect("taken"))
    });
    assert!(taken.expect("an open client"), "there is room");
    let log = row.server.log();
    let mut ended = HashMap::new();
    let mut wait = |batch: &mut Batch| {
        for one in batch.wait(millis(5)).expect("a wait") {
            assert!(
                ended.insert(one.ticket, one.into_result()).is_none(),
                "an end of its own"
            );
        }
        ended.len()
    };
    eventually(|| wait(&mut batch) == 0 && log.requests() == 50, "fifty requests");
    let chosen: Vec<_> = tickets[50..70].iter().chain(&tickets[..20]).copied().collect();
    for ticket in &chosen {
        assert!(!other.cancel(*ticket), "not its own");
        assert!(batch.cancel(*ticket));
        assert!(!batch.cancel(*ticket), "a message ends once");
    }
    eventually(|| wait(&mut batch) == 100, "a hundred ends");
    for (ticket, result) in &ended {
        let kind = result.as_ref().err().map(Error::kind);
        let expected = chosen.contains(ticket).then_some(ErrorKind::Cancelled);
        assert_eq!(kind, expected, "{result:?}");
    }
    let stats = client.stats();
    assert!(stats.is_balanced());
    assert_eq!((stats.cancelled, stats.accepted), (40, 60), "{stats:?}");
    // The twenty that waited were never sent.
    assert_eq!((log.requests(), log.connections()), (80, 1));
    eventually(|| log.resets().len() == 20, "twenty resets");
}

/// Fifty are cancelled while the server holds their answers; then the answers come all the same.
#[test]
fn row_36_response_to_a_cancelled_request() {
    let row = Row::new(|_| {
        Script::new(|seen, _| match seen.nth {
            51 => {
                let late = (0..50).flat_map(|nth| frame::headers(2 * nth + 1, true, &[0x88]));
                vec![Act::Raw(late.collect()), ok()]
            }
            _ => vec![Act::Process],
        })
    });
    let client = Arc::new(row.client(|_| {}));
    let mut batch = Batch::new(Arc::clone(&client), None).expect("a batch");
    let mut first: Vec<_> = messages(0..50).map(|(_, message)| message).collect();
    while !first.is_empty() {
        let mut taken = 0;
        let all = batch.submit(first.iter().zip(0..), SendOptions::default(), |ticket| {
            assert!(ticket.is_ok());
            taken += 1;
        });
        all.expect("an open client");
        first.drain(..taken);
    }
    eventually(
        || {
            let ended = batch.wait(millis(10)).expect("a wait").count();
            assert_eq!(ended, 0);
            row.server.log().requests() == 50
        },
        "fifty requests",
    );
    drop(batch);
    let (_, message) = messages(50..51).next().expect("one more");
    assert!(client.send(&message).expect("an answer").is_accepted());
    let stats = client.stats();
    assert!(stats.is_balanced());
    assert_eq!(
        (stats.cancelled, stats.accepted, stats.unknown),
        (50, 1, 0),
        "{stats:?}"
    );
    assert_eq!(row.server.log().connections(), 1);
    eventually(|| row.server.log().resets().len() == 50, "fifty resets");
}
