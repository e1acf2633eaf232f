//! Sends messages with the crate `a2`: one JSON object a line on standard input, made of the words of
//! a2's own builder. Prints `200` or what went wrong for each.
//!
//! `a2-peer KEY_FILE KEY_ID TEAM_ID`, with `RECORDER=host:port` in the environment.

use std::fs::File;
use std::io::BufRead;

use a2::{
    Client, ClientConfig, CollapseId, DefaultNotificationBuilder, NotificationBuilder, NotificationOptions,
    Priority, PushType,
};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    token: String,
    topic: String,
    id: Option<String>,
    push_type: Option<String>,
    expiration: Option<u64>,
    priority: Option<u8>,
    collapse_id: Option<String>,
    title: Option<String>,
    subtitle: Option<String>,
    body: Option<String>,
    title_loc_key: Option<String>,
    title_loc_args: Option<Vec<String>>,
    loc_key: Option<String>,
    loc_args: Option<Vec<String>>,
    launch_image: Option<String>,
    badge: Option<u32>,
    sound: Option<String>,
    critical_volume: Option<f64>,
    category: Option<String>,
    #[serde(default)]
    mutable_content: bool,
    #[serde(default)]
    content_available: bool,
    #[serde(default)]
    custom: Map<String, Value>,
}

impl Case {
    fn builder(&self) -> DefaultNotificationBuilder<'_> {
        let mut made = DefaultNotificationBuilder::new();
        macro_rules! set {
            ($($field:ident $setter:ident),*) => {
                $(if let Some(value) = &self.$field { made = made.$setter(value); })*
            };
        }
        set!(title set_title, subtitle set_subtitle, body set_body, title_loc_key set_title_loc_key,
            title_loc_args set_title_loc_args, loc_key set_loc_key, loc_args set_loc_args,
            launch_image set_launch_image, sound set_sound, category set_category);
        if let Some(badge) = self.badge {
            made = made.set_badge(badge);
        }
        if self.critical_volume.is_some() {
            made = made.set_critical(true, self.critical_volume);
        }
        if self.mutable_content {
            made = made.set_mutable_content();
        }
        if self.content_available {
            made = made.set_content_available();
        }
        made
    }

    fn options(&self) -> Result<NotificationOptions<'_>, Box<dyn std::error::Error>> {
        Ok(NotificationOptions {
            apns_id: self.id.as_deref(),
            apns_push_type: self.push_type.as_deref().map(push_type).transpose()?,
            apns_expiration: self.expiration,
            apns_priority: match self.priority {
                None => None,
                Some(10) => Some(Priority::High),
                Some(5) => Some(Priority::Normal),
                Some(other) => return Err(format!("a2 has no priority {other}").into()),
            },
            apns_topic: Some(&self.topic),
            apns_collapse_id: self.collapse_id.as_deref().map(CollapseId::new).transpose()?,
        })
    }
}

fn push_type(name: &str) -> Result<PushType, String> {
    Ok(match name {
        "alert" => PushType::Alert,
        "background" => PushType::Background,
        "location" => PushType::Location,
        "voip" => PushType::Voip,
        "fileprovider" => PushType::FileProvider,
        "mdm" => PushType::Mdm,
        "liveactivity" => PushType::LiveActivity,
        "pushtotalk" => PushType::PushToTalk,
        other => return Err(format!("a2 has no push type {other}")),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, key_id, team_id] = &arguments[..] else {
        return Err("usage: a2-peer KEY_FILE KEY_ID TEAM_ID".into());
    };
    let client = Client::token(File::open(key)?, key_id, team_id, ClientConfig::default())?;
    for line in std::io::stdin().lock().lines() {
        let case: Case = serde_json::from_str(&line?)?;
        let mut payload = case.builder().build(&case.token, case.options()?);
        for (name, value) in &case.custom {
            payload.add_custom_data(name, value)?;
        }
        match client.send(payload).await {
            Ok(response) => println!("{}", response.code),
            Err(error) => println!("{error:?}"),
        }
    }
    Ok(())
}
