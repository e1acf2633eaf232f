//! Several threads over the same sockets.

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
