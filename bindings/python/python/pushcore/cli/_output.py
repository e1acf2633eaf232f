"""What the commands print: for people, or as JSON lines."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from .._errors import PushcoreError
from .._pushcore import Outcome
from ..campaign._ends import clean, end_of, is_held_by_credentials
from ._status import Status


class Output:
    """Results on standard output, everything else on standard error."""

    def __init__(self, *, json: bool) -> None:
        """`json`: for programs."""
        self.json = json

    def record(self, record: Mapping[str, Any], text: str | None = None) -> None:
        """One result."""
        if self.json:
            print(json.dumps(record, ensure_ascii=False), flush=True)
        elif text is not None:
            print(_shown(text))
        else:
            width = max(map(len, record), default=0)
            for name, value in record.items():
                if value is not None:
                    print(f"{name.replace('_', ' '):{width}}  {_shown(str(value))}")

    def note(self, text: str) -> None:
        """Something that is not a result."""
        if not self.json:
            self._say(_shown(text))

    def event(self, name: str, text: str) -> None:
        """Something that happened, for `--verbose`."""
        self._say(json.dumps({"event": name, "text": text}) if self.json else _shown(f"{name}: {text}".rstrip(": ")))

    def error(self, text: str, **more: object) -> None:
        """Why the command could not do it."""
        self._say(json.dumps({"error": text, **more}, ensure_ascii=False) if self.json else f"pushcore: {_shown(text)}")

    @staticmethod
    def _say(text: str) -> None:
        # The terminal may be gone: nobody is left to be told.
        with contextlib.suppress(OSError, ValueError):
            print(text, file=sys.stderr, flush=True)


def _shown(text: str) -> str:
    return "\n".join(map(clean, text.split("\n")))


def forget_stdout() -> None:
    """Nobody reads standard output any more: Python would complain at its end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


def record_of(result: Outcome | PushcoreError) -> dict[str, Any]:
    """A single result, with the names of results files."""
    end = end_of(result)
    return {
        "result": end.outcome,
        "status": end.status,
        "reason": end.reason,
        "action": end.action,
        "id": end.id,
        "since": end.since,
        "after": end.after,
        "scope": end.scope,
        "replacement": end.replacement,
        "location": end.location,
    }


def status_of(result: Outcome | PushcoreError) -> int:
    """The exit status for one result."""
    if isinstance(result, PushcoreError):
        return Status.STOPPED if is_held_by_credentials(result) else Status.LEFT
    return {"accepted": Status.ACCEPTED, "retry_later": Status.LEFT}.get(result.name, Status.REFUSED)
