"""Options of a client by what they do, seen from the other side: an option that is taken and forgotten fails here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pushcore
import pytest
from pushcore.testing import Sandbox


def message(sandbox: Sandbox) -> pushcore.ApnsMessage:
    apns = sandbox.ready["apns"]
    return pushcore.ApnsMessage(token=apns["tokens"]["valid"], topic=apns["topic"], alert="hello")


def fcm_message(sandbox: Sandbox) -> pushcore.FcmMessage:
    return pushcore.FcmMessage(token=sandbox.ready["fcm"]["tokens"]["valid"], data={"a": "b"})


def fault(sandbox: Sandbox, action: dict[str, Any], **more: Any) -> None:
    sandbox.control("POST", "faults", {"service": "apns", "action": action, **more})


def warm(client: pushcore.Client, sandbox: Sandbox) -> None:
    """Until the first good token APNs allows one stream at a time."""
    assert client.send(message(sandbox)).name == "accepted"


@pytest.mark.parametrize("again", [False, True])
def test_at_least_once(sandbox: Sandbox, again: bool) -> None:
    """The service takes the push and the connection is lost before the answer."""
    with sandbox.apns(pushcore.Client, at_least_once=again) as client:
        warm(client, sandbox)
        fault(sandbox, {"kind": "close", "how": "reset"}, processed=True, times=1)
        if again:
            assert client.send(message(sandbox)).name == "accepted"
        else:
            with pytest.raises(pushcore.Unknown):
                client.send(message(sandbox))
    # The first of all, the one whose answer was lost, and that one again or not.
    assert len(sandbox.log(service="apns", accepted=True)) == 2 + again


@pytest.mark.parametrize("most", [0, 2])
def test_max_requeues(sandbox: Sandbox, most: int) -> None:
    """A stream that is refused (REFUSED_STREAM, 7) was not processed, and the message goes out again."""
    with sandbox.apns(pushcore.Client, max_requeues=most) as client:
        warm(client, sandbox)
        fault(sandbox, {"kind": "rst", "code": 7}, times=9)
        with pytest.raises(pushcore.NotSent):
            client.send(message(sandbox))
        struck = sandbox.control("GET", "faults")
    # Once, once more for each time that it may go back, and once that does not count: the host had answered another
    # message just before.
    assert [script["fired"] for script in struck] == [2 + most]


def test_rate(sandbox: Sandbox) -> None:
    """Twenty a second: the first two at once (a tenth of a second's worth), ten more take half a second."""
    with sandbox.apns(pushcore.Client, rate=20) as client:
        warm(client, sandbox)
        began = time.monotonic()
        results = client.send_many([message(sandbox).token] * 12, message=message(sandbox))
        assert all(isinstance(result, pushcore.Accepted) for _, result in results)
        took = time.monotonic() - began
    assert took >= 0.45
    with sandbox.apns(pushcore.Client) as client:
        warm(client, sandbox)
        began = time.monotonic()
        for _ in client.send_many([message(sandbox).token] * 12, message=message(sandbox)):
            pass
        assert time.monotonic() - began < 0.45, "without a rate it is quick"


def connections(sandbox: Sandbox, **options: Any) -> int:
    """How many connections a client opens for 30 answers of 300 ms each over connections of one stream."""
    with sandbox.fcm(pushcore.Client, queue_wait_before_dial=0.02, http2={"max_in_flight": 1}, **options) as client:
        assert client.send(fcm_message(sandbox)).name == "accepted"
        sandbox.control(
            "POST",
            "faults",
            {"service": "fcm", "contains": "messages:send", "action": {"kind": "delay", "ms": 300}},
        )
        token = fcm_message(sandbox)
        results = client.send_many([sandbox.ready["fcm"]["tokens"]["valid"]] * 12, message=token)
        assert all(isinstance(result, pushcore.Accepted) for _, result in results)
    sends = [record for record in sandbox.log(service="fcm") if record["operation"] != "oauth.token"]
    return len({record["connection"] for record in sends})


def test_max_connections(sandbox: Sandbox) -> None:
    assert connections(sandbox, max_connections=1) == 1
    sandbox.control("POST", "reset")
    assert 2 <= connections(sandbox, max_connections=3) <= 3
    sandbox.control("POST", "reset")
    assert connections(sandbox, dials_per_minute=0) == 1
    sandbox.control("POST", "reset")
    assert 2 <= connections(sandbox, dials_per_minute=3) <= 3


@pytest.mark.parametrize(("idle", "made"), [(0.3, 2), (60, 1)])
def test_idle_timeout(sandbox: Sandbox, idle: float, made: int) -> None:
    with sandbox.apns(pushcore.Client, idle_timeout=idle) as client:
        warm(client, sandbox)
        # A blocking client's sockets are looked at when something is sent.
        time.sleep(0.6)
        warm(client, sandbox)
    assert len({record["connection"] for record in sandbox.log(service="apns")}) == made


def refused(send: Callable[[], object]) -> tuple[type[BaseException], float]:
    began = time.monotonic()
    with pytest.raises(pushcore.PushcoreError) as raised:
        send()
    return raised.type, time.monotonic() - began


def test_deadline_and_response_timeout(sandbox: Sandbox) -> None:
    fault(sandbox, {"kind": "no_answer"})
    for options in ({"deadline": 0.4}, {"response_timeout": 0.4}):
        with sandbox.apns(pushcore.Client, **options) as client:
            kind, took = refused(lambda: client.send(message(sandbox)))
            assert kind is pushcore.Unknown
            assert 0.35 < took < 5


def test_connect_timeout(sandbox: Sandbox) -> None:
    sandbox.control("POST", "connect-faults", [{"service": "apns", "action": {"kind": "hold"}}] * 20)
    with sandbox.apns(pushcore.Client, connect_timeout=0.3, first_backoff=0.1, deadline=1.5) as client:
        kind, _ = refused(lambda: client.send(message(sandbox)))
        assert kind in (pushcore.Expired, pushcore.NotSent)
        failures = [event for event in client.events() if event.name == "disconnected"]
    # At 0.3 s, and again after a short back-off: the default would have waited ten seconds.
    assert len(failures) >= 2


def test_max_queued(sandbox: Sandbox) -> None:
    fault(sandbox, {"kind": "no_answer"})
    taken = 0

    def tokens() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield message(sandbox).token

    with (
        sandbox.apns(pushcore.Client, max_queued=5, deadline=1.0) as client,
        client.send_many(tokens(), message=message(sandbox)) as results,
    ):
        next(results)
        # Five in the queue, one on the only stream, and what was taken from the iterator for the next turn.
        assert taken <= 20


def test_compact_headers(sandbox: Sandbox) -> None:
    sizes = {}
    for compact in (False, True):
        with sandbox.fcm(pushcore.Client, compact_headers=compact) as client:
            for _ in range(20):
                assert client.send(fcm_message(sandbox)).name == "accepted"
            sizes[compact] = sum(client.header_bytes())
    # "A quarter fewer".
    assert sizes[True] < 0.85 * sizes[False]
