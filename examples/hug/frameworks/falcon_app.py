"""A dialect in Falcon: a sink takes every path, so that the core's own table decides."""

from __future__ import annotations

from typing import Any

import falcon
import wsgi
from host import Host


def create_app(host: Host, system: str) -> Any:
    """An app that answers every request of `system`; for Falcon 2 and later."""
    app = getattr(falcon, "App", None) or falcon.API
    made = app()

    def answer(request: Any, response: Any, **_: Any) -> None:
        try:
            body = wsgi.body(request.env)
        except TimeoutError:
            response.status = "408 Request Timeout"
            return
        if body is None:
            response.status = falcon.HTTP_413
            return
        reply = host.serve(system, request.method, wsgi.target(request.env), wsgi.headers(request.env), body)
        response.status = getattr(falcon, f"HTTP_{reply.status}")
        response.content_type = None
        for name, value in reply.headers:
            response.append_header(name, value)
        response.data = reply.body

    made.add_sink(answer, "/")
    return made
