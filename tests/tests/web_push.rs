//! Web Push from the client to the sandbox: what crosses rooms. Nothing is sent where an endpoint must not lead.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::session::SessionEvent;
use pushcore::webpush::{self, Credentials, Encoding, EndpointPolicy, Message, Subscription, Template};
use pushcore::{ErrorKind, Outcome};
use pushcore_client::{Client, ClientConfig, Resolver};
use pushcore_sandbox::{Action, Config, Fault, NewSubscription, Sandbox};
use serde_json::Value;

const HOUR: i64 = 3600;

struct World {
    sandbox: Sandbox,
    credentials: Arc<Credentials>,
    policy: Arc<EndpointPolicy>,
    client: Client,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::start(Config::default()).expect("the sandbox starts");
        let credentials = Arc::new(credentials(&sandbox));
        let authority = Authority::parse(&text(&sandbox, "/webpush/authority")).expect("an authority");
        let policy = Arc::new(EndpointPolicy::default().trust(authority));
        let client = Client::new(
            pushcore::webpush::Service::new(Arc::clone(&credentials), Arc::clone(&policy)),
            config(&sandbox),
        );
        Self {
            client: client.expect("a client"),
            sandbox,
            credentials,
            policy,
        }
    }

    fn subscription(&self) -> Subscription {
        let made = self
            .sandbox
            .subscribe(&NewSubscription::default())
            .expect("a subscription");
        let json = serde_json::to_string(&made).expect("json");
        Subscription::parse(json.as_bytes(), &self.policy).expect("a subscription")
    }

    fn answer(&self, contains: &str, processed: bool, status: u16, headers: &[(&str, &str)]) {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.sandbox.fault(Fault {
            service: Some("webpush".to_owned()),
            contains: Some(contains.to_owned()),
            connection: None,
            skip: 0,
            times: Some(1),
            every: 0,
            probability: None,
            seed: None,
            processed,
            action: Action::Answer {
                status,
                headers: headers.iter().map(own).collect(),
                body: None,
            },
        });
    }
}

fn text(sandbox: &Sandbox, path: &str) -> String {
    let value = sandbox.ready().pointer(path).and_then(Value::as_str);
    value
        .unwrap_or_else(|| panic!("{path} in the ready line"))
        .to_owned()
}

fn file(sandbox: &Sandbox, path: &str) -> Vec<u8> {
    std::fs::read(text(sandbox, path)).expect("a readable file")
}

fn credentials(sandbox: &Sandbox) -> Credentials {
    let key = Es256Key::read(&file(sandbox, "/webpush/vapid/pem_file")).expect("a key");
    Credentials::with_any_subject(key, &text(sandbox, "/webpush/vapid/subject")).expect("vapid")
}

fn config(sandbox: &Sandbox) -> ClientConfig {
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(file(sandbox, "/ca_file"));
    let mut config = ClientConfig::new();
    config.security = Some(Security::Tls(tls.build().expect("tls")));
    config
}

#[test]
fn legacy_payloads_are_decrypted_on_the_other_side() {
    let world = World::new();
    let vapid = *world.credentials.public_key();
    let message = Message::builder(world.subscription())
        .payload("Tabs are the real indent")
        .encoding(Encoding::AesGcm { vapid })
        .build()
        .expect("a message");
    let outcome = world.client.send(&message).expect("an answer");
    assert!(outcome.is_accepted(), "{outcome:?}");
    let log = world.sandbox.log();
    let record = log.last().expect("a record");
    assert_eq!(record.decrypted, Some("Tabs are the real indent".into()));
    assert_eq!(record.headers["content-encoding"], "aesgcm");
}

#[test]
fn a_message_is_taken_back_once() {
    let world = World::new();
    let subscription = world.subscription();
    let message = Message::builder(subscription.clone())
        .payload("x")
        .build()
        .expect("a message");
    let Ok(Outcome::Accepted(accepted)) = world.client.send(&message) else {
        panic!("not accepted")
    };
    let location = accepted.location().expect("a location");
    let delete = || {
        let withdraw = webpush::Withdraw::new(location, subscription.clone());
        world.client.call(&withdraw).expect("an answer").status()
    };
    assert_eq!((delete(), delete()), (204, 404));
}

