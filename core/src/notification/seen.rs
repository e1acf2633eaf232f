//! A bounded memory of devices, to notice a token that a list has twice.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use super::device::Device;
use crate::fcm;
use crate::service::Target;

/// The devices that a bulk send has had: [`Seen::is_new`] tells the first device of a token from the second one.
///
/// Two devices are one where the service, the environment, the app and the token are the same; of a Web Push subscription the endpoint
/// counts. The platform, the time of registration and the caller's key do not.
///
/// Eight bytes of a device are kept, a hash with a secret of this value's own. The memory is bounded: a token is known again as long as no
/// more than the promised number of others has come since. A device is taken for another one by mistake with a probability of
/// 2⁻⁶⁴ for each device that is remembered: once in ten thousand lists of a hundred million devices, with a million remembered.
///
/// ```
/// use pushcore::notification::{Device, Seen};
/// use pushcore::service::Kind;
///
/// # fn main() -> Result<(), pushcore::Error> {
/// let mut seen = Seen::new(1000);
/// let of_ada = Device::builder(Kind::Fcm).token("a:APA91b").key("ada").build()?;
/// let of_bob = Device::builder(Kind::Fcm).token("a:APA91b").key("bob").build()?;
/// assert!(seen.is_new(&of_ada));
/// assert!(!seen.is_new(&of_bob));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Seen {
    secret: RandomState,
    most: usize,
    /// The last devices, at most `most` of them, and the `most` devices before them. Forgetting a whole generation at once needs no order of the
    /// devices in it.
    young: Generation,
    old: Generation,
}

type Generation = HashSet<u64, BuildHasherDefault<Hashed>>;

impl Seen {
    /// Returns an empty memory that knows a token again as long as no more than `most` others have come since; with 0 none is known again.
    ///
    /// A device takes 9 to 18 bytes. At most twice as many as `most` are remembered.
    pub fn new(most: usize) -> Self {
        Self {
            secret: RandomState::new(),
            most,
            young: Generation::default(),
            old: Generation::default(),
        }
    }

    /// Whether no device with the same token is remembered. The device is remembered from now on.
    pub fn is_new(&mut self, device: &Device) -> bool {
        if self.most == 0 {
            return true;
        }
        let hash = self.hash(device);
        if self.young.contains(&hash) {
            return false;
        }
        // Looked up before a generation is forgotten, because the promise counts the others and not this one.
        let known = self.old.contains(&hash);
        if self.young.len() >= self.most {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(hash);
        !known
    }

    fn hash(&self, device: &Device) -> u64 {
        let mut hasher = self.secret.build_hasher();
        let app = device.app();
        // One word for the small parts, because each call of the hasher costs.
        hasher.write_u16(u16::from_le_bytes([app.service() as u8, app.environment() as u8]));
        if let Some(name) = app.name() {
            name.hash(&mut hasher);
        }
        match device.target() {
            Target::Apns(token) => hasher.write(token.as_str().as_bytes()),
            Target::Adm(id) => hasher.write(id.as_str().as_bytes()),
            Target::Fcm(fcm::Target::Token(token)) => hasher.write(token.as_str().as_bytes()),
            Target::WebPush(subscription) => {
                let endpoint = subscription.endpoint();
                endpoint.authority().hash(&mut hasher);
                hasher.write(endpoint.path().as_bytes());
            }
            // Baidu's devices, and what is rare: an installation id of FCM's.
            other => hasher.write(other.to_text().as_bytes()),
        }
        hasher.finish()
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen")
            .field("most", &self.most)
            .field("remembered", &(self.young.len() + self.old.len()))
            .finish_non_exhaustive()
    }
}

/// The hasher of numbers that are hashes already.
#[derive(Clone, Copy, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Not used: the keys are `u64`, which go to `write_u64`.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apns::Environment;
    use crate::notification::{DeviceBuilder, Platform};
    use crate::service::Kind;
    use crate::time::UnixTime;

    fn fcm(token: &str) -> DeviceBuilder {
        Device::builder(Kind::Fcm).token(token)
    }

    #[test]
    fn a_token_is_one_device_whatever_else_the_row_says() {
        let apns = || Device::builder(Kind::Apns).token(&"ab".repeat(32));
        let web = |endpoint: &str, auth: &str| {
            let keys = r#""p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4""#;
            let json = format!(r#"{{"endpoint":"{endpoint}","keys":{{{keys},"auth":"{auth}"}}}}"#);
            Device::builder(Kind::WebPush).token(&json)
        };
        let (auth, other_auth) = ("BTBZMqHH6r4Tts7J_aSIgg", "CTBZMqHH6r4Tts7J_aSIgg");
        let endpoint = "https://fcm.googleapis.com/fcm/send/x";
        let rows: Vec<(DeviceBuilder, bool)> = vec![
            (fcm("a"), true),
            (fcm("a").key("another user"), false),
            (fcm("a").registered_at(UnixTime::from_secs(1_764_422_709)), false),
            (fcm("a").platform(Platform::Android), false),
            (fcm("b"), true),
            (fcm("a").app("another-project"), true),
            (fcm(r#"{"fid":"c1xYz_-09"}"#), true),
            (fcm(r#"{"fid":"c1xYz_-09"}"#), false),
            // A token of another service with the same text.
            (Device::builder(Kind::Adm).token("a"), true),
            (Device::builder(Kind::Baidu).token("3785562685113372034"), true),
            (Device::builder(Kind::Baidu).token("3785562685113372034"), false),
            (apns(), true),
            (apns(), false),
            // The same token in upper case.
            (Device::builder(Kind::Apns).token(&"AB".repeat(32)), false),
            (apns().environment(Environment::Sandbox), true),
            (web(endpoint, auth), true),
            (web(endpoint, other_auth), false),
            (web("https://fcm.googleapis.com/fcm/send/y", auth), true),
        ];
        let mut seen = Seen::new(100);
        for (number, (row, is_new)) in rows.into_iter().enumerate() {
            assert_eq!(seen.is_new(&row.build().unwrap()), is_new, "row {number}");
        }
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_it_promises() {
        let device = |number: usize| fcm(&format!("token-{number}")).build().unwrap();
        let mut seen = Seen::new(100);
        for number in 0..1000 {
            assert!(seen.is_new(&device(number)), "{number}");
            assert!(seen.young.len() + seen.old.len() <= 200);
            // The one that a hundred others have followed.
            if number >= 100 {
                assert!(!seen.clone().is_new(&device(number - 100)), "{number}");
            }
        }
        assert!(seen.is_new(&device(0)), "forgotten long ago");
        // A token that keeps coming is never forgotten.
        let mut seen = Seen::new(2);
        for number in 0..20 {
            assert_eq!(seen.is_new(&device(0)), number == 0);
            assert!(seen.is_new(&device(100 + number)));
        }
    }

    #[test]
    fn none_is_remembered_where_none_is_to_be() {
        let mut seen = Seen::new(0);
        let device = fcm("a").build().unwrap();
        assert!(seen.is_new(&device) && seen.is_new(&device));
    }
}
