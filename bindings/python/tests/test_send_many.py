"""Bulk sends of the blocking client."""

from __future__ import annotations

import gc
import itertools
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import pushcore
import pytest
from pushcore.testing import Sandbox

if TYPE_CHECKING:
    from pushcore._types import Priority


def template(sandbox: Sandbox) -> pushcore.ApnsMessage:
    apns = sandbox.ready["apns"]
    return pushcore.ApnsMessage(token=apns["tokens"]["valid"], topic=apns["topic"], alert="hello")


def register(sandbox: Sandbox, count: int, start: int = 0) -> list[str]:
    tokens = [f"{number:064x}" for number in range(start + 1, start + count + 1)]
    bundle = sandbox.ready["apns"]["topic"]
    sandbox.control("POST", "apns/tokens", [{"token": token, "bundle": bundle} for token in tokens])
    return tokens


def test_tokens_with_one_template(sandbox: Sandbox) -> None:
    tokens = register(sandbox, 5000)
    dead = sandbox.ready["apns"]["tokens"]["unregistered"]
    reports: list[pushcore.Progress] = []
    with sandbox.apns(pushcore.Client) as client:
        run = client.send_many(
            [*tokens, dead, "not a token"],
            message=template(sandbox),
            on_progress=reports.append,
            progress_every=0.01,
        )
        results = dict(run)
        assert run.progress is None
    assert isinstance(results.pop(dead), pushcore.TokenGone)
    refused = results.pop("not a token")
    assert isinstance(refused, pushcore.MessageError)
    assert refused.code == pushcore.ErrorKind.INVALID_TOKEN
    assert len(results) == 5000
    assert set(results) == set(tokens)
    assert all(isinstance(result, pushcore.Accepted) for result in results.values())
    last = reports[-1]
    assert (last.expected, last.taken, last.ended, last.in_flight) == (5002, 5002, 5002, 0)
    assert (last.accepted, last.token_gone, last.not_sent) == (5000, 1, 1)
    # Exactly once, each of them.
    seen = Counter(record["target"] for record in sandbox.log(service="apns", accepted=True))
    assert set(seen.values()) == {1}
    assert set(seen) == set(tokens)


def test_messages_of_their_own(sandbox: Sandbox) -> None:
    base = template(sandbox)
    messages = [base.to(token, id=f"00000000-0000-4000-8000-{n:012x}") for n, token in enumerate(register(sandbox, 50))]
    with sandbox.apns(pushcore.Client) as client:
        for message, result in client.send_many(messages):
            assert isinstance(result, pushcore.Accepted)
            assert result.id == message.id


def test_an_endless_generator_is_read_lazily(sandbox: Sandbox) -> None:
    token = sandbox.ready["apns"]["tokens"]["valid"]
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield token

    with sandbox.apns(pushcore.Client, max_queued=100) as client:
        run = client.send_many(endless(), message=template(sandbox))
        for _, result in itertools.islice(run, 1000):
            assert isinstance(result, pushcore.Accepted)
        run.close()
        assert next(run, None) is None
        assert taken < 10_000
        # What had not ended was cancelled, and the client goes on.
        assert client.send(template(sandbox)).name == "accepted"
        stats = client.stats()
        assert stats["submitted"] == sum(
            count for name, count in stats.items() if name not in ("submitted", "requeued")
        )


def test_a_generator_that_raises(sandbox: Sandbox) -> None:
    token = sandbox.ready["apns"]["tokens"]["valid"]

    class Broken(Exception):
        pass

    def broken() -> Iterator[str]:
        yield token
        yield token
        raise Broken

    with sandbox.apns(pushcore.Client) as client:
        with pytest.raises(Broken):
            list(client.send_many(broken(), message=template(sandbox)))
        assert client.send(template(sandbox)).name == "accepted"
        stats = client.stats()
        assert stats["queued"] == stats["open"] == 0


def test_a_callback_that_raises(sandbox: Sandbox) -> None:
    def broken(progress: pushcore.Progress) -> None:
        raise ZeroDivisionError

    token = sandbox.ready["apns"]["tokens"]["valid"]
    with sandbox.apns(pushcore.Client) as client, pytest.raises(ZeroDivisionError):
        list(client.send_many([token] * 10, message=template(sandbox), on_progress=broken, progress_every=0))


def test_what_had_ended_before_an_exception_is_not_lost(sandbox: Sandbox) -> None:
    tokens = register(sandbox, 3000)
    calls = 0

    def broken(progress: pushcore.Progress) -> None:
        nonlocal calls
        calls += 1
        if progress.ended > 100:
            raise ZeroDivisionError

    results: list[tuple[str, pushcore.Outcome | pushcore.PushcoreError]] = []
    with sandbox.apns(pushcore.Client) as client:
        run = client.send_many(tokens, message=template(sandbox), on_progress=broken, progress_every=0)
        with pytest.raises(ZeroDivisionError):
            results += run
        # `+=` of a list keeps what it got, and the rest of what had ended can still be fetched.
        results += run
        stats = client.stats()
        assert stats["accepted"] == len(results) > 100
        assert len({token for token, _ in results}) == len(results)
        assert stats["queued"] == stats["open"] == 0