/// No public service gives receipts, and neither does the sandbox: the answers are scripted, as RFC 8030 prints them.
#[test]
fn receipts_are_asked_for_and_found() {
    let world = World::new();
    let subscription = world.subscription();
    let link = "</receipt-subscription/3ZtI>; rel=\"urn:ietf:params:push:receipt\"";
    let asked = Message::builder(subscription.clone())
        .payload("first")
        .receipt(true);
    world.answer("/", true, 202, &[("link", link), ("location", "/message/qDIY")]);
    let Ok(Outcome::Accepted(first)) = world.client.send(&asked.build().expect("a message")) else {
        panic!("not accepted")
    };
    let receipt = first.receipt().expect("a receipt");
    assert_eq!(
        (receipt, first.location()),
        ("/receipt-subscription/3ZtI", Some("/message/qDIY"))
    );

    // The next message names it, as a URL, to the service that gave it.
    let receipts = subscription.endpoint().join(receipt).expect("a url");
    let together = Message::builder(subscription.clone())
        .payload("second")
        .receipts_at(receipts.clone());
    let outcome = world
        .client
        .send(&together.build().expect("a message"))
        .expect("an answer");
    assert!(outcome.is_accepted());
    let log = world.sandbox.log();
    let asked: Vec<_> = log
        .iter()
        .map(|record| (record.headers["prefer"].as_str(), record.headers["link"].as_str()))
        .collect();
    let named = format!("<{}>; rel=\"urn:ietf:params:push:receipt\"", receipts.url());
    let prefer = Some("respond-async");
    assert_eq!(asked, [(prefer, None), (prefer, Some(&*named))]);

    // Asked without waiting, where nothing has been delivered yet.
    world.answer("/receipt-subscription/", false, 204, &[]);
    let receipts = webpush::AskForReceipts::new(receipt, subscription).wait(Duration::ZERO);
    let answer = world.client.call(&receipts).expect("an answer");
    assert_eq!(answer, Ok(webpush::Receipt::Delivered));
}

#[test]
fn a_wrong_clock_is_told_and_costs_one_refusal() {
    for wrong in [13 * HOUR, -13 * HOUR] {
        let world = World::new();
        // The sandbox's clock is right here, and ours is wrong.
        world.sandbox.set_clock_offset_ms(wrong * 1000);
        let message = Message::builder(world.subscription())
            .payload("x")
            .build()
            .expect("a message");
        let outcome = world.client.send(&message).expect("an answer");
        assert!(
            matches!(&outcome, Outcome::FixCredentials(fix) if fix.clock_skew.is_none()),
            "no date"
        );

        let ours = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let theirs = UNIX_EPOCH + Duration::from_secs(ours.saturating_add_signed(wrong));
        world.answer("/", false, 403, &[("date", &http_date(theirs))]);
        let outcome = world.client.send(&message).expect("an answer");
        assert!(outcome.is_accepted(), "{wrong}: {outcome:?}");
        let events = std::iter::from_fn(|| world.client.poll_event());
        let told: Vec<i64> = events
            .filter_map(|event| match event {
                SessionEvent::ClockSkew { seconds } => Some(seconds),
                _ => None,
            })
            .collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].abs_diff(wrong) < 60, "{told:?}");
    }
}

