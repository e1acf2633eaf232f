//! Every case of the drivers' suite (`tests/drivers`), with the client for tokio, on both kinds of runtime.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use pushcore::{Error, Outcome};
use pushcore_tests::drivers::runner::{
    End, Peer, every_case, message, option, seconds, security, service, subscribe, text, words,
};
use pushcore_tokio::{Client, ClientConfig, Proxy, Resolver};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, spawn_blocking, yield_now};

#[test]
fn every_case_on_one_thread() {
    let runtime = || {
        Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
    };
    every_case("tokio", |name| play(name, &runtime()));
}

#[test]
fn every_case_on_several_threads() {
    let build = || Builder::new_multi_thread().worker_threads(3).enable_all().build();
    every_case("tokio", |name| play(name, &build().expect("a runtime")));
}

/// Plays a case; returns the peer's report.
fn play(name: &str, runtime: &Runtime) -> Value {
    let (peer, told) = Peer::start(env!("CARGO_BIN_EXE_pushcore-peer"), name, "tokio");
    let peer = Arc::new(Mutex::new(peer));
    let began = Instant::now();
    let results = runtime.block_on(async {
        let mut played = Played::new(told.clone(), Arc::clone(&peer));
        for step in told["steps"].as_array().expect("steps") {
            played.step(step).await;
        }
        played.client.close().await;
        let mut results = json!({
            "ends": *played.ends.lock().expect("a lock"),
            "seconds": began.elapsed().as_secs_f64(),
        });
        if let Some(taken) = played.taken {
            results["taken"] = taken.into();
        }
        results
    });
    let mut peer = Arc::into_inner(peer)
        .expect("the last")
        .into_inner()
        .expect("a lock");
    let report = peer.ask(&results);
    peer.end();
    report
}

struct Played {
    told: Value,
    client: Client,
    peer: Arc<Mutex<Peer>>,
    ends: Arc<Mutex<Vec<End>>>,
    next: usize,
    taken: Option<usize>,
}

impl Played {
    fn new(told: Value, peer: Arc<Mutex<Peer>>) -> Self {
        Self {
            client: client(&told),
            told,
            peer,
            ends: Arc::default(),
            next: 0,
            taken: None,
        }
    }

    fn ended<T>(&self, number: usize, result: &Result<T, Error>, name: impl Fn(&T) -> (String, String)) {
        ended(&self.ends, number, result, name);
    }

    /// The peer speaks over a pipe: waiting for it must not keep the runtime's thread.
    async fn until(&self, wanted: &Value) {
        let (peer, wanted) = (Arc::clone(&self.peer), wanted.clone());
        let wait = spawn_blocking(move || peer.lock().expect("a lock").until(&wanted));
        wait.await.expect("an answer");
    }

    /// A single send as a task of its own.
    fn one(&self, number: usize) -> JoinHandle<()> {
        let (client, ends, message) = (
            self.client.clone(),
            Arc::clone(&self.ends),
            message(&self.told, number),
        );
        tokio::spawn(async move {
            let result = client.send(&message).await;
            ended(&ends, number, &result, outcome);
        })
    }

    async fn step(&mut self, step: &Value) {
        let count = step
            .get("count")
            .map_or(0, |count| count.as_u64().expect("a number") as usize);
        let numbers = self.next..self.next + count;
        self.next = numbers.end;
        match step["do"].as_str().expect("a step") {
            "bulk" => {
                let messages = numbers.map(|number| (number, message(&self.told, number)));
                let mut results = pin!(self.client.send_many(messages));
                while let Some(((number, _), result)) = next(&mut results).await {
                    self.ended(number, &result, outcome);
                }
            }
            "one_by_one" => {
                for number in numbers {
                    let result = self.client.send(&message(&self.told, number)).await;
                    self.ended(number, &result, outcome);
                }
            }
            what @ ("together" | "together_closed" | "together_cancelled") => {
                let mut tasks = Vec::new();
                for number in numbers {
                    let before = self.client.stats().submitted;
                    tasks.push((number, self.one(number)));
                    // Several threads take tasks in any order: the last one is to be the last in the queue.
                    while what == "together_cancelled" && self.client.stats().submitted == before {
                        yield_now().await;
                    }
                }
                yield_now().await;
                if what != "together" {
                    self.until(&step["until"]).await;
                }
                if what == "together_closed" {
                    self.client.close().await;
                }
                if what == "together_cancelled" {
                    // Those that wait first: the end of one in flight would make room for them.
                    for (_, task) in tasks.iter().rev() {
                        task.abort();
                        // Its future is dropped by the thread that has the task.
                        while !task.is_finished() {
                            yield_now().await;
                        }
                    }
                }
                for (number, task) in tasks {
                    if let Err(error) = task.await {
                        assert!(error.is_cancelled(), "{error}");
                        let end = (number, "Cancelled".to_owned(), String::new());
                        self.ends.lock().expect("a lock").push(end);
                    }
                }
            }
            what @ ("bulk_left" | "unfetched") => {
                let taken = AtomicUsize::new(0);
                let messages = numbers.clone().map(|number| {
                    taken.fetch_add(1, Ordering::SeqCst);
                    (number, message(&self.told, number))
                });
                let mut results = Box::pin(self.client.send_many(messages));
                for _ in 0..step["fetch"].as_u64().expect("a number") {
                    let ((number, _), result) = next(&mut results).await.expect("a result");
                    self.ended(number, &result, outcome);
                }
                if what == "unfetched" {
                    tokio::time::sleep(seconds(&step["pause"])).await;
                    let seen = taken.load(Ordering::SeqCst);
                    while let Some(((number, _), result)) = next(&mut results).await {
                        self.ended(number, &result, outcome);
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
                    let result = self.client.call(&subscribe(number)).await;
                    self.ended(number, &result, outcome);
                }
            }
            "until" => self.until(step).await,
            "pause" => tokio::time::sleep(seconds(&step["seconds"])).await,
            other => panic!("the driver for tokio lacks the step {other}"),
        }
    }
}

fn outcome(outcome: &Outcome) -> (String, String) {
    words(&Ok(outcome.clone()))
}

fn ended<T>(
    ends: &Mutex<Vec<End>>,
    number: usize,
    result: &Result<T, Error>,
    name: impl Fn(&T) -> (String, String),
) {
    let (end, cause) = match result {
        Ok(answer) => name(answer),
        Err(error) => words(&Err(error.clone())),
    };
    ends.lock().expect("a lock").push((number, end, cause));
}

async fn next<S: futures_core::Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| -> Poll<Option<S::Item>> { std::pin::Pin::new(&mut *stream).poll_next(context) }).await
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
        let lookup = lookups[nth].clone();
        async move {
            let wait = lookup.get("wait").map_or(Duration::ZERO, seconds);
            tokio::time::sleep(wait).await;
            match lookup["addresses"].as_array() {
                Some(addresses) => Ok(addresses
                    .iter()
                    .map(|each| text(each).parse().expect("an address"))
                    .collect()),
                None => Err(std::io::ErrorKind::NotFound.into()),
            }
        }
    })
}
