//! The table of what must be refused before a byte is sent is in `tests/vectors/webpush.json`.

use std::net::IpAddr;

use super::*;

fn check(policy: &EndpointPolicy, url: &str) -> Result<(), Error> {
    Endpoint::parse(url).and_then(|endpoint| policy.check(&endpoint))
}

#[test]
fn the_list_can_be_widened() {
    let policy = EndpointPolicy::default()
        .allow_host("push.example.org")
        .allow_host(".up.example.net");
    for url in [
        "https://push.example.org/x",
        "https://up.example.net/x",
        "https://eu.up.example.net/x",
    ] {
        assert!(check(&policy, url).is_ok(), "{url}");
    }
    for url in [
        "https://a.push.example.org/x",
        "https://notup.example.net/x",
        "https://push.example.org:8443/x",
    ] {
        assert!(check(&policy, url).is_err(), "{url}");
    }
    assert!(check(&policy.allow_port(8443), "https://push.example.org:8443/x").is_ok());

    let here = Authority::parse("127.0.0.1:8443").unwrap();
    let policy = EndpointPolicy::default().trust(here.clone());
    assert!(check(&policy, "https://127.0.0.1:8443/x").is_ok());
    assert!(check(&policy, "https://127.0.0.1:8444/x").is_err());
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    assert!(policy.check_address(&here, loopback).is_ok());
    let other = Authority::parse("fcm.googleapis.com").unwrap();
    let error = policy.check_address(&other, loopback).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::AddressNotAllowed,
        "a public name that points inside"
    );
}

#[test]
fn addresses() {
    let public = |text: &str| is_public_address(text.parse().unwrap_or_else(|_| panic!("{text}")));
    for text in [
        "8.8.8.8",
        "142.250.1.95",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2a00:1450:4001:80e::200a",
        "2001:4860:4860::8888",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ] {
        assert!(public(text), "{text}");
    }
    for text in [
        "0.0.0.0",
        "0.1.2.3",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!public(text), "{text}");
    }
}

/// WHATWG URL "ends in a number checker": a last label of digits, or of `0x` and hexadecimal digits, makes a host an IPv4 address.
#[test]
fn a_host_that_ends_in_a_number_is_an_address() {
    for host in [
        "127.0.0.0x1",
        "push.example.0x7f",
        "0x7f.1",
        "127.1",
        "push.example.1",
        "a.0x",
    ] {
        assert!(is_address(host), "{host}");
        let policy = EndpointPolicy::default().allow_any_public_host();
        let error = check(&policy, &format!("https://{host}/x")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EndpointNotAllowed, "{host}");
    }
    for host in ["push.example.x1", "push.0x1.example", "push.example.0xg"] {
        assert!(!is_address(host), "{host}");
    }
}

/// What is trusted is a host at a port: a name that points inside is refused at every other port.
#[test]
fn trust_is_of_one_port() {
    let trusted = Authority::parse("push.example.org:8443").unwrap();
    let policy = EndpointPolicy::default()
        .allow_any_public_host()
        .trust(trusted.clone());
    let inside: IpAddr = "10.0.0.1".parse().unwrap();
    assert!(policy.check_address(&trusted, inside).is_ok());
    for other in [
        "push.example.org",
        "push.example.org:8444",
        "a.push.example.org:8443",
    ] {
        let error = policy
            .check_address(&Authority::parse(other).unwrap(), inside)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddressNotAllowed, "{other}");
    }
}

#[test]
fn a_policy_says_what_the_function_says() {
    let policy = EndpointPolicy::default();
    for (address, is_public) in [
        ("8.8.8.8", true),
        ("10.0.0.1", false),
        ("::1", false),
        ("2606:4700::1", true),
    ] {
        assert_eq!(
            policy.is_allowed_address(address.parse().unwrap()),
            is_public,
            "{address}"
        );
    }
}
