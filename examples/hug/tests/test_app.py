"""The app under gunicorn with four workers, the sandbox behind."""

from __future__ import annotations

import base64
import http.client
import json
import pathlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pushcore.testing import Sandbox
from serving import Serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Sandbox() as sandbox, Serving(tmp_path_factory.mktemp("hug"), sandbox) as serving:
        yield serving


def wait_for(condition: object, longest: float = 30.0) -> None:
    until = time.monotonic() + longest
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.05)


def test_m_hug_the_two_of_the_tutorial(server: Serving) -> None:
    token = server.sandbox.ready["fcm"]["tokens"]["valid"]
    status, _, body = server.request("POST", "/register-device", {"device_token": token})
    assert (status, json.loads(body)) == (200, {"message": "Device registration successful"})
    status, _, body = server.request("POST", "/send-notification", {"device_token": token, "message": "hi"})
    assert (status, json.loads(body)) == (200, "Notification sent successfully")
    (record,) = server.sandbox.log(service="fcm", operation="push", target=token)
    assert record["accepted"]
    dead = server.sandbox.ready["fcm"]["tokens"]["unregistered"]
    server.request("POST", "/register-device", {"device_token": dead})
    status, _, body = server.request("POST", "/send-notification", {"device_token": dead, "message": "hi"})
    assert (status, json.loads(body)) == (200, "Failed to send notification")
    # The service's word reaches the store.
    assert server.store.by_target(dead) is None
    ios = server.sandbox.ready["apns"]["tokens"]["valid"]
    server.request("POST", "/register-device", {"device_token": ios, "platform": "ios"})
    status, _, body = server.request("POST", "/send-notification", {"device_token": ios, "message": "hi"})
    assert json.loads(body) == "Notification sent successfully"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "answer"),
    [
        (
            "POST",
            "/register-device",
            b"{}",
            400,
            {"errors": {"device_token": "Required parameter 'device_token' not supplied"}},
        ),
        ("GET", "/register-device", None, 405, {"errors": {"405 Method Not Allowed": None}}),
        ("GET", "/nothing", None, 404, {"errors": {"404 Not Found": None}}),
        ("POST", "/register-device", b'{"device_token": ', 400, {"errors": {"body": "not JSON"}}),
    ],
)
def test_m_hug_its_errors(
    server: Serving, method: str, path: str, body: bytes | None, status: int, answer: object
) -> None:
    found, _, text = server.request(method, path, body)
    assert (found, json.loads(text)) == (status, answer)


def test_m_hug_fcm_legacy_as_the_tutorials_own_provider(server: Serving) -> None:
    token = server.sandbox.ready["fcm"]["tokens"]["valid_2"]
    body = {"to": token, "notification": {"title": "New Notification", "body": "hi"}}
    # The tutorial's app sends its key without a scheme.
    status, headers, text = server.request("POST", "/send", body, {"Authorization": server.keys["fcm_legacy"]})
    answer = json.loads(text)
    assert (status, answer["success"], answer["failure"]) == (200, 1, 0)
    assert headers["Content-Type"] == "application/json"
    (record,) = server.sandbox.log(service="fcm", operation="push", target=token)
    sent = json.loads(record["body"])["message"] if isinstance(record["body"], str) else record["body"]["message"]
    assert sent["notification"] == {"title": "New Notification", "body": "hi"}
    status, _, _ = server.request("POST", "/send", body, {"Authorization": "key=another"})
    assert status == 401


