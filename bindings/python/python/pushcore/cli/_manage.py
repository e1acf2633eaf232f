"""`pushcore channels` and `pushcore topics`: broadcast channels of APNs, topic subscriptions of FCM."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

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
from . import _send
from ._output import Output, record_of, status_of

_MOST = 1000


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """The commands' grammar."""
    channels = commands.add_parser("channels", help="broadcast channels of APNs, and broadcasts to them")
    verbs = channels.add_subparsers(title="what to do", dest="verb", required=True, metavar="VERB")
    create = _apns(verbs, common, "create", "make a channel", lambda o: _channels(o).create(storage=o.storage))
    _storage(create)
    _apns(verbs, common, "list", "the ids of all channels", lambda o: _channels(o).list())
    for verb, text in (("read", "the storage policy of a channel"), ("delete", "delete a channel for good")):
        one = _apns(verbs, common, verb, text, _one_channel)
        one.add_argument("channel", help="the channel's id")
    broadcast = _apns(verbs, common, "broadcast", "update or end a Live Activity for all who follow a channel", None)
    broadcast.add_argument("channel", help="the channel's id")
    _storage(broadcast)
    broadcast.add_argument("--state", metavar="JSON", help="the content state, or @FILE")
    broadcast.add_argument("--end", action="store_true", help="end the activity")
    broadcast.add_argument("--payload", metavar="JSON", help="the whole payload instead, or @FILE")
    broadcast.add_argument("--expiration", type=int, metavar="UNIX", help="for channels that store: within 8 hours")
    broadcast.add_argument("--priority", type=int, choices=[10, 5])
    broadcast.add_argument("--broadcast-host", metavar="HOST:PORT", help="default: --host")
    broadcast.set_defaults(run=_broadcast)

    topics = commands.add_parser("topics", help="topic subscriptions of FCM")
    verbs = topics.add_subparsers(title="what to do", dest="verb", required=True, metavar="VERB")
    for verb, text in (("subscribe", "subscribe tokens to a topic"), ("unsubscribe", "end subscriptions")):
        some = _fcm(verbs, common, verb, text, _topics)
        some.add_argument("topic")
        some.add_argument("tokens", nargs="*", metavar="TOKEN", help="tokens; with none, lines of standard input")
    listing = _fcm(verbs, common, "list", "the subscriptions of one token", _subscriptions)
    listing.add_argument("token")


def withdraw(verbs: Any, common: argparse.ArgumentParser) -> None:
    """`pushcore webpush withdraw`."""
    command = verbs.add_parser("withdraw", parents=[common], help="take back a message that is not delivered yet")
    command.add_argument("location", help="the location that its answer named")
    command.add_argument("--subscription", metavar="JSON", required=True, help="what the browser gave, or @FILE")
    _send.credentials(command.add_argument_group("credentials"), "webpush")
    _send.connections(command.add_argument_group("connection"), "webpush")
    command.set_defaults(run=_withdraw, service="webpush")


def _apns(verbs: Any, common: argparse.ArgumentParser, verb: str, text: str, make: Any) -> argparse.ArgumentParser:
    command = _command(verbs, common, verb, text, "apns", make)
    command.add_argument("--bundle", required=True, help="the app's bundle id")
    command.add_argument("--management-host", metavar="HOST:PORT", help="default: --host")
    return command


def _fcm(verbs: Any, common: argparse.ArgumentParser, verb: str, text: str, run: Any) -> argparse.ArgumentParser:
    command = _command(verbs, common, verb, text, "fcm", None)
    command.set_defaults(run=run)
    return command


def _command(
    verbs: Any, common: argparse.ArgumentParser, verb: str, text: str, service: str, make: Any
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = verbs.add_parser(verb, parents=[common], help=text, description=text)
    _send.credentials(command.add_argument_group("credentials"), service)
    _send.connections(command.add_argument_group("connection"), service)
    command.set_defaults(run=_call, make=make, service=service)
    return command


def _storage(command: argparse.ArgumentParser) -> None:
    command.add_argument("--storage", choices=["no_storage", "most_recent"], default="no_storage",
                         help="what the channel keeps for devices that are away")  # fmt: skip


def _channels(options: argparse.Namespace) -> ApnsChannels:
    return ApnsChannels(options.bundle)


def _one_channel(options: argparse.Namespace) -> Call[Any]:
    channels = _channels(options)
    return channels.read(options.channel) if options.verb == "read" else channels.delete(options.channel)


def _call(options: argparse.Namespace, output: Output) -> int:
    make: Callable[[argparse.Namespace], Call[Any]] = options.make
    call = make(options)
    with _send.client(options) as client:
        result = client.call(call, deadline=options.deadline)
    return _say(options, output, result)


def _say(options: argparse.Namespace, output: Output, result: Any) -> int:
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


def _broadcast(options: argparse.Namespace, output: Output) -> int:
    import json

    fields: dict[str, Any] = {}
    if options.payload is not None:
        fields["payload"] = _send.given(options.payload)
    else:
        state = json.loads(_send.given(options.state) or b"{}")
        make = LiveActivity.end if options.end else LiveActivity.update
        fields["live_activity"] = make(timestamp=int(time.time()), content_state=state)
    message = ApnsBroadcast(
        bundle=options.bundle,
        channel=options.channel,
        storage=options.storage,
        expiration=options.expiration,
        priority=options.priority,
        **fields,
    )
    with _send.client(options) as client:
        return _say(options, output, client.send(message, deadline=options.deadline))


def _topics(options: argparse.Namespace, output: Output) -> int:
    tokens = options.tokens or [line.strip() for line in sys.stdin if line.strip()]
    make = FcmTopics.subscribe_many if options.verb == "subscribe" else FcmTopics.unsubscribe_many
    worst = 0
    with _send.client(options) as client:
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


def _subscriptions(options: argparse.Namespace, output: Output) -> int:
    after: str | None = None
    with _send.client(options) as client:
        while True:
            page = client.call(FcmTopics.list(options.token, page_token=after), deadline=options.deadline)
            if not isinstance(page, TopicPage):
                return _say(options, output, page)
            for one in page.subscriptions:
                output.record({"topic": one.topic, "since": one.create_time}, one.topic)
            after = page.next_page_token
            if after is None:
                return 0


def _withdraw(options: argparse.Namespace, output: Output) -> int:
    subscription = _send.given(options.subscription)
    assert subscription is not None
    message = WebPushMessage(subscription=subscription, policy=_send.policy(options))
    with _send.client(options) as client:
        result = client.call(message.withdraw(options.location), deadline=options.deadline)
    output.record(record_of(result))
    return 0 if isinstance(result, Accepted) else 1
