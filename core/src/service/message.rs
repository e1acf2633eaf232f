//! A message to any of the services, owned and borrowed.

use crate::{adm, apns, baidu, fcm, webpush};

macro_rules! messages {
    ($($(#[$doc:meta])* $arm:ident: $type:ty,)*) => {
        /// A message to one of the services. Made with `into()` from a service's own type.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Message {
            $($(#[$doc])* $arm($type),)*
        }

        /// A borrowed [`Message`].
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub enum MessageRef<'a> {
            $($(#[$doc])* $arm(&'a $type),)*
        }

        $(
            impl From<$type> for Message {
                fn from(message: $type) -> Self {
                    Message::$arm(message)
                }
            }

            impl AsMessage for $type {
                fn as_message(&self) -> MessageRef<'_> {
                    MessageRef::$arm(self)
                }
            }
        )*

        impl AsMessage for Message {
            fn as_message(&self) -> MessageRef<'_> {
                match self {
                    $(Message::$arm(message) => MessageRef::$arm(message),)*
                }
            }
        }
    };
}

messages! {
    /// Amazon Device Messaging.
    Adm: adm::Message,
    /// A message to a topic or group of Amazon Device Messaging.
    AdmAudience: adm::AudienceMessage,
    /// Apple Push Notification service.
    Apns: apns::Message,
    /// A broadcast to an APNs channel.
    ApnsBroadcast: apns::Broadcast,
    /// Baidu Cloud Push.
    Baidu: baidu::Message,
    /// Firebase Cloud Messaging.
    Fcm: fcm::Message,
    /// Web Push.
    WebPush: webpush::Message,
}

/// Whatever is, or carries, a message to one of the services.
///
/// A message with a key of the caller's own (a row id, a user) travels as a pair.
pub trait AsMessage {
    /// The message.
    fn as_message(&self) -> MessageRef<'_>;
}

impl<K, M: AsMessage> AsMessage for (K, M) {
    fn as_message(&self) -> MessageRef<'_> {
        self.1.as_message()
    }
}

impl<M: AsMessage + ?Sized> AsMessage for &M {
    fn as_message(&self) -> MessageRef<'_> {
        (**self).as_message()
    }
}

impl AsMessage for MessageRef<'_> {
    fn as_message(&self) -> MessageRef<'_> {
        *self
    }
}
