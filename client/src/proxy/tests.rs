use super::*;
use handshake::Handshake;

fn target() -> Authority {
    Authority::new("api.push.apple.com", 443).unwrap()
}

#[test]
fn parses_the_usual_forms_and_hides_the_login() {
    let proxy = Proxy::parse("http://us%40er:p%3Aw@proxy.local:3128/").unwrap();
    assert_eq!(proxy.authority().as_str(), "proxy.local:3128");
    assert!(!format!("{proxy:?}").contains("p:w"));
    for bad in [
        "proxy:3128",
        "https://proxy:3128",
        "http://proxy",
        "http://",
        "socks4://p:1",
    ] {
        assert!(Proxy::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn no_proxy_takes_names_and_suffixes() {
    assert!(is_excepted("*", "a.b"));
    assert!(is_excepted("x, .b.c", "a.b.c"));
    assert!(is_excepted("b.c", "b.c"));
    assert!(!is_excepted("b.c", "ab.c"));
    assert!(!is_excepted("", "b.c"));
}

#[test]
fn http_connect_byte_by_byte() {
    let mut handshake = Handshake::new(&Proxy::parse("http://u:p@h:1").unwrap(), &target());
    let asked = String::from_utf8(handshake.transmit().to_vec()).unwrap();
    assert_eq!(
        asked,
        "CONNECT api.push.apple.com:443 HTTP/1.1\r\nHost: api.push.apple.com:443\r\n\
         Proxy-Authorization: Basic dTpw\r\n\r\n"
    );
    let answer = b"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n";
    for byte in &answer[..answer.len() - 1] {
        assert!(handshake.receive(&[*byte]).unwrap().is_none());
    }
    assert_eq!(handshake.receive(b"\n\x16\x03").unwrap().unwrap(), b"\x16\x03");
}

#[test]
fn http_refusals_are_named() {
    for (answer, words) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "user name"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "502"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "http"),
    ] {
        let mut handshake = Handshake::new(&Proxy::parse("http://h:1").unwrap(), &target());
        let error = handshake.receive(answer.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProxyRefused);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn socks5_with_a_login() {
    let mut handshake = Handshake::new(&Proxy::parse("socks5h://u:pw@h:1080").unwrap(), &target());
    assert_eq!(handshake.transmit(), [5, 2, 0, 2]);
    handshake.transmitted(4);
    assert!(handshake.receive(&[5]).unwrap().is_none());
    assert!(handshake.receive(&[2]).unwrap().is_none());
    assert_eq!(handshake.transmit(), b"\x01\x01u\x02pw");
    handshake.transmitted(6);
    assert!(handshake.receive(&[1, 0]).unwrap().is_none());
    assert_eq!(
        handshake.transmit(),
        b"\x05\x01\x00\x03\x12api.push.apple.com\x01\xbb"
    );
    assert!(
        handshake
            .receive(&[5, 0, 0, 1, 127, 0, 0, 1, 0])
            .unwrap()
            .is_none()
    );
    assert_eq!(handshake.receive(&[80, 9]).unwrap().unwrap(), [9]);
}

#[test]
fn socks5_refusals_are_named() {
    let refusal = |login: &str, answers: &[&[u8]]| {
        let mut handshake =
            Handshake::new(&Proxy::parse(&format!("socks5://{login}h:1")).unwrap(), &target());
        answers
            .iter()
            .find_map(|answer| handshake.receive(answer).err())
            .unwrap()
            .to_string()
    };
    assert!(refusal("", &[&[5, 255]]).contains("login"));
    assert!(refusal("u:p@", &[&[5, 2], &[1, 1]]).contains("refuses"));
    assert!(refusal("", &[&[5, 0], &[5, 5, 0, 1]]).contains("connection refused"));
    assert!(refusal("", &[&[4, 0]]).contains("socks5"));
}

/// What a proxy says stands in an error, and errors stand in logs.
#[test]
fn a_status_of_other_octets_is_not_quoted() {
    for answer in [
        &b"HTTP/1.1 2\x1b[ OK\r\n\r\n"[..],
        b"HTTP/1.1 \x1b[2 OK\r\n\r\n",
        b"HTTP/1.1 2xx OK\r\n\r\n",
    ] {
        let mut handshake = Handshake::new(&Proxy::parse("http://h:1").unwrap(), &target());
        let error = handshake.receive(answer).unwrap_err().to_string();
        assert!(
            error.contains("does not answer in http") && error.is_ascii(),
            "{error:?}"
        );
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }
}
