//! A web server (axum) that keeps a table of devices and sends to all of them.
//!
//! `POST /devices` stores a device, in the form of `docs/notification.md`; `POST /notify` sends the notification in its body to every
//! device, deletes the dead, and answers with counts; `GET /metrics` is for Prometheus.
//!
//! ```text
//! PUSH_P8=AuthKey.p8 PUSH_KEY_ID=ABC123DEFG PUSH_TEAM_ID=DEF123GHIJ PUSH_BUNDLE_ID=com.example.app \
//! PUSH_SERVICE_ACCOUNT=service-account.json cargo run -p pushcore-tokio --example axum_push
//! curl -d '{"service": "fcm", "token": "..."}' localhost:8080/devices
//! curl -d '{"title": "Sale"}' localhost:8080/notify
//! ```

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use futures_core::Stream;
use pushcore::crypto::Es256Key;
use pushcore::notification::{App, Device, Feedback, Notification};
use pushcore::service::Kind;
use pushcore::{apns, fcm};
use pushcore_tokio::ClientConfig;
use pushcore_tokio::hub::Hub;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
#[allow(
    dead_code,
    reason = "the tests include this file and start the server themselves"
)]
async fn main() -> Result<(), Failure> {
    let word = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let key = Es256Key::read(&std::fs::read(word("PUSH_P8")?)?)?;
    let key_id = apns::KeyId::parse(&word("PUSH_KEY_ID")?)?;
    let team_id = apns::TeamId::parse(&word("PUSH_TEAM_ID")?)?;
    let apns = apns::Service::new(
        apns::Credentials::token(key_id, team_id, key),
        apns::Environment::Production.hosts(),
    );
    let account = fcm::Credentials::service_account(&std::fs::read(word("PUSH_SERVICE_ACCOUNT")?)?)?;
    let fcm = fcm::Service::new(account, fcm::Hosts::default());
    let hub = Hub::builder()
        .client(
            App::new(Kind::Apns).named(&word("PUSH_BUNDLE_ID")?)?,
            apns,
            ClientConfig::new(),
        )
        .client(App::new(Kind::Fcm), fcm, ClientConfig::new())
        .build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, app(hub)).await?;
    Ok(())
}

/// What the handlers share. A program of one's own has a database in place of the map.
struct Shared {
    hub: Hub,
    devices: Mutex<HashMap<String, Device>>,
}

/// The routes of the server.
pub(crate) fn app(hub: Hub) -> Router {
    let shared = Arc::new(Shared {
        hub,
        devices: Mutex::default(),
    });
    Router::new()
        .route("/devices", post(store))
        .route("/notify", post(notify))
        .route("/metrics", get(metrics))
        .with_state(shared)
}

async fn store(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<StatusCode, (StatusCode, String)> {
    let device = Device::from_json(&body).map_err(refused)?;
    let mut devices = shared.devices.lock().unwrap_or_else(PoisonError::into_inner);
    devices.insert(device.token(), device);
    Ok(StatusCode::CREATED)
}

async fn notify(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<String, (StatusCode, String)> {
    let notification = Notification::from_json(&body).map_err(refused)?;
    let devices: Vec<Device> = {
        let devices = shared.devices.lock().unwrap_or_else(PoisonError::into_inner);
        devices.values().cloned().collect()
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut deliveries = shared.hub.notify(notification, devices);
    while let Some(delivery) = poll_fn(|context| Pin::new(&mut deliveries).poll_next(context)).await {
        *counts.entry(delivery.feedback.name()).or_default() += 1;
        if delivery.feedback == Feedback::Delete {
            let mut devices = shared.devices.lock().unwrap_or_else(PoisonError::into_inner);
            devices.remove(&delivery.item.token());
        }
    }
    Ok(format!("{counts:?}\n"))
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match shared.hub.open_metrics() {
        Ok(text) => Ok(([("content-type", kind)], text)),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

fn refused(error: pushcore::Error) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, error.to_string())
}
