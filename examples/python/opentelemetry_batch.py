"""OpenTelemetry: a span for a batch with a link to each message, what happens as events of the span, and metrics.

    pip install opentelemetry-sdk
    python examples/python/opentelemetry_batch.py

The names follow OpenTelemetry's conventions for messaging: a `create` span for each message, where the application
decides to send it, and one `send` span for the batch, which links to them. No attribute holds a token.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

import pushcore
from local import device_tokens
from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanKind
from pushcore.testing import Sandbox

tracer = trace.get_tracer("my.app")
#: A row's number, its token, and where in the trace the application decided to send to it.
Row = tuple[int, str, trace.SpanContext]


def create(tokens: list[str]) -> list[Row]:
    """Stands for the application: each message is decided on in a request or a job of its own."""
    rows: list[Row] = []
    for number, token in enumerate(tokens):
        with tracer.start_as_current_span("create push", kind=SpanKind.PRODUCER) as span:
            rows.append((number, token, span.get_span_context()))
    return rows


def hear(event: pushcore.Event) -> None:
    """`on_event` is called by whoever drives the client: the batch's span is the current one."""
    attributes = {"pushcore.level": event.level, "pushcore.text": event.text}
    trace.get_current_span().add_event(f"pushcore.{event.name}", attributes)


def send(client: pushcore.Client, message: pushcore.ApnsMessage, rows: list[Row]) -> Counter[str]:
    """One batch, one span."""
    attributes = {
        "messaging.system": client.service.kind,
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.batch.message_count": len(rows),
    }
    links = [Link(context, {"messaging.message.id": str(number)}) for number, _, context in rows]
    ends: Counter[str] = Counter()
    with tracer.start_as_current_span("send pushes", kind=SpanKind.CLIENT, links=links, attributes=attributes) as span:
        pairs = ((number, token) for number, token, _ in rows)
        for number, result in client.send_many(pairs, message=message):
            ends[result.name] += 1
            if not isinstance(result, pushcore.Accepted):
                told = {"messaging.message.id": str(number), "pushcore.outcome": result.name}
                span.add_event("pushcore.refused", told)
        for name, count in ends.items():
            span.set_attribute(f"pushcore.{name}", count)
    return ends


def observe(client: pushcore.Client) -> None:
    """The client's own counters, read when OpenTelemetry asks."""

    def messages(_: CallbackOptions) -> Iterable[Observation]:
        for name, count in client.stats().items():
            if name not in ("submitted", "queued", "open", "held", "requeued"):
                yield Observation(count, {"messaging.system": client.service.kind, "pushcore.outcome": name})

    metrics.get_meter("my.app").create_observable_counter("messaging.client.sent.messages", [messages])


def main() -> None:
    """Twenty devices, two of which are gone."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([reader]))
    with Sandbox() as sandbox, sandbox.apns(pushcore.Client, on_event=hear) as client:
        observe(client)
        tokens = device_tokens(sandbox, 20)
        message = pushcore.ApnsMessage(token=tokens[0], topic=sandbox.ready["apns"]["topic"], alert="Hello")
        ends = send(client, message, create(tokens))
        print(dict(ends))
        data = reader.get_metrics_data()
    [batch] = [span for span in spans.get_finished_spans() if span.name == "send pushes"]
    print(
        f"span {batch.name!r}: {len(batch.links)} links, events {dict(Counter(event.name for event in batch.events))}"
    )
    counted = json.loads(data.to_json() if data is not None else "{}")
    for metric in counted["resource_metrics"][0]["scope_metrics"][0]["metrics"]:
        points = {point["attributes"]["pushcore.outcome"]: point["value"] for point in metric["data"]["data_points"]}
        print(f"metric {metric['name']}: { ({name: count for name, count in points.items() if count}) }")


if __name__ == "__main__":
    main()
