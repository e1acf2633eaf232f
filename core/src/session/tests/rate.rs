//! 429, Retry-After, and the token bucket.

use super::*;

#[test]
fn retry_after_holds_the_whole_project_back_and_no_longer() {
    let begun = start().monotonic;
    let mut world = World::fcm(
        |config| config.max_connections = 1,
        move |_, at| match at == begun {
            true => answer(
                429,
                "retry-after: 7\r\n",
                r#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#,
            ),
            false => answer(200, "", FCM_OK),
        },
    );
    world.submit(1);
    assert_eq!(world.ends().len(), 1);
    world.submit(3);
    let suspect = crate::session::SendOptions::default().suspect();
    let now = world.now;
    world.session.submit(&fcm_message(), suspect, now).unwrap();
    world.run_for(secs(6));
    assert_eq!(world.pushes().len(), 1, "the others wait, in both lanes");
    world.run_for(secs(3));
    let late = world.pushes();
    assert_eq!(late.len(), 5);
    // Up to a fifth later, so that not all clients come back at once.
    let due = begun + secs(7)..=begun + secs(7) * 121 / 100;
    assert!(late[1..].iter().all(|at| due.contains(at)), "{late:?}");
    assert!(world.ends().iter().all(|end| matches!(end, Ok("accepted"))));
    let throttled =
        |event: &SessionEvent| matches!(event, SessionEvent::Throttled { after, .. } if *after == secs(7));
    assert!(world.events.iter().any(throttled), "{:?}", world.events);
}

#[test]
fn a_pause_longer_than_the_deadline_ends_as_expired() {
    let mut world = World::fcm(
        |_| {},
        |_, _| {
            answer(
                429,
                "retry-after: 3600\r\n",
                r#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#,
            )
        },
    );
    world.submit(1);
    world.submit(10);
    world.run_for(secs(61));
    let ends = world.ends();
    assert_eq!(ends.len(), 11);
    let expired = ends
        .iter()
        .filter(|end| matches!(end, Err(error) if error.kind() == ErrorKind::Expired));
    assert_eq!((expired.count(), world.requests.len()), (10, 1));
}

#[test]
fn the_rate_is_kept_halved_by_429_and_comes_back() {
    let begun = start().monotonic;
    let mut world = World::fcm(
        |config| {
            config.rate = Some(100);
            config.deadline = secs(600);
        },
        // One refusal, a second into it, that asks for no pause.
        {
            let mut refused = false;
            move |_, at| {
                if !refused && at >= begun + secs(1) {
                    refused = true;
                    return answer(
                        429,
                        "retry-after: 0\r\n",
                        r#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#,
                    );
                }
                answer(200, "", FCM_OK)
            }
        },
    );
    world.submit(1500);
    world.run_for(secs(20));
    let pushes = world.pushes();
    let during = |from: u64, to: u64| {
        let (from, to) = (begun + secs(from), begun + secs(to));
        pushes.iter().filter(|at| (from..to).contains(*at)).count()
    };
    assert!((95..=115).contains(&during(0, 1)), "{}", during(0, 1));
    assert!((45..=65).contains(&during(1, 2)), "{}", during(1, 2));
    assert!((95..=105).contains(&during(8, 9)), "{}", during(8, 9));
    assert_eq!((pushes.len(), world.ends().len()), (1500, 1500));
}
