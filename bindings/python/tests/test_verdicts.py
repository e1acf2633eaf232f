"""What many answers together say of tokens, keys and the configuration, over sockets."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pushcore
import pushcore.aio
import pytest
from pushcore.testing import Sandbox

#: The devices of a send; `docs/field.md` has the figures of 10,000.
COUNT = int(os.environ.get("PUSHCORE_VERDICTS", "2000"))
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


def fcm_answer(status: int, name: str, code: str, message: str = "scripted") -> dict[str, Any]:
    details = [{"@type": FCM_ERROR, "errorCode": code}]
    body = {"error": {"code": status, "status": name, "message": message, "details": details}}
    action = {"kind": "answer", "status": status, "body": body}
    return {"service": "fcm", "contains": "messages:send", "action": action}


class Case:
    """A list of targets, a message, and clients for them."""

    def __init__(self, sandbox: Sandbox, mistake: str) -> None:
        self.sandbox = sandbox
        self.service = "apns"
        ready = sandbox.ready
        apns = ready["apns"]
        self.good: Any = apns["tokens"]["valid"]
        self.message: Any = pushcore.ApnsMessage(token=self.good, topic=apns["topic"], alert="hello")
        if mistake == "environment":
            self.bad: Any = apns["tokens"]["other_environment"]
        elif mistake == "topic":
            self.bad = apns["tokens"]["other_topic"]
        elif mistake == "key":
            self.service = "web_push"
            there = ready["webpush"]["providers"]["mozilla"]
            policy = sandbox.policy()
            self.good = pushcore.Subscription(there["active"], policy=policy)
            self.bad = pushcore.Subscription(there["other_key"], policy=policy)
            self.message = pushcore.WebPushMessage(subscription=self.good, payload="hello")
        else:
            self.service = "fcm"
            tokens = ready["fcm"]["tokens"]
            self.good, self.bad = tokens["valid"], tokens["valid_2"]
            self.message = pushcore.FcmMessage(token=self.good, notification={"title": "hello"})
            answer = {
                "sender": fcm_answer(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
                "payload": fcm_answer(
                    400,
                    "INVALID_ARGUMENT",
                    "INVALID_ARGUMENT",
                    "The registration token is not a valid FCM registration token",
                ),
            }[mistake]
            self.script = answer

    def every(self) -> None:
        """Every message meets the mistake."""
        if self.service == "fcm":
            self.sandbox.control("POST", "faults", self.script)

    def client(self, kind: Any) -> Any:
        return getattr(self.sandbox, self.service)(kind)


def blocking(case: Case, targets: Iterable[Any], **options: Any) -> tuple[list[Any], list[pushcore.Event], Any]:
    with case.client(pushcore.Client) as client:
        results = [result for _, result in client.send_many(targets, message=case.message, **options)]
        return results, list(client.events()), client.stats()


def asyncio_(case: Case, targets: Iterable[Any], **options: Any) -> tuple[list[Any], list[pushcore.Event], Any]:
    async def main() -> tuple[list[Any], list[pushcore.Event], Any]:
        async with case.client(pushcore.aio.Client) as client:
            sent = client.send_many(targets, message=case.message, **options)
            results = [result async for _, result in sent]
            return results, list(client.events()), client.stats()

    return asyncio.run(main())


Send = Callable[..., "tuple[list[Any], list[pushcore.Event], Any]"]
MISTAKES = ["environment", "topic", "sender", "key", "payload"]


@pytest.fixture(params=[blocking, asyncio_], ids=["blocking", "asyncio"])
def send(request: pytest.FixtureRequest) -> Send:
    found: Send = request.param
    return found


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_configuration_deletes_nothing(sandbox: Sandbox, send: Send, mistake: str) -> None:
    case = Case(sandbox, mistake)
    case.every()
    results, events, stats = send(case, [case.bad] * COUNT)
    assert Counter(result.name for result in results) == {"token_mismatch": COUNT}
    assert stats["held"] == 0
    [told] = [event for event in events if event.name == "mix_up_suspected"]
    assert mistake in told.text
    assert "keep" in told.text


@pytest.mark.parametrize("mistake", ["environment", "key"])
def test_the_dead_among_good_ones_are_all_found(sandbox: Sandbox, send: Send, mistake: str) -> None:
    case = Case(sandbox, mistake)
    targets = [case.bad if number % 100 == 0 else case.good for number in range(COUNT)]
    results, events, _ = send(case, targets)
    assert Counter(result.name for result in results) == {"accepted": COUNT * 99 // 100, "token_gone": COUNT // 100}
    assert "mix_up_suspected" not in {event.name for event in events}


@pytest.mark.parametrize("service", ["apns", "fcm", "web_push", "adm"])
def test_tokens_that_have_died_are_all_found(sandbox: Sandbox, send: Send, service: str) -> None:
    """What is dead whatever is sent: one in a hundred, and for each service its own word for it."""
    case = Case(sandbox, "environment")
    case.service = service
    ready = sandbox.ready
    if service == "apns":
        good, dead = case.good, ready["apns"]["tokens"]["unregistered"]
    elif service == "fcm":
        good, dead = (ready["fcm"]["tokens"][name] for name in ("valid", "unregistered"))
        case.message = pushcore.FcmMessage(token=good, notification={"title": "hello"})
    elif service == "web_push":
        there, policy = ready["webpush"]["providers"]["mozilla"], sandbox.policy()
        good, dead = (pushcore.Subscription(there[name], policy=policy) for name in ("active", "expired"))
        case.message = pushcore.WebPushMessage(subscription=good, payload="hello")
    else:
        good, dead = (ready["adm"]["registrations"][name] for name in ("valid", "unregistered"))
        case.message = pushcore.AdmMessage(registration_id=good, data={"a": "b"})
    targets = [dead if number % 100 == 0 else good for number in range(COUNT)]
    results, events, _ = send(case, targets)
    assert Counter(result.name for result in results) == {"accepted": COUNT * 99 // 100, "token_gone": COUNT // 100}
    assert "mix_up_suspected" not in {event.name for event in events}


@pytest.mark.parametrize("mistake", ["environment", "payload"])
def test_stop_on_suspicion(sandbox: Sandbox, send: Send, mistake: str) -> None:
    case = Case(sandbox, mistake)
    case.every()
    taken = 0

    def targets() -> Iterable[Any]:
        nonlocal taken
        for _ in range(20_000):
            taken += 1
            yield case.bad

    results, _, stats = send(case, targets(), on_suspicion="stop")
    assert len(results) == taken < 10_000
    stopped = [result for result in results if isinstance(result, pushcore.NotSent)]
    assert len(stopped) + stats["token_mismatch"] == taken
    assert all("blame" in str(error) for error in stopped)


def test_a_choice_that_is_none(sandbox: Sandbox) -> None:
    case = Case(sandbox, "environment")
    with case.client(pushcore.Client) as client, pytest.raises(pushcore.MessageError, match="go_on"):
        client.send_many([], message=case.message, on_suspicion="halt")


def test_a_lone_message_does_not_wait(sandbox: Sandbox) -> None:
    case = Case(sandbox, "environment")
    with case.client(pushcore.Client) as client:
        assert client.send(case.message.to(case.bad)).name == "token_mismatch"
        for _ in range(4):
            assert client.send(case.message).name == "accepted"
        # By the answers before it.
        assert client.send(case.message.to(case.bad)).name == "token_gone"


def test_a_wrong_clock_makes_no_storm(sandbox: Sandbox, send: Send) -> None:
    for offset in (3_720_000, -3_720_000):
        sandbox.control("POST", "reset")
        sandbox.control("POST", "clock", {"offset_ms": offset})
        try:
            case = Case(sandbox, "environment")
            results, events, _ = send(case, [case.good] * 300)
            connections = {record["connection"] for record in sandbox.log(service="apns")}
        finally:
            sandbox.control("POST", "clock", {"offset_ms": 0})
        refused = [result for result in results if isinstance(result, pushcore.FixCredentials)]
        kept = [result for result in results if isinstance(result, pushcore.NotSent)]
        assert len(refused) + len(kept) == 300
        assert len(refused) <= 6
        assert len(connections) <= 4
        assert all("clock" in result.advice for result in refused)
        assert all("clock" in str(error) for error in kept)
        assert [event.name for event in events].count("credentials_refused") == 1


def test_a_wrong_key_costs_a_handful(sandbox: Sandbox, send: Send) -> None:
    case = Case(sandbox, "environment")
    body = {"reason": "InvalidProviderToken"}
    sandbox.control("POST", "faults", {"service": "apns", "action": {"kind": "answer", "status": 403, "body": body}})
    results, _, _ = send(case, [case.good] * 20_000)
    requests = len(sandbox.log(service="apns"))
    assert requests <= 10
    names = Counter(type(result).__name__ for result in results)
    assert names == {"FixCredentials": requests, "NotSent": 20_000 - requests}


def test_a_pause_of_the_services_expires_nothing(sandbox: Sandbox, send: Send) -> None:
    case = Case(sandbox, "payload")
    action = {"kind": "answer", "status": 429, "headers": [["retry-after", "2"]]}
    fault = {"service": "fcm", "contains": "messages:send", "skip": 100, "times": 1, "action": action}
    sandbox.control("POST", "faults", fault)
    results, events, _ = send(case, (case.good for _ in range(6000)))
    assert Counter(result.name for result in results) == {"accepted": 5999, "retry_later": 1}
    assert [event.after for event in events if event.name == "throttled"] == [2.0]


def test_a_batch_that_is_finished_holds_nothing_back(sandbox: Sandbox) -> None:
    """A doubtful answer waits five seconds for other answers, unless nothing else is to come."""
    case = Case(sandbox, "topic")
    with case.client(pushcore.Client) as client:
        batch = client.batch(message=case.message)
        began = time.monotonic()
        assert batch.submit([(1, case.bad)]) == 1
        batch.finish()
        results: list[Any] = []
        while batch.in_flight:
            results.extend(batch.wait())
        assert [(key, result.name) for key, result in results] == [(1, "token_mismatch")]
        assert time.monotonic() - began < 4
