#!/usr/bin/env python3
"""The sandbox under clients that know nothing of pushcore.

    pip install -r tests/interop/sandbox/requirements.txt     (and pushcore, which starts the sandbox)
    python tests/interop/sandbox/foreign.py

`aioapns`, `firebase-admin`, `pywebpush` and `curl` send to a lenient sandbox what it has to accept
and what it has to refuse; the sandbox's log says what arrived, the clients say what they made of
the answers. Only addresses and trust are changed in the clients. Exits with 1 at any failure.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import time
import warnings
from typing import Any

from pushcore.testing import Sandbox

passed = 0
failures: list[str] = []


def check(what: str, got: Any, expected: Any) -> None:
    global passed
    if got == expected:
        passed += 1
    else:
        failures.append(what)
        print(f"FAILED {what}: {got!r}, expected {expected!r}")


def log(sandbox: Sandbox, **filters: Any) -> list[dict[str, Any]]:
    """What came since the last `reset`, which this does."""
    records = sandbox.log(**filters)
    sandbox.control("POST", "reset")
    return records


def body(record: dict[str, Any]) -> Any:
    return json.loads(record["body"]) if isinstance(record["body"], str) else record["body"]


async def with_aioapns(sandbox: Sandbox) -> None:
    import aioapns
    from aioapns.common import PushType

    logging.getLogger("aioapns").setLevel(logging.CRITICAL)
    apns = sandbox.ready["apns"]
    client = aioapns.APNs(
        key=pathlib.Path(apns["p8_file"]).read_text(),
        key_id=apns["key_id"],
        team_id=apns["team_id"],
        topic=apns["topic"],
        ssl_context=ssl.create_default_context(cafile=str(sandbox.ca)),
    )
    host, _, port = apns["authority"].rpartition(":")
    client.pool.protocol_class.APNS_SERVER, client.pool.protocol_class.APNS_PORT = host, int(port)

    def request(name: str, **more: Any) -> Any:
        return aioapns.NotificationRequest(
            device_token=apns["tokens"][name], message={"aps": {"alert": "hello"}}, push_type=PushType.ALERT, **more
        )

    sent = request("valid", priority=10, collapse_key="k", time_to_live=60)
    check("aioapns: accepted", (await client.send_notification(sent)).is_successful, True)
    [record] = log(sandbox, service="apns")
    check("aioapns: its id", record["id"], sent.notification_id)
    check("aioapns: its body", body(record), sent.message)
    check("aioapns: one warning at least, for `typ`", bool(record["warnings"]), True)
    for name, status, reason in (
        ("unregistered", "410", "Unregistered"),
        ("unknown", "400", "BadDeviceToken"),
        ("other_topic", "400", "DeviceTokenNotForTopic"),
        ("throttled", "429", "TooManyRequests"),
    ):
        result = await client.send_notification(request(name))
        check(f"aioapns: {name}", (result.status, result.description), (status, reason))
        if name == "unregistered":
            check("aioapns: timestamp", result.timestamp, apns["unregistered_at_ms"])
    many = [client.send_notification(request("valid_2")) for _ in range(500)]
    check("aioapns: 500 at once", sum(one.is_successful for one in await asyncio.gather(*many)), 500)
    check("aioapns: 500 arrived", len(log(sandbox, service="apns", accepted=True)), 500)
    sandbox.control("POST", "settings", {"profile": "strict"})
    result = await client.send_notification(request("valid"))
    check("aioapns: strict refuses `typ`", (result.status, result.description), ("403", "InvalidProviderToken"))
    [record] = log(sandbox, service="apns")
    check("aioapns: and names the rule", record["rule"], "apns.auth.jwt.header")
    sandbox.control("POST", "settings", {"profile": "lenient"})
    client.pool.close()


def with_firebase(sandbox: Sandbox) -> None:
    import firebase_admin
    from firebase_admin import credentials, exceptions, messaging

    warnings.simplefilter("ignore", DeprecationWarning)
    fcm = sandbox.ready["fcm"]
    tokens = fcm["tokens"]
    app = firebase_admin.initialize_app(credentials.Certificate(fcm["service_account_file"]))
    service = messaging._get_messaging_service(app)
    service._fcm_url = f"https://{fcm['authority']}/v1/projects/{fcm['project_id']}/messages:send"
    service._fcm_topic_url = f"https://{fcm['authority']}/v1/projects/{fcm['project_id']}/registrations"
    messaging._MessagingService.IID_URL = f"https://{fcm['authority']}"

    def message(name: str) -> Any:
        return messaging.Message(
            token=tokens[name],
            notification=messaging.Notification("Title", "Body"),
            data={"k": "v"},
            android=messaging.AndroidConfig(ttl=60, priority="high"),
            apns=messaging.APNSConfig(payload=messaging.APNSPayload(messaging.Aps(badge=1))),
        )

    name = messaging.send(message("valid"))
    check("firebase-admin: a name", name.startswith(f"projects/{fcm['project_id']}/messages/"), True)
    records = log(sandbox, service="fcm")
    check("firebase-admin: one token", [one["operation"] for one in records], ["oauth.token", "push"])
    check("firebase-admin: its body", body(records[1])["message"]["data"], {"k": "v"})
    check("firebase-admin: dry run", messaging.send(message("valid"), dry_run=True) != "", True)
    check("firebase-admin: validated", [one["operation"] for one in log(sandbox, service="fcm")], ["validate"])
    for token, expected in (
        ("unregistered", messaging.UnregisteredError),
        ("other_project", messaging.SenderIdMismatchError),
        # Not `throttled`: firebase-admin honours Retry-After and sleeps for a minute.
        ("bad_third_party_key", messaging.ThirdPartyAuthError),
        ("malformed", exceptions.InvalidArgumentError),
    ):
        try:
            got: type | None = messaging.send(message(token)) and None
        except exceptions.FirebaseError as error:
            got = type(error)
        check(f"firebase-admin: {token}", got, expected)
    log(sandbox)
    mixed = [message("valid"), message("unregistered"), message("valid_2")]
    batch = messaging.send_each(mixed)
    check("firebase-admin: send_each", [one.success for one in batch.responses], [True, False, True])
    batch = asyncio.run(messaging.send_each_async(mixed))
    check("firebase-admin: send_each_async", [one.success for one in batch.responses], [True, False, True])
    check("firebase-admin: four arrived", len(log(sandbox, service="fcm", operation="push", accepted=True)), 4)
    some = [tokens["valid"], tokens["unregistered"]]
    for name, call in (
        ("v1", messaging.subscribe_to_topic),
        ("v1", messaging.unsubscribe_from_topic),
        ("instance id", messaging.subscribe_to_topic_legacy),
        ("instance id", messaging.unsubscribe_from_topic_legacy),
    ):
        done = call(some, "news")
        check(f"firebase-admin: topics, {name}", (done.success_count, [e.index for e in done.errors]), (1, [1]))


def with_pywebpush(sandbox: Sandbox) -> None:
    from pywebpush import WebPushException, webpush

    vapid = sandbox.ready["webpush"]["vapid"]

    def send(subscription: dict[str, Any], **more: Any) -> int:
        claims = {"sub": vapid["subject"]}
        try:
            response = webpush(subscription, "grüße", vapid_private_key=vapid["pem_file"], vapid_claims=claims, **more)
        except WebPushException as error:
            return error.response.status_code
        return response.status_code

    for provider, known in sandbox.ready["webpush"]["providers"].items():
        headers = {"x-wns-cache-policy": "cache"} if provider == "wns" else {}
        log(sandbox)
        check(f"pywebpush: {provider}", send(known["active"], ttl=60, headers=headers), 201)
        [record] = log(sandbox, service="webpush")
        check(f"pywebpush: {provider} decrypted", record["decrypted"], "grüße")
        check(f"pywebpush: {provider} gone", send(known["expired"], ttl=60, headers=headers) in (404, 410), True)
    plain = sandbox.ready["webpush"]["subscriptions"]["active"]
    log(sandbox)
    check("pywebpush: aesgcm", send(plain, ttl=60, content_encoding="aesgcm"), 201)
    check("pywebpush: aesgcm decrypted", log(sandbox)[0]["decrypted"], "grüße")


def with_curl(sandbox: Sandbox) -> None:
    apns = sandbox.ready["apns"]
    token = sandbox.apns_credentials().provider_token()
    payload = json.dumps({"aps": {"alert": "from curl"}})

    def post(name: str, topic: str = apns["topic"]) -> tuple[str, str]:
        url = f"https://{apns['authority']}/3/device/{apns['tokens'][name]}"
        headers = [f"authorization: bearer {token}", f"apns-topic: {topic}", "apns-push-type: alert"]
        flags = [flag for header in headers for flag in ("-H", header)]
        command = ["curl", "-sS", "--http2", "--cacert", str(sandbox.ca), *flags, "-d", payload]
        done = subprocess.run(
            [*command, "-w", "\n%{http_version} %{http_code}", url], capture_output=True, text=True, check=True
        )
        answer, _, status = done.stdout.rpartition("\n")
        return status, answer

    log(sandbox)
    check("curl: accepted", post("valid"), ("2 200", ""))
    [record] = log(sandbox, service="apns")
    check("curl: its body", body(record), json.loads(payload))
    status, answer = post("unregistered")
    check("curl: 410", status, "2 410")
    check("curl: reason", json.loads(answer)["reason"], "Unregistered")
    status, answer = post("valid", topic="com.example.not-ours")
    check("curl: topic", json.loads(answer)["reason"], "TopicDisallowed")


def main() -> int:
    started = time.monotonic()
    with Sandbox("--profile", "lenient") as sandbox:
        # What `requests` and `httpx` trust.
        os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = str(sandbox.ca)
        asyncio.run(with_aioapns(sandbox))
        with_firebase(sandbox)
        with_pywebpush(sandbox)
        if shutil.which("curl"):
            with_curl(sandbox)
        else:
            print("curl is not here: left out")
    print(f"{passed} passed, {len(failures)} failed, {time.monotonic() - started:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
