"""`pushcore doctor`: checks a credential and a connection, and explains what is wrong."""

from __future__ import annotations

import calendar
import email.utils
import os
import time
from collections.abc import Iterator
from typing import Any

import click

from .._client import Client
from .._errors import PushcoreError
from .._kinds import ErrorKind
from .._pushcore import AdmMessage, ApnsMessage, BaiduMessage, FcmMessage, Outcome, Request, WebPushMessage
from . import _services
from ._grammar import Group, command, option
from ._output import Output

#: A token that no device has: the answer shows how far the request came.
_NOBODY = "00" * 32

#: A clock that is further off, in seconds, makes services refuse tokens (APNs and FCM allow an hour, Web Push a day).
_TOLERABLE = 300

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

#: What is shown of the credentials: no secret among them.
_SHOWN = {
    "apns": ("key", "key_id", "team_id", "certificate"),
    "fcm": ("credentials", "project"),
    "webpush": ("subject",),
    "adm": ("client_id",),
    "baidu": (),
}


def add(top: click.Group) -> None:
    """The command's grammar."""
    doctor = Group("doctor", help="Check a credential and a connection; nothing is shown anywhere.",
                   no_args_is_help=True)  # fmt: skip
    top.add_command(doctor)
    for service in _services.SERVICES:
        more: list[click.Parameter] = []
        if service == "apns":
            more = [option("--topic", envvar="PUSHCORE_APNS_TOPIC", help="the app's bundle id")]
        if service == "webpush":
            more = [option("--subscription", metavar="JSON", help="to try, or @FILE")]
        parameters = [*more, *_services.credential_options(service), *_services.connection_options(service)]
        text = f"Check {_services.EXAMPLES[service][0]}: clock, key, topic, environment, proxy, CA, and a dry probe."
        command(doctor, service, _run, parameters, text, service=service)


def _run(options: Any, output: Output) -> int:
    healthy = True
    if options.service == "apns" and not options.topic:
        raise ValueError("--topic is needed")
    for name, fine, text in _checks(options):
        healthy = healthy and fine
        output.record({"check": name, "ok": fine, "text": text}, f"{'ok  ' if fine else 'FAIL'} {name}: {text}")
    return 0 if healthy else 1


def _named(option: str, value: str) -> str:
    """The value of an option, without the text of a key that was given in place of a file."""
    if option not in ("key", "certificate", "credentials") or os.path.isfile(value):
        return value
    return "given as text, or no file"


def _checks(options: Any) -> Iterator[tuple[str, bool, str]]:
    shown = ((name, getattr(options, name)) for name in _SHOWN[options.service])
    which = ", ".join(f"{name.replace('_', ' ')} {_named(name, value)}" for name, value in shown if value)
    try:
        client = _services.client(options)
    except (PushcoreError, OSError, ValueError) as error:
        yield "credentials", False, f"{error}" + (f" ({which})" if which else "")
        return
    yield "credentials", True, "they can be read" + (f": {which}" if which else "")
    yield "route", True, _route(options)
    with client:
        yield _clock(options, client)
        probe = _probe(options)
        if probe is None:
            yield "connection", True, "not tried: give a subscription with --subscription"
            return
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


def _route(options: Any) -> str:
    """Where it goes: environment, topic, host, proxy, CA."""
    parts: list[str] = []
    if options.service == "apns":
        parts += [f"environment {options.environment or 'production'}", f"topic {options.topic}"]
    host = getattr(options, "host", None)
    if host:
        parts.append(f"host {host}")
    # A proxy's address may hold a password.
    proxy = options.proxy or _services.proxy(options)
    parts.append("no proxy" if not proxy else f"proxy {proxy.rpartition('@')[2].rpartition('//')[2]}")
    parts.append(f"CA {options.ca} and the bundled ones" if options.ca else "the bundled CAs")
    return ", ".join(parts)


def _clock(options: Any, client: Client) -> tuple[str, bool, str]:
    """This machine's clock beside the service's."""
    now = time.time()
    here = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    # A build is older than any right clock.
    host = getattr(options, "host", None)
    if options.service == "webpush" and options.subscription is None:
        return "clock", True, f"{here}; compare it yourself: no service was asked"
    try:
        authority = host or _services.HOSTS[options.service]
        response = client.exchange(Request("GET", authority, "/"), deadline=options.deadline or 20)
    except (PushcoreError, ValueError):
        return "clock", True, f"{here}; the service's time is not known"
    said = next((value for name, value in response.headers if name.lower() == "date"), None)
    parsed = email.utils.parsedate(said) if said else None
    if parsed is None:
        return "clock", True, f"{here}; the service tells no time: compare it yourself"
    off = now - calendar.timegm(parsed)
    if abs(off) > _TOLERABLE:
        way = "ahead" if off > 0 else "behind"
        return "clock", False, f"{here} is {abs(off) / 60:.0f} minutes {way} of the service: tokens are refused for it"
    return "clock", True, f"{here}, as the service has it (within {abs(off) + 1:.0f} s)"


def _probe(options: Any) -> Any:
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
    subscription = _services.given(options.subscription)
    assert subscription is not None
    # Without a payload: the device is woken and shows what it always shows, or nothing.
    return WebPushMessage(subscription=subscription, ttl=0, policy=_services.policy(options))


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
