//! The client certificates that a fresh sandbox makes, in Apple's shape.

use super::{Apns, Environment};
use crate::ready::File;
use crate::tls::Authority;
use rcgen::{CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, KeyPair};
use serde_json::{Value, json};
use std::io;

/// Apple's arc of certificate extensions for pushes; the last number says which.
const PUSH: [u64; 8] = [1, 2, 840, 113_635, 100, 6, 3, 0];

fn extension(which: u64, content: Vec<u8>) -> CustomExtension {
    let mut oid = PUSH;
    oid[7] = which;
    CustomExtension::from_oid_content(&oid, content)
}

/// One DER element. Sandbox topics are short: at most 65,535 bytes together.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let mut out = vec![tag, 0x82];
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => out = vec![tag, short],
        Ok(byte) => out = vec![tag, 0x81, byte],
        Err(_) => out.extend_from_slice(&length.to_be_bytes()),
    }
    out.extend_from_slice(content);
    out
}

/// The list of topics: each with a sequence of what it is.
fn topics(list: &[(String, &str)]) -> Vec<u8> {
    let content: Vec<u8> = list
        .iter()
        .flat_map(|(topic, kind)| {
            [
                element(0x0c, topic.as_bytes()),
                element(0x30, &element(0x0c, kind.as_bytes())),
            ]
        })
        .flatten()
        .collect();
    element(0x30, &content)
}

struct Wanted<'a> {
    name: &'static str,
    uid: &'a str,
    topics: Vec<(String, &'static str)>,
    environments: Vec<Environment>,
    trusted: bool,
}

/// Makes them all; the `certificates` of the ready line's `apns`.
pub(crate) fn certificates(apns: &mut Apns, authority: &Authority) -> io::Result<(Value, Vec<File>)> {
    let here = apns.environment;
    let there = match here {
        Environment::Development => Environment::Production,
        Environment::Production => Environment::Development,
    };
    let bundle = apns.bundles.first().cloned().unwrap_or_default();
    let mdm = format!("{}External.{}", super::certificate::MDM, crate::ids::uuid());
    apns.bundles.push(mdm.clone());
    let plain = |name, environments| Wanted {
        name,
        uid: &bundle,
        topics: Vec::new(),
        environments,
        trusted: true,
    };
    let wanted = [
        Wanted {
            topics: vec![
                (bundle.clone(), "app"),
                (format!("{bundle}.voip"), "voip"),
                (format!("{bundle}.complication"), "complication"),
            ],
            ..plain("universal", vec![here, there])
        },
        plain("single", vec![here]),
        plain("other_environment", vec![there]),
        Wanted {
            uid: &mdm,
            ..plain("mdm", vec![here, there])
        },
        Wanted {
            trusted: false,
            ..plain("untrusted", vec![here])
        },
    ];
    let mut part = json!({});
    let mut files = Vec::new();
    for wanted in &wanted {
        let (certificate, key) = make(wanted, authority)?;
        let file = format!("apns-{}", wanted.name.replace('_', "-"));
        let (certificate_file, key_file) = (format!("{file}.crt.pem"), format!("{file}.key.pem"));
        let mut listed: Vec<&str> = wanted.topics.iter().map(|(topic, _)| topic.as_str()).collect();
        if listed.is_empty() {
            listed.push(wanted.uid);
        }
        part[wanted.name] = json!({
            "certificate_file": certificate_file,
            "key_file": key_file,
            "topics": listed,
        });
        files.push((certificate_file, certificate));
        files.push((key_file, key));
    }
    Ok((part, files))
}

/// A certificate and its key, PEM.
fn make(wanted: &Wanted<'_>, authority: &Authority) -> io::Result<(String, String)> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let mut leaf = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    let uid = DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 1]);
    leaf.distinguished_name.push(uid, wanted.uid);
    let name = format!("Apple Push Services: {}", wanted.uid);
    leaf.distinguished_name.push(DnType::CommonName, name);
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    leaf.use_authority_key_identifier_extension = true;
    for environment in &wanted.environments {
        let which = match environment {
            Environment::Development => 1,
            Environment::Production => 2,
        };
        leaf.custom_extensions.push(extension(which, vec![0x05, 0x00]));
    }
    if !wanted.topics.is_empty() {
        leaf.custom_extensions.push(extension(6, topics(&wanted.topics)));
    }
    let leaf = if wanted.trusted {
        authority.sign(leaf, &key)?
    } else {
        leaf.self_signed(&key).map_err(io::Error::other)?
    };
    Ok((leaf.pem(), key.serialize_pem()))
}
