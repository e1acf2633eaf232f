"""`pushcore send`: one message, or one message to every row of a file."""

from __future__ import annotations

import json
import types
from typing import Any

import click

from .._errors import PushcoreError
from .._pushcore import Outcome
from . import _bulk, _profile, _status
from ._grammar import Group, command, option
from ._output import Output, record_of, status_of
from ._services import (
    EXAMPLES,
    SERVICES,
    client,
    connection_options,
    credential_options,
    fields,
    given,
    make,
    message_options,
    options_of,
    target,
)

_EPILOG = """\
One message:
  pushcore send {service} {key} {target} {text}
Many rows:
  pushcore send {service} {key} \\
      --from tokens.csv --results results.csv {text}

The same command again, after whatever has ended it, goes on where it was and
sends nothing twice. Texts may name columns of the file: --title 'Hi {{name}}'
(a brace that is meant is doubled). `pushcore results results.csv` filters.

Exit status:
{status}
"""


def add(top: click.Group) -> None:
    """The command's grammar."""
    send = Group("send", help="Send a message, to one target or to every row of a file.", no_args_is_help=True)
    top.add_command(send)
    for service in SERVICES:
        title, key, target, text = EXAMPLES[service]
        command(
            send,
            service,
            _run,
            [*message_options(service), *_bulk.options(), *credential_options(service), *connection_options(service)],
            f"Send through {title}.",
            service=service,
            epilog=_EPILOG.format(service=service, key=key, target=target, text=text, status=_status.text()),
        )
    many = [one for one in _bulk.options() if one.name != "message_column"]
    shared = [
        credential_options("apns")[0],
        *(one for one in connection_options("apns") if one.name in ("ca", "proxy", "deadline")),
        option("--trust", multiple=True, metavar="HOST:PORT", help="a Web Push endpoint to talk to whatever it is",
               section="Connection"),
    ]  # fmt: skip
    command(
        send,
        "mixed",
        _mixed,
        [
            option("--messages", metavar="JSON", required=True, section="Message",
                   help='a message for each service, or @FILE: {"apns": {"title": "Hi"}, "fcm": {"title": "Hi"}}'),
            *many,
            *shared,
        ],
        "Send to the rows of a file that holds several services, with the credentials of one profile.",
        epilog="Each row names its service in the column `service` (--service-column). The members of each message\n"
        "are the options of `pushcore send SERVICE`, with their names. Credentials come from the profile.\n\n"
        f"Exit status:\n{_status.text()}",
    )  # fmt: skip


def _run(options: Any, output: Output) -> int:
    many = options.source is not None
    one = target(options)
    if many == (one is not None):
        wanted = "--subscription" if options.service == "webpush" else "a target such as --token"
        raise ValueError(f"exactly one of {wanted} and --from is needed")
    if many:
        if getattr(options, "id", None) is not None:
            raise ValueError("--id names one message: with --from each row gets an id of its own")
        return _bulk.run(options, output, {options.service: options})
    _bulk.refuse_without_source(options)
    with client(options) as sender:
        message = make(options, fields(options), one)
        try:
            result: Outcome | PushcoreError = sender.send(message, deadline=options.deadline)
        except PushcoreError as error:
            if error.code < 300:
                raise
            result = error
    output.record(record_of(result))
    return status_of(result)


def _mixed(options: Any, output: Output) -> int:
    if options.source is None:
        raise ValueError("--from is needed")
    text = given(options.messages) or b""
    try:
        messages = json.loads(text)
    except ValueError as error:
        raise ValueError(f"--messages is not JSON: {error}") from None
    unknown = sorted(set(messages) - set(SERVICES)) if isinstance(messages, dict) else ["?"]
    if unknown or not messages:
        raise ValueError(f"--messages names no service of {', '.join(SERVICES)}: {', '.join(unknown)}")
    parts: dict[str, Any] = {}
    for service, said in messages.items():
        parameters = {one.name: one for one in options_of(service) if one.name}
        # The environment and the defaults, as on a command line of that service without a word.
        context = click.Command(service, params=list(parameters.values())).make_context(service, [])
        part = types.SimpleNamespace(service=service, **context.params)
        part.profile = options.profile
        _profile.apply(context, part, [service])
        for name in ("ca", "proxy", "deadline", "rate"):
            value = getattr(options, name)
            if value is not None:
                setattr(part, name, value)
        if service == "webpush":
            part.trust = [*(part.trust or ()), *options.trust]
        for name, value in said.items():
            attribute = name.replace("-", "_")
            if attribute not in {one.name for one in message_options(service)}:
                raise ValueError(f"--messages: {service} has no option {name}")
            if isinstance(value, dict) and attribute == "data":
                value = [f"{key}={text}" for key, text in value.items()]
            setattr(
                part, attribute, json.dumps(value) if isinstance(value, (dict, list)) and attribute != "data" else value
            )
        parts[service] = part
    return _bulk.run(options, output, parts)