def test_pushpad_a_broadcast_to_browsers(server: Serving) -> None:
    bearer = {"Authorization": f"Bearer {server.keys['pushpad']}"}
    subscriptions = server.sandbox.ready["webpush"]["subscriptions"]
    for uid, name in (("user1", "active"), ("user2", "expired")):
        value = subscriptions[name]
        body = {"endpoint": value["endpoint"], **value["keys"], "uid": uid, "tags": ["segment1"]}
        status, _, text = server.request("POST", "/api/v1/projects/123/subscriptions", body, bearer)
        assert status == 201, text
    body = {"body": "Hello world!", "tags": ["segment1 && !other"], "uids": ["user1", "user2", "nobody"]}
    status, _, text = server.request("POST", "/api/v1/projects/123/notifications", body, bearer)
    created = json.loads(text)
    assert (status, created["scheduled"], created["uids"]) == (201, 2, ["user1", "user2"])
    path = f"/api/v1/notifications/{created['id']}"
    wait_for(lambda: json.loads(server.request("GET", path, None, bearer)[2])["successfully_sent_count"] == 1)
    record = server.sandbox.log(service="webpush", accepted=True)[-1]
    shown = json.loads(record["decrypted"]) if isinstance(record["decrypted"], str) else record["decrypted"]
    assert shown["notification"]["body"] == "Hello world!"
    assert shown["notification"]["data"]["notification_id"] == created["id"]
    # The subscription that is gone is deleted.
    counted = "/api/v1/projects/123/subscriptions"
    wait_for(lambda: server.request("HEAD", counted, None, bearer)[1]["X-Total-Count"] == "1")
    status, _, text = server.request("HEAD", counted, None, bearer)
    assert (status, text) == (200, b"")


