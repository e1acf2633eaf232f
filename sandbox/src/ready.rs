//! The world a fresh sandbox starts with: keys, tokens, subscriptions, and the
//! JSON line that tells a client where everything is.

use crate::adm::{Adm, AdmRegistration};
use crate::apns::{Apns, DeviceToken, Environment, Gone, Key};
use crate::baidu::Baidu;
use crate::fcm::{Fcm, Registration};
use crate::ids::{apple_id, b64url, hex, random};
use crate::state::State;
use crate::webpush::{NewSubscription, Provider, SubscriptionState, WebPush};
use p256::SecretKey;
use p256::elliptic_curve::rand_core::OsRng;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use serde_json::{Value, json};
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

/// A P-256 key pair in the forms people have.
pub(crate) struct EcKey {
    /// PKCS#8 PEM, what Apple calls a `.p8` file.
    pub(crate) pem: String,
    /// 65 bytes, uncompressed.
    pub(crate) point: Vec<u8>,
    /// The scalar, 32 bytes.
    pub(crate) scalar: Vec<u8>,
}

impl EcKey {
    pub(crate) fn new() -> io::Result<Self> {
        let secret = SecretKey::random(&mut OsRng);
        let pem = secret.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?;
        Ok(Self {
            pem: pem.to_string(),
            point: secret.public_key().to_encoded_point(false).as_bytes().to_vec(),
            scalar: secret.to_bytes().to_vec(),
        })
    }
}

/// The service account's key. Making one takes about a second, so the sandboxes of a
/// process share it.
fn rsa_key() -> io::Result<&'static rsa::RsaPrivateKey> {
    static KEY: OnceLock<rsa::RsaPrivateKey> = OnceLock::new();
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(key) = KEY.get() {
        return Ok(key);
    }
    let key = rsa::RsaPrivateKey::new(&mut OsRng, 2048).map_err(io::Error::other)?;
    Ok(KEY.get_or_init(|| key))
}

/// A file the sandbox made: its name and its content.
pub(crate) type File = (String, String);

/// Fills the APNs registry; the `apns` part of the ready line.
pub(crate) fn apns(apns: &mut Apns, now_ms: i64) -> io::Result<(Value, Vec<File>)> {
    let team = apple_id();
    let here = apns.environment;
    let there = match here {
        Environment::Development => Environment::Production,
        Environment::Production => Environment::Development,
    };
    let bundle = apns.bundles.first().cloned().unwrap_or_default();
    let other = apns.bundles.get(1).cloned().unwrap_or_default();
    let (mut keys, mut files) = (json!({}), Vec::new());
    let mut kids: Vec<String> = Vec::new();
    let other_team = apple_id();
    keys["other_team_id"] = json!(other_team);
    for name in [
        "",
        "other_environment_",
        "second_",
        "topic_",
        "topic_related_",
        "other_team_",
    ] {
        let (kid, made) = (apple_id(), EcKey::new()?);
        let team = if name == "other_team_" { &other_team } else { &team };
        let key = Key::new(&kid, team, made.point);
        apns.keys.push(match (name, kids.last()) {
            ("other_environment_", _) => key.of(there),
            ("topic_", _) => key.topics(&[&bundle]),
            ("topic_related_", Some(topic)) => key.topics(&[&other]).related(topic),
            _ => key,
        });
        let file = match name.trim_end_matches('_').replace('_', "-") {
            name if name.is_empty() => "apns.p8".to_owned(),
            name => format!("apns-{name}.p8"),
        };
        keys[format!("{name}key_id")] = json!(kid);
        keys[format!("{name}p8_file")] = json!(file);
        files.push((file, made.pem));
        kids.push(kid);
    }
    let since = now_ms - 86_400_000;
    let mut tokens = json!({});
    let active = DeviceToken {
        token: String::new(),
        bundle,
        environment: here,
        unregistered_at: None,
        gone: Gone::Unregistered,
        throttled: false,
    };
    let entries = [
        ("valid", active.clone()),
        ("valid_2", active.clone()),
        ("valid_3", active.clone()),
        (
            "unregistered",
            DeviceToken {
                unregistered_at: Some(since),
                ..active.clone()
            },
        ),
        (
            "expired",
            DeviceToken {
                unregistered_at: Some(since),
                gone: Gone::ExpiredToken,
                ..active.clone()
            },
        ),
        (
            "throttled",
            DeviceToken {
                throttled: true,
                ..active.clone()
            },
        ),
        (
            "other_environment",
            DeviceToken {
                environment: there,
                ..active.clone()
            },
        ),
        (
            "other_topic",
            DeviceToken {
                bundle: other,
                ..active.clone()
            },
        ),
    ];
    for (name, device) in entries {
        let token = hex(&random::<32>());
        tokens[name] = json!(token);
        apns.tokens.insert(token.clone(), DeviceToken { token, ..device });
    }
    tokens["unknown"] = json!(hex(&random::<32>()));
    let mut part = json!({
        "team_id": team,
        "environment": here,
        "topic": apns.bundles.first(),
        "topics": apns.bundles,
        "tokens": tokens,
        "unregistered_at_ms": since,
    });
    if let (Value::Object(part), Value::Object(keys)) = (&mut part, keys) {
        part.extend(keys);
    }
    Ok((part, files))
}

