//! How a sandbox comes to life: ports, keys, files, listeners.

use super::Sandbox;
use crate::adm::Adm;
use crate::apns::Apns;
use crate::config::{Config, Ports};
use crate::control::Guard;
use crate::fcm::Fcm;
use crate::files::{absolute, names, write_private};
use crate::serve;
use crate::shared::{Door, Moment, Shared};
use crate::state::State;
use crate::tls::Authority;
use crate::webpush::WebPush;
use crate::workers::Workers;
use serde_json::json;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, PoisonError};
use tokio_rustls::TlsAcceptor;

impl Sandbox {
    /// Makes a CA, keys, tokens and subscriptions, and starts every service on 127.0.0.1.
    ///
    /// # Errors
    /// When a port is taken, or the state directory cannot be written.
    pub fn start(config: Config) -> io::Result<Self> {
        let (state_dir, temporary) = match config.state_dir.clone() {
            Some(dir) => (dir, false),
            None => {
                let name = format!("pushcore-sandbox-{}", crate::ids::hex(&crate::ids::random::<8>()));
                (std::env::temp_dir().join(name), true)
            }
        };
        std::fs::create_dir_all(&state_dir)?;
        let workers = Workers::start(2)?;
        let mut listeners = Vec::new();
        let mut ports = config.ports;
        for door in Door::ALL {
            let port = port_of(&mut ports, door);
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, *port))?;
            listener.set_nonblocking(true)?;
            *port = listener.local_addr()?.port();
            listeners.push((door, listener));
        }
        let authority = |port: u16| format!("{}:{port}", config.host);

        let control_token = match config.control_token.clone() {
            Some(token) if token.is_empty() => return check(Err("the control token is empty".to_owned())),
            Some(token) => token,
            None => crate::ids::b64url(&crate::ids::random::<24>()),
        };
        let mut apns = Apns::new(
            config.profile,
            config.environment,
            config.bundles.clone(),
            config.governor,
        );
        apns.penalty = config.governor_penalty;
        apns.content_mismatch = config.apns_content_mismatch;
        apns.content_delay_ms = i64::from(config.apns_content_delay_ms);
        let mut fcm = Fcm::new(config.profile, &config.project_id);
        fcm.token_lifetime = config.token_lifetime;
        fcm.token_uri = format!("{}/token", origin(&config.host, ports.fcm));
        let mut webpush = WebPush::new(config.profile);
        webpush.origin = origin(&config.host, ports.webpush);
        let mut adm = Adm::new(config.profile);
        adm.token_lifetime = config.token_lifetime;
        let mut state = State::new(apns, fcm, webpush, adm, config.seed, config.log_limit);
        state.explains = config.explain;
        for (service, latency) in &config.latency {
            check(state.latencies.set(service.as_deref(), Some(*latency)))?;
        }
        for fault in config.faults.clone() {
            check(fault.check())?;
            state.add_fault(fault);
        }
        let now = crate::clock::Clock::default().now_ms();
        if config.apns_online {
            let unix_ms = now;
            state.apns.set_presence(None, Some(0), Moment { unix_ms });
        }
        let (mut ready, mut files) = crate::ready::populate(&mut state, now)?;

        let ca = Authority::new(&names(&config.host))?;
        state.apns.issuer = Some(ca.issuer()?);
        let (certificates, made) = crate::apns::certificates(&mut state.apns, &ca)?;
        ready["apns"]["certificates"] = certificates;
        files.extend(made);
        for (name, text) in files
            .iter()
            .map(|(name, text)| (name.as_str(), text))
            .chain([("ca.pem", &ca.ca_pem)])
        {
            write_private(&state_dir.join(name), text)?;
        }
        ready["ca_file"] = json!("ca.pem");
        ready["state_dir"] = json!(std::path::absolute(&state_dir)?);
        ready["profile"] = json!(config.profile);
        ready["apns"]["authority"] = json!(authority(ports.apns));
        ready["apns"]["management"] = json!(authority(ports.apns_management));
        ready["apns"]["broadcast"] = json!(authority(ports.apns_broadcast));
        ready["fcm"]["authority"] = json!(authority(ports.fcm));
        ready["fcm"]["metadata"] = json!(authority(ports.metadata));
        ready["adm"]["authority"] = json!(authority(ports.adm));
        ready["adm"]["token_uri"] = json!(format!("{}/auth/O2/token", origin(&config.host, ports.adm)));
        ready["baidu"]["authority"] = json!(authority(ports.baidu));
        ready["webpush"]["authority"] = json!(authority(ports.webpush));
        ready["control"] =
            json!({ "url": format!("http://127.0.0.1:{}", ports.control), "token": control_token });
        absolute(&mut ready, &state_dir);

        let shared = Arc::new(Shared::new(state, Guard::new(control_token, config.host.clone())));
        *shared.ready.lock().unwrap_or_else(PoisonError::into_inner) = ready.clone();
        let h2_only = TlsAcceptor::from(ca.server(&[b"h2"], true)?);
        let both = TlsAcceptor::from(ca.server(&[b"h2", b"http/1.1"], false)?);
        for (door, listener) in listeners {
            let acceptor = match door {
                Door::Control | Door::Metadata => None,
                _ if door.is_apns() => Some(h2_only.clone()),
                _ => Some(both.clone()),
            };
            // Doors are opened by the first thread; connections begin with the second.
            let mut turns = workers.turns();
            let (shared, listener) = (shared.clone(), workers.listener(listener)?);
            let connections = turns.clone().skip();
            turns.spawn(serve::listen(shared, door, listener, acceptor, connections));
        }
        Ok(Self {
            shared,
            workers: Some(workers),
            ports,
            ca_pem: ca.ca_pem,
            ready,
            state_dir,
            temporary,
        })
    }
}

/// An origin as RFC 6454 §6.2 writes it: without the port where that is the scheme's own. Clients write the
/// audience of their tokens so, and keep an endpoint's URL so.
fn origin(host: &str, port: u16) -> String {
    match port {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    }
}

/// Nonsense in the configuration.
fn check<T>(result: Result<T, String>) -> io::Result<T> {
    result.map_err(|text| io::Error::new(io::ErrorKind::InvalidInput, text))
}

fn port_of(ports: &mut Ports, door: Door) -> &mut u16 {
    match door {
        Door::Apns => &mut ports.apns,
        Door::ApnsManagement => &mut ports.apns_management,
        Door::ApnsBroadcast => &mut ports.apns_broadcast,
        Door::Fcm => &mut ports.fcm,
        Door::Metadata => &mut ports.metadata,
        Door::WebPush => &mut ports.webpush,
        Door::Adm => &mut ports.adm,
        Door::Baidu => &mut ports.baidu,
        Door::Control => &mut ports.control,
    }
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn the_port_of_https_is_not_written() {
        assert_eq!(origin("localhost", 443), "https://localhost");
        assert_eq!(origin("localhost", 8443), "https://localhost:8443");
    }
}
