"""The same host under three frameworks: the same request, the same answer."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable

import clients
import pytest
from database import Database
from host import Host
from pushcore.testing import Sandbox

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "frameworks"))

import falcon_app
import fastapi_app
import flask_app

#: Method, target, headers, body; status, headers and body.
Ask = Callable[[str, str, dict[str, str], bytes], tuple[int, str | None, bytes]]


def _flask(host: Host) -> Ask:
    client = flask_app.create_app(host, "pushpad").test_client()

    def ask(method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, str | None, bytes]:
        # The test client decodes what it is given; a server keeps the raw target in the environment.
        kept = {"RAW_URI": target, "REQUEST_URI": target}
        answer = client.open(target, method=method, headers=headers, data=body, environ_overrides=kept)
        return answer.status_code, answer.headers.get("X-Total-Count"), answer.data

    return ask


def _falcon(host: Host) -> Ask:
    from falcon import testing

    client = testing.TestClient(falcon_app.create_app(host, "pushpad"))

    def ask(method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, str | None, bytes]:
        path, _, query = target.partition("?")
        extra = {"RAW_URI": target}
        answer = client.simulate_request(method, path, query_string=query, headers=headers, body=body, extras=extra)
        return answer.status_code, answer.headers.get("x-total-count"), answer.content

    return ask


def _fastapi(host: Host) -> Ask:
    from fastapi.testclient import TestClient

    client = TestClient(fastapi_app.create_app(host, "pushpad"))

    def ask(method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, str | None, bytes]:
        answer = client.request(method, target, headers=headers, content=body)
        return answer.status_code, answer.headers.get("x-total-count"), answer.content

    return ask


@pytest.mark.parametrize("framework", [_flask, _falcon, _fastapi])
def test_one_host_three_frameworks(framework: Callable[[Host], Ask], sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    database = Database(tmp_path / "hug.db")
    host = Host(database, clients.clients(clients.of_sandbox(sandbox.ready), database))
    host.start()
    host.store.add_key("pushpad", "token")
    host.store.put("pushpad", "apps", "", "a/b", {"sender_id": 99, "name": "Demo", "website": "https://example.com"})
    bearer = {"Authorization": "Bearer token"}
    ask = framework(host)
    # An encoded slash is a part of the id.
    path = "/api/v1/projects/a%2Fb"
    status, _, body = ask("GET", path, bearer, b"")
    assert (status, b'"name":"Demo"' in body) == (200, True)
    status, total, body = ask("HEAD", path + "/subscriptions?tags%5B%5D=a", bearer, b"")
    assert (status, total, body) == (200, "0", b"")
    status, _, body = ask("POST", path + "/notifications", bearer, b'{"body":"b","uids":[]}')
    assert (status, b'"scheduled":0' in body) == (201, True)
    status, _, body = ask("POST", path + "/notifications", bearer, b'{"body":')
    assert (status, body) == (400, b'{"error":"not json at line 1, column 8"}')
    status, _, body = ask("GET", path, {}, b"")
    assert (status, body) == (401, b'{"error":"Unauthorized"}')
    assert ask("POST", path + "/notifications", bearer, b"x" * (17 << 20))[0] == 413
    host.stop()
