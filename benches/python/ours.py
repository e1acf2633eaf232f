"""pushcore, as the subjects of `bulk.py` send with it."""

from __future__ import annotations

import asyncio
import json
import pathlib
from collections.abc import Iterator
from typing import Any

from subject import NOTIFICATION, SUBSCRIPTIONS, WEB_PAYLOAD


def accepted(results: Any) -> int:
    from pushcore import Accepted

    return sum(isinstance(result, Accepted) for _, result in results)


def client(ready: dict[str, Any]) -> Any:
    """A client for the sandbox that runs already."""
    import pushcore

    if "apns" in ready:
        apns = ready["apns"]
        credentials = pushcore.ApnsCredentials.from_p8(
            pathlib.Path(apns["p8_file"]), key_id=apns["key_id"], team_id=apns["team_id"]
        )
        return pushcore.Client.apns(credentials, host=apns["authority"], ca=pathlib.Path(ready["ca_file"]))
    if "fcm" in ready:
        fcm = ready["fcm"]
        account = json.loads(pathlib.Path(fcm["service_account_file"]).read_bytes())
        del account["token_uri"]
        credentials = pushcore.FcmCredentials.from_service_account(account, token_host=fcm["authority"])
        return pushcore.Client.fcm(credentials, host=fcm["send_to"], ca=pathlib.Path(ready["ca_file"]))
    web = ready["webpush"]
    vapid = web["vapid"]
    credentials = pushcore.VapidCredentials(
        pathlib.Path(vapid["pem_file"]), subject=vapid["subject"], any_subject=True
    )
    return pushcore.Client.web_push(credentials, policy=policy(ready), ca=pathlib.Path(ready["ca_file"]))


def policy(ready: dict[str, Any]) -> Any:
    import pushcore

    return pushcore.EndpointPolicy(trusted=[ready["webpush"]["authority"]])


def apns_message(ready: dict[str, Any], token: str, number: int | None = None) -> Any:
    import pushcore

    title = NOTIFICATION["title"] if number is None else f"{NOTIFICATION['title']} {number}"
    return pushcore.ApnsMessage(
        token=token,
        topic=ready["apns"]["topic"],
        push_type="alert",
        priority=10,
        title=title,
        body=NOTIFICATION["body"],
        sound="default",
    )


def apns_template(ready: dict[str, Any], tokens: list[str]) -> Iterator[int]:
    with client(ready) as apns:
        template = apns_message(ready, tokens[0])
        apns.send(template)
        yield 0
        yield accepted(apns.send_many(tokens, message=template))


def apns_distinct(ready: dict[str, Any], tokens: list[str]) -> Iterator[int]:
    with client(ready) as apns:
        apns.send(apns_message(ready, tokens[0]))
        yield 0
        yield accepted(apns.send_many(apns_message(ready, token, at) for at, token in enumerate(tokens)))


def apns_async(ready: dict[str, Any], tokens: list[str]) -> Iterator[int]:
    import pushcore.aio
    from pushcore import Accepted

    async def send(apns: Any, template: Any) -> int:
        found = 0
        async for _, result in apns.send_many(tokens, message=template):
            found += isinstance(result, Accepted)
        return found

    async def open_one() -> Any:
        apns = pushcore.ApnsCredentials.from_p8(
            pathlib.Path(ready["apns"]["p8_file"]),
            key_id=ready["apns"]["key_id"],
            team_id=ready["apns"]["team_id"],
        )
        return pushcore.aio.Client.apns(
            apns, host=ready["apns"]["authority"], ca=pathlib.Path(ready["ca_file"])
        )

    with asyncio.Runner() as runner:
        aio = runner.run(open_one())
        template = apns_message(ready, tokens[0])
        runner.run(aio.send(template))
        yield 0
        yield runner.run(send(aio, template))
        runner.run(aio.close())


def fcm_template(ready: dict[str, Any], tokens: list[str]) -> Iterator[int]:
    import pushcore

    with client(ready) as fcm:
        template = pushcore.FcmMessage(token=tokens[0], notification=NOTIFICATION, data={"k": "v"})
        fcm.send(template)
        yield 0
        yield accepted(fcm.send_many(tokens, message=template))


def fcm_distinct(ready: dict[str, Any], tokens: list[str]) -> Iterator[int]:
    import pushcore

    def messages() -> Iterator[Any]:
        for at, token in enumerate(tokens):
            yield pushcore.FcmMessage(token=token, notification=NOTIFICATION, data={"k": str(at)})

    with client(ready) as fcm:
        fcm.send(next(messages()))
        yield 0
        yield accepted(fcm.send_many(messages()))


def web_template(ready: dict[str, Any], subscriptions: list[Any]) -> Iterator[int]:
    import pushcore

    there = policy(ready)
    with client(ready) as web:
        known = [pushcore.Subscription(one, policy=there) for one in subscriptions[:SUBSCRIPTIONS]]
        template = pushcore.WebPushMessage(
            subscription=known[0], payload=WEB_PAYLOAD, ttl=3600, urgency="normal", policy=there
        )
        web.send(template)
        yield 0
        targets = (known[at % len(known)] for at in range(len(subscriptions)))
        yield accepted(web.send_many(targets, message=template))
