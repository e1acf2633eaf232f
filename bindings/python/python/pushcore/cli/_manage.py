"""`pushcore channels` and `pushcore topics`: broadcast channels of APNs, topic subscriptions of FCM."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import click

from .._pushcore import (
    Accepted,
    ApnsBroadcast,
    ApnsChannels,
    Call,
    FcmTopics,
    LiveActivity,
    Outcome,
    TopicPage,
    WebPushMessage,
)
from . import _services
from ._grammar import Group, argument, command, option
from ._output import Output, record_of, status_of

_MOST = 1000


def add(top: click.Group) -> None:
    """The commands' grammar."""
    channels = Group("channels", help="Broadcast channels of APNs, and broadcasts to them.", no_args_is_help=True)
    top.add_command(channels)
    _apns(channels, "create", "Make a channel.", lambda o: _channels(o).create(storage=o.storage), _storage())
    _apns(channels, "list", "List the ids of all channels.", lambda o: _channels(o).list())
    channel = argument("channel")
    _apns(channels, "read", "Show the storage policy of a channel.", lambda o: _channels(o).read(o.channel), channel)
    _apns(channels, "delete", "Delete a channel for good.", lambda o: _channels(o).delete(o.channel), channel)
    command(
        channels,
        "broadcast",
        _broadcast,
        [
            channel,
            _storage(),
            option("--state", metavar="JSON", help="the content state, or @FILE"),
            option("--end", is_flag=True, help="end the activity"),
            option("--payload", metavar="JSON", help="the whole payload instead, or @FILE"),
            option("--expiration", type=int, metavar="UNIX", help="for channels that store: within 8 hours"),
            option("--priority", choices=["10", "5"]),
            option("--broadcast-host", metavar="HOST:PORT", help="default: --host", section="Connection"),
            *_apns_options(),
        ],
        "Update or end a Live Activity for all who follow a channel.",
        service="apns",
    )

    topics = Group("topics", help="Topic subscriptions of FCM.", no_args_is_help=True)
    top.add_command(topics)
    google = [*_services.credential_options("fcm"), *_services.connection_options("fcm")]
    for verb, text in (("subscribe", "Subscribe tokens to a topic."), ("unsubscribe", "End subscriptions to a topic.")):
        tokens = argument("tokens", nargs=-1)
        text = f"{text} Without tokens they are lines of standard input."
        command(topics, verb, _topics, [argument("topic"), tokens, *google], text, service="fcm", verb=verb)
    command(topics, "list", _subscriptions, [argument("token"), *google], "List the subscriptions of a token.",
            service="fcm")  # fmt: skip


def withdraw(group: click.Group) -> None:
    """`pushcore webpush withdraw`."""
    command(
        group,
        "withdraw",
        _withdraw,
        [
            argument("location"),
            option("--subscription", metavar="JSON", required=True, help="what the browser gave, or @FILE"),
            *_services.credential_options("webpush"),
            *_services.connection_options("webpush"),
        ],
        "Take back a message that is not delivered yet, by the location that its answer named.",
        service="webpush",
    )


def _apns_options() -> list[click.Parameter]:
    return [
        option("--bundle", envvar="PUSHCORE_APNS_BUNDLE", help="the app's bundle id"),
        option("--management-host", metavar="HOST:PORT", help="default: --host", section="Connection"),
        *_services.credential_options("apns"),
        *_services.connection_options("apns"),
    ]


def _apns(group: click.Group, verb: str, text: str, make: Any, *more: click.Parameter) -> None:
    command(group, verb, _call, [*more, *_apns_options()], text, service="apns", make=make, verb=verb)


def _storage() -> click.Parameter:
    return option("--storage", choices=["no_storage", "most_recent"], default="no_storage",
                  help="what the channel keeps for devices that are away (default: no_storage)")  # fmt: skip


def _channels(options: Any) -> ApnsChannels:
    if options.bundle is None:
        raise ValueError("--bundle is needed")
    return ApnsChannels(options.bundle)


def _call(options: Any, output: Output) -> int:
    make: Callable[[Any], Call[Any]] = options.make
    call = make(options)
    with _services.client(options) as client:
        result = client.call(call, deadline=options.deadline)
    return _say(options, output, result)


def _say(options: Any, output: Output, result: Any) -> int:
    if isinstance(result, Outcome):
        output.record(record_of(result))
        return status_of(result)
    if isinstance(result, list):
        for channel in result:
            output.record({"channel": channel}, channel)
        return 0
    name = "storage" if options.verb == "read" else "channel"
    output.record({name: result}, result)
    return 0


def _broadcast(options: Any, output: Output) -> int:
    import json

    fields: dict[str, Any] = {}
    if options.payload is not None:
        fields["payload"] = _services.given(options.payload)
    else:
        state = json.loads(_services.given(options.state) or b"{}")
        make = LiveActivity.end if options.end else LiveActivity.update
        fields["live_activity"] = make(timestamp=int(time.time()), content_state=state)
    if options.priority is not None:
        fields["priority"] = int(options.priority)
    message = ApnsBroadcast(
        bundle=options.bundle or "",
        channel=options.channel,
        storage=options.storage,
        expiration=options.expiration,
        **fields,
    )
    with _services.client(options) as client:
        return _say(options, output, client.send(message, deadline=options.deadline))


def _topics(options: Any, output: Output) -> int:
    tokens = list(options.tokens) or [line.strip() for line in sys.stdin if line.strip()]
    make = FcmTopics.subscribe_many if options.verb == "subscribe" else FcmTopics.unsubscribe_many
    worst = 0
    with _services.client(options) as client:
        for at in range(0, len(tokens), _MOST):
            chunk = tokens[at : at + _MOST]
            results = client.call(make(chunk, options.topic), deadline=options.deadline)
            if isinstance(results, Outcome):
                return _say(options, output, results)
            for token, result in zip(chunk, results, strict=True):
                worst = worst or result.name != "done"
                record = {"token": token, "result": result.name, "reason": result.reason}
                output.record(record, f"{token}  {result.name}  {result.reason or ''}".rstrip())
    return int(worst)


def _subscriptions(options: Any, output: Output) -> int:
    after: str | None = None
    with _services.client(options) as client:
        while True:
            page = client.call(FcmTopics.list(options.token, page_token=after), deadline=options.deadline)
            if not isinstance(page, TopicPage):
                return _say(options, output, page)
            for one in page.subscriptions:
                output.record({"topic": one.topic, "since": one.create_time}, one.topic)
            after = page.next_page_token
            if after is None:
                return 0


def _withdraw(options: Any, output: Output) -> int:
    subscription = _services.given(options.subscription)
    assert subscription is not None
    message = WebPushMessage(subscription=subscription, policy=_services.policy(options))
    with _services.client(options) as client:
        result = client.call(message.withdraw(options.location), deadline=options.deadline)
    output.record(record_of(result))
    return 0 if isinstance(result, Accepted) else 1
