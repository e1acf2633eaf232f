"""A host of dialects, as small as one can be: a store in memory, and an HTTP server that hands over the raw request."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pushcore
from pushcore.dialect import Dialect, Job, Reply, Step
from pushcore.testing import Sandbox

#: What becomes of a message.
Sender = Callable[[Step], Any]


def accept(step: Step) -> pushcore.Outcome:
    """A service that takes everything."""
    return pushcore.Accepted(status=200, id=f"id-{step.id}")


class Store:
    """Answers the questions of a job out of dicts."""

    def __init__(self) -> None:
        self.secrets: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, dict[str, Any]] = {}
        self.records: dict[tuple[str, str | None], dict[str, Any]] = {}
        self.claims: dict[str, str | None] = {}
        self._lock = threading.Lock()

    def collection(self, name: str, scope: str | None = None) -> dict[str, Any]:
        return self.records.setdefault((name, scope), {})

    def answer(self, ask: dict[str, Any]) -> Any:
        with self._lock:
            return getattr(self, "_" + ask["ask"])(ask)

    def remember(self, reply: Reply) -> None:
        with self._lock:
            for key in reply.remember:
                self.claims[key] = reply.to_json()

    def _secret(self, ask: dict[str, Any]) -> Any:
        return self.secrets.get(ask["access_key"])

    def _token(self, ask: dict[str, Any]) -> Any:
        return self.tokens.get(ask["sha256"])

    def _claim(self, ask: dict[str, Any]) -> Any:
        taken = [key for key in ask["keys"] if key in self.claims]
        for key in taken:
            if (reply := self.claims[key]) is not None:
                return {"reply": json.loads(reply)}
        if taken:
            return {"under_way": True}
        self.claims.update(dict.fromkeys(ask["keys"]))
        return None

    def _get(self, ask: dict[str, Any]) -> Any:
        there = self.collection(ask["collection"], ask["scope"])
        return {key: there[key] for key in ask["ids"] if key in there}

    def _list(self, ask: dict[str, Any]) -> Any:
        there = self.collection(ask["collection"], ask["scope"])
        users = ask["filter"].get("users")
        items = [
            {"id": key, "value": value}
            for key, value in there.items()
            if users is None or value.get("User", {}).get("UserId") in users
        ]
        limit = ask["limit"] if ask["limit"] is not None else len(items)
        return {"items": items[ask["offset"] : ask["offset"] + limit], "total": len(items)}

    def _put(self, ask: dict[str, Any]) -> Any:
        there = self.collection(ask["collection"], ask["scope"])
        ids: list[str | None] = []
        for record in ask["records"]:
            key, value = record["id"], record["value"]
            if key is None:
                key = f"{len(there):032x}"
            known = key in there
            if (ask["write"] == "create" and known) or (ask["write"] == "merge" and not known):
                ids.append(None)
                continue
            if ask["write"] in ("merge", "upsert"):
                value = {**there.get(key, {}), **value}
                value = {name: member for name, member in value.items() if member is not None}
            there[key] = value
            ids.append(key)
        return {"ids": ids}

    def _delete(self, ask: dict[str, Any]) -> Any:
        there = self.collection(ask["collection"], ask["scope"])
        return {"ids": [key for key in ask["ids"] if there.pop(key, None) is not None]}


def drive(job: Job, store: Store, send: Sender = accept, *, through_json: bool = False) -> tuple[Reply, list[Step]]:
    """Works on a job to its end. With `through_json` it is written down and read back before each step."""
    sent = []
    while (reply := job.reply) is None:
        if through_json:
            job = Job.from_json(job.to_json())
        step = job.steps[0]
        if step.kind == "ask":
            job.answer(step.id, store.answer(step.data))
        elif step.kind == "send":
            sent.append(step)
            job.sent(step.id, send(step))
        else:
            sent.append(step)
            job.answer(step.id, {"id": "b-1", "count": 0})
    store.remember(reply)
    return reply, sent


@contextmanager
def serving(
    dialect: Dialect, store: Store, send: Sender = accept, *, clock: Callable[[], float] = time.time
) -> Iterator[tuple[str, list[Job]]]:
    """Serves a dialect on a free loopback port: its URL, and every job that was begun."""
    jobs: list[Job] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            job = dialect.begin(self.command, self.path, self.headers.items(), self.body(), now=clock())
            jobs.append(job)
            reply, _ = drive(job, store, send)
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            whole = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                whole += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return whole

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests look at the jobs."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", jobs
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Senders:
    """Sends the messages of a job through clients of the sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._clients: dict[str, pushcore.Client] = {
            "apns": sandbox.apns(pushcore.Client),
            "fcm": sandbox.fcm(pushcore.Client),
            "adm": sandbox.adm(pushcore.Client),
            "baidu": sandbox.baidu(pushcore.Client),
        }
        self._lock = threading.Lock()

    def __call__(self, step: Step) -> Any:
        assert step.message is not None
        client = self._clients[step.data["channel"]["service"]]
        try:
            return client.send(step.message)
        except pushcore.PushcoreError as error:
            return error

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
