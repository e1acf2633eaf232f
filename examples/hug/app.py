"""The back end as a Hug app: every request of the systems' own clients, and the two of the tutorial.

    gunicorn -c gunicorn.conf.py app:__hug_wsgi__

`PUSHCORE_HUG_DATABASE` names the database file, `PUSHCORE_HUG_CONFIG` the configuration (README.md). `serve.py` starts
all of it with a sandbox behind.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import threading
from typing import Any

import clients
import falcon
import hug
import metrics
import wsgi
from database import Database
from host import Host
from pushcore.dialect import Dialect, Reply
from work import Message

api = hug.API(__name__)

#: The longest parameter of the tutorial's two: longer than any token, and than what a service shows.
LONGEST = 4096

_lock = threading.Lock()
_host: Host | None = None
_process = 0


def host() -> Host:
    """This worker's host. Made at its first use, which is after the fork: it has clients, threads and a lease."""
    global _host, _process
    with _lock:
        if _host is None or _process != os.getpid():
            configuration = clients.read(os.environ.get("PUSHCORE_HUG_CONFIG"))
            database = Database(os.environ.get("PUSHCORE_HUG_DATABASE", "hug.db"))
            made = Host(
                database,
                clients.clients(configuration, database),
                configuration=configuration,
                lease=float(os.environ.get("PUSHCORE_HUG_LEASE", "10")),
            )
            made.start()
            _host, _process = made, os.getpid()
        return _host


def stop() -> None:
    """Lets what this worker has under way end."""
    if _host is not None and _process == os.getpid():
        _host.stop()


# The foreign systems.


def answer(system: str, request: Any, response: Any) -> None:
    """Hands the request over as it came in, and the reply as it is."""
    try:
        body = wsgi.body(request.env)
    except TimeoutError:
        response.status, response.data = "408 Request Timeout", b""
        return
    if body is None:
        response.status, response.data = "413 Payload Too Large", b""
        return
    reply = host().serve(system, request.method, wsgi.target(request.env), wsgi.headers(request.env), body)
    _write(response, reply)


def _write(response: Any, reply: Reply) -> None:
    response.status = getattr(falcon, f"HTTP_{reply.status}", str(reply.status))
    response.content_type = None
    for name, value in reply.headers:
        response.append_header(name, value)
    response.data = reply.body


#: Every method, because a system's own answer to a method that it does not know is the core's to give.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _mount(system: str, path: str) -> None:
    """One path of the core's table. Hug's own parsing is off: a member of the body would replace an id of the path."""
    # Hug's names are Python's; the values are not used, because ids come out of the raw path.
    named = re.sub(r"\{([^}]*)\}", lambda match: "{" + match[1].replace("-", "_") + "}", path)

    def handle(request: Any, response: Any) -> None:
        answer(system, request, response)

    handle.__name__ = f"{system}{re.sub('[^a-z]+', '_', path)}"
    hug.http(named, accept=METHODS, api=api, parse_body=False, output=_raw)(handle)


@hug.format.content_type("application/json")
def _raw(data: Any, request: Any = None, response: Any = None) -> Any:
    """Leaves the reply as it was written."""
    return response.data if response is not None else data


ROUTES = [(system, *route) for system in Dialect.systems() for route in Dialect(system).routes]
for _system, _path in dict.fromkeys((system, path) for system, _, path, _ in ROUTES):
    _mount(_system, _path)


@hug.not_found(api=api, output=_raw)
def unrouted(request: Any, response: Any) -> None:
    """What no route takes is answered by the system whose address it has, in that system's words."""
    target = wsgi.target(request.env)
    for system, _, path, _ in ROUTES:
        prefix = path.split("{")[0]
        if (len(prefix) > 1 and target.startswith(prefix.rstrip("/") + "/")) or target.split("?")[0] == path:
            return answer(system, request, response)
    response.status, response.content_type = falcon.HTTP_404, "application/json"
    response.data = b'{"errors": {"404 Not Found": null}}'
    return None


# The tutorial's two, by Hug's own means.


@hug.exception(ValueError, api=api)
def unreadable(response: Any, exception: ValueError) -> dict[str, Any]:
    """Hug alone answers 500 to JSON that cannot be read."""
    response.status = falcon.HTTP_400
    return {"errors": {"body": "not JSON"}}


