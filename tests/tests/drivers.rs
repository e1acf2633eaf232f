//! Every case of the drivers' suite (`tests/drivers`), with the blocking client.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use pushcore::{Error, Outcome};
use pushcore_client::{Client, ClientConfig, Proxy, Resolver};
use pushcore_tests::drivers::runner::{
    End, Peer, every_case, message, option, seconds, security, service, subscribe, text, words,
};
use serde_json::{Value, json};

#[test]
fn every_case_of_the_suite() {
    every_case("rust", play);
}

/// Plays a case; returns the peer's report.
fn play(name: &str) -> Value {
    let (mut peer, told) = Peer::start(env!("CARGO_BIN_EXE_pushcore-peer"), name, "rust");
    let began = Instant::now();
    let mut played = Played::new(&told);
    for step in told["steps"].as_array().expect("steps") {
        played.step(&mut peer, step);
    }
    played.client.close().expect("closed");
    let mut results = json!({
        "ends": played.ends.into_inner().expect("a lock"),
        "seconds": began.elapsed().as_secs_f64(),
    });
    if let Some(taken) = played.taken {
        results["taken"] = taken.into();
    }
    let report = peer.ask(&results);
    peer.end();
    report
}

struct Played<'a> {
    told: &'a Value,
    client: Client,
    ends: Mutex<Vec<End>>,
    next: usize,
    taken: Option<usize>,
}

impl<'a> Played<'a> {
    fn new(told: &'a Value) -> Self {
        Self {
            told,
            client: client(told),
            ends: Mutex::default(),
            next: 0,
            taken: None,
        }
    }

    fn ended(&self, number: usize, result: &Result<Outcome, Error>) {
        let (end, cause) = words(result);
        self.ends.lock().expect("a lock").push((number, end, cause));
    }

    fn step(&mut self, peer: &mut Peer, step: &Value) {
        let count = step
            .get("count")
            .map_or(0, |count| count.as_u64().expect("a number") as usize);
        let numbers = self.next..self.next + count;
        self.next = numbers.end;
        match step["do"].as_str().expect("a step") {
            "bulk" => {
                let messages = numbers.map(|number| (number, message(self.told, number)));
                for ((number, _), result) in self.client.send_many(messages) {
                    self.ended(number, &result);
                }
            }
            "one_by_one" => numbers.for_each(|number| self.one(number)),
            "together" => std::thread::scope(|scope| {
                let this = &*self;
                numbers.for_each(|number| drop(scope.spawn(move || this.one(number))));
            }),
            "together_closed" => std::thread::scope(|scope| {
                let this = &*self;
                numbers.for_each(|number| drop(scope.spawn(move || this.one(number))));
                peer.until(&step["until"]);
                this.client.close().expect("closed");
            }),
            what @ ("bulk_left" | "unfetched") => {
                let taken = AtomicUsize::new(0);
                let messages = numbers.clone().map(|number| {
                    taken.fetch_add(1, Ordering::SeqCst);
                    (number, message(self.told, number))
                });
                let mut results = self.client.send_many(messages);
                let fetch = step["fetch"].as_u64().expect("a number") as usize;
                for ((number, _), result) in results.by_ref().take(fetch) {
                    self.ended(number, &result);
                }
                if what == "unfetched" {
                    std::thread::sleep(seconds(&step["pause"]));
                    let seen = taken.load(Ordering::SeqCst);
                    for ((number, _), result) in results {
                        self.ended(number, &result);
                    }
                    self.taken = Some(seen);
                    return;
                }
                drop(results);
                let mut ends = self.ends.lock().expect("a lock");
                let left = numbers.filter(|number| ends.iter().all(|(other, ..)| other != number));
                let left: Vec<End> = left
                    .map(|number| (number, "left".into(), String::new()))
                    .collect();
                ends.extend(left);
            }
            "call" => {
                for number in numbers {
                    self.ended(number, &self.client.call(&subscribe(number)));
                }
            }
            "until" => peer.until(step),
            "pause" => std::thread::sleep(seconds(&step["seconds"])),
            other => panic!("the blocking driver lacks the step {other}"),
        }
    }

    fn one(&self, number: usize) {
        let result = self.client.send(&message(self.told, number));
        self.ended(number, &result);
    }
}

fn client(told: &Value) -> Client {
    let mut config = ClientConfig::new();
    config.security = Some(security(told));
    config.proxy = told["proxy"]
        .as_str()
        .map(|url| Proxy::parse(url).expect("a proxy"));
    for (name, value) in told["options"].as_object().expect("options") {
        option(&mut config.session, name, value);
    }
    if let Some(lookups) = told["lookups"].as_array() {
        config.resolver = resolver(lookups.clone());
    }
    Client::new(service(told), config).expect("a client")
}

/// Answers in the order of the case; the last one for ever.
fn resolver(lookups: Vec<Value>) -> Resolver {
    let asked = AtomicUsize::new(0);
    Resolver::new(move |_, _| {
        let nth = asked.fetch_add(1, Ordering::SeqCst).min(lookups.len() - 1);
        let lookup = &lookups[nth];
        if let Some(wait) = lookup.get("wait") {
            std::thread::sleep(seconds(wait));
        }
        match lookup["addresses"].as_array() {
            Some(addresses) => Ok(addresses
                .iter()
                .map(|each| text(each).parse().expect("an address"))
                .collect()),
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    })
}
