"""Level 1: pushcore makes the request and reads the answer, httpx carries them.

    pip install 'httpx[http2]'
    python examples/python/httpx_l1.py

FCM and Web Push take HTTP/1.1 as well; APNs wants HTTP/2.
"""

from __future__ import annotations

import asyncio
import importlib.util

import httpx
import pushcore
from local import tls
from pushcore.testing import Sandbox


async def carry(http: httpx.AsyncClient, request: pushcore.Request) -> pushcore.Response:
    """Any HTTP client can be used like this."""
    answer = await http.request(
        request.method, request.url, headers=request.headers, content=request.body, follow_redirects=False
    )
    return pushcore.Response(answer.status_code, answer.headers.multi_items(), answer.content)


async def fcm(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """FCM wants an access token first: it is a request like any other, good for an hour."""
    credentials = sandbox.fcm_credentials()
    credentials.accept_token(await carry(http, credentials.token_request()))
    tokens = sandbox.ready["fcm"]["tokens"]
    message = pushcore.FcmMessage(token=tokens["valid"], notification={"title": "Hello"})
    for one in (message, message.to(tokens["unregistered"])):
        request = one.request(credentials, host=sandbox.ready["fcm"]["authority"])
        outcome = one.outcome(await carry(http, request))
        print(f"fcm: {outcome.name}: {outcome.advice}")


async def web_push(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The body is encrypted for the browser, the signature made for its push service."""
    subscriptions = sandbox.ready["webpush"]["subscriptions"]
    credentials, policy = sandbox.vapid_credentials(), sandbox.policy()
    message = pushcore.WebPushMessage(subscription=subscriptions["active"], payload="Hello", policy=policy)
    for one in (message, message.to(subscriptions["expired"], policy=policy)):
        outcome = one.outcome(await carry(http, one.request(credentials)))
        print(f"web push: {outcome.name}: {outcome.advice}")


async def apns(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """APNs over httpx's HTTP/2.

    One credentials object for the life of the program: it signs one provider token an hour, and
    APNs refuses those who come with new ones all the time.
    """
    credentials = sandbox.apns_credentials()
    ready = sandbox.ready["apns"]
    message = pushcore.ApnsMessage(token=ready["tokens"]["valid"], topic=ready["topic"], alert="Hello")
    for one in (message, message.to(ready["tokens"]["unregistered"])):
        request = one.request(credentials, environment="sandbox", host=ready["authority"])
        outcome = one.outcome(await carry(http, request))
        print(f"apns: {outcome.name}: {outcome.advice}")


async def main() -> None:
    """Two messages to each service: one is taken, one target is dead."""
    http2 = importlib.util.find_spec("h2") is not None
    with Sandbox() as sandbox:
        async with httpx.AsyncClient(http2=http2, verify=tls(sandbox)) as http:
            await fcm(http, sandbox)
            await web_push(http, sandbox)
            if http2:
                await apns(http, sandbox)
            else:
                print("apns: left out: pip install 'httpx[http2]'")


if __name__ == "__main__":
    asyncio.run(main())
