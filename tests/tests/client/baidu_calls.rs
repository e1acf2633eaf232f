//! Baidu's reports, tags, timers and topics, through the client: signed here, verified there.

use std::time::Duration;

use pushcore::baidu::{self, AndroidNotification, Call, CallOutcome, Message, Page, Target};
use pushcore::outcome::Outcome;
use pushcore_client::Client;
use serde_json::{Value, json};

use crate::world::World;

struct Baidu {
    world: World,
    client: Client,
}

impl Baidu {
    fn new() -> Self {
        let world = World::new();
        let credentials =
            baidu::Credentials::new(&world.text("/baidu/api_key"), &world.text("/baidu/secret_key"));
        let authority = world.authority("/baidu/authority");
        let client = Client::new(
            baidu::Service::new(credentials.expect("credentials"), authority),
            world.config(),
        )
        .expect("a client");
        Self { world, client }
    }

    fn call(&self, call: Result<Call, pushcore::Error>) -> CallOutcome {
        let call = call.expect("a call");
        self.client.call(&call).expect("an answer")
    }

    fn answered(&self, call: Result<Call, pushcore::Error>) -> Value {
        match self.call(call) {
            CallOutcome::Answered(value) => value,
            other => panic!("{other:?}"),
        }
    }

    fn refused(&self, call: Result<Call, pushcore::Error>) -> String {
        match self.call(call) {
            CallOutcome::Refused(outcome) => outcome.reason().expect("a code").to_string(),
            other => panic!("{other:?}"),
        }
    }

    fn send(&self, message: &Message) -> String {
        match self.client.send(message).expect("an answer") {
            Outcome::Accepted(accepted) => accepted.id.expect("an id").as_str().to_owned(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn tags_are_made_given_counted_and_deleted() {
    let baidu = Baidu::new();
    let channel = baidu.world.text("/baidu/channels/valid");
    let unknown = baidu.world.text("/baidu/channels/unknown");
    let made = baidu.answered(Call::create_tag("vip ~ 会员"));
    assert_eq!(made, json!({"tag": "vip ~ 会员", "result": 0}));
    assert_eq!(baidu.refused(Call::create_tag("vip ~ 会员")), "30610");
    assert_eq!(baidu.refused(Call::create_tag("default")), "30619");
    let given = baidu.answered(Call::tag_devices(
        "vip ~ 会员",
        [channel.as_str(), unknown.as_str()],
    ));
    assert_eq!(
        given["result"],
        json!([{"channel_id": channel, "result": 0}, {"channel_id": unknown, "result": 1}])
    );
    assert_eq!(
        baidu.answered(Call::devices_with_tag("vip ~ 会员")),
        json!({"device_num": 1})
    );
    let tags = baidu.answered(Call::tags(None, Page::default()));
    assert_eq!(
        (&tags["total_num"], &tags["result"][0]["tag"]),
        (&json!(1), &json!("vip ~ 会员"))
    );
    baidu.answered(Call::untag_devices("vip ~ 会员", [channel.as_str()]));
    assert_eq!(
        baidu.answered(Call::devices_with_tag("vip ~ 会员")),
        json!({"device_num": 0})
    );
    baidu.answered(Call::delete_tag("vip ~ 会员"));
    assert_eq!(baidu.refused(Call::devices_with_tag("vip ~ 会员")), "30611");
}

#[test]
fn what_was_sent_is_reported_and_what_waits_is_cancelled() {
    let baidu = Baidu::new();
    let channel = baidu.world.text("/baidu/channels/valid");
    let hello = || Message::android(AndroidNotification::new("hello").title("t")).expect("a message");
    let sent = baidu.send(
        &hello()
            .topic_id("news")
            .build(Target::device(&channel).expect("a target"))
            .expect("a message"),
    );
    let status = baidu.answered(Call::message_status([sent.as_str()]));
    assert_eq!(
        (&status["total_num"], &status["result"][0]["status"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(baidu.refused(Call::message_status(["1"])), "30605");
    let records = baidu.answered(Call::topic_records("news", Page::new(0, 10)));
    assert_eq!(records["result"][0]["msg_id"], json!(sent));
    let topics = baidu.answered(Call::topics(Page::new(0, 20)));
    assert_eq!(topics["result"][0]["topic_id"], "news");
    assert_eq!(baidu.answered(Call::topic_statistics("news"))["total_num"], 1);
    assert_eq!(baidu.answered(Ok(Call::device_statistics()))["total_num"], 1);

    let later = pushcore_client::now()
        .unix
        .saturating_add(Duration::from_secs(3600));
    let waiting = hello().send_at(later).build(Target::all()).expect("a message");
    let id = baidu.send(&waiting);
    let status = baidu.answered(Call::message_status([id.as_str(), sent.as_str()]));
    assert_eq!(
        (&status["total_num"], &status["result"][0]["status"]),
        (&json!(2), &json!(1))
    );
    let timers = baidu.answered(Call::timers(None, Page::default()));
    let timer = timers["result"][0]["timer_id"]
        .as_str()
        .expect("a timer")
        .to_owned();
    assert_eq!(
        baidu.answered(Call::timer_records(Some(&timer), Page::default()))["total_num"],
        1
    );
    baidu.answered(Call::cancel_timer(&timer));
    assert_eq!(
        baidu.answered(Call::timers(None, Page::default()))["total_num"],
        0
    );
    assert_eq!(baidu.refused(Call::cancel_timer(&timer)), "41001");
}