def test_pushpad_is_scheduled_and_cancelled(server: Serving) -> None:
    bearer = {"Authorization": f"Bearer {server.keys['pushpad']}"}
    body = {"body": "later", "send_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))}
    created = json.loads(server.request("POST", "/api/v1/projects/123/notifications", body, bearer)[2])
    path = f"/api/v1/notifications/{created['id']}"
    assert json.loads(server.request("GET", path, None, bearer)[2])["scheduled"] is True
    assert server.request("DELETE", path + "/cancel", None, bearer)[0] == 204
    assert json.loads(server.request("GET", path, None, bearer)[2])["cancelled"] is True
    state = server.database.connection.execute("SELECT state FROM jobs WHERE key = ?", (str(created["id"]),)).fetchone()
    assert state["state"] == "cancelled"


def test_ionic_and_its_status(server: Serving) -> None:
    tokens = server.sandbox.ready["apns"]["tokens"]
    key = base64.b64encode(f"{server.keys['ionic']}:".encode()).decode()
    headers = {"Authorization": f"Basic {key}", "X-Ionic-Application-Id": "app"}
    body = {"tokens": [tokens["valid"], tokens["unregistered"]], "notification": {"alert": "Hello"}}
    status, _, text = server.request("POST", "/api/v1/push", body, headers)
    answer = json.loads(text)
    assert (status, answer["result"], len(answer["message_id"])) == (202, "queued", 32)
    status, _, text = server.request("GET", f"/api/v1/status/{answer['message_id']}", None, headers)
    shown = json.loads(text)
    assert (status, shown["status"], shown["ios"]["sent"]) == (200, "Sent", 1)
    assert shown["errors"] == [{"token": tokens["unregistered"], "platform": "ios", "error": "Unregistered"}]


def test_s_ionic_scheduled_is_sent_when_it_is_due(server: Serving) -> None:
    tokens = server.sandbox.ready["apns"]["tokens"]
    android = server.sandbox.ready["fcm"]["tokens"]["valid_3"]
    key = base64.b64encode(f"{server.keys['ionic']}:".encode()).decode()
    headers = {"Authorization": f"Basic {key}", "X-Ionic-Application-Id": "app"}
    due = int(time.time()) + 3
    body = {
        "tokens": [tokens["valid"], tokens["unregistered"], android],
        "notification": {"alert": "for later"},
        "scheduled": due,
    }
    status, _, text = server.request("POST", "/api/v1/push", body, headers)
    assert status == 202, text
    path = f"/api/v1/status/{json.loads(text)['message_id']}"
    state = "SELECT s.state FROM sends s JOIN jobs j ON j.id = s.job WHERE j.due = ?"
    rows = server.database.connection.execute(state, (due,)).fetchall()
    if time.time() < due:
        assert [row["state"] for row in rows] == ["waiting"] * 3

    def shown() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(server.request("GET", path, None, headers)[2])
        return found

    wait_for(lambda: shown()["status"] == "Sent")
    assert time.time() >= due
    told = shown()
    assert (told["ios"]["sent"], told["android"]["sent"], told["scheduled"]) == (1, 1, due)
    assert told["errors"] == [{"token": tokens["unregistered"], "platform": "ios", "error": "Unregistered"}]
    (record,) = [one for one in server.sandbox.log(service="apns", target=tokens["valid"]) if "for later" in str(one)]
    assert record["accepted"] is True


def test_cozie_registers_and_notifies(server: Serving) -> None:
    who = {"id_experiment": "AppleStore", "id_participant": "ExternalUser", "id_password": "XXX"}
    headers = {"x-api-key": server.keys["cozie"]}
    token = server.sandbox.ready["apns"]["tokens"]["valid_2"]
    assert server.request("POST", "/cozie/register", {**who, "token": token}, headers)[0] == 200
    buttons = [{"id": "helpful", "text": "Helpful"}]
    body = {**who, "message": "test_message", "heading": "test_heading", "subtitle": "s", "buttons": buttons}
    status, _, text = server.request("POST", "/prod/notification/", body, headers)
    assert (status, json.loads(text)["recipients"]) == (200, 1)
    record = server.sandbox.log(service="apns", target=token, accepted=True)[-1]
    payload = json.loads(record["body"]) if isinstance(record["body"], str) else record["body"]
    assert payload["buttons"] == [{"i": "helpful", "n": "Helpful"}]
    assert payload["custom"]["a"]["notification_id"] == json.loads(text)["id"]


def test_m_dead_tokens_are_told_to_the_store(server: Serving) -> None:
    """Cozie, Ionic and the tutorial: no system sends again to a token that its service called dead."""
    dead = server.sandbox.ready["apns"]["tokens"]["unregistered"]
    who = {"id_experiment": "Dead", "id_participant": "token", "id_password": "XXX"}
    key = {"x-api-key": server.keys["cozie"]}
    assert server.request("POST", "/cozie/register", {**who, "token": dead}, key)[0] == 200
    server.store.register("ionic", "app", "e-dead", service="apns", environment="production", target=dead)
    server.store.register("blog", "", dead, service="apns", environment="production", target=dead)
    with server.database.write() as db:
        # APNs says since when a token is dead: one that was registered after that stays.
        db.execute("UPDATE devices SET registered = 1 WHERE target = ?", (dead,))
    status, _, text = server.request("POST", "/prod/notification/", {**who, "message": "m"}, key)
    assert (status, json.loads(text)["recipients"]) == (200, 0)
    rows = server.database.connection.execute("SELECT system, reason FROM devices WHERE target = ?", (dead,)).fetchall()
    assert sorted((row["system"], row["reason"]) for row in rows) == [
        ("blog", "Unregistered"),
        ("cozie", "Unregistered"),
        ("ionic", "Unregistered"),
    ]
    pushes = len(server.sandbox.log(service="apns", operation="push", target=dead))
    status, _, text = server.request("POST", "/prod/notification/", {**who, "message": "m"}, key)
    assert (status, json.loads(text)) == (400, {"Error message": "No valid OneSignal Player ID found."})
    assert len(server.sandbox.log(service="apns", operation="push", target=dead)) == pushes


# Bad input, through the server.


def test_an_id_of_the_query_or_the_body_is_nobodys(server: Serving) -> None:
    bearer = {"Authorization": f"Bearer {server.keys['pushpad']}"}
    body = {"body": "b", "project_id": "123", "project-id": "123"}
    for path in (
        "/api/v1/projects/404/notifications?project_id=123",
        "/api/v1/projects/404/notifications?project-id=123",
    ):
        status, _, text = server.request("POST", path, body, bearer)
        assert (status, json.loads(text)) == (404, {"error": "Not Found"})


def test_an_encoded_slash_is_a_part_of_the_id(server: Serving) -> None:
    bearer = {"Authorization": f"Bearer {server.keys['pushpad']}"}
    server.store.put("pushpad", "apps", "", "a/b", {"sender_id": 99, "name": "slash", "website": "https://example.com"})
    status, _, text = server.request("GET", "/api/v1/projects/a%2Fb", None, bearer)
    assert (status, json.loads(text)["name"]) == (200, "slash")
    status, _, text = server.request("GET", "/api/v1/projects/123%2Fsubscriptions", None, bearer)
    assert (status, json.loads(text)) == (404, {"error": "Not Found"})


def test_unknown_paths_are_answered_by_the_system_whose_they_are(server: Serving) -> None:
    for method, path, expected in [
        ("GET", "/api/v1/projects/1/nothing", (404, {"error": "Not Found"})),
        ("PUT", "/api/v1/projects", (405, {"error": "Method Not Allowed"})),
        ("GET", "/prod/notification", (403, {"message": "Missing Authentication Token"})),
    ]:
        status, _, text = server.request(method, path)
        assert (status, json.loads(text)) == expected, path


def test_a_chunked_body_is_the_same_body(server: Serving) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Authorization": f"Bearer {server.keys['pushpad']}", "Content-Type": "application/json"}
    chunks = iter([b'{"body": "chu', b'nked", "uids": []}'])
    connection.request("POST", "/api/v1/projects/123/notifications", chunks, headers, encode_chunked=True)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["scheduled"]) == (201, 0)
    connection.close()


