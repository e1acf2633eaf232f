//! Client certificates in PKCS#12 files, as `openssl` writes them.

use pushcore::ErrorKind;
use pushcore::net::tls::ClientIdentity;

use crate::certificates::{Authority, Issued};
use crate::identity::{Folder, kind, openssl, text, works};

struct P12 {
    folder: Folder,
    client: Issued,
    ca: Authority,
}

impl P12 {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let ca = Authority::new();
        let client = ca.client();
        folder.write("cert.pem", &client.certificate_pem);
        folder.write("key.pem", &client.key_pem);
        folder.write("ca.pem", ca.pem());
        Self { folder, client, ca }
    }

    fn export(&self, password: &str, more: &[&str]) -> Vec<u8> {
        let (cert, key) = (self.folder.0.join("cert.pem"), self.folder.0.join("key.pem"));
        let password = format!("pass:{password}");
        let mut args = vec!["pkcs12", "-export", "-in", text(&cert), "-passout", &password];
        if !more.contains(&"-nokeys") {
            args.extend(["-inkey", text(&key)]);
        }
        args.extend(more);
        openssl(&args, b"")
    }
}

#[test]
fn pkcs12_old_and_new() {
    let files = P12::new("forms");
    let ca_path = files.folder.0.join("ca.pem");
    for more in [
        &[][..],
        &["-legacy"],
        &[
            "-certpbe",
            "PBE-SHA1-3DES",
            "-keypbe",
            "PBE-SHA1-3DES",
            "-macalg",
            "sha1",
        ],
        &[
            "-certpbe",
            "AES-128-CBC",
            "-keypbe",
            "AES-192-CBC",
            "-macalg",
            "sha512",
        ],
        &["-certpbe", "NONE", "-keypbe", "NONE"],
        &["-nomac"],
        &["-name", "Apple Push Services: \u{e9}"],
        &["-certfile", text(&ca_path)],
        &["-iter", "1"],
        &["-iter", "100000"],
    ] {
        for password in ["hunter2", "", "p\u{e4}ss w\u{f6}rd"] {
            let file = files.export(password, more);
            let identity = ClientIdentity::from_pkcs12(&file, password)
                .unwrap_or_else(|error| panic!("{more:?} {password:?}: {error}"));
            assert_eq!(identity.certificate(), files.client.chain[0].as_ref());
            let expected = if more.contains(&"-certfile") { 2 } else { 1 };
            assert_eq!(identity.chain().count(), expected);
        }
    }
    let file = files.export("hunter2", &["-certfile", text(&ca_path)]);
    works(&files.ca, ClientIdentity::from_pkcs12(&file, "hunter2").unwrap());
}

#[test]
fn pkcs12_errors_say_what_is_wrong() {
    let files = P12::new("errors");
    let from = |file: &[u8], password: &str| kind(ClientIdentity::from_pkcs12(file, password));
    for more in [&[][..], &["-legacy"], &["-nomac"]] {
        let file = files.export("hunter2", more);
        for wrong in ["hunter3", "", "Hunter2", "hunter2 "] {
            assert_eq!(from(&file, wrong), ErrorKind::WrongPassword, "{more:?} {wrong:?}");
        }
    }
    let file = files.export("", &[]);
    assert_eq!(from(&file, "x"), ErrorKind::WrongPassword);
    assert_eq!(from(&files.export("x", &["-nokeys"]), "x"), ErrorKind::InvalidKey);
    for bytes in [
        &b""[..],
        b"-----BEGIN CERTIFICATE-----",
        &[0x30, 0x80],
        &file[..file.len() - 1],
    ] {
        assert_eq!(from(bytes, "x"), ErrorKind::InvalidCredential);
    }
    // Any single broken byte gives an error or the same certificate: no panic.
    for at in 0..file.len() {
        let mut broken = file.clone();
        broken[at] ^= 0x20;
        if let Ok(identity) = ClientIdentity::from_pkcs12(&broken, "") {
            assert_eq!(identity.certificate(), files.client.chain[0].as_ref());
        }
    }
    // Eight million rounds would take a minute: refused at once, in the integrity check as in
    // the decryption.
    for more in [
        &["-iter", "100000"][..],
        &["-iter", "100000", "-nomac"],
        &["-iter", "100000", "-legacy", "-nomac"],
    ] {
        let mut file = files.export("x", more);
        let rounds = [2, 3, 0x01, 0x86, 0xa0];
        let mut found = 0;
        while let Some(at) = file.windows(5).position(|window| window == rounds) {
            file[at..at + 5].copy_from_slice(&[2, 3, 0x7f, 0xff, 0xff]);
            found += 1;
        }
        assert!(found > 0, "{more:?}");
        assert_eq!(from(&file, "x"), ErrorKind::InvalidCredential, "{more:?}");
    }
    let huge = vec![0; 10 * 1024 * 1024 + 1];
    assert_eq!(from(&huge, "x"), ErrorKind::InvalidCredential);
}
