"""The raw request out of WSGI's environment: for Hug, Falcon, Flask and whatever else is served by WSGI."""

from __future__ import annotations

import re
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

#: The largest body that is read, in bytes: whatever is larger is no request of any of the systems.
LARGEST = 16 << 20
#: The longest time that a body may take to come, in seconds: the largest one comes in it at 5 Mbit/s.
PATIENCE = 30.0
#: The longest pause in a body, in seconds.
SILENCE = 10.0
#: What is read of a body that is too large, in bytes, so that its client comes to see the answer.
DRAINED = 64 << 20
#: What is read of a body at a time, in bytes: a client that sends slowly is looked at each time.
PART = 1024


def target(environ: Mapping[str, Any]) -> str:
    """The raw target. `PATH_INFO` is decoded, so that a slash inside an id would be lost; gunicorn and werkzeug keep it."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not raw:
        raw = urllib.parse.quote(environ.get("PATH_INFO", "/").encode("latin-1"))
        query = environ.get("QUERY_STRING", "")
        raw += f"?{query}" if query else ""
    # A proxy's form names the host, too.
    return re.sub(r"^https?://[^/]*", "", raw) or "/"


def headers(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers of the request. WSGI has them under names of its own and joins those that came twice by a comma."""
    found = [(name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")]
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found.append((name.replace("_", "-"), environ[name]))
    return found


def body(environ: Mapping[str, Any]) -> bytes | None:
    """The raw body, because signatures are of these bytes; `None` for one that is too large.

    A chunked body has no length: it is read to its end where the server says that there is one. Raises `TimeoutError`
    for one that does not come: a thread that waits for it answers nobody else.
    """
    length = _length(environ)
    if length is None and not environ.get("wsgi.input_terminated"):
        return b""
    if length is not None and length > DRAINED:
        # Before anything is read, because the rest may never come.
        return None
    parts: list[bytes] = []
    there = 0
    for part in _parts(environ, length):
        there += len(part)
        if there <= LARGEST:
            parts.append(part)
        elif there > DRAINED:
            break
        # Else it is read and dropped: a client that is still writing does not see an answer.
    return b"".join(parts) if there <= LARGEST else None


def _parts(environ: Mapping[str, Any], length: int | None) -> Iterator[bytes]:
    """The body in small parts, because a client that sends a byte a second is never late for the next one."""
    connection, stream = environ.get("gunicorn.socket"), environ["wsgi.input"]
    until, left = time.monotonic() + PATIENCE, length
    if connection is not None:
        connection.settimeout(SILENCE)
    try:
        while part := stream.read(PART if left is None else min(PART, left)):
            left = None if left is None else left - len(part)
            yield part
            if time.monotonic() > until:
                raise TimeoutError("the body did not come in time")
    except BlockingIOError as error:
        raise TimeoutError("the body did not come in time") from error
    finally:
        if connection is not None:
            connection.settimeout(None)


def _length(environ: Mapping[str, Any]) -> int | None:
    """The length that the request says; `None` where it says none."""
    text = environ.get("CONTENT_LENGTH")
    # Some servers leave the variable empty for a chunked body.
    return int(text) if text and text.isdigit() else None
