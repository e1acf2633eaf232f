//! Devices and notifications as JSON: the tables of their fields. `docs/notification.md` is written from them.

use super::app::Platform;
use crate::apns::{ApnsId, Environment};
use crate::json::form::{RawText, form, text_form, word_form};
use crate::outcome::Scope;
use crate::service::Kind;

form! {
    /// One device of one user. `token`, or for `web_push` `subscription`.
    DeviceForm "Device"
    {
        /// The push service.
        service: Kind, "required", "", "";
        /// The environment that the token belongs to.
        environment: Environment, "`\"production\"`", "`\"sandbox\"` for `apns` and `baidu` only", "";
        /// The system that the device runs: needed for Apple's devices behind `baidu`, makes messages of `fcm` smaller.
        platform: Platform, "unknown", "one that the service reaches", "";
        /// The app: the bundle id (`apns`), the project id (`fcm`), or a name of the caller's own.
        app: String, "none", "required to send to `apns`", "";
        /// The token, or an object such as `{"fid": "..."}`: the texts that targets are read from.
        token: RawText, "", "of the form of the service's tokens", "";
        /// The subscription, as `PushSubscription.toJSON()` gives it.
        subscription: RawText, "", "an endpoint that the policy allows", "";
        /// When the app registered the token last, in milliseconds since 1970.
        registered_at_ms: u64, "unknown", "a date from 2001 to 2299", "";
        /// The caller's own key.
        key: String, "none", "", "";
    }
}

form! {
    /// A policy of sending again. A field that is left out is as in the standard policy.
    RetriesForm "Retries"
    {
        /// The most attempts, the first one included.
        attempts: u32, "5", "1 to 1000", "";
        /// The longest time from the first attempt to the last, in milliseconds.
        total_ms: u64, "600000", "at most four weeks", "";
        /// The first wait where the service names none, in milliseconds; it doubles with every attempt.
        first_wait_ms: u64, "1000", "at most `longest_wait_ms`", "";
        /// The longest wait where the service names none, in milliseconds.
        longest_wait_ms: u64, "60000", "at most four weeks", "";
        /// Sends again what the service may have taken.
        resend_unknown: bool, "false", "", "";
    }
}

form! {
    /// The state of one message under a policy of sending again.
    AttemptsForm "Attempts"
    {
        /// The number of attempts that have ended.
        made: u32, "0", "", "";
        /// When the first attempt began, in milliseconds since 1970.
        began_at_ms: u64, "required", "", "";
        /// The earliest time of the next attempt, in milliseconds since 1970.
        next_at_ms: u64, "none", "", "";
        /// The messages that wait until then.
        scope: Scope, "`\"message\"`", "with `next_at_ms`", "";
        /// Whether an attempt is under way.
        in_flight: bool, "false", "", "";
        /// The id that all attempts have in common.
        id: ApnsId, "none", "UUID", "header `apns-id`";
        /// The seed of the waits' jitter.
        seed: u32, "0", "", "";
    }
}

word_form!(Scope {
    Scope::Message => "message" = Scope::Message,
    Scope::Device => "device" = Scope::Device,
    Scope::Topic => "topic" = Scope::Topic,
    Scope::Project => "project" = Scope::Project,
    Scope::Connection => "connection" = Scope::Connection,
});

text_form!(Kind, Kind::parse, "`\"adm\"`, `\"apns\"`, `\"baidu\"`, `\"fcm\"`, `\"web_push\"`", {"enum": ["adm", "apns", "baidu", "fcm", "web_push"]});

word_form!(Environment {
    Environment::Production => "production" = Environment::Production,
    Environment::Sandbox => "sandbox" = Environment::Sandbox,
});

word_form!(Platform {
    Platform::Android => "android" = Platform::Android,
    Platform::Apple => "apple" = Platform::Apple,
    Platform::Web => "web" = Platform::Web,
});
