"""What the subjects of `bulk.py` have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

ALERT = {"aps": {"alert": {"title": "Portugal vs. Denmark", "body": "great match!"}, "sound": "default"}}
NOTIFICATION = {"title": "Portugal vs. Denmark", "body": "great match!"}
WEB_PAYLOAD = json.dumps({"title": "Portugal vs. Denmark", "body": "great match!", "url": "https://example.com/1"})
#: How many subscriptions the Web Push subjects go round; the others have one target a message.
SUBSCRIPTIONS = 200


@dataclass
class Subject:
    """Who sends, what `run` makes of `(ready, targets)`: it yields once when warm, then the accepted."""

    name: str
    service: str
    count: int
    run: Callable[[dict[str, Any], list[Any]], Iterator[int]]
    peer: bool = False
    #: How many against the server that takes its time; 0: not at all.
    slow: int = 0