def test_wrong_types_are_results(sandbox: Sandbox) -> None:
    none: list[Any] = [None]
    text: list[Any] = ["a token without a template"]
    with sandbox.apns(pushcore.Client) as client:
        ((_, result),) = client.send_many(text)
        assert isinstance(result, pushcore.MessageError) and "ApnsMessage" in str(result)
        ((_, result),) = client.send_many(none, message=template(sandbox))
        assert isinstance(result, pushcore.MessageError)
        with pytest.raises(TypeError):
            client.send_many(5, message=template(sandbox))  # type: ignore[call-overload]
        assert list(client.send_many([])) == []


def test_an_iterator_does_not_call_itself(sandbox: Sandbox) -> None:
    token = sandbox.ready["apns"]["tokens"]["valid"]
    run: pushcore.SendMany[str]

    def inward() -> Iterator[str]:
        yield token
        next(run)

    with sandbox.apns(pushcore.Client) as client:
        run = client.send_many(inward(), message=template(sandbox))
        with pytest.raises(RuntimeError, match="borrowed"):
            list(run)


def test_cycles_are_collected(sandbox: Sandbox) -> None:
    class Holder:
        run: object

    def tokens(holder: Holder) -> Iterator[str]:
        yield sandbox.ready["apns"]["tokens"]["valid"]
        del holder

    with sandbox.apns(pushcore.Client) as client:
        holder = Holder()
        holder.run = client.send_many(tokens(holder), message=template(sandbox))
        gone = weakref.ref(holder)
        del holder
        gc.collect()
        assert gone() is None


def test_web_push_template(sandbox: Sandbox) -> None:
    subscriptions = [sandbox.control("POST", "webpush/subscriptions", {}) for _ in range(20)]
    with sandbox.web_push(pushcore.Client) as client:
        policy = sandbox.policy()
        targets = [pushcore.Subscription(subscription, policy=policy) for subscription in subscriptions]
        message = pushcore.WebPushMessage(subscription=targets[0], payload="hello")
        results = dict(client.send_many(targets, message=message))
    assert len(results) == 20
    assert {result.name for result in results.values() if isinstance(result, pushcore.Outcome)} == {"accepted"}


def test_fcm_template(sandbox: Sandbox) -> None:
    tokens = sandbox.ready["fcm"]["tokens"]
    with sandbox.fcm(pushcore.Client) as client:
        message = pushcore.FcmMessage(token=tokens["valid"], data={"k": "v"})
        wanted = [tokens["valid"], tokens["valid_2"], tokens["valid_3"], tokens["unregistered"]]
        names = Counter(
            result.name
            for _, result in client.send_many(wanted, message=message)
            if isinstance(result, pushcore.Outcome)
        )
    assert names == {"accepted": 3, "token_gone": 1}
    # One token was minted for all of them.
    assert len(sandbox.log(service="fcm", operation="oauth.token")) == 1


def test_a_bulk_send_may_be_interactive(sandbox: Sandbox) -> None:
    """Three messages leave before a campaign of sixty that began earlier, from `send_many` as from `batch`."""
    ended: list[str] = []
    with sandbox.apns(pushcore.Client, max_connections=1, http2={"max_in_flight": 2}) as client:
        client.send(template(sandbox))
        sandbox.control("POST", "faults", {"service": "apns", "action": {"kind": "delay", "ms": 50}})

        def campaign() -> None:
            for _ in client.send_many(template(sandbox) for _ in range(60)):
                ended.append("bulk")

        thread = threading.Thread(target=campaign)
        thread.start()
        while not ended:
            time.sleep(0.01)
        for _ in client.send_many([template(sandbox)] * 3, priority="interactive"):
            ended.append("few")
        batch = client.batch(priority="interactive")
        pairs = [(number, template(sandbox)) for number in range(3)]
        while pairs or batch.in_flight:
            pairs = pairs[batch.submit(pairs) :]
            if not pairs:
                batch.finish()
            ended.extend("step" for _ in batch.wait())
        thread.join()
        with pytest.raises(ValueError, match="priority"):
            client.send_many([template(sandbox)], priority=cast("Priority", "urgent"))
        with pytest.raises(ValueError, match="priority"):
            client.batch(priority=cast("Priority", "urgent"))
    assert ended.count("few") == ended.count("step") == 3
    assert [name for name in ended[:40] if name != "bulk"] == ["few"] * 3 + ["step"] * 3
    assert len(ended) == 66
