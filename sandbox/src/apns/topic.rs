//! Topics: which bundle one belongs to, and who may push to it.

use super::certificate::MDM;
use super::device::PUSH_TYPES;
use super::{Apns, Refusal};

impl Apns {
    /// The longest known bundle that the topic is, or extends by a suffix.
    pub(super) fn bundle_of(&self, topic: &str) -> Option<&String> {
        self.bundles
            .iter()
            .filter(|bundle| {
                topic.strip_prefix(bundle.as_str()).is_some_and(|rest| {
                    rest.is_empty() || PUSH_TYPES.iter().any(|(_, suffix, _)| rest == *suffix)
                })
            })
            .max_by_key(|bundle| bundle.len())
    }

    /// The topic of requests that name none.
    pub(super) fn default_topic(&self, connection: u64) -> Option<&str> {
        let binding = self.bindings.get(&connection)?;
        binding.certificate.as_ref()?.default_topic()
    }

    /// Whether the connection's credentials may push to the topic.
    pub(super) fn check_topic(
        &self,
        connection: u64,
        topic: &str,
        kind: Option<&str>,
    ) -> Result<(), Refusal> {
        let Some(bundle) = self.bundle_of(topic) else {
            return disallowed("apns.header.topic.allowed");
        };
        let binding = self.bindings.get(&connection);
        if let Some(certificate) = binding.and_then(|binding| binding.certificate.as_ref()) {
            if kind == Some("location") {
                return disallowed("apns.certificate.location");
            }
            if !certificate.topics().iter().any(|known| known == topic) {
                return disallowed("apns.certificate.topic");
            }
            return Ok(());
        }
        self.check_bundle(connection, bundle)
    }

    /// Whether the connection's credentials may push to the bundle.
    pub(super) fn check_bundle(&self, connection: u64, bundle: &str) -> Result<(), Refusal> {
        let Some(binding) = self.bindings.get(&connection) else {
            return Ok(());
        };
        if let Some(certificate) = &binding.certificate {
            if !certificate.topics().iter().any(|known| known == bundle) {
                return disallowed("apns.certificate.topic");
            }
            return Ok(());
        }
        let lacks = |list: &Option<Vec<String>>| {
            list.as_ref()
                .is_some_and(|list| !list.iter().any(|known| known == bundle))
        };
        if lacks(&binding.bundles) {
            return disallowed("apns.auth.connection.bundles");
        }
        if lacks(&binding.scope) {
            return disallowed("apns.auth.key.topics");
        }
        Ok(())
    }

    /// Whether the topic has the form that the push type needs.
    pub(super) fn check_suffix(&self, topic: &str, kind: &str, suffix: &str) -> Result<(), Refusal> {
        let Some(bundle) = self.bundle_of(topic) else {
            return Ok(());
        };
        // MDM pushes go to the UID of an MDM certificate, and nothing else does.
        if (kind == "mdm") != bundle.starts_with(MDM) {
            return disallowed("apns.header.topic.mdm");
        }
        if topic.get(bundle.len()..) != Some(suffix) {
            return disallowed("apns.header.topic.suffix");
        }
        Ok(())
    }
}

fn disallowed(rule: &'static str) -> Result<(), Refusal> {
    Err(Refusal::new(400, "TopicDisallowed", rule))
}

pub(super) fn is_well_formed(topic: &str) -> bool {
    !topic.is_empty()
        && topic.len() <= 255
        && topic
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}
