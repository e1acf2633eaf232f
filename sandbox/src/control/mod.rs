//! The control endpoint: plain HTTP and JSON on loopback, for tests in any language.

mod guard;
mod words;

use crate::apns::{Check, DeviceToken};
use crate::exchange::{Coding, Exchange, Reply};
use crate::fault::{Fault, known};
use crate::record::Record;
use crate::shared::Shared;
use crate::webpush::NewSubscription;
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::PoisonError;

pub(crate) use guard::Guard;
use words::{
    AdmToken, BaiduChannel, ClockChange, DevicePresence, FcmToken, LatencyChange, OneOrMany, ServiceFault,
    Settings, SubscriptionChange,
};

/// Answers a control request.
pub(crate) fn answer(shared: &Shared, exchange: &Exchange) -> Reply {
    match shared
        .guard
        .check(exchange)
        .and_then(|()| route(shared, exchange))
    {
        Ok(value) => Reply::json(200, &value),
        Err((status, text)) => Reply::json(status, &json!({ "error": text })),
    }
}

fn route(shared: &Shared, exchange: &Exchange) -> Result<Value, (u16, String)> {
    match (&exchange.method, exchange.path.as_str()) {
        (&Method::GET, "/") => {
            let ready = shared.ready.lock();
            let mut ready = ready.unwrap_or_else(PoisonError::into_inner).clone();
            // Whoever may only read must not learn how to change.
            if let Some(control) = ready.get_mut("control").and_then(Value::as_object_mut) {
                control.remove("token");
            }
            Ok(ready)
        }
        (&Method::GET, "/log") => log(shared, exchange),
        (&Method::GET, "/stats") => Ok(stats(shared)),
        (&Method::GET, "/connections") => {
            let service = query(exchange, "service");
            let mut all = shared.notes.list();
            all.retain(|one| service.as_ref().is_none_or(|service| one.service == *service));
            Ok(json!(all))
        }
        (&Method::GET, "/headers") => Ok(headers(shared, exchange)),
        (&Method::POST, "/reset") => {
            shared.state().reset();
            shared.notes.reset();
            shared.clock.set_offset_ms(0);
            Ok(json!({}))
        }
        (&Method::POST, "/shutdown") => {
            shared.stop.notify_one();
            Ok(json!({}))
        }
        (&Method::POST, "/faults") => {
            let faults: OneOrMany<Fault> = body(exchange)?;
            let faults = faults.into_vec();
            for fault in &faults {
                fault.check().map_err(|text| (400, text))?;
            }
            let mut state = shared.state();
            for fault in faults {
                state.add_fault(fault);
            }
            Ok(json!({}))
        }
        (&Method::POST, "/connect-faults") => {
            let faults: OneOrMany<ServiceFault> = body(exchange)?;
            let faults = faults.into_vec();
            for fault in &faults {
                known(&fault.service).map_err(|text| (400, text))?;
            }
            let faults = faults.into_iter().map(|fault| (fault.service, fault.action));
            shared.state().connect_faults.extend(faults);
            Ok(json!({}))
        }
        (&Method::GET, "/faults") => {
            let state = shared.state();
            let faults: Vec<Value> = state
                .faults
                .iter()
                .map(|script| json!({ "fault": script.fault, "matched": script.matched, "fired": script.fired }))
                .collect();
            Ok(json!(faults))
        }
        (&Method::GET, "/latency") => Ok(json!(shared.state().latencies.list())),
        (&Method::POST, "/latency") => {
            let changes: OneOrMany<LatencyChange> = body(exchange)?;
            let mut state = shared.state();
            for change in changes.into_vec() {
                let set = state
                    .latencies
                    .set(change.service.as_deref(), change.distribution);
                set.map_err(|text| (400, text))?;
            }
            Ok(json!(state.latencies.list()))
        }
        (&Method::POST, "/clock") => {
            let change: ClockChange = body(exchange)?;
            shared.clock.set_offset_ms(change.offset_ms);
            Ok(json!({}))
        }
        (&Method::POST, "/settings") => settings(shared, body(exchange)?),
        (&Method::POST, "/apns/tokens") => {
            let tokens: OneOrMany<DeviceToken> = body(exchange)?;
            let mut state = shared.state();
            for token in tokens.into_vec() {
                state.apns.tokens.insert(token.token.to_ascii_lowercase(), token);
            }
            Ok(json!({ "registered": state.apns.tokens.len() }))
        }
        (&Method::POST, "/apns/bundles") => {
            let bundles: OneOrMany<String> = body(exchange)?;
            shared.state().apns.bundles.extend(bundles.into_vec());
            Ok(json!({}))
        }
        (&Method::GET, "/apns/stored") => {
            let now = shared.now();
            let mut state = shared.state();
            state.settle(now);
            Ok(json!(state.apns.stored()))
        }
        (&Method::POST, "/apns/devices") => {
            let devices: OneOrMany<DevicePresence> = body(exchange)?;
            let now = shared.now();
            let mut state = shared.state();
            for device in devices.into_vec() {
                let online_in = device.online.then_some(i64::from(device.after_ms));
                state.apns.set_presence(device.token.as_deref(), online_in, now);
            }
            state.write_news();
            Ok(json!({}))
        }
        (&Method::GET, "/apns/delivered") => {
            let now = shared.now();
            let mut state = shared.state();
            state.settle(now);
            let wanted = query(exchange, "token");
            let mut delivered = state.delivered();
            delivered.retain(|record| {
                wanted
                    .as_ref()
                    .is_none_or(|wanted| record.target.as_ref() == Some(wanted))
            });
            Ok(json!(
                delivered.into_iter().map(Record::shown).collect::<Vec<_>>()
            ))
        }
        (&Method::POST, "/apns/order") => {
            let order: Vec<Check> = body(exchange)?;
            shared.state().apns.order = order;
            Ok(json!({}))
        }
        (&Method::POST, "/fcm/tokens") => {
            let tokens: OneOrMany<FcmToken> = body(exchange)?;
            let mut state = shared.state();
            for token in tokens.into_vec() {
                state.fcm.registrations.insert(token.token, token.state);
            }
            Ok(json!({ "registered": state.fcm.registrations.len() }))
        }
        (&Method::POST, "/revoke") => {
            let mut state = shared.state();
            state.fcm.revoke_all();
            state.adm.revoke_all();
            Ok(json!({}))
        }
        (&Method::POST, "/adm/registrations") => {
            let ids: OneOrMany<AdmToken> = body(exchange)?;
            let mut state = shared.state();
            for id in ids.into_vec() {
                state.adm.registrations.insert(id.id, id.state);
            }
            Ok(json!({ "registered": state.adm.registrations.len() }))
        }
        (&Method::POST, "/baidu/channels") => {
            let channels: OneOrMany<BaiduChannel> = body(exchange)?;
            let mut state = shared.state();
            state
                .baidu
                .channels
                .extend(channels.into_vec().into_iter().map(|channel| channel.channel_id));
            Ok(json!({ "bound": state.baidu.channels.len() }))
        }
        (&Method::POST, "/webpush/subscriptions") => {
            let wanted: NewSubscription = if exchange.body.is_empty() {
                NewSubscription::default()
            } else {
                body(exchange)?
            };
            let made = shared.state().webpush.subscribe(&wanted);
            made.map(|subscription| json!(subscription)).ok_or_else(|| {
                (
                    400,
                    "application_server_key is no 65-byte P-256 point in base64url".to_owned(),
                )
            })
        }
        (&Method::POST, "/webpush/state") => {
            let change: SubscriptionChange = body(exchange)?;
            match shared.state().webpush.set_state(&change.endpoint, change.state) {
                true => Ok(json!({})),
                false => Err((404, "no such subscription".to_owned())),
            }
        }
        _ => Err((404, "no such control call; docs/sandbox.md lists them".to_owned())),
    }
}