def test_malformed_and_huge_bodies(server: Serving) -> None:
    bearer = {"Authorization": f"Bearer {server.keys['pushpad']}"}
    path = "/api/v1/projects/123/notifications"
    status, _, text = server.request("POST", path, b'{"body": ', bearer)
    assert (status, json.loads(text)) == (400, {"error": "not json at line 1, column 9"})
    huge = {"body": "x" * 10_000_000}
    status, _, text = server.request("POST", path, huge, bearer)
    assert (status, json.loads(text)) == (422, {"error": "the notification is larger than 3993 bytes"})
    nested = b'{"body":"b","tags":' + b"[" * 5_000_000
    assert server.request("POST", path, nested, bearer)[0] == 400
    assert server.request("POST", path, b"x" * (17 << 20), bearer)[0] == 413
    legacy = {"Authorization": f"key={server.keys['fcm_legacy']}"}
    assert server.request("POST", "/fcm/send", b'{"to":', legacy)[0] == 400


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"[" * 200_000),
        ("application/json", b'{"device_token": {"a": 1}}'),
        ("application/json", b'{"device_token": 7}'),
        ("application/json", b'{"device_token": ""}'),
        ("application/json", b'{"device_token": "' + b"x" * 5000 + b'"}'),
        ("application/json", b'{"device_token": "\\ud800"}'),
        ("application/json", b'{"device_token": "\xff"}'),
        ("application/json; charset=nonsense", b'{"device_token": "a"}'),
        ("multipart/form-data", b"x"),
        ("text/xml", b"<a/>"),
    ],
)
def test_the_tutorials_parameters_are_never_a_500(server: Serving, kind: str, body: bytes) -> None:
    status, _, text = server.request("POST", "/register-device", body, {"Content-Type": kind})
    assert status == 400, text
    assert set(json.loads(text)) == {"errors"}


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b"[1]", b'{"ids": [1e400]}', b'{"ids": [true]}', b'{"ids": [%d]}' % 2**70]
)
def test_the_operators_numbers_are_never_a_500(server: Serving, body: bytes) -> None:
    operator = {"Authorization": f"Bearer {server.keys['operator']}"}
    assert server.request("POST", "/sends/again", body, operator)[0] == 400


