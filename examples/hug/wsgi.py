"""The raw request out of WSGI's environment: for Hug, Falcon, Flask and whatever else is served by WSGI."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

#: The largest body that is read, in bytes: whatever is larger is no request of any of the systems.
LARGEST = 16 << 20


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

    A chunked body has no length: it is read to its end where the server says that there is one.
    """
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        read: bytes = stream.read(LARGEST + 1)
    else:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        read = stream.read(length) if length <= LARGEST else b"x" * (LARGEST + 1)
    return read if len(read) <= LARGEST else None