fn body<T: DeserializeOwned>(exchange: &Exchange) -> Result<T, (u16, String)> {
    serde_json::from_slice(&exchange.body).map_err(|error| (400, error.to_string()))
}

/// The query's member of this name.
fn query(exchange: &Exchange, name: &str) -> Option<String> {
    let query = Exchange::form(exchange.query.as_deref().unwrap_or_default());
    let found = query.into_iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value)
}

/// `?service=`, `?operation=`, `?accepted=1`, `?target=`, `?after=<seq>`.
fn log(shared: &Shared, exchange: &Exchange) -> Result<Value, (u16, String)> {
    let [service, operation, target, accepted] =
        ["service", "operation", "target", "accepted"].map(|name| query(exchange, name));
    let is = |wanted: &Option<String>, text: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| text == Some(wanted))
    };
    let after: u64 = match query(exchange, "after") {
        Some(text) => text.parse().map_err(|_| (400, "after is no number".to_owned()))?,
        None => 0,
    };
    let now = shared.now();
    let mut state = shared.state();
    state.settle(now);
    let records: Vec<_> = state
        .log
        .iter()
        .filter(|record| {
            record.seq > after
                && is(&service, Some(&record.service))
                && is(&operation, Some(&record.operation))
                && is(&target, record.target.as_deref())
                && accepted
                    .as_deref()
                    .is_none_or(|wanted| record.accepted == (wanted == "1" || wanted == "true"))
        })
        .map(Record::shown)
        .collect();
    Ok(json!(records))
}

