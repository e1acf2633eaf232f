"""What Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host import Host

_KINDS = {
    "pushcore_hug_replies": ("counter", "Requests of foreign systems that were answered."),
    "pushcore_hug_sends": ("counter", "Messages that came to an end, by what the service said."),
    "pushcore_hug_events": ("counter", "What happened to connections and tokens."),
    "pushcore_hug_work": ("gauge", "Messages that were written down, by their state."),
    "pushcore_hug_devices": ("gauge", "Devices that are alive."),
    "pushcore_hug_dead_devices": ("gauge", "Devices whose tokens a service called dead."),
    "pushcore_hug_client": ("gauge", "Messages of the worker that answers, by where they are."),
}


def text(host: Host) -> str:
    """Every metric with its help."""
    host.count_events()
    rows = [(name, labels, value) for name, labels, value in host.store.counters()]
    rows += [("pushcore_hug_work", {"state": state}, count) for state, count in sorted(host.work.counts().items())]
    alive, dead = host.store.census()
    rows += [("pushcore_hug_devices", {}, alive), ("pushcore_hug_dead_devices", {}, dead)]
    for (service, environment), stats in sorted(host.stats().items()):
        labels = {"service": service, "environment": environment}
        rows += [("pushcore_hug_client", {**labels, "messages": name}, value) for name, value in stats.items()]
    return "".join(_family(name, [row for row in rows if row[0] == name]) for name in _KINDS)


def _family(name: str, rows: Iterable[tuple[str, Mapping[str, str], float]]) -> str:
    kind, about = _KINDS[name]
    suffix = "_total" if kind == "counter" else ""
    lines = [f"# HELP {name}{suffix} {about}\n# TYPE {name}{suffix} {kind}\n"]
    lines += [f"{name}{suffix}{_labels(labels)} {value:g}\n" for _, labels, value in rows]
    return "".join(lines)


def _labels(labels: Mapping[str, str]) -> str:
    def escaped(value: str) -> str:
        return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    pairs = ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""
