//! Apple Push Notification service: the provider API over HTTP/2.
//!
//! [`Message::builder`] makes one push; [`Message::to`] sends the same
//! notification to another device without encoding it again. [`request`] turns a
//! message and [`Credentials`] into an HTTP request, [`outcome`] reads the answer.
//! Channels and broadcasts have the same pair: [`channel_request`] and
//! [`channel_outcome`], [`broadcast_request`] and [`outcome`].
//!
//! Where APNs would refuse, `build()` refuses first, and the error's text holds
//! the word that APNs would have used (`BadTopic`, `PayloadTooLarge` ...).

mod alert;
mod answer;
mod aps;
mod broadcast;
mod certificate;
mod channels;
mod credentials;
mod environment;
mod go_away;
mod header_policy;
mod ids;
mod live_activity;
mod message;
mod mix_up;
mod payload;
mod provider_token;
mod push_type;
mod reasons;
mod request;
mod sound;
mod token;

pub use alert::{Alert, Text};
pub use answer::outcome;
pub use aps::{Aps, InterruptionLevel};
pub use broadcast::{Broadcast, BroadcastBuilder, broadcast_outcome, broadcast_request};
pub use certificate::ClientCertificate;
pub use channels::{ChannelCall, ChannelId, ChannelOutcome, StoragePolicy, channel_outcome, channel_request};
pub use credentials::{Credentials, KeyScope, PoolKey, Reaction};
pub use environment::{Environment, Hosts};
pub use go_away::{go_away_outcome, go_away_reason};
pub use header_policy::HeaderPolicy;
pub use ids::{ApnsId, BundleId, CollapseId, KeyId, TeamId, Topic};
pub use live_activity::{InputPush, LiveActivity};
pub use message::{Expiration, Message, MessageBuilder, Template};
pub use mix_up::MixUpDetector;
pub use payload::Payload;
pub use push_type::{Priority, PushType};
pub use request::request;
pub use sound::Sound;
pub use token::DeviceToken;
