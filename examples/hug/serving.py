"""Starts the back end under gunicorn: for `serve.py` and for the tests."""

from __future__ import annotations

import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import clients
from database import Database
from pushcore.testing import Sandbox
from store import Store

HERE = pathlib.Path(__file__).resolve().parent


class Serving:
    """The back end with a sandbox behind: four workers on a free loopback port, as long as this object is open."""

    def __init__(self, folder: pathlib.Path, sandbox: Sandbox, *, port: int = 0, workers: int = 4, lease: float = 10.0):
        self.folder, self.sandbox = folder, sandbox
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        #: What lets each system's clients in.
        self.keys = {name: secrets.token_hex(16) for name in ("pushpad", "ionic", "cozie", "fcm_legacy", "operator")}
        self.keys["pinpoint_id"] = "AKIA" + secrets.token_hex(8).upper()
        self.keys["pinpoint_secret"] = secrets.token_urlsafe(30)
        configuration = clients.of_sandbox(sandbox.ready)
        (folder / "hug.json").write_text(json.dumps(configuration))
        self.database = Database(folder / "hug.db")
        self.store = Store(self.database)
        self._seed()
        environment = {
            **os.environ,
            "PUSHCORE_HUG_DATABASE": self.database.path,
            "PUSHCORE_HUG_CONFIG": os.fspath(folder / "hug.json"),
            "PUSHCORE_HUG_BIND": f"127.0.0.1:{self.port}",
            "PUSHCORE_HUG_WORKERS": str(workers),
            "PUSHCORE_HUG_LEASE": str(lease),
            "PUSHCORE_HUG_OPERATOR_KEY": self.keys["operator"],
        }
        # What a test runner sets for its own requests is not for the server's.
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            environment.pop(name, None)
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            "gunicorn.conf.py",
            "--log-level",
            "warning",
            "app:__hug_wsgi__",
        ]
        self.process = subprocess.Popen(command, cwd=HERE, env=environment, start_new_session=True)
        self._wait()

    def _seed(self) -> None:
        """A project, an app and a key for each system."""
        store, ready = self.store, self.sandbox.ready
        store.add_key("pushpad", self.keys["pushpad"], keep=True)
        for name in ("ionic", "cozie"):
            store.add_key(name, self.keys[name])
        store.add_key("fcm_legacy", self.keys["fcm_legacy"], app=ready["fcm"]["project_id"])
        store.add_account("pinpoint", self.keys["pinpoint_id"], secret=self.keys["pinpoint_secret"])
        vapid = pathlib.Path(ready["webpush"]["vapid"]["pem_file"]).read_text()
        store.put("pushpad", "senders", "", "99", {"name": "Demo", "vapid_private_key": vapid})
        project = {"sender_id": 99, "name": "Demo", "website": "https://example.com"}
        store.put("pushpad", "apps", "", "123", project)
        store.put("pinpoint", "apps", "", "app", {"Name": "app"})

    def _wait(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.url + "/metrics"):
                    return
            except (urllib.error.URLError, ConnectionError) as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    self.close()
                    raise RuntimeError("the back end does not answer") from error
                time.sleep(0.1)

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        text = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(one) for one in text.split()]

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Message, bytes]:
        """One request; the answer whatever its status is."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers or {}, method=method)
        if data is not None and not request.has_header("Content-type"):
            request.add_header("Content-Type", "application/json")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def close(self) -> None:
        """Stops gunicorn and its workers."""
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
