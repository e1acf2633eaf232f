//! `AndroidConfig`: what only Android devices see.

use std::time::Duration;

use super::rules;
use crate::error::{Error, ErrorKind};
use crate::fcm::wire::Path;
use crate::fcm::wire::color::Color;
use crate::fcm::wire::map::StringMap;
use crate::fcm::wire::object::object;
use crate::fcm::wire::timestamp::Timestamp;
use crate::fcm::wire::words::words;

words! {
    /// How eagerly a message is delivered to Android. Unset: normal for data, high for notifications.
    AndroidPriority {
        /// When the device is awake.
        Normal = "NORMAL",
        /// At once, waking the device.
        High = "HIGH",
    }
}

words! {
    /// `notification_priority`: of the drawn notification, on Android 7.1 and older.
    NotificationPriority {
        /// The app decides.
        Unspecified = "PRIORITY_UNSPECIFIED",
        /// Perhaps not shown at all.
        Min = "PRIORITY_MIN",
        /// Smaller, further down.
        Low = "PRIORITY_LOW",
        /// The usual.
        Default = "PRIORITY_DEFAULT",
        /// Larger, or with an alert.
        High = "PRIORITY_HIGH",
        /// The most important.
        Max = "PRIORITY_MAX",
    }
}

words! {
    /// The part of the notification that a locked screen shows. Unset: private.
    Visibility {
        /// The behaviour of private.
        Unspecified = "VISIBILITY_UNSPECIFIED",
        /// Shown, but its content hidden.
        Private = "PRIVATE",
        /// Shown whole.
        Public = "PUBLIC",
        /// Not shown.
        Secret = "SECRET",
    }
}

words! {
    /// Whether Google Play services may show the notification for the app. Unset: if its priority was lowered.
    Proxy {
        /// The behaviour of a message whose priority was lowered.
        Unspecified = "PROXY_UNSPECIFIED",
        /// Try to.
        Allow = "ALLOW",
        /// Do not.
        Deny = "DENY",
        /// Only if FCM lowered the message from high to normal.
        IfPriorityLowered = "IF_PRIORITY_LOWERED",
    }
}

object! {
    /// The part of a message that only Android devices see. Excludes [`AndroidConfigV2`](crate::fcm::AndroidConfigV2).
    AndroidConfig, rules = config_rules,
    {
        /// Messages with one key replace each other while the device is away; at most four keys at a time.
        collapse_key: String,
        /// How eagerly it is delivered.
        priority: AndroidPriority,
        /// How long it is kept for a device that is away: 0 (now or never) to four weeks, the
        /// default. The service rounds down to whole seconds.
        ttl: Duration,
        /// The package that alone may receive it.
        restricted_package_name: String,
        /// Replaces the message's `data` on Android.
        data: StringMap,
        /// Replaces the message's `notification` on Android.
        notification: AndroidNotification,
        /// Options of the Android SDK.
        fcm_options: AndroidFcmOptions,
        /// Whether the app may receive it before the device is first unlocked.
        direct_boot_ok: bool,
        /// Whether it may go over a bandwidth-constrained network.
        bandwidth_constrained_ok: bool,
        /// Whether it may go over a restricted satellite network.
        restricted_satellite_ok: bool,
    }
}

fn config_rules(config: &AndroidConfig, at: &Path<'_>) -> Result<(), Error> {
    rules::ttl(config.ttl, at)?;
    rules::data(config.data.as_ref(), at)
}

object! {
    /// Options of the Android SDK.
    AndroidFcmOptions, rules = |options: &AndroidFcmOptions, at| rules::analytics_label(options.analytics_label.as_ref(), at),
    {
        /// A label for the message's statistics: 1 to 50 of `a-z A-Z 0-9 - _ . ~ %`.
        analytics_label: String,
    }
}

object! {
    /// A notification as Android draws it.
    AndroidNotification, rules = notification_rules,
    {
        /// The title.
        title: String,
        /// The text.
        body: String,
        /// The name of a drawable of the app.
        icon: String,
        /// The icon's colour, `#rrggbb`.
        color: String,
        /// `default`, or the name of a sound file of the app.
        sound: String,
        /// Notifications with one tag replace each other.
        tag: String,
        /// The intent that a tap starts.
        click_action: String,
        /// The key of the text in the app's resources.
        body_loc_key: String,
        /// The arguments that are put into the localised body.
        body_loc_args: Vec<String>,
        /// The key of the title in the app's resources.
        title_loc_key: String,
        /// The arguments that are put into the localised title.
        title_loc_args: Vec<String>,
        /// The notification channel (Android 8 and newer).
        channel_id: String,
        /// The text that accessibility services read out.
        ticker: String,
        /// Whether it stays when tapped.
        sticky: bool,
        /// When the event happened; notifications are sorted by it.
        event_time: Timestamp,
        /// Whether it stays on this device and is not bridged to a watch.
        local_only: bool,
        /// Its priority on Android 7.1 and older.
        notification_priority: NotificationPriority,
        /// Whether the system's sound is played.
        default_sound: bool,
        /// Whether the system's vibration pattern is used, whatever `vibrate_timings` says.
        default_vibrate_timings: bool,
        /// Whether the system's light settings are used, whatever `light_settings` says.
        default_light_settings: bool,
        /// Wait, vibrate, wait, vibrate ...
        vibrate_timings: Vec<Duration>,
        /// The part of the notification that a locked screen shows.
        visibility: Visibility,
        /// How many things it stands for; not negative.
        notification_count: i32,
        /// How the device's light blinks.
        light_settings: LightSettings,
        /// The URL of an image, at most 1 MB.
        image: String,
        /// Deprecated by `proxy`.
        bypass_proxy_notification: bool,
        /// Whether Google Play services may show it for the app.
        proxy: Proxy,
    }
}

fn notification_rules(it: &AndroidNotification, at: &Path<'_>) -> Result<(), Error> {
    rules::rgb(it.color.as_ref(), at)?;
    rules::loc(
        it.body_loc_args.as_ref(),
        it.body_loc_key.as_ref(),
        "body_loc_args",
        at,
    )?;
    rules::loc(
        it.title_loc_args.as_ref(),
        it.title_loc_key.as_ref(),
        "title_loc_args",
        at,
    )?;
    rules::count(it.notification_count, "notification_count", at)
}

object! {
    /// How the device's light blinks. All three are required.
    LightSettings, rules = light_rules,
    {
        /// The colour.
        color: Color,
        /// How long it is on.
        light_on_duration: Duration,
        /// How long it is off.
        light_off_duration: Duration,
    }
}

fn light_rules(it: &LightSettings, at: &Path<'_>) -> Result<(), Error> {
    for (name, missing) in [
        ("color", it.color.is_none()),
        ("light_on_duration", it.light_on_duration.is_none()),
        ("light_off_duration", it.light_off_duration.is_none()),
    ] {
        if missing && !it.extra.contains_key(name) {
            return Err(at.field(name).error(ErrorKind::MissingField, "required"));
        }
    }
    Ok(())
}
