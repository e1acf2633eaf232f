"""Counts and latencies, as numbers and as the text that Prometheus reads; its own parser is the oracle."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pushcore
import pushcore.aio
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from pushcore.testing import Sandbox

COUNT = 30


def template(sandbox: Sandbox) -> pushcore.ApnsMessage:
    apns = sandbox.ready["apns"]
    return pushcore.ApnsMessage(token=apns["tokens"]["valid"], topic=apns["topic"], alert="hello")


def blocking(sandbox: Sandbox, tokens: list[str], before: Callable[[Any], None]) -> pushcore.Metrics:
    with sandbox.apns(pushcore.Client) as client:
        before(client)
        assert len(list(client.send_many(tokens, message=template(sandbox)))) == len(tokens)
        return client.metrics()


def asyncio_(sandbox: Sandbox, tokens: list[str], before: Callable[[Any], None]) -> pushcore.Metrics:
    client = sandbox.apns(pushcore.aio.Client)
    found: list[pushcore.Metrics] = []

    async def main() -> None:
        async with client:
            before(client)
            assert len([pair async for pair in client.send_many(tokens, message=template(sandbox))]) == len(tokens)
            # A scraper is another thread.
            scraper = threading.Thread(target=lambda: found.append(client.metrics()))
            scraper.start()
            await asyncio.to_thread(scraper.join)

    asyncio.run(main())
    return found[0]


@pytest.fixture(params=[blocking, asyncio_], ids=["blocking", "asyncio"])
def measure(request: pytest.FixtureRequest) -> Any:
    return request.param


def nothing(client: Any) -> None:
    metrics = client.metrics()
    assert metrics.service == "apns"
    assert set(metrics.stats.values()) == {0}
    assert {name: histogram.count for name, histogram in metrics.latencies.items()} == {
        "queue": 0,
        "wire": 0,
        "whole": 0,
    }


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    found = {}
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_numbers_and_text_agree(sandbox: Sandbox, measure: Any) -> None:
    sandbox.faults.delay("apns", 0.06)
    metrics = measure(sandbox, sandbox.targets("apns", COUNT - 3, dead=3), nothing)
    assert (metrics.stats["accepted"], metrics.stats["token_gone"]) == (COUNT - 3, 3)
    wire, whole = metrics.latencies["wire"], metrics.latencies["whole"]
    assert (wire.count, whole.count, metrics.latencies["queue"].count) == (COUNT, COUNT, COUNT)
    # Every answer took at least the 60 ms that it was held back; none is in a step that ends before that.
    assert wire.sum >= 0.06 * COUNT
    assert whole.sum >= wire.sum
    assert sum(count for bound, count in wire.steps if bound is not None and bound <= 0.05) == 0
    assert sum(count for _, count in wire.steps) == COUNT
    assert wire.steps[-1][0] is None

    told = samples(metrics.to_open_metrics({"app": 'a "b" \\ c'}))
    own = (("app", 'a "b" \\ c'), ("service", "apns"))
    assert told["pushcore_messages_total", tuple(sorted([*own, ("outcome", "accepted")]))] == COUNT - 3
    assert told["pushcore_latency_seconds_count", tuple(sorted([*own, ("phase", "wire")]))] == COUNT
    assert told["pushcore_latency_seconds_sum", tuple(sorted([*own, ("phase", "wire")]))] == pytest.approx(wire.sum)
    assert told["pushcore_latency_seconds_bucket", tuple(sorted([*own, ("phase", "wire"), ("le", "0.05")]))] == 0
    assert "APNs" not in repr(metrics)
    assert f"submitted={COUNT}" in repr(metrics)
    assert f"count={COUNT}" in repr(wire)


def test_several_clients_in_one_text(sandbox: Sandbox) -> None:
    with sandbox.apns(pushcore.Client) as apns, sandbox.fcm(pushcore.Client) as fcm:
        apns.send(template(sandbox))
        text = pushcore.Metrics.open_metrics([({"app": "a"}, apns.metrics()), ({"app": "b"}, fcm.metrics())])
        told = samples(text)
    accepted = {labels: count for (name, labels), count in told.items() if ("outcome", "accepted") in labels}
    assert accepted == {
        (("app", "a"), ("outcome", "accepted"), ("service", "apns")): 1,
        (("app", "b"), ("outcome", "accepted"), ("service", "fcm")): 0,
    }


@pytest.mark.parametrize("label", ["le", "service", "1a", "a-b", ""])
def test_labels_that_are_none(sandbox: Sandbox, label: str) -> None:
    with sandbox.apns(pushcore.Client) as client, pytest.raises(pushcore.MessageError, match="label"):
        client.metrics().to_open_metrics({label: "x"})
