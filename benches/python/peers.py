"""The peers of `bulk.py`, each as its own documentation says, but for addresses and trust."""

from __future__ import annotations

import asyncio
import itertools
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

from subject import ALERT, NOTIFICATION, SUBSCRIPTIONS, WEB_PAYLOAD


def aioapns_send(ready: dict[str, Any], tokens: list[str]) -> Iterator[int]:
    import ssl

    import aioapns
    from aioapns.common import PushType

    logging.getLogger("aioapns").setLevel(logging.CRITICAL)
    apns = ready["apns"]
    host, _, port = apns["authority"].rpartition(":")

    async def open_one() -> Any:
        made = aioapns.APNs(
            key=pathlib.Path(apns["p8_file"]).read_text(),
            key_id=apns["key_id"],
            team_id=apns["team_id"],
            topic=apns["topic"],
            ssl_context=ssl.create_default_context(cafile=ready["ca_file"]),
            max_connections=1 if numbered else 10,
        )
        made.pool.protocol_class.APNS_SERVER, made.pool.protocol_class.APNS_PORT = host, int(port)
        return made

    # aioapns knows an answer by the id that it gave. The other server counts instead of echoing.
    numbers = itertools.count(1)
    numbered = apns.get("numbered")

    def request(token: str) -> Any:
        return aioapns.NotificationRequest(
            device_token=token,
            message=ALERT,
            notification_id=f"{numbered}{next(numbers):012x}" if numbered else None,
            push_type=PushType.ALERT,
            priority=10,
        )

    async def send(made: Any) -> int:
        found = 0
        # A thousand at a time, as its readme's example gathers them.
        for at in range(0, len(tokens), 1000):
            sends = [made.send_notification(request(token)) for token in tokens[at : at + 1000]]
            found += sum(result.is_successful for result in await asyncio.gather(*sends))
        return found

    with asyncio.Runner() as runner:
        made = runner.run(open_one())
        runner.run(made.send_notification(request(tokens[0])))
        yield 0
        yield runner.run(send(made))
        made.pool.close()


def firebase(ready: dict[str, Any]) -> Any:
    import warnings

    import firebase_admin
    from firebase_admin import credentials, messaging

    warnings.simplefilter("ignore", DeprecationWarning)
    fcm = ready["fcm"]
    app = firebase_admin.initialize_app(credentials.Certificate(fcm["service_account_file"]))
    service = messaging._get_messaging_service(app)
    service._fcm_url = f"https://{fcm['send_to']}/v1/projects/{fcm['project_id']}/messages:send"
    return messaging


def firebase_messages(messaging: Any, tokens: list[str]) -> list[Any]:
    notification = messaging.Notification(**NOTIFICATION)
    return [
        messaging.Message(token=token, notification=notification, data={"k": str(at)})
        for at, token in enumerate(tokens)
    ]


def firebase_each(ready: dict[str, Any], tokens: list[str]) -> Iterator[int]:
    messaging = firebase(ready)
    messaging.send_each(firebase_messages(messaging, tokens[:1]))
    yield 0
    found = 0
    for at in range(0, len(tokens), 500):  # its own limit
        found += messaging.send_each(firebase_messages(messaging, tokens[at : at + 500])).success_count
    yield found


def firebase_each_async(ready: dict[str, Any], tokens: list[str]) -> Iterator[int]:
    messaging = firebase(ready)

    async def send() -> int:
        found = 0
        for at in range(0, len(tokens), 500):
            batch = await messaging.send_each_async(firebase_messages(messaging, tokens[at : at + 500]))
            found += batch.success_count
        return found

    with asyncio.Runner() as runner:
        runner.run(messaging.send_each_async(firebase_messages(messaging, tokens[:1])))
        yield 0
        yield runner.run(send())


def pywebpush_send(ready: dict[str, Any], subscriptions: list[Any]) -> Iterator[int]:
    import requests
    from py_vapid import Vapid02
    from pywebpush import webpush

    vapid = ready["webpush"]["vapid"]
    key = Vapid02.from_pem(pathlib.Path(vapid["pem_file"]).read_bytes())
    session = requests.Session()

    def send(subscription: Any) -> int:
        # It adds `aud` and `exp` to the claims that it is given.
        claims = {"sub": vapid["subject"]}
        response = webpush(
            subscription, WEB_PAYLOAD, vapid_private_key=key, vapid_claims=claims, ttl=3600, requests_session=session
        )
        return response.status_code == 201

    send(subscriptions[0])
    yield 0
    yield sum(send(subscriptions[at % SUBSCRIPTIONS]) for at in range(len(subscriptions)))