/// Makes the service account; the `fcm` part of the ready line.
pub(crate) fn fcm(fcm: &mut Fcm) -> io::Result<(Value, Vec<File>)> {
    let key = rsa_key()?;
    fcm.key = Some(key.to_public_key());
    let pem = rsa::pkcs8::EncodePrivateKey::to_pkcs8_pem(key, rsa::pkcs8::LineEnding::LF)
        .map_err(io::Error::other)?;
    let account = json!({
        "type": "service_account",
        "project_id": fcm.project_id,
        "private_key_id": fcm.key_id,
        "private_key": pem.as_str(),
        "client_email": fcm.client_email,
        "client_id": "100000000000000000001",
        "auth_uri": fcm.token_uri.replace("/token", "/auth"),
        "token_uri": fcm.token_uri,
        "universe_domain": "googleapis.com",
    });
    let mut tokens = json!({});
    let kinds = [
        ("valid", Registration::Active),
        ("valid_2", Registration::Active),
        ("valid_3", Registration::Active),
        ("unregistered", Registration::Unregistered),
        ("other_project", Registration::OtherProject),
        ("throttled", Registration::Throttled),
        ("bad_third_party_key", Registration::BadThirdPartyKey),
    ];
    for (name, registration) in kinds {
        let token = format!("{}:APA91b{}", b64url(&random::<16>()), b64url(&random::<96>()));
        tokens[name] = json!(token);
        fcm.registrations.insert(token, registration);
    }
    tokens["malformed"] = json!("not-a-registration-token");
    let fid = b64url(&random::<16>());
    fcm.registrations.insert(fid.clone(), Registration::Active);
    let part = json!({
        "project_id": fcm.project_id,
        "project_number": fcm.project_number,
        "token_uri": fcm.token_uri,
        "service_account_file": "service-account.json",
        "authorized_user_file": "authorized-user.json",
        "impersonated_file": "impersonated.json",
        "tokens": tokens,
        "fid": fid,
    });
    let user = json!({
        "type": "authorized_user",
        "client_id": fcm.user.client_id,
        "client_secret": fcm.user.client_secret,
        "refresh_token": fcm.user.refresh_token,
        "token_uri": fcm.token_uri,
        "universe_domain": "googleapis.com",
    });
    let impersonated = json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": fcm.token_uri.replace(
            "/token",
            &format!("/v1/projects/-/serviceAccounts/{}:generateAccessToken", fcm.client_email),
        ),
        "delegates": [],
        "source_credentials": user,
    });
    let mut files = Vec::new();
    for (name, file) in [
        ("service-account.json", account),
        ("authorized-user.json", user),
        ("impersonated.json", impersonated),
    ] {
        let text = serde_json::to_string_pretty(&file).map_err(io::Error::other)?;
        files.push((name.to_owned(), text));
    }
    Ok((part, files))
}

