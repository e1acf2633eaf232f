//! As much of hyper-rustls as a2 calls. Whatever the address, it dials the recorder that the
//! environment variable `RECORDER` names, in clear text: the requests stay those of a2 and hyper.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::client::WantsClientCert;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use tokio::net::TcpStream;

#[derive(Clone, Debug)]
pub struct HttpsConnector<T>(PhantomData<T>);

impl<T> tower_service::Service<http::Uri> for HttpsConnector<T> {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        Box::pin(async {
            let recorder = std::env::var("RECORDER").map_err(io::Error::other)?;
            TcpStream::connect(recorder).await.map(TokioIo::new)
        })
    }
}

pub struct HttpsConnectorBuilder;

impl HttpsConnectorBuilder {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self
    }

    pub fn with_webpki_roots(self) -> Self {
        self
    }

    pub fn with_tls_config(self, _: ClientConfig) -> Self {
        self
    }

    pub fn https_only(self) -> Self {
        self
    }

    pub fn enable_http2(self) -> Self {
        self
    }

    pub fn build(self) -> HttpsConnector<HttpConnector> {
        HttpsConnector(PhantomData)
    }
}

pub trait ConfigBuilderExt {
    fn with_webpki_roots(self) -> ConfigBuilder<ClientConfig, WantsClientCert>;
}

impl ConfigBuilderExt for ConfigBuilder<ClientConfig, WantsVerifier> {
    fn with_webpki_roots(self) -> ConfigBuilder<ClientConfig, WantsClientCert> {
        self.with_root_certificates(RootCertStore::empty())
    }
}
