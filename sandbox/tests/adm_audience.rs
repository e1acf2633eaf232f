//! ADM's topics and groups.

mod common;

use common::{Answer, Client, at, last, run, start};
use serde_json::{Value, json};

#[test]
fn groups_are_made_changed_and_sent_to() {
    let sandbox = start();
    let ready = sandbox.ready().clone();
    let adm = |name: &str| at(&ready, &format!("/adm/{name}")).to_owned();
    run(async {
        let mut client = Client::connect(&sandbox, &adm("authority")).await;
        let form = format!(
            "grant_type=client_credentials&scope=messaging%3Apush&client_id={}&client_secret={}",
            adm("client_id"),
            adm("client_secret")
        );
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let grant = client
            .send("POST", "/auth/O2/token", &headers, form)
            .await
            .expect("an answer");
        let bearer = format!(
            "Bearer {}",
            grant.json()["access_token"].as_str().expect("a token")
        );
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            (
                "x-amzn-type-version",
                "com.amazon.device.messaging.ADMMessage@1.0",
            ),
            (
                "x-amzn-accept-type",
                "com.amazon.device.messaging.ADMSendResult@1.0",
            ),
        ];
        let mut ask = async |path: &str, body: Value| -> Answer {
            let path = format!("/v1/messaging/{path}");
            let answer = client.send("POST", &path, &headers, body.to_string()).await;
            answer.expect("an answer")
        };
        let (good, bad) = (adm("registrations/valid"), adm("registrations/unregistered"));
        let group = |operation: &str, name: &str, ids: Value| json!({"operation": operation, "group_name": name, "registration_ids": ids});
        for (body, rule) in [
            (json!([]), "adm.group.members"),
            (group("create", "g", json!([])), "adm.group.members"),
            (group("create", "g", json!([7])), "adm.group.members"),
            (group("create", "a b", json!([good])), "adm.group.name"),
            (group("delete", "g", json!([good])), "adm.group.operation"),
            (group("add", "g", json!([good])), "adm.group.unknown"),
        ] {
            assert_eq!(ask("group/operations", body).await.status, 400);
            assert_eq!(last(&sandbox).rule.as_deref(), Some(rule));
        }
        let message = |kind: &str, name: &str| json!({"data": {"k": "v"}, kind: name});
        // None of its members lives: it is not made.
        let answer = ask("group/operations", group("create", "g", json!([bad]))).await;
        assert_eq!(
            (answer.status, answer.json()),
            (
                200,
                json!({"success": 0, "failure": 1, "failed_registration_ids": [bad]})
            )
        );
        assert_eq!(ask("group/messages", message("group", "g")).await.status, 400);
        assert_eq!(last(&sandbox).rule.as_deref(), Some("adm.group.unknown"));
        let answer = ask("group/operations", group("create", "g", json!([good, bad]))).await;
        assert_eq!((answer.status, &answer.json()["success"]), (200, &json!(1)));
        let answer = ask("group/messages", message("group", "g")).await;
        assert_eq!((answer.status, sandbox.accepted("adm", "g")), (200, 1));
        let answer2 = ask("group/operations", group("remove", "g", json!([good]))).await;
        assert_eq!(
            (answer2.status, answer2.json()),
            (200, json!({"success": 1, "failure": 0}))
        );
        assert_eq!(last(&sandbox).operation, "group.remove");
        assert!(!answer.header("x-amzn-requestid").is_empty());

        assert_eq!(
            ask("topic/messages", message("topic", "weather")).await.status,
            200
        );
        assert_eq!(
            (
                last(&sandbox).operation.as_str(),
                sandbox.accepted("adm", "weather")
            ),
            ("push/topic", 1)
        );
        for (path, body, rule) in [
            ("topic/messages", json!({"data": {}}), "adm.body.audience"),
            ("topic/messages", message("group", "g"), "adm.body.field"),
            ("nothing", json!({}), "adm.path"),
        ] {
            assert!(ask(path, body).await.status >= 400);
            assert_eq!(last(&sandbox).rule.as_deref(), Some(rule));
        }
        sandbox.revoke_access_tokens();
        assert_eq!(
            ask("topic/messages", message("topic", "weather")).await.status,
            401
        );
    });
}
