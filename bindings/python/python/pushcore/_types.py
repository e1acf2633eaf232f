"""Names for type annotations; nothing here exists at run time but aliases."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypedDict, TypeVar, Union

from ._pushcore import (
    AdmAudienceMessage,
    AdmCredentials,
    AdmMessage,
    ApnsBroadcast,
    ApnsCredentials,
    ApnsMessage,
    BaiduCredentials,
    BaiduMessage,
    Event,
    FcmCredentials,
    FcmMessage,
    Subscription,
    Target,
    VapidCredentials,
    WebPushMessage,
)

#: A message to any of the services.
Message = Union[ApnsMessage, FcmMessage, WebPushMessage, AdmMessage, BaiduMessage, ApnsBroadcast, AdmAudienceMessage]
#: Credentials of any of the services.
Credentials = Union[ApnsCredentials, FcmCredentials, VapidCredentials, AdmCredentials, BaiduCredentials]
#: What a template is sent to: a `Target`, a token, raw APNs token bytes, or a Web Push subscription.
AnyTarget = Union[Target, str, bytes, Subscription, Mapping[str, object]]
#: What a bulk send does when many answers in a row blame the tokens.
OnSuspicion = Literal["go_on", "stop"]
#: The order of a message among others to the same host.
Priority = Literal["interactive", "bulk"]
#: Seconds, or a `timedelta`.
Duration = Union[float, datetime.timedelta]
#: A file, or what it holds.
FileOrBytes = Union[str, bytes, bytearray, memoryview, "os.PathLike[str]"]

MessageT = TypeVar("MessageT", bound=Message)
TargetT = TypeVar("TargetT", bound=AnyTarget)
KeyT = TypeVar("KeyT")


class Options(TypedDict, total=False):
    """What every client takes besides its service's own arguments. `None` is the default."""

    ca: FileOrBytes | None
    """PEM certificates to trust besides the bundled ones: a file or the text."""
    bundled_roots: bool
    """`False`: trust only `ca`."""
    proxy: str | Literal[False] | None
    """`http://[user:password@]host:port` or `socks5://...`. `None`: as `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`
    of the environment say; `False`: none."""
    at_least_once: bool
    """Send again what was written and got no answer; a device may see it twice."""
    max_queued: int | None
    """How many messages wait for a stream at most. 2,000."""
    max_connections: int | None
    """How many connections to one host at most; how many there are is planned from stream limit, window, round trip and
    backlog. 32."""
    dials_per_minute: int | None
    """How many connections to one host may be made in a minute, beside the first one. 60."""
    max_hosts: int | None
    """How many hosts may be connected at a time; bounds what endpoints chosen by others cost. 1,000."""
    first_backoff: Duration | None
    """The first wait after a failed connection, in seconds; it doubles. 1."""
    longest_backoff: Duration | None
    """The longest wait between connections, in seconds. 60."""
    queue_wait_before_dial: Duration | None
    """How long a message waits for a stream at most before more connections are made, in seconds; once a round trip
    has been measured, a quarter of it is enough. 0.1."""
    http2: dict[str, float] | None
    """`max_in_flight`, `max_header_list`, `max_response_body`, `header_table_size`, `encoder_table_size`,
    `initial_window`, `connection_window`, `settings_timeout`, `ping_after`, `ping_timeout`; in place of the
    service's own habits."""
    gather: Duration | None
    """How long answers to a bulk send may gather before they are fetched, in seconds; blocking client. 0.001."""
    resolve_on_threads: bool
    """Names are looked up in threads of the client's own, short-lived and at most 64, so that a silent name
    server holds up its own host only. `True`. `False` starts no thread: the blocking client then waits for
    each lookup, and the asyncio client asks `loop.getaddrinfo`."""
    seed: int | None
    """Of the jitter of back-off, for tests. Random."""
    max_requeues: int | None
    """How often one message goes back to the queue at most, for reasons that may be its own. 3."""
    deadline: Duration | None
    """From submission to the end at the latest, in seconds. 60."""
    response_timeout: Duration | None
    """From the opening of the stream to the answer at the latest, in seconds. 30."""
    connect_timeout: Duration | None
    """The whole way to a usable connection, in seconds. 10."""
    idle_timeout: Duration | None
    """An idle connection is closed after so many seconds. 600; APNs: never."""
    probe_after: Duration | None
    """A connection that was silent for so many seconds is asked whether it still works before the next message is
    entrusted to it; over HTTP/1.1 it is replaced. APNs: 60; others: 180."""
    rate: int | None
    """Messages a second at most. No limit."""
    call_rate: int | None
    """Calls a second at most. FCM: 3,000, as Google allows a project; others: no limit."""
    compact_headers: bool
    """A quarter fewer bytes of headers for about a fifth more work. `False`."""


class ClientOptions(Options, total=False):
    """What clients take besides what a `Service` takes."""

    on_event: Callable[[Event], object] | None
    """Is called with every `Event`, in the thread or loop that drives the client. What it raises is logged by the
    logger `pushcore`, and stops nothing."""


if TYPE_CHECKING:
    __all__ = [
        "AnyTarget",
        "ClientOptions",
        "Credentials",
        "Duration",
        "FileOrBytes",
        "KeyT",
        "Message",
        "MessageT",
        "Options",
        "TargetT",
    ]
