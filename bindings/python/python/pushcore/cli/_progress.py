"""The live display of a campaign: rate, outcomes, time left. Readable at 40 columns."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ..campaign import Progress
from ._output import Output

_FIRST = ("accepted", "token_gone", "token_mismatch", "retry_later", "fix_credentials", "rejected", "refused")


@contextlib.contextmanager
def show(output: Output, off: bool) -> Iterator[Callable[[Progress], object] | None]:
    """What to call with each progress; `None` when nobody looks."""
    if off or output.json or not sys.stderr.isatty():
        yield None
        return
    import rich.console
    import rich.live

    console = rich.console.Console(stderr=True)
    with rich.live.Live(console=console, auto_refresh=False, redirect_stderr=True, redirect_stdout=True) as live:

        def update(progress: Progress) -> None:
            # The terminal may be gone, or have another width than before.
            with contextlib.suppress(OSError):
                live.update(_picture(progress, console.width), refresh=True)

        yield update


def _picture(progress: Progress, width: int) -> Any:
    import rich.console
    import rich.progress_bar
    import rich.text

    head = f"{progress.ended:,} sent  {progress.rate:,.0f}/s"
    time = _clock(progress.elapsed)
    parts: list[Any] = []
    if progress.part is not None:
        head += f"  {progress.part:.0%}"
        time += f"  ETA {_left(progress)}"
        parts.append(rich.progress_bar.ProgressBar(total=1.0, completed=progress.part, width=min(width, 60)))
    lines = [f"{head}  {time}"] if len(head) + len(time) + 2 <= width else [head, time]
    lines += _wrapped(outcomes(progress), width)
    text = rich.text.Text("\n".join(lines), no_wrap=True, overflow="ellipsis")
    return rich.console.Group(text, *parts)


def outcomes(progress: Progress) -> list[str]:
    """`accepted 1,000` and so on, for what there is."""
    names = [*_FIRST, *sorted(set(progress.counts) - set(_FIRST))]
    found = [f"{name.replace('_', ' ')} {progress.counts[name]:,}" for name in names if progress.counts[name]]
    more = (("in flight", progress.in_flight), ("skipped", progress.skipped), ("duplicates", progress.duplicates))
    return found + [f"{name} {count:,}" for name, count in more if count]


def _wrapped(words: list[str], width: int) -> list[str]:
    """The words in lines; a count stays with its name."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 2 + len(word) <= width:
            lines[-1] += "  " + word
        else:
            lines.append(word)
    return lines


def _left(progress: Progress) -> str:
    part = progress.part or 0.0
    if part <= 0:
        return "?"
    return _clock(progress.elapsed * (1 - part) / part)


def _clock(seconds: float) -> str:
    whole = int(seconds + 0.5)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