/// Makes subscriptions of every provider; the `webpush` part of the ready line.
pub(crate) fn webpush(webpush: &mut WebPush) -> io::Result<(Value, Vec<File>)> {
    let (vapid, stranger) = (EcKey::new()?, EcKey::new()?);
    let public = b64url(&vapid.point);
    let mut make = |provider, state, key: &str| {
        let wanted = NewSubscription {
            provider,
            state,
            application_server_key: Some(key.to_owned()),
        };
        webpush
            .subscribe(&wanted)
            .ok_or_else(|| io::Error::other("a VAPID key is not on the curve"))
    };
    let mut providers = json!({});
    for provider in Provider::ALL {
        let name = serde_json::to_value(provider)?;
        let name = name.as_str().unwrap_or_default();
        providers[name] = json!({
            "active": make(provider, SubscriptionState::Active, &public)?,
            "expired": make(provider, SubscriptionState::Expired, &public)?,
            "throttled": make(provider, SubscriptionState::Throttled, &public)?,
            "other_key": make(provider, SubscriptionState::Active, &b64url(&stranger.point))?,
        });
    }
    let part = json!({
        "origin": webpush.origin,
        "vapid": {
            "public_key": public,
            "private_key": b64url(&vapid.scalar),
            "pem_file": "vapid.pem",
            "subject": "mailto:push@example.com",
        },
        "subscriptions": providers["plain"],
        "providers": providers,
    });
    Ok((part, vec![("vapid.pem".to_owned(), vapid.pem)]))
}

/// Fills ADM's registry; the `adm` part of the ready line.
pub(crate) fn adm(adm: &mut Adm) -> Value {
    let (replaced, replacement) = (crate::adm::new_id(), crate::adm::new_id());
    let mut registrations = json!({
        "replaced": replaced,
        "replacement": replacement,
        "unknown": crate::adm::new_id(),
    });
    adm.registrations
        .insert(replacement.clone(), AdmRegistration::Active);
    adm.registrations
        .insert(replaced, AdmRegistration::Replaced(replacement));
    for (name, registration) in [
        ("valid", AdmRegistration::Active),
        ("unregistered", AdmRegistration::Unregistered),
        ("throttled", AdmRegistration::Throttled),
    ] {
        let id = crate::adm::new_id();
        registrations[name] = json!(id);
        adm.registrations.insert(id, registration);
    }
    json!({
        "client_id": adm.client_id,
        "client_secret": adm.client_secret,
        "registrations": registrations,
    })
}

/// Binds a channel; the `baidu` part of the ready line.
pub(crate) fn baidu(baidu: &mut Baidu) -> Value {
    let channel = || u64::from_be_bytes(random::<8>()).to_string();
    let (valid, unknown) = (channel(), channel());
    baidu.channels.insert(valid.clone());
    json!({
        "api_key": baidu.api_key,
        "secret_key": baidu.secret_key,
        "channels": { "valid": valid, "unknown": unknown },
    })
}

/// Fills all services; the ready line without addresses, and the files to write.
pub(crate) fn populate(state: &mut State, now_ms: i64) -> io::Result<(Value, Vec<File>)> {
    let mut line = json!({});
    let mut files = Vec::new();
    for (name, (part, made)) in [
        ("apns", apns(&mut state.apns, now_ms)?),
        ("fcm", fcm(&mut state.fcm)?),
        ("webpush", webpush(&mut state.webpush)?),
        ("adm", (adm(&mut state.adm), Vec::new())),
        ("baidu", (baidu(&mut state.baidu), Vec::new())),
    ] {
        line[name] = part;
        files.extend(made);
    }
    Ok((line, files))
}
