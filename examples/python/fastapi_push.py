"""FastAPI: a hub for the life of the application, pushes in the background, metrics for Prometheus.

    pip install fastapi httpx
    python examples/python/fastapi_push.py

In a program of one's own: `pushcore.aio.Hub()` and `hub.add(service, credentials)` in place of the sandbox's hub.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator

import fastapi
import httpx
import pushcore
import pushcore.aio
from local import device, table
from pushcore.testing import Sandbox

OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def create_app(sandbox: Sandbox, db: sqlite3.Connection) -> fastapi.FastAPI:
    """The application."""

    @contextlib.asynccontextmanager
    async def lifespan(app: fastapi.FastAPI) -> AsyncIterator[None]:
        # One hub for the process: its connections are kept, and close when the application ends.
        async with sandbox.hub(pushcore.aio.Hub) as app.state.hub:
            app.state.running = set[asyncio.Task[None]]()
            yield
            # What is under way ends in order; nothing new is read.
            app.state.hub.drain()
            await asyncio.gather(*app.state.running)

    app = fastapi.FastAPI(lifespan=lifespan)

    async def send(user: int, notification: pushcore.Notification) -> None:
        rows = db.execute("SELECT service, token, id FROM devices WHERE user = ?", (user,)).fetchall()
        devices = [device(sandbox, *row) for row in rows]
        async for key, _, _, feedback in app.state.hub.send(devices, notification):
            if feedback.action == "delete":
                db.execute("DELETE FROM devices WHERE id = ?", (key,))

    @app.post("/users/{user}/notifications", status_code=202)
    async def notify(user: int, notification: dict[str, object]) -> dict[str, str]:
        try:
            # The form of docs/notification.md; an unknown field is refused with its path.
            what = pushcore.Notification.from_json(notification)
        except pushcore.MessageError as error:
            raise fastapi.HTTPException(422, str(error)) from error
        # The answer does not wait for Apple: a task of the loop's own sends, with retries.
        task = asyncio.create_task(send(user, what))
        app.state.running.add(task)
        task.add_done_callback(app.state.running.discard)
        return {"status": "accepted"}

    @app.get("/metrics")
    async def metrics() -> fastapi.Response:
        return fastapi.Response(app.state.hub.open_metrics(), media_type=OPEN_METRICS)

    return app


async def ask(app: fastapi.FastAPI) -> None:
    """A client of the application, in the same process."""
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://app") as http:
        for user in (0, 1, 19):
            answer = await http.post(f"/users/{user}/notifications", json={"title": "Hello", "body": f"user {user}"})
            print(answer.status_code, answer.json())
        answer = await http.post("/users/0/notifications", json={"titel": "Hello"})
        print(answer.status_code, answer.json()["detail"])
        while app.state.running:
            await asyncio.sleep(0.05)
        answer = await http.get("/metrics")
        wanted = "pushcore_messages_total"
        print(
            *sorted(line for line in answer.text.splitlines() if line.startswith(wanted) and line[-1] != "0"), sep="\n"
        )


def main() -> None:
    """Twenty users, three devices each; the last three of every service are dead."""
    with Sandbox() as sandbox:
        db = table(sandbox, users=20)
        asyncio.run(ask(create_app(sandbox, db)))
        (left,) = db.execute("SELECT count(*) FROM devices").fetchone()
        db.close()
        print(f"{left} devices left")


if __name__ == "__main__":
    main()