/// How the logged requests of `?service=` were compressed.
fn headers(shared: &Shared, exchange: &Exchange) -> Value {
    let service = query(exchange, "service");
    let state = shared.state();
    let audited = state.log.iter().filter_map(|record| {
        let wanted = service.as_ref().is_none_or(|service| record.service == *service);
        record.hpack.filter(|_| wanted).map(|audit| (record, audit))
    });
    let in_table = |coding| matches!(coding, Some(Coding::Indexed | Coding::Incremental));
    let (mut requests, mut bytes, mut inserted, mut evicted) = (0_u64, 0, 0_u64, 0_u64);
    let (mut path, mut authorization) = (0_u64, 0_u64);
    for (record, audit) in audited {
        requests += 1;
        bytes += record.header_block;
        inserted += u64::from(audit.inserted);
        evicted += u64::from(audit.evicted);
        path += u64::from(in_table(audit.path));
        authorization += u64::from(in_table(audit.authorization));
    }
    json!({
        "requests": requests,
        "header_bytes": bytes,
        "path_indexed": path,
        "authorization_indexed": authorization,
        "table_insertions": inserted,
        "table_evictions": evicted,
    })
}

fn stats(shared: &Shared) -> Value {
    let state = shared.state();
    let counts = state.log.counts();
    json!({
        "connections": shared.connections(),
        "apns_connections_last_minute": shared.apns_connections_last_minute(),
        "refused_streams": state.refused_streams,
        "fcm_tokens_minted": state.fcm.mints,
        "adm_tokens_minted": state.adm.mints,
        "judged": counts.judged,
        "accepted": counts.accepted,
        "forgotten": counts.forgotten,
    })
}

fn settings(shared: &Shared, wanted: Settings) -> Result<Value, (u16, String)> {
    let mut state = shared.state();
    if let Some(profile) = wanted.profile {
        state.set_profile(profile);
    }
    for (service, date) in wanted.date.unwrap_or_default() {
        state.dates.set(&service, date).map_err(|text| (400, text))?;
    }
    if let Some(seed) = wanted.seed {
        state.set_seed(seed);
    }
    state.apns.governor = wanted.apns_governor.unwrap_or(state.apns.governor);
    state.apns.penalty = wanted.apns_governor_penalty.unwrap_or(state.apns.penalty);
    state.apns.over_limit_goaway = wanted
        .apns_over_limit_goaway
        .unwrap_or(state.apns.over_limit_goaway);
    state.apns.environment_key_reason = wanted
        .apns_environment_key_reason
        .or(state.apns.environment_key_reason);
    state.apns.content_mismatch = wanted
        .apns_content_mismatch
        .unwrap_or(state.apns.content_mismatch);
    if let Some(delay) = wanted.apns_content_delay_ms {
        state.apns.content_delay_ms = i64::from(delay);
    }
    if let Some(seconds) = wanted.token_lifetime {
        state.fcm.token_lifetime = seconds;
        state.adm.token_lifetime = seconds;
    }
    state.fcm.self_signed = wanted.fcm_self_signed.unwrap_or(state.fcm.self_signed);
    state.webpush.retry_after = wanted.webpush_retry_after.unwrap_or(state.webpush.retry_after);
    Ok(json!({}))
}
