"""`pushcore doctor`: checks a credential and a connection, and explains what is wrong."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from .._client import Client
from .._errors import PushcoreError
from .._kinds import ErrorKind
from .._pushcore import AdmMessage, ApnsMessage, BaiduMessage, FcmMessage, Outcome, WebPushMessage
from . import _send
from ._output import Output

#: A token that no device has: the answer shows how far the request came.
_NOBODY = "00" * 32

_HINTS = {
    ErrorKind.CONNECT_REFUSED: "nobody listens there, or a firewall says so: is outgoing port 443 open?",
    ErrorKind.CONNECT_TIMEOUT: "packets get lost on the way: a firewall? APNs also listens on port 2197",
    ErrorKind.NAME_NOT_RESOLVED: "the name does not resolve: check the spelling and the DNS of this machine",
    ErrorKind.CERTIFICATE_UNKNOWN_ISSUER: "something between here and the service opens TLS (a company proxy?): "
    "name its certificate with --ca",
    ErrorKind.CERTIFICATE_EXPIRED: "is this machine's clock right?",
    ErrorKind.CERTIFICATE_NOT_YET_VALID: "is this machine's clock right?",
    ErrorKind.NO_APPLICATION_PROTOCOL: "the server does not speak HTTP/2: a proxy in between?",
}


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    doctor = commands.add_parser("doctor", help="check a credential and a connection; nothing is shown anywhere")
    services = doctor.add_subparsers(title="services", dest="service", required=True, metavar="SERVICE")
    for service in ("apns", "fcm", "webpush", "adm", "baidu"):
        command = services.add_parser(service, parents=[common])
        _send.credentials(command.add_argument_group("credentials"), service)
        _send.connections(command.add_argument_group("connection"), service)
        if service == "apns":
            command.add_argument("--topic", required=True, help="the app's bundle id")
        if service == "webpush":
            command.add_argument("--subscription", metavar="JSON", help="to try, or @FILE")
        command.set_defaults(run=_run)


def _run(options: argparse.Namespace, output: Output) -> int:
    healthy = True
    for name, fine, text in _checks(options):
        healthy = healthy and fine
        output.record({"check": name, "ok": fine, "text": text}, f"{'ok  ' if fine else 'FAIL'} {name}: {text}")
    return 0 if healthy else 1


def _checks(options: argparse.Namespace) -> Iterator[tuple[str, bool, str]]:
    try:
        client = _send.client(options)
    except (PushcoreError, OSError, ValueError) as error:
        yield "credentials", False, str(error)
        return
    yield "credentials", True, "they can be read"
    probe = _probe(options)
    if probe is None:
        yield "connection", True, "not tried: give a subscription with --subscription"
        return
    with client:
        try:
            outcome = client.send(probe, deadline=options.deadline or 20)
        except PushcoreError as error:
            yield "connection", False, _explain(error, client)
            return
    yield "connection", True, "TLS and HTTP work"
    if outcome.name in ("fix_credentials", "retry_later"):
        yield "authorization", False, f"{outcome.reason or outcome.status}: {outcome.advice}"
    else:
        yield "authorization", True, _welcome(options.service, outcome)


def _probe(options: argparse.Namespace) -> Any:
    if options.service == "apns":
        return ApnsMessage(token=_NOBODY, topic=options.topic, alert="doctor")
    if options.service == "fcm":
        return FcmMessage(token="doctor", notification={"title": "doctor"}, validate_only=True)
    if options.service == "adm":
        return AdmMessage(registration_id="doctor", data={"doctor": "1"})
    if options.service == "baidu":
        return BaiduMessage(channel_id="1", text="doctor")
    if options.subscription is None:
        return None
    subscription = _send.given(options.subscription)
    assert subscription is not None
    # Without a payload: the device is woken and shows what it always shows, or nothing.
    return WebPushMessage(subscription=subscription, ttl=0, policy=_send.policy(options))


def _welcome(service: str, outcome: Outcome) -> str:
    said = outcome.reason or str(outcome.status)
    if service == "webpush" or outcome.name == "accepted":
        return f"the service takes them ({said}: {outcome.advice})"
    return f"the service takes them; it only refused the made-up target ({said})"


def _explain(error: PushcoreError, client: Client) -> str:
    # The error of one message says that it was not sent; the events say why.
    kinds = [event.code for event in client.events() if event.name in ("disconnected", "token_failed")]
    for code in [error.code, *kinds]:
        hint = _HINTS.get(ErrorKind(code)) if code in set(ErrorKind) else None
        if hint:
            return f"{error}; {hint}"
    return str(error)
