//! The services of one sandbox and what they remember: the log, the fault scripts, chance.

use crate::adm::Adm;
use crate::apns::{Apns, Fate};
use crate::baidu::Baidu;
use crate::date::Dates;
use crate::exchange::{Exchange, Reply};
use crate::fault::{Action, ConnectFault, Fault, Script};
use crate::fcm::Fcm;
use crate::latency::Latencies;
use crate::log::Log;
use crate::record::Record;
use crate::shared::{Door, Moment, Profile};
use crate::webpush::WebPush;
use std::collections::BTreeSet;
use std::time::Duration;

/// The services and what they remember.
pub(crate) struct State {
    pub(crate) apns: Apns,
    pub(crate) fcm: Fcm,
    pub(crate) webpush: WebPush,
    pub(crate) adm: Adm,
    pub(crate) baidu: Baidu,
    pub(crate) log: Log,
    pub(crate) faults: Vec<Script>,
    pub(crate) latencies: Latencies,
    pub(crate) dates: Dates,
    /// Whether refusals are explained on standard error, because whoever started the sandbox reads it.
    pub(crate) explains: bool,
    /// The rules that were explained, each once.
    explained: BTreeSet<String>,
    /// The random generator of everything that is left to chance.
    seed: u64,
    /// Scripts there have been since the last reset.
    scripts: u64,
    /// For the next connections, one each, by service.
    pub(crate) connect_faults: Vec<(String, ConnectFault)>,
    /// Streams refused for being above the announced limit.
    pub(crate) refused_streams: u64,
}

impl State {
    pub(crate) fn new(apns: Apns, fcm: Fcm, webpush: WebPush, adm: Adm, seed: u64, log_limit: usize) -> Self {
        Self {
            apns,
            fcm,
            webpush,
            adm,
            baidu: Baidu::new(),
            log: Log::new(log_limit),
            faults: Vec::new(),
            latencies: Latencies::new(seed),
            dates: Dates::default(),
            explains: false,
            explained: BTreeSet::new(),
            seed,
            scripts: 0,
            connect_faults: Vec::new(),
            refused_streams: 0,
        }
    }

    /// Adds a script after those already there.
    pub(crate) fn add_fault(&mut self, fault: Fault) {
        self.scripts += 1;
        self.faults.push(Script::new(fault, self.seed, self.scripts));
    }

    /// Everything that is left to chance begins anew, with this seed.
    pub(crate) fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
        self.latencies.set_seed(seed);
        for (script, number) in self.faults.iter_mut().zip(1..) {
            script.random = Script::new(script.fault.clone(), seed, number).random;
        }
    }

    /// Empties the log, the scripts and what is in store; registries and settings stay, and
    /// what is left to chance begins anew.
    pub(crate) fn reset(&mut self) {
        self.log.clear();
        self.faults.clear();
        self.scripts = 0;
        self.connect_faults.clear();
        self.apns.clear_stored();
        self.set_seed(self.seed);
    }

    /// Changes the strictness of every service that knows one.
    pub(crate) fn set_profile(&mut self, profile: Profile) {
        self.apns.profile = profile;
        self.fcm.profile = profile;
        self.webpush.profile = profile;
        self.adm.profile = profile;
    }

    pub(crate) fn handle(&mut self, door: Door, exchange: &Exchange, now: Moment) -> (Reply, Record) {
        self.apns.next_seq = self.log.next_seq();
        match door {
            Door::Apns | Door::ApnsManagement | Door::ApnsBroadcast => self.apns.handle(door, exchange, now),
            Door::Fcm => self.fcm.handle(exchange, now),
            Door::Metadata => self.fcm.metadata(exchange, now),
            Door::WebPush => self.webpush.handle(exchange, now),
            Door::Adm => self.adm.handle(exchange, now),
            Door::Baidu => self.baidu.handle(exchange, now),
            Door::Control => (Reply::status(404), Record::begin("control", "", exchange, now)),
        }
    }

    pub(crate) fn append(&mut self, record: Record) {
        self.explain(&record);
        self.log.append(record);
        self.write_news();
    }

    /// Says once for each rule, where someone reads it, that another profile lets this pass: the first refusal of a
    /// widely used client is seldom its user's fault.
    fn explain(&mut self, record: &Record) {
        let (Some(hint), Some(rule)) = (record.hint, &record.rule) else {
            return;
        };
        if self.explains && self.explained.insert(rule.clone()) {
            let (service, reason) = (&record.service, record.reason.as_deref().unwrap_or("a refusal"));
            eprintln!("pushcore-sandbox: {service}: {reason} by the rule {rule}: {hint}");
        }
    }

    /// Brings the log up to this time: what was due is delivered, what was over has expired.
    pub(crate) fn settle(&mut self, now: Moment) {
        self.apns.settle(now);
        self.write_news();
    }

    /// Writes what became of earlier pushes into their records.
    pub(crate) fn write_news(&mut self) {
        for (seq, delivery) in self.apns.take_news() {
            self.log.set_delivery(seq, delivery);
        }
    }

    /// The pushes that devices got, in the order in which they got them.
    pub(crate) fn delivered(&self) -> Vec<&Record> {
        let mut all: Vec<(i64, &Record)> = self
            .log
            .iter()
            .filter_map(|record| Some((record.delivery?, record)))
            .filter(|(delivery, _)| delivery.fate == Fate::Delivered)
            .map(|(delivery, record)| (delivery.at_ms, record))
            .collect();
        // Stable: at the same time, in the order of the log.
        all.sort_by_key(|(at_ms, _)| *at_ms);
        all.into_iter().map(|(_, record)| record).collect()
    }
}

impl State {
    /// The first script that strikes this request, and how late it makes the answer.
    pub(crate) fn strike(&mut self, door: Door, exchange: &Exchange) -> Option<(Fault, Duration)> {
        let contains = |text: &str| {
            exchange.path.contains(text)
                || exchange
                    .query
                    .as_deref()
                    .is_some_and(|query| query.contains(text))
                || exchange
                    .body
                    .windows(text.len().max(1))
                    .any(|window| window == text.as_bytes())
        };
        let connection = exchange.origin.connection;
        for script in &mut self.faults {
            if script.strikes(door.service(), &contains, connection) {
                let late = match &script.fault.action {
                    Action::Delay { ms } => Duration::from_millis(*ms),
                    Action::Latency { distribution } => distribution.draw(&mut script.random),
                    _ => Duration::ZERO,
                };
                return Some((script.fault.clone(), late));
            }
        }
        None
    }
}
