//! What goes into the state directory.

use serde_json::{Value, json};
use std::io;
use std::path::Path;

/// The certificate's names: loopback, and the services' own, for clients that map hosts.
pub(crate) fn names(host: &str) -> Vec<String> {
    let mut names: Vec<String> = [
        "localhost",
        "127.0.0.1",
        "::1",
        "api.push.apple.com",
        "api.sandbox.push.apple.com",
        "api.development.push.apple.com",
        "api-manage-broadcast.push.apple.com",
        "api-manage-broadcast.sandbox.push.apple.com",
        "api-broadcast.push.apple.com",
        "api-broadcast.sandbox.push.apple.com",
        "fcm.googleapis.com",
        "oauth2.googleapis.com",
        "iid.googleapis.com",
        "updates.push.services.mozilla.com",
        "web.push.apple.com",
        "api.amazon.com",
        "api.tuisong.baidu.com",
    ]
    .map(str::to_owned)
    .to_vec();
    if !names.iter().any(|name| name == host) {
        names.push(host.to_owned());
    }
    names
}

/// Credentials are for their owner's eyes, even the sandbox's.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// Makes every `*_file` of the ready line an absolute path.
pub(crate) fn absolute(value: &mut Value, dir: &Path) {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let Value::Object(entries) = value else { return };
    for (key, value) in entries.iter_mut() {
        match value {
            Value::String(name) if key.ends_with("_file") => *value = json!(dir.join(name.as_str())),
            Value::Object(_) => absolute(value, &dir),
            _ => {}
        }
    }
}
