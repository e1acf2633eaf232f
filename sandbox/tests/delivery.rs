//! What becomes of pushes that APNs took: delivered, stored, collapsed, replaced, expired.
//! The sandbox's clock is moved; nothing here waits.

mod common;

use common::{Client, at, provider_token, run};
use pushcore_sandbox::{Config, ContentMismatch, Fate, Sandbox};

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
const ALERT: &str = r#"{"aps":{"alert":"hi"}}"#;
const SILENT: &str = r#"{"aps":{"content-available":1}}"#;

struct World {
    sandbox: Sandbox,
    token: String,
    auth: String,
}

impl World {
    fn new(config: Config) -> Self {
        let sandbox = Sandbox::start(config).expect("the sandbox starts");
        let token = at(sandbox.ready(), "/apns/tokens/valid").to_owned();
        let auth = provider_token(sandbox.ready());
        Self { sandbox, token, auth }
    }

    /// One push that APNs takes; its place in the log.
    fn push(&self, body: &'static str, more: &[(&str, &str)]) -> usize {
        let path = format!("/3/device/{}", self.token);
        let mut headers = vec![
            ("authorization", self.auth.as_str()),
            ("apns-push-type", "alert"),
            ("apns-topic", "com.example.app"),
        ];
        headers.extend_from_slice(more);
        let authority = at(self.sandbox.ready(), "/apns/authority");
        let status = run(async {
            let mut client = Client::connect(&self.sandbox, authority).await;
            let answer = client.send("POST", &path, &headers, body).await;
            answer.expect("an answer").status
        });
        assert_eq!(status, 200);
        self.sandbox.log().len() - 1
    }

    fn fate(&self, index: usize) -> Fate {
        self.sandbox.log()[index].delivery.expect("a fate").fate
    }

    fn fates(&self) -> Vec<Fate> {
        (0..self.sandbox.log().len())
            .map(|index| self.fate(index))
            .collect()
    }

    /// Seconds after now, as `apns-expiration` has them.
    fn until(&self, seconds: i64) -> String {
        (common::now() + seconds).to_string()
    }
}

#[test]
fn what_is_stored_is_delivered_when_the_device_comes_back() {
    let world = World::new(Config::default());
    let first = world.push(ALERT, &[]);
    assert_eq!(world.fate(first), Fate::Stored);
    assert_eq!(world.sandbox.apns_delivered().len(), 0);
    // Not so long that the provider token grows too old.
    world.sandbox.set_clock_offset_ms(HOUR / 2);
    world.sandbox.apns_online(Some(&world.token.to_uppercase()), 0);
    assert_eq!(world.fate(first), Fate::Delivered);
    assert!(world.sandbox.apns_stored().is_empty());
    let record = &world.sandbox.log()[first];
    let waited = record.delivery.expect("a fate").at_ms - record.at_ms;
    assert!((HOUR / 2..HOUR / 2 + 60 * SECOND).contains(&waited), "{waited}");
    // Online, it gets everything at once, also what is not to be stored.
    let now_or_never = world.push(ALERT, &[("apns-expiration", "0")]);
    let second = world.push(ALERT, &[]);
    assert_eq!(
        (world.fate(now_or_never), world.fate(second)),
        (Fate::Delivered, Fate::Delivered)
    );
    // Away again, it does not.
    world.sandbox.apns_away(Some(&world.token));
    let missed = world.push(ALERT, &[("apns-expiration", "0")]);
    let kept = world.push(ALERT, &[]);
    assert_eq!(
        (world.fate(missed), world.fate(kept)),
        (Fate::Expired, Fate::Stored)
    );
    let delivered: Vec<_> = world
        .sandbox
        .apns_delivered()
        .iter()
        .map(|record| record.seq)
        .collect();
    let log = world.sandbox.log();
    assert_eq!(
        delivered,
        [first, now_or_never, second].map(|index| log[index].seq)
    );
}

#[test]
fn one_is_kept_and_the_log_says_what_took_its_place() {
    let world = World::new(Config::default());
    let score = ("apns-collapse-id", "score");
    world.push(ALERT, &[score]);
    world.push(ALERT, &[score]);
    world.push(ALERT, &[("apns-collapse-id", "news")]);
    world.push(ALERT, &[]);
    let log = world.sandbox.log();
    let place = |index: usize| log[index].delivery.and_then(|delivery| delivery.by);
    assert_eq!(
        world.fates(),
        [Fate::Collapsed, Fate::Replaced, Fate::Replaced, Fate::Stored]
    );
    for index in 0..3 {
        assert_eq!(place(index), Some(log[index + 1].seq));
    }
    world.sandbox.apns_online(None, 0);
    assert_eq!(world.fate(3), Fate::Delivered);
    assert_eq!(world.sandbox.apns_delivered().len(), 1);
}

