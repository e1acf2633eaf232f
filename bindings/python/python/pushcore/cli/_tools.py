"""`pushcore token`, `pushcore webpush` and `pushcore sandbox`."""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from .._pushcore import ReceiverKeys
from ..testing.sandbox import find
from . import _manage
from ._grammar import FILE, FILE_OR_TEXT, Group, argument, command, option
from ._keys import read
from ._output import Output


def add(top: click.Group) -> None:
    """The commands' grammar."""
    token = Group("token", help="Look into a provider, access or VAPID token.", no_args_is_help=True)
    top.add_command(token)
    command(
        token,
        "inspect",
        _inspect,
        [argument("token")],
        "Say what a JWT holds, and what is wrong with it. TOKEN may be a whole Authorization header, or - for standard"
        " input.",
    )
    web = Group("webpush", help="The receiving side of Web Push.", no_args_is_help=True)
    top.add_command(web)
    command(
        web,
        "decrypt",
        _decrypt,
        [
            argument("body", type=FILE),
            option("--key", type=FILE_OR_TEXT, required=True,
                   help="the subscription's private key: a file, a JWK or base64"),
            option("--auth", required=True, help="the subscription's auth secret, base64url"),
            option("--crypto-key", help="the header, for the legacy encoding aesgcm"),
            option("--encryption", help="the header, for the legacy encoding aesgcm"),
        ],
        "Decrypt a body: BODY is a file.",
    )  # fmt: skip
    _manage.withdraw(web)
    sandbox = click.Command(
        "sandbox",
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        callback=_sandbox,
        help="Run the five services on this machine: pushcore-sandbox with these options; try -- --help.",
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []},
    )
    top.add_command(sandbox)


def _inspect(options: Any, output: Output) -> int:
    given = sys.stdin.read() if options.token == "-" else options.token
    header, claims = _parse(given.strip())
    notes = list(_notes(header, claims, time.time()))
    times = {name: _when(claims[name]) for name in ("iat", "exp", "nbf") if name in claims}
    record = {"header": header, "claims": claims, "times": times, "notes": notes}
    lines = [f"header  {json.dumps(header)}", f"claims  {json.dumps(claims)}"]
    lines += [f"{name}     {when}" for name, when in times.items()]
    lines += [f"!       {note}" for note in notes]
    output.record(record, "\n".join(lines))
    return 1 if notes else 0


def _parse(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    # `bearer <jwt>`, `WebPush <jwt>`, `vapid t=<jwt>, k=<key>`
    scheme, _, rest = text.partition(" ")
    if rest and scheme.lower() in ("bearer", "webpush", "vapid"):
        text = rest.strip()
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if equals and name == "t":
            text = value
    parts = text.split(".")
    if len(parts) != 3:
        kind = "an opaque access token" if text.startswith("ya29.") else "not a JWT: it has no three parts"
        raise ValueError(f"this is {kind}")
    try:
        header, claims = (json.loads(_decode(part)) for part in parts[:2])
    except ValueError:
        raise ValueError("the parts of the token are not JSON in base64url") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise ValueError("the parts of the token are not JSON objects")
    return header, claims


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _when(value: object) -> str:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return f"{value!r}: not a number"
    try:
        stamp = datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    except (OverflowError, OSError, ValueError):
        return f"{value}: out of range"
    minutes = (time.time() - value) / 60
    return f"{stamp:%Y-%m-%d %H:%M:%S} UTC, " + (
        f"{minutes:.0f} minutes ago" if minutes >= 0 else f"in {-minutes:.0f} minutes"
    )


def _notes(header: dict[str, Any], claims: dict[str, Any], now: float) -> Any:
    issued, ends = claims.get("iat"), claims.get("exp")
    if header.get("alg") not in ("ES256", "RS256"):
        yield f"alg is {header.get('alg')!r}: services take ES256 (APNs, VAPID) or RS256 (Google)"
    for name in ("iat", "exp"):
        value = claims.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            yield f"{name} is not a number: services refuse that"
    if isinstance(issued, (int, float)) and issued > now + 60:
        yield "iat lies in the future: is the clock right?"
    if isinstance(ends, (int, float)):
        if ends < now:
            yield "it has expired"
        if "aud" in claims and "sub" in claims and ends > now + 24 * 3600:
            yield "exp is more than 24 hours ahead: push services refuse that"
    elif isinstance(issued, (int, float)) and "iss" in claims and now - issued > 3600:
        yield "it is older than an hour: APNs answers ExpiredProviderToken"


def _decrypt(options: Any, output: Output) -> int:
    keys = ReceiverKeys.import_keys(read(options.key), auth=options.auth)
    plain = keys.decrypt(options.body.read_bytes(), crypto_key=options.crypto_key, encryption=options.encryption)
    if output.json:
        try:
            output.record({"text": plain.decode()})
        except UnicodeDecodeError:
            output.record({"base64": base64.b64encode(plain).decode()})
    else:
        sys.stdout.buffer.write(plain)
        sys.stdout.flush()
        if sys.stdout.isatty():
            print()
    return 0


def _sandbox(arguments: Sequence[str]) -> int:
    program = os.fspath(find())
    sys.stdout.flush()
    os.execv(program, [program, *(argument for argument in arguments if argument != "--")])
