//! HTTP/1.1, for OAuth, ADM, Baidu, the control endpoint and whoever asks for it.

use crate::exchange::{Exchange, Origin, Reply};
use crate::fault::Action;
use crate::http_date::imf_fixdate;
use crate::shared::{Door, Shared};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// No service takes bodies near this size.
pub(super) const BODY_LIMIT: usize = 1 << 20;

pub(super) async fn serve<S>(shared: Arc<Shared>, door: Door, id: u64, stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let watcher = shared.clone();
    let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
        let shared = shared.clone();
        async move { answer(&shared, door, id, request).await }
    });
    let done = hyper::server::conn::http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = &done {
        if door != Door::Control && error.is_parse() {
            watcher.refused_below_http(door, id, 0, "http1.request", &error.to_string());
        }
    }
    done.map_err(io::Error::other)
}

async fn answer(
    shared: &Shared,
    door: Door,
    connection: u64,
    request: http::Request<Incoming>,
) -> io::Result<http::Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return response(Reply::status(413));
    };
    let exchange = Exchange {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        authority: parts
            .headers
            .get("host")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        headers: parts.headers,
        body: Arc::from(&body.to_bytes()[..]),
        origin: Origin {
            connection,
            stream: 0,
            header_block: 0,
            audit: None,
        },
    };
    let verdict = shared.dispatch(door, &exchange);
    match verdict.fault {
        Some(Action::NoAnswer | Action::Silence) => std::future::pending().await,
        Some(Action::Close { .. } | Action::Rst { .. } | Action::Goaway { .. }) => {
            return Err(io::Error::other("scripted close"));
        }
        _ => {}
    }
    if !verdict.delay.is_zero() {
        tokio::time::sleep(verdict.delay).await;
    }
    response(verdict.reply)
}

fn response(reply: Reply) -> io::Result<http::Response<Full<Bytes>>> {
    let mut response = http::Response::builder().status(reply.status);
    let dated = reply
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("date"));
    if !dated && !reply.after.no_date {
        response = response.header("date", imf_fixdate(crate::clock::Clock::default().now_ms()));
    }
    for (name, value) in reply.headers {
        response = response.header(name.as_ref(), value);
    }
    response
        .body(Full::new(Bytes::from(reply.body)))
        .map_err(io::Error::other)
}
