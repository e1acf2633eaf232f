//! A client for each service.

use std::sync::Arc;

use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::session::Session;
use pushcore::{Error, adm, apns, baidu, fcm, webpush};

use crate::client::Client;
use crate::config::ClientConfig;

impl Client {
    /// APNs. `hosts` is usually [`apns::Environment::hosts`].
    ///
    /// # Errors
    /// As [`Session::apns`] and [`Client::new`].
    pub fn apns(
        credentials: apns::Credentials,
        hosts: apns::Hosts,
        mut config: ClientConfig,
    ) -> Result<Self, Error> {
        let security = config.take_security()?;
        Self::new(config, |session, now| {
            Session::apns(credentials, hosts, security, session, now)
        })
    }

    /// FCM HTTP v1. `hosts` is usually the default.
    ///
    /// # Errors
    /// As [`Session::fcm`] and [`Client::new`].
    pub fn fcm(
        credentials: impl Into<Arc<fcm::Credentials>>,
        hosts: fcm::Hosts,
        mut config: ClientConfig,
    ) -> Result<Self, Error> {
        let security = config.take_security()?;
        Self::new(config, |session, now| {
            Session::fcm(credentials, hosts, security, session, now)
        })
    }

    /// Web Push. `policy` says which endpoints may be sent to; its default knows the public push services.
    ///
    /// # Errors
    /// As [`Session::web_push`] and [`Client::new`].
    pub fn web_push(
        credentials: impl Into<Arc<webpush::Credentials>>,
        policy: impl Into<Arc<webpush::EndpointPolicy>>,
        mut config: ClientConfig,
    ) -> Result<Self, Error> {
        let security = config.take_security()?;
        Self::new(config, |session, now| {
            Session::web_push(credentials, policy, security, session, now)
        })
    }

    /// Amazon Device Messaging. `authority` is usually [`adm::default_authority`].
    ///
    /// # Errors
    /// As [`Session::adm`] and [`Client::new`].
    pub fn adm(
        credentials: impl Into<Arc<adm::Credentials>>,
        authority: Authority,
        mut config: ClientConfig,
    ) -> Result<Self, Error> {
        let security: Security = config.take_security()?;
        Self::new(config, |session, now| {
            Session::adm(credentials, authority, security, session, now)
        })
    }

    /// Baidu Cloud Push. `authority` is usually [`baidu::default_authority`].
    ///
    /// # Errors
    /// As [`Session::baidu`] and [`Client::new`].
    pub fn baidu(
        credentials: impl Into<Arc<baidu::Credentials>>,
        authority: Authority,
        mut config: ClientConfig,
    ) -> Result<Self, Error> {
        let security = config.take_security()?;
        Self::new(config, |session, now| {
            Session::baidu(credentials, authority, security, session, now)
        })
    }
}
