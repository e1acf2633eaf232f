//! Keys as text are overwritten once they are read: a process that has read one holds no piece of its text any more. Linux
//! shows the memory of a child to its parent (proc(5), `/proc/PID/mem`).

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::process::{Command, Stdio};

use pushcore::crypto::{Es256Key, KeySource, Rs256Key};
use pushcore::net::tls::ClientIdentity;
use pushcore::secret::Secret;
use pushcore::{apns, fcm, webpush};

const FORM: &str = "PUSHCORE_TEST_FORM";

type Use = fn(&[u8]);

fn vapid(file: &[u8]) {
    let key = Es256Key::read(file).expect("a key");
    let _ = webpush::Credentials::new(key, "mailto:a@example.com").expect("credentials");
}

fn provider(file: &[u8]) {
    let content = match KeySource::of(file) {
        KeySource::Content(content) => content,
        other => panic!("{other:?}"),
    };
    let key = Es256Key::from_pem(content.expose_secret()).expect("a key");
    let ids = (
        apns::KeyId::parse("A".repeat(10).as_str()),
        apns::TeamId::parse("B".repeat(10).as_str()),
    );
    let (Ok(key_id), Ok(team)) = ids else {
        panic!("ids");
    };
    let _ = apns::Credentials::token(key_id, team, key);
}

fn service_account(file: &[u8]) {
    let _ = fcm::Credentials::service_account(file).expect("credentials");
}

fn certificate(file: &[u8]) {
    let _ = ClientIdentity::from_pem(file, file).expect("an identity");
    let _ = apns::ClientCertificate::from_pem(file, file).expect("a certificate");
}

fn receiver(file: &[u8]) {
    let _ = webpush::ReceiverKeys::import(file, "AAECAwQFBgcICQoLDA0ODw").expect("keys");
}

fn rsa(file: &[u8]) {
    let _ = Rs256Key::read(file).expect("a key");
}

/// A wrong file, whose error must hold no copy either.
fn broken(file: &[u8]) {
    let error = Es256Key::read(file).expect_err("two keys");
    assert!(!error.to_string().is_empty());
}

const FORMS: [(&str, Use); 13] = [
    ("vapid, PEM", vapid),
    ("vapid, PEM with escaped line ends", vapid),
    ("vapid, PEM in base64", vapid),
    ("vapid, JSON", vapid),
    ("vapid, JWK", vapid),
    ("vapid, an environment file", vapid),
    ("vapid, two lines", vapid),
    ("receiver, JWK", receiver),
    ("provider, PEM in a JSON string", provider),
    ("rsa, PEM", rsa),
    ("service account", service_account),
    ("certificate, PEM", certificate),
    ("two keys", broken),
];

/// The file of a form, and the text that must be gone.
fn form(name: &str) -> (Vec<u8>, String) {
    let key = Es256Key::generate().expect("a key");
    let (pem, jwk, scalar) = (key.to_pkcs8_pem(), key.to_jwk(), key.to_base64());
    let (pem, jwk, scalar) = (pem.expose_secret(), jwk.expose_secret(), scalar.expose_secret());
    let public = key.public_key().to_base64();
    // The second line has the end of the private key.
    let line = |pem: &str| pem.lines().nth(1).expect("a line")[20..60].to_owned();
    let member = |text: &str| text[4..40].to_owned();
    let account = |pem: &str| {
        format!(
            r#"{{"type":"service_account","project_id":"p","private_key_id":"k","client_email":"a@b.example","private_key":{pem:?}}}"#
        )
    };
    let long = include_str!("../../core/tests/keys/rsa2048_pkcs8.pem");
    let certificate = {
        let made = pushcore_tests::sim::certificates::Authority::new().client(7, |_| {});
        (format!("{}{}", made.certificate, made.key), made.key)
    };
    let (text, needle) = match name {
        "vapid, PEM" => (pem.clone(), line(pem)),
        "vapid, PEM with escaped line ends" => (pem.replace('\n', "\\n"), line(pem)),
        "vapid, PEM in base64" => {
            let wrapped = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pem);
            let needle = wrapped[60..100].to_owned();
            (wrapped, needle)
        }
        "vapid, JSON" => (
            format!(r#"{{"publicKey":"{public}","privateKey":"{scalar}"}}"#),
            member(scalar),
        ),
        "vapid, JWK" | "receiver, JWK" => (jwk.clone(), member(scalar)),
        "vapid, an environment file" => (format!("VAPID_PRIVATE_KEY={scalar}\n"), member(scalar)),
        "vapid, two lines" => (format!("{public}\n{scalar}\n"), member(scalar)),
        "provider, PEM in a JSON string" => (format!("{pem:?}"), line(pem)),
        "rsa, PEM" => (long.to_owned(), line(long)),
        "service account" => (account(long), line(long)),
        "certificate, PEM" => (certificate.0, line(&certificate.1)),
        "two keys" => (format!("{pem}{pem}"), line(pem)),
        other => panic!("{other}"),
    };
    (text.into_bytes(), needle)
}

/// The child: reads the file, uses and drops it, says so, and waits to be looked at.
#[test]
fn the_child_reads_a_key() {
    let Some(name) = std::env::var_os(FORM) else {
        // Without a form it is no child, and what it does is tested by its parent.
        assert!(FORMS.len() > 10);
        return;
    };
    let (_, used) = FORMS.iter().find(|(form, _)| *form == name).expect("a form");
    let mut path = String::new();
    std::io::stdin().read_line(&mut path).expect("a path");
    let file = Secret::new(fs::read(path.trim()).expect("a file"));
    used(file.expose_secret());
    drop(file);
    println!("\nread");
    std::io::stdout().flush().expect("a pipe");
    let _ = std::io::stdin().read_line(&mut path);
}

/// The number of times that a process holds a text.
fn copies(process: u32, needle: &str) -> usize {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).expect("linux");
    let mut memory = fs::File::open(format!("/proc/{process}/mem")).expect("a child of ours");
    let mut found = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().expect("a range"), words.next().expect("rights"));
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').expect("a range");
        let number = |hex: &str| u64::from_str_radix(hex, 16).expect("hex");
        let mut bytes = vec![0; usize::try_from(number(to) - number(from)).expect("a size")];
        memory.seek(SeekFrom::Start(number(from))).expect("an address");
        // Guard pages cannot be read.
        if memory.read_exact(&mut bytes).is_ok() {
            let needle = needle.as_bytes();
            found += bytes
                .windows(needle.len())
                .filter(|window| *window == needle)
                .count();
        }
    }
    found
}

#[test]
fn no_piece_of_a_keys_text_stays_in_memory() {
    let folder = std::env::temp_dir().join(format!("pushcore-overwritten-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let mut faults = Vec::new();
    for (name, _) in FORMS {
        let (file, needle) = form(name);
        let path = folder.join("key");
        fs::write(&path, &file).expect("written");
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "the_child_reads_a_key", "--nocapture"])
            .env(FORM, name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut input = child.stdin.take().expect("a pipe");
        writeln!(input, "{}", path.display()).expect("written");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        assert!(
            lines.any(|line| line.is_ok_and(|line| line == "read")),
            "{name}: the child failed"
        );
        // The search finds what is there: the name of the form is in the child's environment.
        assert!(copies(child.id(), name) > 0, "{name}: nothing is found at all");
        let found = copies(child.id(), &needle);
        if found > 0 {
            faults.push(format!("{name}: {found} copies"));
        }
        drop(input);
        let _ = child.wait();
    }
    let _ = fs::remove_dir_all(&folder);
    assert!(faults.is_empty(), "{faults:#?}");
}
