"""The live display of a bulk send: rate, outcomes, time left."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .._pushcore import Progress
from ._output import Output

_NAMES = (
    "accepted",
    "token_gone",
    "token_mismatch",
    "retry_later",
    "fix_credentials",
    "rejected",
    "not_sent",
    "unknown",
)


@contextlib.contextmanager
def show(output: Output, off: bool) -> Iterator[Callable[[Progress], object] | None]:
    """What to call with each progress; `None` when nobody looks."""
    if off or output.json or not sys.stderr.isatty():
        yield None
        return
    try:
        import rich.console
        import rich.progress
    except ImportError:
        yield _plain
        print(file=sys.stderr)
        return
    columns = (
        rich.progress.SpinnerColumn(),
        rich.progress.TextColumn("{task.completed:,} sent"),
        rich.progress.BarColumn(),
        rich.progress.TextColumn("{task.fields[rate]}/s"),
        rich.progress.TextColumn("{task.fields[outcomes]}"),
        rich.progress.TimeElapsedColumn(),
        rich.progress.TextColumn("{task.fields[left]}"),
    )
    console = rich.console.Console(stderr=True)
    with rich.progress.Progress(*columns, console=console) as display:
        task = display.add_task("send", total=None, rate="0", outcomes="", left="")

        def update(progress: Progress) -> None:
            fields: dict[str, Any] = {"rate": f"{progress.rate:,.0f}", "outcomes": _outcomes(progress)}
            fields["left"] = _left(progress)
            display.update(task, completed=progress.ended, total=progress.expected, **fields)

        yield update


def _plain(progress: Progress) -> None:
    line = f"{progress.ended:,} sent  {progress.rate:,.0f}/s  {_outcomes(progress)}  {_left(progress)}"
    print(f"\r{line:78.78}", end="", file=sys.stderr, flush=True)


def _left(progress: Progress) -> str:
    """`ETA 0:01:30`, where it is known how much there is."""
    if progress.expected is None or progress.rate <= 0:
        return ""
    seconds = int(max(0, progress.expected - progress.ended) / progress.rate + 0.5)
    return f"ETA {seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _outcomes(progress: Progress) -> str:
    counts = ((name.replace("_", " "), getattr(progress, name)) for name in _NAMES)
    return "  ".join(f"{name} {count:,}" for name, count in counts if count)