/// IMF-fixdate (RFC 9110 §5.6.7).
fn http_date(time: SystemTime) -> String {
    let secs = time.duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let (days, rest) = (secs / 86_400, secs % 86_400);
    let week = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    // Days since 1 March of year 0, in years that begin in March: the leap day comes last.
    let days_since = days + 719_468;
    let (era, of_era) = (days_since / 146_097, days_since % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 2, 0)
    } else {
        (month - 10, 1)
    };
    format!(
        "{}, {day:02} {} {} {:02}:{:02}:{:02} GMT",
        week[(days % 7) as usize],
        months[month as usize],
        era * 400 + year + later,
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// The whole table of attacks. What cannot even be read makes no message; what can is given to a
/// client as a message of somebody who trusted it.
#[test]
fn the_table_of_attacks_gets_not_a_byte() {
    let sandbox = Sandbox::start(Config::default()).expect("the sandbox starts");
    let inside = TcpListener::bind("127.0.0.1:0").expect("a port");
    inside.set_nonblocking(true).expect("a listener");
    let target: SocketAddr = inside.local_addr().expect("an address");
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let mut config = config(&sandbox);
    config.resolver = Resolver::new(move |_, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(vec![target])
    });
    let client = Client::new(
        pushcore::webpush::Service::new(credentials(&sandbox), EndpointPolicy::default()),
        config,
    )
    .expect("a client");

    let vectors: Value =
        serde_json::from_str(include_str!("../vectors/webpush.json")).expect("the vectors are json");
    let list = |name: &str| vectors["endpoints"][name].as_array().expect("a list").clone();
    let (mut unreadable, mut refused) = (0, 0);
    for url in list("refused").iter().chain(&list("refused_by_default")) {
        let url = url.as_str().expect("text");
        let Ok(endpoint) = webpush::Endpoint::parse(url) else {
            unreadable += 1;
            continue;
        };
        let trusting = EndpointPolicy::default().trust(endpoint.authority().clone());
        let subscription = Subscription::without_keys(url, &trusting).expect("trusted");
        let message = Message::builder(subscription).build().expect("a message");
        let error = client.send(&message).expect_err(url);
        assert_eq!(error.kind(), ErrorKind::EndpointNotAllowed, "{url}: {error}");
        refused += 1;
    }
    assert!(
        unreadable + refused >= 40 && refused >= 30,
        "{unreadable} and {refused}"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 0, "a name was looked up");

    // Names on the list that lead inside.
    for url in list("allowed") {
        let url = url.as_str().expect("text").to_owned();
        let subscription = Subscription::without_keys(&url, &EndpointPolicy::default()).expect("allowed");
        let error = client
            .send(&Message::builder(subscription).build().expect("a message"))
            .expect_err(&url);
        let cause = error.cause().map(pushcore::Error::kind);
        assert_eq!(cause, Some(ErrorKind::AddressNotAllowed), "{url}: {error}");
    }
    assert!(asked.load(Ordering::SeqCst) > 0);
    assert!(inside.accept().is_err(), "somebody connected");
}

/// A redirect is an answer, not an order.
#[test]
fn a_redirect_leads_nowhere() {
    let world = World::new();
    let inside = TcpListener::bind("127.0.0.1:0").expect("a port");
    inside.set_nonblocking(true).expect("a listener");
    let to = format!(
        "https://{}/latest/meta-data/",
        inside.local_addr().expect("an address")
    );
    for status in [301, 302, 303, 307, 308] {
        world.answer("/", false, status, &[("location", &to)]);
        let message = Message::builder(world.subscription())
            .payload("x")
            .build()
            .expect("a message");
        let outcome = world.client.send(&message).expect("an answer");
        assert_eq!((outcome.name(), outcome.status()), ("rejected", status));
    }
    assert!(inside.accept().is_err(), "somebody connected");
    assert!(world.sandbox.log().iter().all(|record| !record.accepted));
}

/// One payload to a list of subscriptions on threads that the caller provides: each has a client, all share
/// the payload, the headers and the VAPID token.
#[test]
fn recipients_are_spread_over_the_callers_threads() {
    let world = World::new();
    let template = Template::builder().payload("news").build().expect("a template");
    let subscriptions: Vec<_> = (0..120).map(|_| Arc::new(world.subscription())).collect();
    let accepted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = subscriptions
            .chunks(40)
            .map(|part| {
                let (template, world) = (&template, &world);
                scope.spawn(move || {
                    let config = config(&world.sandbox);
                    let client = Client::new(
                        pushcore::webpush::Service::new(world.credentials.clone(), world.policy.clone()),
                        config,
                    );
                    let client = client.expect("a client");
                    let messages = part
                        .iter()
                        .map(|it| template.to(Arc::clone(it)).expect("a message"));
                    let results = client.send_many(messages);
                    results
                        .filter(|(_, result)| result.as_ref().is_ok_and(Outcome::is_accepted))
                        .count()
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        joined.sum()
    });
    assert_eq!(accepted, subscriptions.len());
    let log = world.sandbox.log();
    assert!(log.iter().all(|record| record.decrypted == Some("news".into())));
    let targets: std::collections::HashSet<_> = log.iter().map(|record| &record.target).collect();
    assert_eq!((log.len(), targets.len()), (120, 120), "each of them, once");
    // Grouped by origin over a few connections of each client, not one for each message.
    assert!(world.sandbox.connections() <= 3 * 8);
}