#[test]
fn an_expiration_runs_out_while_the_device_is_away() {
    let world = World::new(Config::default());
    let soon = world.until(60);
    world.push(ALERT, &[("apns-expiration", &soon)]);
    world.sandbox.set_clock_offset_ms(59 * SECOND - SECOND);
    assert_eq!(world.fate(0), Fate::Stored);
    world.sandbox.set_clock_offset_ms(61 * SECOND);
    assert_eq!(world.fate(0), Fate::Expired);
    let delivery = world.sandbox.log()[0].delivery.expect("a fate");
    assert_eq!(delivery.at_ms.to_string(), format!("{soon}000"));
    // Too late.
    world.sandbox.apns_online(None, 0);
    assert_eq!(world.fates(), [Fate::Expired]);
    // What has expired takes no part in collapsing.
    world.sandbox.apns_away(None);
    world.push(ALERT, &[]);
    assert_eq!(world.fates(), [Fate::Expired, Fate::Stored]);
    // Without an expiration: thirty days.
    world.sandbox.set_clock_offset_ms(31 * 24 * HOUR);
    assert_eq!(world.fates(), [Fate::Expired, Fate::Expired]);
}

#[test]
fn a_device_can_be_announced_for_later() {
    let world = World::new(Config::default());
    let soon = world.until(60);
    world.push(ALERT, &[("apns-expiration", &soon)]);
    // Online in two minutes: too late for the first, in time for the second.
    world.sandbox.apns_online(Some(&world.token), 120_000);
    assert_eq!(world.fates(), [Fate::Stored]);
    world.sandbox.set_clock_offset_ms(61 * SECOND);
    assert_eq!(world.fates(), [Fate::Expired]);
    world.push(ALERT, &[]);
    assert_eq!(world.fates(), [Fate::Expired, Fate::Stored]);
    world.sandbox.set_clock_offset_ms(121 * SECOND);
    assert_eq!(world.fates(), [Fate::Expired, Fate::Delivered]);
}

#[test]
fn a_mismatched_body_can_be_delivered_late() {
    let world = World::new(Config {
        apns_online: true,
        apns_content_mismatch: ContentMismatch::Delay,
        apns_content_delay_ms: 30_000,
        ..Config::default()
    });
    let late = world.push(SILENT, &[]);
    let record = world.sandbox.log()[late].clone();
    assert!(record.delayed && record.accepted);
    assert_eq!(record.warnings, ["apns.payload.alert"]);
    // A good one overtakes it.
    let good = world.push(ALERT, &[]);
    assert_eq!(world.fates(), [Fate::Stored, Fate::Delivered]);
    world.sandbox.set_clock_offset_ms(31 * SECOND);
    assert_eq!(world.fates(), [Fate::Delivered, Fate::Delivered]);
    let delivery = world.sandbox.log()[late].delivery.expect("a fate");
    assert_eq!(delivery.at_ms - record.at_ms, 30_000);
    let order: Vec<_> = world
        .sandbox
        .apns_delivered()
        .iter()
        .map(|record| record.seq)
        .collect();
    let log = world.sandbox.log();
    assert_eq!(order, [log[good].seq, log[late].seq]);
    // What may not be stored does not survive the delay.
    let never = world.push(SILENT, &[("apns-expiration", "0")]);
    assert_eq!(world.fate(never), Fate::Expired);
    world.sandbox.set_apns_content_mismatch(ContentMismatch::Drop);
    let dropped = world.push(SILENT, &[]);
    assert_eq!(world.fate(dropped), Fate::Dropped);
    world.sandbox.set_apns_content_delay_ms(5000);
    world.sandbox.set_apns_content_mismatch(ContentMismatch::Delay);
    let short = world.push(SILENT, &[]);
    world.sandbox.set_clock_offset_ms(37 * SECOND);
    assert_eq!(world.fate(short), Fate::Delivered);
}

#[test]
fn refused_pushes_have_no_fate() {
    let world = World::new(Config::default());
    let authority = at(world.sandbox.ready(), "/apns/authority").to_owned();
    run(async {
        let mut client = Client::connect(&world.sandbox, &authority).await;
        let answer = client.send("POST", "/3/device/00", &[], ALERT).await;
        assert_eq!(answer.expect("an answer").status, 403);
    });
    assert_eq!(world.sandbox.log()[0].delivery, None);
}