def _carefully(kind: str, parse: Any) -> None:
    """Hug's own parser of a kind of body, whose every failure is a `ValueError`: 400, and not 500."""

    @hug.default_input_format(content_type=kind, api=api)
    def read(body: Any, content_length: int | None = None, **parameters: Any) -> Any:
        if (content_length or 0) > wsgi.LARGEST:
            raise ValueError("the body is too large")
        try:
            return parse(body, content_length=content_length, **parameters)
        except (LookupError, RecursionError, TypeError, AttributeError) as error:
            # An unknown charset, a form without a boundary, brackets without an end.
            raise ValueError("the body cannot be read") from error


_carefully("application/json", hug.input_format.json)
_carefully("application/x-www-form-urlencoded", hug.input_format.urlencoded)
_carefully("multipart/form-data", hug.input_format.multipart)


class Unfit(ValueError):
    """A parameter that is there and cannot be."""


@hug.exception(Unfit, api=api)
def unfit(response: Any, exception: Unfit) -> dict[str, Any]:
    """Hug takes an object for a text."""
    response.status = falcon.HTTP_400
    return {"errors": {exception.args[0]: exception.args[1]}}


def _texts(**parameters: Any) -> None:
    for name, value in parameters.items():
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
            raise Unfit(name, f"A text of 1 to {LONGEST} characters is wanted")


@hug.post("/register-device", api=api)
def register_device(device_token: hug.types.text, platform: hug.types.text = "android") -> dict[str, str]:
    """Registers a device of the app."""
    _texts(device_token=device_token, platform=platform)
    service, environment = ("apns", "production") if platform == "ios" else ("fcm", "")
    host().store.register("blog", "", device_token, service=service, environment=environment, target=device_token)
    return {"message": "Device registration successful"}


@hug.post("/send-notification", api=api)
def send_notification(device_token: hug.types.text, message: hug.types.text) -> str:
    """Sends a message to a device."""
    _texts(device_token=device_token, message=message)
    here = host()
    device = here.store.by_target(device_token)
    service = device["service"] if device is not None else "fcm"
    if service == "apns":
        topic = here.topic()
        form = {"push_type": "alert", "bundle": topic, "device": device_token, "lenient": True}
        form["payload"] = {"aps": {"alert": {"title": "New Notification", "body": message}}}
    else:
        form = {"token": device_token, "notification": {"title": "New Notification", "body": message}}
    environment = device["environment"] if device is not None else ""
    sent = here.send_one("blog", "", Message(service, environment, json.dumps(form)), device_token)
    return "Notification sent successfully" if sent else "Failed to send notification"


# For whoever runs it.


@hug.get("/metrics", api=api, output=hug.output_format.text)
def show_metrics() -> str:
    """What all workers counted, in the text that Prometheus reads."""
    return metrics.text(host())


@hug.get("/sends/unknown", api=api)
def list_unknown(request: Any, response: Any) -> Any:
    """Every send that had begun when its worker was killed."""
    if not _is_operator(request):
        response.status = falcon.HTTP_403
        return {"errors": {"403 Forbidden": None}}
    here = host()
    here.work.sweep()
    found = here.work.unknown()
    return {"count": len(found), "sends": [{**one, "target": "..."} for one in found]}


@hug.post("/sends/again", api=api, parse_body=False)
def send_again(request: Any, response: Any) -> Any:
    """Sends unknown ones again, `{"ids": [1, 2]}`: whoever asks for it accepts that some come twice."""
    if not _is_operator(request):
        response.status = falcon.HTTP_403
        return {"errors": {"403 Forbidden": None}}
    try:
        body = json.loads(wsgi.body(request.env) or b"{}")
    except (TimeoutError, RecursionError) as error:
        raise ValueError("the body cannot be read") from error
    ids = body.get("ids") if isinstance(body, dict) else None
    # A number of the database has 63 bits.
    if not isinstance(ids, list) or not all(type(one) is int and 0 < one < 1 << 63 for one in ids):
        raise Unfit("ids", "A list of the numbers of sends is wanted")
    here = host()
    count = here.work.send_again(ids)
    here.sender.wake()
    return {"count": count}


def _is_operator(request: Any) -> bool:
    """Whether the request has the operator's key, which is nobody's where none is set."""
    key = os.environ.get("PUSHCORE_HUG_OPERATOR_KEY", "")
    given = request.get_header("Authorization") or ""
    return bool(key) and hmac.compare_digest(given.encode(), f"Bearer {key}".encode())
