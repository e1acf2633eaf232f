//! A session for each service.

use std::sync::Arc;
use std::time::Duration;

use super::service::{Room, Service};
use super::{Session, SessionConfig};
use crate::error::{Error, ErrorKind};
use crate::http::Authority;
use crate::net::{ConnectionConfig, Protocols, Security};
use crate::time::Now;
use crate::{adm, apns, baidu, fcm, webpush};

/// Token endpoints, and lists of channels or topics, are longer than the answer to a push.
const LONG_BODY_LIMIT: usize = 1024 * 1024;

/// Front ends of the gRPC kind punish a client that pings more often than every few minutes, so
/// only a connection with requests in flight is asked, and seldom.
const RARE_PING: Duration = Duration::from_secs(60);

impl Session {
    /// APNs: HTTP/2 only; a connection that is silent for 15 s with pushes in flight is asked, and given
    /// up 10 s later; idle ones are kept, as Apple asks.
    ///
    /// # Errors
    /// `InvalidCredential` when the credentials are a certificate that `security` does not present.
    pub fn apns(
        credentials: apns::Credentials,
        hosts: apns::Hosts,
        security: Security,
        config: SessionConfig,
        now: Now,
    ) -> Result<Self, Error> {
        if credentials.client_certificate().is_some() && !presents_certificate(&security) {
            let context = "the credentials are a certificate: give it to the tls configuration as well";
            return Err(Error::new(ErrorKind::InvalidCredential, context));
        }
        let mut push = ConnectionConfig::new(security);
        push.protocols = Protocols::Http2Only;
        push.http2.huffman_literals = config.compact_headers;
        let mut token = push.clone();
        token.body_limit = LONG_BODY_LIMIT;
        let token = Arc::new(token);
        let service = Service::new(Room::Apns { credentials, hosts }, Arc::new(push), token);
        Ok(Self::new(service, config, now))
    }

    /// FCM HTTP v1.
    ///
    /// # Errors
    /// None today.
    pub fn fcm(
        credentials: impl Into<Arc<fcm::Credentials>>,
        hosts: fcm::Hosts,
        security: Security,
        config: SessionConfig,
        now: Now,
    ) -> Result<Self, Error> {
        let room = Room::Fcm {
            credentials: credentials.into(),
            hosts,
        };
        Ok(Self::new(
            Service::new(room, topics_config(&security, &config), token_config(&security)),
            config,
            now,
        ))
    }

    /// Web Push: one pool of connections for each push service. `policy` says which endpoints may be
    /// sent to at all.
    ///
    /// # Errors
    /// None today.
    pub fn web_push(
        credentials: impl Into<Arc<webpush::Credentials>>,
        policy: impl Into<Arc<webpush::EndpointPolicy>>,
        security: Security,
        config: SessionConfig,
        now: Now,
    ) -> Result<Self, Error> {
        let room = Room::WebPush {
            credentials: credentials.into(),
            policy: policy.into(),
        };
        Ok(Self::new(
            Service::new(room, push_config(&security, &config), token_config(&security)),
            config,
            now,
        ))
    }

    /// Amazon Device Messaging. `authority` is usually [`adm::default_authority`].
    ///
    /// # Errors
    /// None today.
    pub fn adm(
        credentials: impl Into<Arc<adm::Credentials>>,
        authority: Authority,
        security: Security,
        config: SessionConfig,
        now: Now,
    ) -> Result<Self, Error> {
        let room = Room::Adm {
            credentials: credentials.into(),
            authority,
        };
        Ok(Self::new(
            Service::new(room, push_config(&security, &config), token_config(&security)),
            config,
            now,
        ))
    }

    /// Baidu Cloud Push. `authority` is usually [`baidu::default_authority`].
    ///
    /// # Errors
    /// None today.
    pub fn baidu(
        credentials: impl Into<Arc<baidu::Credentials>>,
        authority: Authority,
        security: Security,
        config: SessionConfig,
        now: Now,
    ) -> Result<Self, Error> {
        let room = Room::Baidu {
            credentials: credentials.into(),
            authority,
        };
        Ok(Self::new(
            Service::new(room, push_config(&security, &config), token_config(&security)),
            config,
            now,
        ))
    }
}

fn push_config(security: &Security, wanted: &SessionConfig) -> Arc<ConnectionConfig> {
    let mut config = ConnectionConfig::new(security.clone());
    config.http2.huffman_literals = wanted.compact_headers;
    if let Some(ping) = &mut config.http2.ping {
        ping.idle = RARE_PING;
    }
    Arc::new(config)
}

/// The same host lists topics, by the page.
fn topics_config(security: &Security, wanted: &SessionConfig) -> Arc<ConnectionConfig> {
    let mut config = push_config(security, wanted);
    Arc::make_mut(&mut config).body_limit = LONG_BODY_LIMIT;
    config
}

fn token_config(security: &Security) -> Arc<ConnectionConfig> {
    let mut config = ConnectionConfig::new(security.clone());
    config.body_limit = LONG_BODY_LIMIT;
    Arc::new(config)
}

fn presents_certificate(security: &Security) -> bool {
    match security {
        Security::Tls(tls) => tls.identity().is_some(),
        Security::Cleartext => false,
    }
}
