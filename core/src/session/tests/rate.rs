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

pub(super) fn topic_call(number: usize) -> crate::http::Request {
    let credentials = fcm::Credentials::host_tokens(fcm::ProjectId::new("project").unwrap());
    credentials.supply_token("token", secs(3600), start()).unwrap();
    let hosts = fcm::Hosts::all(&authority("push.example"));
    let topic = fcm::Topic::new("news").unwrap();
    let id = fcm::RegistrationId::new(&format!("device{number}")).unwrap();
    match number % 3 {
        0 => fcm::topics::subscribe(&id, &topic, &credentials, &hosts, start()),
        1 => fcm::topics::unsubscribe(&id, &topic, &credentials, &hosts, start()),
        _ => fcm::topics::legacy_batch(
            fcm::topics::BatchAction::Add,
            &topic,
            std::slice::from_ref(&id),
            &credentials,
            &hosts,
            start(),
        ),
    }
    .unwrap()
}

impl World {
    fn call(&mut self, count: usize) {
        for number in 0..count {
            let now = self.now;
            let request = topic_call(number);
            self.session.exchange(request, Default::default(), now).unwrap();
        }
        self.settle();
    }

    fn answered(&mut self) -> usize {
        std::iter::from_fn(|| self.session.poll_response())
            .filter(|(_, result)| matches!(result, Ok(response) if response.status == 200))
            .count()
    }

    /// Requests whose first line holds `text`, by the second in which they came.
    fn by_second(&self, text: &str) -> Vec<usize> {
        let begun = start().monotonic;
        let mut counts = Vec::new();
        for (at, _) in self.requests.iter().filter(|(_, line)| line.contains(text)) {
            let second = (*at - begun).as_secs() as usize;
            counts.resize(counts.len().max(second + 1), 0);
            counts[second] += 1;
        }
        counts
    }
}

#[test]
pub(super) fn topic_calls_keep_googles_rate_by_themselves() {
    let mut world = World::fcm(
        |config| {
            config.max_queued = 20_000;
            config.max_connections = 2;
        },
        |_, _| answer(200, "", "{}"),
    );
    world.call(9000);
    world.run_for(secs(4));
    assert_eq!(world.answered(), 9000);
    let counts = world.by_second(" HTTP/1.1");
    // A tenth of a second's worth may come at once at the beginning.
    assert!((3000..=3301).contains(&counts[0]), "{counts:?}");
    assert!((2999..=3001).contains(&counts[1]), "{counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), 9000);
    // All three sorts of call were bounded, not two of them.
    for text in ["PATCH", "DELETE", "iid/v1:batchAdd"] {
        assert_eq!(world.by_second(text).iter().sum::<usize>(), 3000, "{text}");
    }
}

#[test]
fn pushes_do_not_wait_behind_topic_calls() {
    let mut world = World::fcm(
        |config| config.call_rate = Some(10),
        |_, _| answer(200, "", FCM_OK),
    );
    world.call(100);
    world.submit(50);
    world.run_for(secs(1));
    assert_eq!(world.by_second("messages:send"), [50]);
    let calls = world.by_second("/iid/v1").iter().sum::<usize>()
        + world.by_second("registrations").iter().sum::<usize>();
    assert!((10..=12).contains(&calls), "{calls}");
    world.run_for(secs(10));
    assert_eq!((world.answered(), world.ends().len()), (100, 50));
}

#[test]
fn the_rate_of_calls_can_be_chosen() {
    for (rate, least, most) in [(100, 100, 111), (u32::MAX, 1000, 1000)] {
        let mut world = World::fcm(
            |config| config.call_rate = Some(rate),
            |_, _| answer(200, "", "{}"),
        );
        world.call(1000);
        world.run_for(secs(1));
        let first = world.by_second(" HTTP/1.1")[0];
        assert!((least..=most).contains(&first), "{rate}: {first}");
    }
}

#[test]
fn calls_that_are_too_many_wait_and_pushes_go_on() {
    let begun = start().monotonic;
    let mut world = World::fcm(
        |_| {},
        move |line, at| match line.contains("registrations") && at == begun {
            true => answer(429, "retry-after: 5\r\n", "{}"),
            false => answer(200, "", FCM_OK),
        },
    );
    world.call(1);
    world.call(1);
    world.submit(1);
    world.run_for(secs(4));
    assert_eq!(world.by_second("messages:send"), [1]);
    assert_eq!(world.by_second("registrations"), [1]);
    world.run_for(secs(2));
    assert_eq!(world.by_second("registrations"), [1, 0, 0, 0, 0, 1]);
}
