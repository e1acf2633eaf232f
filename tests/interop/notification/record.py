"""Records what other libraries make of one notification into tests/vectors/notification_peers.json.

    python -m venv venv && venv/bin/pip install -r requirements.txt && npm install && venv/bin/python record.py

With `--check` it fails when the libraries say another thing than what is recorded. Nothing is sent. The test `core/tests/notification_peers.rs` compares the record with ours, field by field.
"""

from __future__ import annotations

import datetime
import json
import pathlib
import subprocess
import sys
from importlib.metadata import version
from typing import Any

import botocore.session
import onesignal.model.notification  # type: ignore[import-untyped]
from firebase_admin import messaging

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE.parents[1] / "vectors/notification_peers.json"
NOW = 1_764_422_769


def firebase() -> dict[str, Any]:
    """The parts that Google's documents show for Android, Apple and the web, through Google's own encoder."""
    message = messaging.Message(
        token="t",
        notification=messaging.Notification("Ada wrote", "See you at six", "https://img.example/a.png"),
        data={"id": "7", "url": "https://chat.example/7"},
        android=messaging.AndroidConfig(
            collapse_key="chat-7",
            priority="high",
            ttl=datetime.timedelta(hours=1),
            notification=messaging.AndroidNotification(
                icon="ic_chat", sound="default", tag="chat-7", channel_id="messages", notification_count=3
            ),
        ),
        apns=messaging.APNSConfig(
            headers={"apns-priority": "10", "apns-expiration": str(NOW + 3600), "apns-collapse-id": "chat-7"},
            payload=messaging.APNSPayload(
                messaging.Aps(
                    alert=messaging.ApsAlert(title="Ada wrote", subtitle="Chat", body="See you at six"),
                    badge=3,
                    sound="default",
                    thread_id="chat-7",
                    category="CHAT",
                    mutable_content=True,
                )
            ),
            fcm_options=messaging.APNSFCMOptions(image="https://img.example/a.png"),
        ),
        webpush=messaging.WebpushConfig(
            headers={"TTL": "3600", "Urgency": "high", "Topic": "chat-7"},
            notification=messaging.WebpushNotification(
                tag="chat-7", actions=[messaging.WebpushNotificationAction("yes", "Yes")]
            ),
            fcm_options=messaging.WebpushFCMOptions(link="https://chat.example/7"),
        ),
    )
    body = json.loads(str(message))
    return {"peer": "firebase-admin (Python)", "version": version("firebase-admin"), "service": "fcm", "body": body}


def pinpoint() -> dict[str, Any]:
    """The members of the platforms' messages in Amazon's own description of the API."""
    model = botocore.session.get_session().get_service_model("pinpoint")
    shapes = ("APNSMessage", "GCMMessage", "ADMMessage", "BaiduMessage")
    members = {shape: sorted(model.shape_for(shape).members) for shape in shapes}
    return {"peer": "Amazon Pinpoint (botocore)", "version": version("botocore"), "members": members}


def onesignal_() -> dict[str, Any]:
    members = sorted(onesignal.model.notification.Notification.attribute_map.values())
    return {"peer": "OneSignal (onesignal-python-api)", "version": version("onesignal-python-api"), "members": members}


def main() -> None:
    node = subprocess.run(["node", "record.mjs", str(NOW)], cwd=HERE, capture_output=True, text=True, check=True)
    about = "What other libraries make of one notification; written by tests/interop/notification/record.py."
    record = {"about": about, "now": NOW, "messages": [firebase(), *json.loads(node.stdout)]}
    record["vocabularies"] = [pinpoint(), onesignal_()]
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text, encoding="utf-8")
    elif text != TARGET.read_text(encoding="utf-8"):
        raise SystemExit("the libraries say another thing than tests/vectors/notification_peers.json")
    print(f"{len(record['messages'])} messages and {len(record['vocabularies'])} vocabularies")


if __name__ == "__main__":
    main()
