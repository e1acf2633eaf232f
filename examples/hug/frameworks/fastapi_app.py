"""A dialect in FastAPI. ASGI has the raw path and every header as it came, also one that came twice."""

from __future__ import annotations

import fastapi
import fastapi.concurrency
from host import Host

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
#: The largest body that is read, in bytes.
LARGEST = 16 << 20


def create_app(host: Host, system: str) -> fastapi.FastAPI:
    """An app that answers every request of `system`."""
    app = fastapi.FastAPI(openapi_url=None)

    @app.api_route("/{path:path}", methods=METHODS)
    async def answer(request: fastapi.Request) -> fastapi.Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                return fastapi.Response(status_code=413)
        query = request.scope["query_string"]
        target = (request.scope["raw_path"].split(b"?")[0] + (b"?" + query if query else b"")).decode("ascii")
        headers = request.scope["headers"]
        # The host waits for services and the disk, so it gets a thread of its own.
        reply = await fastapi.concurrency.run_in_threadpool(host.serve, system, request.method, target, headers, body)
        made = fastapi.Response(reply.body, reply.status)
        for name, value in reply.headers:
            made.headers.append(name, value)
        return made

    return app
