"""What the commands print: for people, or as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from .._errors import PushcoreError
from .._pushcore import Accepted, Outcome, RetryLater, TokenGone


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
            print(text)
        else:
            width = max(map(len, record), default=0)
            for name, value in record.items():
                if value is not None:
                    print(f"{name.replace('_', ' '):{width}}  {value}")

    def note(self, text: str) -> None:
        """Something that is not a result."""
        if not self.json:
            print(text, file=sys.stderr)

    def error(self, text: str, **more: object) -> None:
        """Why the command could not do it."""
        if self.json:
            print(json.dumps({"error": text, **more}), flush=True)
        else:
            print(f"pushcore: {text}", file=sys.stderr)


def record_of(result: Outcome | PushcoreError) -> dict[str, Any]:
    """A result as it stands in result files."""
    if isinstance(result, PushcoreError):
        return {
            "result": type(result).__name__.lower() if result.code >= 500 else "refused",
            "status": None,
            "reason": str(result),
            "action": _ACTIONS.get(type(result).__name__, "fix the message or the target"),
            "id": None,
            "after": None,
            "replacement": None,
        }
    return {
        "result": result.name,
        "status": result.status,
        "reason": result.reason,
        "action": result.advice,
        "id": result.id if isinstance(result, Accepted) else None,
        "after": result.after if isinstance(result, RetryLater) else None,
        "replacement": result.replacement if isinstance(result, (Accepted, TokenGone)) else None,
    }


_ACTIONS = {
    "NotSent": "not processed: send again",
    "Expired": "not processed in time: send again if it is still wanted",
    "Cancelled": "cancelled: send again if it is still wanted",
    "Unknown": "written, no answer: it may have been shown; send again only if twice is better than never",
}


def status_of(result: Outcome | PushcoreError) -> int:
    """The exit status for one result."""
    if isinstance(result, Accepted):
        return 0
    return 3 if isinstance(result, PushcoreError) else 1