def test_a_length_of_ten_gigabytes_is_answered_at_once(server: Serving) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=9) as connection:
        head = "POST /api/v1/projects/123/notifications HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n{"
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_come_gives_its_thread_back(server: Serving) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        head = "POST /api/v1/projects/123/notifications HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")


def test_headers_that_do_not_come_give_their_thread_back(server: Serving) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")
        assert connection.recv(65536) == b""


def test_a_subscription_leads_nowhere_but_to_a_push_service(server: Serving) -> None:
    bearer = {"Authorization": f"Bearer {server.keys['pushpad']}"}
    server.store.put("pushpad", "apps", "", "ssrf", {"sender_id": 99, "name": "ssrf", "website": "https://example.com"})
    keys = server.sandbox.ready["webpush"]["subscriptions"]["active"]["keys"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        port = listener.getsockname()[1]
        hosts = (
            f"127.0.0.1:{port}",
            f"localhost:{port}",
            f"[::1]:{port}",
            f"fcm.googleapis.com@127.0.0.1:{port}",
            f"0x7f000001:{port}",
            "169.254.169.254",
            "10.0.0.1",
            "evil.example.com",
            "fcm.googleapis.com.evil.example.com",
        )
        path = "/api/v1/projects/ssrf"
        for host in hosts:
            body = {"endpoint": f"https://{host}/x", **keys}
            status, _, text = server.request("POST", f"{path}/subscriptions", body, bearer)
            assert status == 201, text
        for endpoint in ("http://example.com/x", "file:///etc/passwd", "gopher://x"):
            assert server.request("POST", f"{path}/subscriptions", {"endpoint": endpoint, **keys}, bearer)[0] == 422
        status, _, text = server.request("POST", f"{path}/notifications", {"body": "b"}, bearer)
        created = json.loads(text)
        assert (status, created["scheduled"]) == (201, len(hosts))
        ends = "SELECT s.state FROM sends s JOIN jobs j ON j.id = s.job WHERE j.app = 'ssrf' AND s.state = 'failed'"
        wait_for(lambda: len(server.database.connection.execute(ends).fetchall()) == len(hosts))
        with pytest.raises(TimeoutError):
            listener.accept()


def test_an_app_that_is_named_twice_is_nobodys(server: Serving) -> None:
    key = base64.b64encode(f"{server.keys['ionic']}:".encode()).decode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        head = (
            f"GET /api/v1/status/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Basic {key}\r\n"
        )
        connection.sendall((head + "X-Ionic-Application-Id: app\r\n" * 2 + "\r\n").encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_doubled_headers_are_nobodys(server: Serving) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        line = f"Authorization: Bearer {server.keys['pushpad']}\r\n".encode()
        head = b"GET /api/v1/projects/123 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        connection.sendall(head + line + line + b"\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 401 "), answer[:200]


def test_metrics_and_the_operators_pages(server: Serving) -> None:
    status, _, text = server.request("GET", "/metrics")
    assert status == 200
    assert b'pushcore_hug_replies_total{operation="Push",status="202",system="ionic"} ' in text
    assert b'pushcore_hug_sends_total{result="accepted",service="apns"} ' in text
    assert b"# TYPE pushcore_hug_work gauge" in text
    assert server.request("GET", "/sends/unknown")[0] == 403
    operator = {"Authorization": f"Bearer {server.keys['operator']}"}
    status, _, text = server.request("GET", "/sends/unknown", None, operator)
    assert (status, json.loads(text)["count"]) == (200, 0)
    status, _, text = server.request("POST", "/sends/again", {"ids": [1]}, operator)
    assert (status, json.loads(text)) == (200, {"count": 0})


def test_it_listens_on_loopback_alone(server: Serving) -> None:
    listening = [
        fields[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in map(str.split, pathlib.Path(table).read_text().splitlines()[1:])
        # 0A: listening.
        if fields[3] == "0A" and fields[1].endswith(f":{server.port:04X}")
    ]
    # 127.0.0.1, in the kernel's order of bytes.
    assert listening == [f"0100007F:{server.port:04X}"]
