"""Sends to APNs, FCM and Web Push: once as it should be, once to a target that has to fail.

    python examples/quickstart.py

Everything runs on this machine: the three services are pushcore's sandbox, on free loopback
ports, over real TLS and HTTP/2, with real signatures and real encryption. Point the same code at
the real services by leaving the sandbox out: see `real` below.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator

import pushcore
from pushcore.testing import Sandbox


def real() -> None:
    """The same without the sandbox (not called here: it needs keys of your own)."""
    credentials = pushcore.ApnsCredentials.from_p8("AuthKey_ABC123DEFG.p8", key_id="ABC123DEFG", team_id="DEF123GHIJ")
    with pushcore.Client.apns(credentials) as client:
        print(client.send(pushcore.ApnsMessage(token="ab" * 32, topic="com.example.app", alert="Hello")))


def apns_messages(sandbox: Sandbox) -> Iterator[tuple[str, pushcore.ApnsMessage]]:
    """The request of a Cozie researcher (heading, subtitle, message, two buttons) as the app reads it."""
    tokens = sandbox.ready["apns"]["tokens"]
    message = pushcore.ApnsMessage(
        token=tokens["valid"],
        topic=sandbox.ready["apns"]["topic"],
        title="test_heading",
        subtitle="test_subtitle",
        body="test_message",
        sound="default",
        mutable_content=True,
        custom={"buttons": [{"i": "helpful", "n": "Helpful"}, {"i": "not_helpful", "n": "Not helpful"}]},
    )
    yield "alert with two buttons", message
    yield "the app was deleted", message.to(tokens["unregistered"])


def fcm_messages(sandbox: Sandbox) -> Iterator[tuple[str, pushcore.FcmMessage]]:
    """What Amazon Pinpoint made of its GCM example: data for the AWS SDK in the app."""
    tokens = sandbox.ready["fcm"]["tokens"]
    message = pushcore.FcmMessage(
        token=tokens["valid"],
        data={
            "pinpoint.notification.title": "Test message sent from Amazon Pinpoint.",
            "pinpoint.notification.body": (
                "This is a sample message sent from Amazon Pinpoint by using the AWS SDK for Python (Boto 3)."
            ),
            "pinpoint.notification.silentPush": "0",
            "pinpoint.url": "https://www.example.com",
            "pinpoint.campaign.campaign_id": "_DIRECT",
        },
        android={"priority": "NORMAL", "ttl": "30s"},
    )
    yield "data with a link", message
    yield "a token of another project", message.to(tokens["other_project"])


def web_push_messages(sandbox: Sandbox) -> Iterator[tuple[str, pushcore.WebPushMessage]]:
    """The notification of Pushpad's README, readable by Safari itself and by a service worker."""
    subscriptions = sandbox.ready["webpush"]["subscriptions"]
    notification = {
        "title": "Website Name",
        "body": "Hello world!",
        "navigate": "https://example.com/",
        "icon": "https://example.com/assets/icon.png",
        "badge": "https://example.com/assets/badge.png",
        "image": "https://example.com/assets/image.png",
        "requireInteraction": True,
        "silent": False,
        "actions": [
            {
                "action": "myActionName",
                "title": "My Button 1",
                "icon": "https://example.com/assets/button-icon.png",
                "navigate": "https://example.com/button-link",
            }
        ],
        "data": {"custom_data": "123"},
    }
    message = pushcore.WebPushMessage(
        subscription=subscriptions["active"],
        payload={"web_push": 8030, "notification": notification},
        ttl=604_800,
        urgency="normal",
        policy=sandbox.policy(),
    )
    yield "notification with an action", message
    yield "an expired subscription", message.to(subscriptions["expired"], policy=sandbox.policy())


def received(sandbox: Sandbox, service: str, before: int) -> str:
    """What arrived at the service, decrypted where it came encrypted."""
    records = sandbox.log(service=service, operation="push", after=before)
    if not records:
        return "nothing"
    record = records[-1]
    seen = record.get("decrypted") or record.get("body")
    text = seen if isinstance(seen, str) else json.dumps(seen, ensure_ascii=False)
    return text if record["accepted"] else f"refused: {record['reason'] or record['status']}"


def show(rows: list[tuple[str, ...]]) -> None:
    """A table with wrapped cells."""
    widths = (8, 27, 34, 44, 30)
    rule = "+".join("-" * (width + 2) for width in widths)
    for index, row in enumerate(rows):
        cells = [textwrap.wrap(cell, width)[:4] or [""] for cell, width in zip(row, widths, strict=True)]
        for line in range(max(map(len, cells))):
            parts = (cell[line] if line < len(cell) else "" for cell in cells)
            print(" " + " | ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip())
        if index == 0 or index % 2 == 0:
            print(rule)


def main() -> int:
    rows: list[tuple[str, ...]] = [
        ("service", "message", "the service answered", "the sandbox received", "what to do")
    ]
    accepted = refused = 0
    expected_refusals = {"apns": "Unregistered", "fcm": "SENDER_ID_MISMATCH", "webpush": None}
    with Sandbox() as sandbox:
        services = [
            ("apns", sandbox.apns(pushcore.Client), apns_messages(sandbox)),
            ("fcm", sandbox.fcm(pushcore.Client), fcm_messages(sandbox)),
            ("webpush", sandbox.web_push(pushcore.Client), web_push_messages(sandbox)),
        ]
        for service, client, messages in services:
            with client:
                for index, (what, message) in enumerate(messages):
                    before = max((record["seq"] for record in sandbox.log()), default=0)
                    outcome = client.send(message)  # type: ignore[arg-type]
                    match outcome:
                        case pushcore.Accepted(id=message_id):
                            answer = f"{outcome.status} accepted {message_id or outcome.location or ''}"
                        case pushcore.TokenGone(since=since):
                            answer = f"{outcome.status} {outcome.reason or 'gone'}" + (
                                f" since {since:.3f}" if since is not None else ""
                            )
                        case _:
                            answer = f"{outcome.status} {outcome.reason}"
                    if index == 0 and isinstance(outcome, pushcore.Accepted):
                        accepted += 1
                    if index == 1 and isinstance(outcome, (pushcore.TokenGone, pushcore.TokenMismatch)):
                        reason = expected_refusals[service]
                        refused += reason is None or outcome.reason == reason
                    rows.append((service, what, answer, received(sandbox, service, before), outcome.advice))
        decrypted = [record["decrypted"] for record in sandbox.log(service="webpush", accepted=True)]
    show(rows)
    ok = accepted == refused == len(services) and "Hello world!" in json.dumps(decrypted)
    if not ok:
        print(f"demo failed: {accepted} accepted, {refused} refused as expected")
        return 1
    print(f"demo ok: {len(services)} services, {accepted} accepted, {refused} refused as expected")
    return 0


if __name__ == "__main__":
    sys.exit(main())
