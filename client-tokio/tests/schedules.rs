//! The state that callers and the driver task share, under schedules that a model checker chooses (shuttle).
//!
//! The files are those of the crate, compiled with shuttle's lock in place of the standard library's. The driver task is a model:
//! it keeps the session's time as the real one does, and every connection attempt of the session fails. A wake-up that is lost
//! is a deadlock here, which shuttle reports with the schedule that leads to it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use pushcore::apns::{
    self, Aps, BundleId, Credentials, DeviceToken, Environment, KeyId, Message, PushType, TeamId,
};
use pushcore::crypto::Es256Key;
use pushcore::net::Security;
use pushcore::service::AsMessage;
use pushcore::session::{Action, LinkId, SendOptions, Session, SessionConfig};
use pushcore::{Error, ErrorKind, Now, UnixTime};
use shuttle::future::{block_on, spawn, yield_now};

use crate::ready::{ReadySet, Source};
use crate::shared::Shared;

#[allow(dead_code, unreachable_pub)]
#[path = "../src/ready.rs"]
mod ready;
#[allow(dead_code, unreachable_pub)]
#[path = "../src/room.rs"]
mod room;
#[allow(dead_code, unreachable_pub)]
#[path = "../src/shared.rs"]
mod shared;
mod sync {
    pub(crate) use shuttle::sync::{Mutex, MutexGuard};
}

/// The number of schedules that each test tries.
const SCHEDULES: usize = 500;

fn at(seconds: u64) -> Now {
    let unix = UnixTime::from_secs(1_764_422_709 + seconds);
    Now::new(Duration::from_secs(seconds), unix)
}

fn shared(max_queued: usize) -> Arc<Shared> {
    let key = Es256Key::from_scalar(&[7; 32]).expect("a scalar below the order of P-256");
    let key_id = KeyId::parse("ABC123DEFG").expect("a key id");
    let team_id = TeamId::parse("DEF123GHIJ").expect("a team id");
    let service = apns::Service::new(
        Credentials::token(key_id, team_id, key),
        Environment::Sandbox.hosts(),
    );
    let mut config = SessionConfig::default();
    config.max_queued = max_queued;
    config.seed = Some(1);
    let session = Session::new(service, Security::Cleartext, config, at(0)).expect("a session");
    Arc::new(Shared::new(session))
}

fn message() -> Message {
    let builder = Message::builder(PushType::Alert)
        .bundle(BundleId::parse("org.example.app").expect("a bundle id"))
        .payload(Aps::new().alert("hello"));
    let device = DeviceToken::parse(&"ab".repeat(32)).expect("a token");
    builder.device(device).build().expect("a message")
}

