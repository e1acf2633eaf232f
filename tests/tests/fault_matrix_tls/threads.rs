//! Several threads over the same sockets.

use pushcore_tests::sim::Last;
use pushcore_tests::sim::frame::code;

use super::*;

/// Four threads share a client: each gets its own messages' answers, and the id says so.
#[test]
fn threads_get_their_own_answers() {
    let row = Row::new(|_| {
        Script::new(|seen, _| {
            let id = seen.field("apns-id").unwrap_or_default().to_owned();
            vec![Act::Answer(Answer::ok().with_field("apns-id", id))]
        })
    });
    let client = row.client(|config| config.session.max_connections = 2);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || {
                let mut seen = vec![0; 2000];
                let first = thread * 2000;
                for ((number, _), result) in client.send_many(messages(first..first + 2000)) {
                    seen[number - first] += 1;
                    let Ok(Outcome::Accepted(accepted)) = result else {
                        panic!("{number}: {result:?}")
                    };
                    let id = accepted.id.expect("an id");
                    assert_eq!(
                        id.as_str().to_lowercase(),
                        fixture::id(number).as_str().to_lowercase()
                    );
                }
                assert!(seen.iter().all(|count| *count == 1));
            });
        }
    });
    assert!(client.stats().is_balanced());
    assert_eq!(
        (client.stats().accepted, row.server.log().duplicates()),
        (8000, 0)
    );
}

/// Eight threads send one by one, in bulk, and give up half-way, while connections come and go; then
/// the client is closed under them. Each call comes back, and what it says is what the server saw.
#[test]
fn threads_in_bad_weather() {
    let mut rng = Rng::new(8);
    let row = Row::new(move |_| {
        let life = rng.between(5, 60) as u32;
        let end = [
            vec![ok(), Act::GoAway(Last::Processed, 0, Vec::new()), Act::Close],
            vec![
                ok(),
                Act::GoAway(Last::Max, 0, Vec::new()),
                Act::Wait(millis(5)),
                Act::Close,
            ],
            vec![Act::Abort],
            vec![Act::Close],
        ];
        let end = end[rng.below(4) as usize].clone();
        Script::new(move |seen, rng| match seen.nth {
            nth if nth == life => end.clone(),
            _ if rng.chance(30) => vec![Act::Reset(code::REFUSED_STREAM)],
            _ if rng.chance(300) => vec![Act::Wait(millis(2)), ok()],
            _ => vec![ok()],
        })
        .streams(20)
    });
    let client = row.client(|config| {
        config.session.max_connections = 3;
        config.session.max_requeues = u8::MAX;
        config.session.max_queued = 60;
        config.session.longest_backoff = millis(20);
    });
    let seen = |number: usize, result: &Result<Outcome, Error>| {
        let processed = row.server.log().processed(number);
        match result {
            Ok(outcome) => assert_eq!((outcome.is_accepted(), processed), (true, 1), "{number}"),
            Err(error) => match error.kind() {
                ErrorKind::Unknown => assert!(processed <= 1, "{number}: {processed}"),
                ErrorKind::NotSent | ErrorKind::Closed => assert_eq!(processed, 0, "{number}: {error}"),
                _ => panic!("{number}: {error}"),
            },
        }
    };
    let finished = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (client, seen, finished) = (&client, &seen, &finished);
            scope.spawn(move || {
                let first = thread * 400;
                match thread % 4 {
                    // In bulk.
                    0 => {
                        let results: Results = client.send_many(messages(first..first + 300)).collect();
                        results
                            .iter()
                            .for_each(|((number, _), result)| seen(*number, result));
                        let closed = |result: &Result<Outcome, Error>| {
                            result
                                .as_ref()
                                .is_err_and(|error| error.kind() == ErrorKind::Closed)
                        };
                        let cut_short = results.last().is_some_and(|(_, result)| closed(result));
                        assert!(results.len() == 300 || cut_short, "{} ends", results.len());
                    }
                    // A few at a time, and never the end of it.
                    1 => {
                        for start in (first..first + 300).step_by(30) {
                            let results = client.send_many(messages(start..start + 30)).take(7);
                            results.for_each(|((number, _), result)| seen(number, &result));
                        }
                    }
                    // One by one.
                    _ => {
                        for (number, message) in messages(first..first + 100) {
                            seen(number, &client.send(&message));
                        }
                    }
                }
                finished.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            });
        }
        // Six of them are done: the last are closed upon.
        eventually(
            || finished.load(std::sync::atomic::Ordering::SeqCst) >= 6,
            "six threads at their end",
        );
        client.close().expect("closed");
    });
    let stats = client.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.queued, stats.open), (0, 0), "{stats:?}");
    let log = row.server.log();
    assert_eq!((log.duplicates(), log.violations()), (0, Vec::new()));
    assert!(stats.accepted > 500, "{stats:?}");
}
