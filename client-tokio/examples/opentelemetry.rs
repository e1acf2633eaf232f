//! A bulk send as one span of OpenTelemetry, with a link to each message: the requests that asked for the messages have traces of their
//! own, and each finds the batch that sent its message.
//!
//! `cargo run -p pushcore-tokio --example opentelemetry` sends to a port on which nobody listens, and prints the spans.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, Span, SpanContext, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::notification::{App, Device, Notification, Retries};
use pushcore::service::Kind;
use pushcore_tokio::ClientConfig;
use pushcore_tokio::hub::Hub;

type Failure = Box<dyn std::error::Error>;

/// Sends to every device; `devices` come with the span that asked for the message. Returns how many were accepted.
pub(crate) async fn notify_traced(
    hub: &Hub,
    tracer: &impl Tracer<Span: Send>,
    notification: Notification,
    devices: Vec<(SpanContext, Device)>,
) -> usize {
    let links = devices
        .iter()
        .map(|(asked, _)| Link::new(asked.clone(), Vec::new(), 0));
    let mut batch = tracer
        .span_builder("push send")
        .with_kind(SpanKind::Producer)
        .with_links(links.collect())
        .with_attributes([
            KeyValue::new("messaging.operation.type", "send"),
            KeyValue::new("messaging.batch.message_count", devices.len() as i64),
        ])
        .start(tracer);
    let mut accepted = 0;
    let mut deliveries = hub.notify(notification, devices);
    while let Some(delivery) = poll_fn(|context| Pin::new(&mut deliveries).poll_next(context)).await {
        let (asked, device) = &delivery.item;
        let end = match &delivery.result {
            Ok(outcome) => outcome.name().to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        };
        accepted += usize::from(end == "accepted");
        // No token: the trace of the message says which device.
        let attributes = vec![
            KeyValue::new("messaging.system", device.service().as_str()),
            KeyValue::new("push.outcome", end),
            KeyValue::new("push.attempts", i64::from(delivery.attempts.made())),
            KeyValue::new("push.trace", asked.trace_id().to_string()),
        ];
        batch.add_event("push ended", attributes);
    }
    for (app, progress) in deliveries.progress() {
        let name = format!("push.{}.accepted", app.service());
        batch.set_attribute(KeyValue::new(name, progress.accepted as i64));
        if progress.accepted < progress.ended() {
            batch.set_status(Status::error("not every message was accepted"));
        }
    }
    batch.end();
    accepted
}

#[tokio::main]
#[allow(
    dead_code,
    reason = "the tests include this file and have a service that answers"
)]
async fn main() -> Result<(), Failure> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let tracer = provider.tracer("push");
    let credentials = pushcore::baidu::Credentials::new("api-key", "secret-key")?;
    let service = pushcore::baidu::Service::new(credentials, Authority::parse("localhost:9")?);
    let mut config = ClientConfig::new();
    config.security = Some(Security::Cleartext);
    config.session.deadline = Duration::from_secs(2);
    let hub = Hub::builder()
        .client(App::new(Kind::Baidu), service, config)
        .retries(Retries::none())
        .build()?;
    // Two requests, each with a trace of its own, ask for a message.
    let mut devices = Vec::new();
    for channel in ["3799437276921873654", "3799437276921873655"] {
        let asked = tracer.start("POST /orders");
        let device = Device::builder(Kind::Baidu)
            .platform(pushcore::notification::Platform::Android)
            .token(channel)
            .build()?;
        devices.push((asked.span_context().clone(), device));
    }
    let notification = Notification::builder()
        .title("Your order")
        .body("is on its way")
        .build()?;
    notify_traced(&hub, &tracer, notification, devices).await;
    hub.close().await;
    for span in exporter.get_finished_spans()? {
        println!(
            "{} {:?} links to {}",
            span.name,
            span.status,
            span.links.links.len()
        );
    }
    Ok(())
}