/// The driver task, with time that jumps to the next timer and connections that fail.
async fn drive(shared: Arc<Shared>) {
    let mut seconds = 0;
    poll_fn(|context| {
        loop {
            let mut state = shared.lock();
            state.begin_turn();
            let now = at(seconds);
            if state.is_left() {
                state.session.abandon(now);
            } else {
                state.session.handle_timeout(now);
            }
            state.session.flush(now);
            let mut refused = Vec::new();
            while let Some(action) = state.session.poll_action() {
                if let Action::Connect { link, .. } = action {
                    refused.push(link);
                }
            }
            for link in refused {
                let error = Error::new(ErrorKind::ConnectRefused, "nobody listens");
                state.session.connect_failed(link, error, now);
            }
            state.deliver(now);
            assert!(state.session.stats().is_balanced());
            if state.is_left() || state.session.is_closed() {
                state.driver_ends(now);
                return Poll::Ready(());
            }
            let timer = state.session.poll_timeout();
            drop(state);
            if !shared.lock().rest(context.waker()) {
                continue;
            }
            match timer {
                Some(_) => {
                    // The timer fires, some time.
                    seconds += 20;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                None => return Poll::Pending,
            }
        }
    })
    .await;
}

/// A single send, as the future of a client does it; tries for `patience` polls, and gives up at the next one, perhaps while it is
/// called.
async fn send(shared: Arc<Shared>, patience: usize) -> Option<ErrorKind> {
    let message = message();
    let (mut place, mut sent, mut polls) = (None, None, 0);
    poll_fn(|context| {
        let mut state = shared.lock();
        if let (None, true) = (sent, polls < patience) {
            match state.submit(
                message.as_message(),
                SendOptions::default(),
                &mut place,
                at(0),
                context,
            ) {
                Poll::Ready(Ok(single)) => sent = Some(single),
                Poll::Ready(Err(error)) => return Poll::Ready(Some(error.kind())),
                Poll::Pending => {}
            }
        }
        polls += 1;
        if polls > patience {
            // The future is dropped.
            match sent {
                Some(single) => state.forget_single(single, at(0)),
                None => state.leave_line(&mut place),
            }
            return Poll::Ready(None);
        }
        let Some(single) = sent else {
            return Poll::Pending;
        };
        match state.poll_single(single, context) {
            Poll::Ready(result) => Poll::Ready(Some(result.expect_err("nobody listens").kind())),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// A bulk send of `count` messages; returns the number of ends.
async fn send_many(shared: Arc<Shared>, count: u32) -> u32 {
    let message = message();
    let number = shared.lock().begin_batch();
    let (mut submitted, mut ended, mut landed) = (0, 0, VecDeque::new());
    poll_fn(|context| {
        loop {
            let mut state = shared.lock();
            while submitted < count && state.batch_room() > 0 {
                let options = SendOptions::default().bulk();
                match state.submit_of_batch(message.as_message(), options, number, submitted, at(0)) {
                    Ok(_) => submitted += 1,
                    Err(error) => panic!("{error}"),
                }
                state.call_driver();
            }
            let all = submitted == count;
            if all && ended == count {
                state.end_batch(number, at(0));
                return Poll::Ready(ended);
            }
            state.poll_batch(number, &mut landed, !all, all, at(0), context);
            if landed.is_empty() {
                return Poll::Pending;
            }
            ended += landed.drain(..).count() as u32;
        }
    })
    .await
}

#[test]
fn every_send_ends_and_room_goes_round() {
    shuttle::check_random(
        || {
            block_on(async {
                let shared = shared(2);
                let driver = spawn(drive(Arc::clone(&shared)));
                let senders: Vec<_> = (0..4)
                    .map(|_| spawn(send(Arc::clone(&shared), usize::MAX)))
                    .collect();
                let batch = spawn(send_many(Arc::clone(&shared), 3));
                for sender in senders {
                    let end = sender.await.expect("an end").expect("a result");
                    assert!(matches!(end, ErrorKind::NotSent | ErrorKind::Expired), "{end:?}");
                }
                assert_eq!(batch.await.expect("an end"), 3);
                shared.lock().leave();
                driver.await.expect("an end");
            });
        },
        SCHEDULES,
    );
}

#[test]
fn who_gives_up_passes_the_room_on() {
    shuttle::check_random(
        || {
            block_on(async {
                let shared = shared(1);
                let driver = spawn(drive(Arc::clone(&shared)));
                let hasty = spawn(send(Arc::clone(&shared), 1));
                let hasty_too = spawn(send(Arc::clone(&shared), 2));
                let patient = spawn(send(Arc::clone(&shared), usize::MAX));
                assert!(patient.await.expect("an end").is_some());
                hasty.await.expect("an end");
                hasty_too.await.expect("an end");
                let stats = shared.lock().session.stats();
                assert_eq!((stats.queued, stats.open), (0, 0));
                shared.lock().leave();
                driver.await.expect("an end");
            });
        },
        SCHEDULES,
    );
}

#[test]
fn closing_wakes_everybody() {
    shuttle::check_random(
        || {
            block_on(async {
                let shared = shared(1);
                let driver = spawn(drive(Arc::clone(&shared)));
                let senders: Vec<_> = (0..3)
                    .map(|_| spawn(send(Arc::clone(&shared), usize::MAX)))
                    .collect();
                yield_now().await;
                shared.lock().close(at(0));
                poll_fn(|context| shared.lock().poll_closed(context)).await;
                driver.await.expect("an end");
                for sender in senders {
                    assert!(sender.await.expect("an end").is_some());
                }
            });
        },
        SCHEDULES,
    );
}

/// A source that wakes while the task takes the set is in this set or in the next one.
#[test]
fn no_readiness_is_lost() {
    shuttle::check_random(
        || {
            let ready = Arc::new(ReadySet::default());
            let seen = Arc::new(AtomicUsize::new(0));
            let wakers: Vec<Waker> = (0..3)
                .map(|number| ready.waker(Source::Link(LinkId::from_u64(number))))
                .collect();
            let threads: Vec<_> = wakers
                .into_iter()
                .map(|waker| shuttle::thread::spawn(move || waker.wake()))
                .collect();
            block_on(poll_fn(|context| {
                seen.fetch_add(ready.take(context.waker()).len(), Ordering::SeqCst);
                match seen.load(Ordering::SeqCst) {
                    3 => Poll::Ready(()),
                    _ => Poll::Pending,
                }
            }));
            for thread in threads {
                thread.join().expect("an end");
            }
        },
        SCHEDULES,
    );
}
