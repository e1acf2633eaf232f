"""The blocking client."""

from __future__ import annotations

import os

from ._events import Watch
from ._pushcore import BlockingClient, Service

# A checker takes this for true. Importing `typing` costs more than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType
    from typing import Any, TypeVar, overload

    from typing_extensions import Self, Unpack

    from ._pushcore import (
        AdmCredentials,
        ApnsCredentials,
        BaiduCredentials,
        BlockingBatch,
        Call,
        EndpointPolicy,
        Event,
        FcmCredentials,
        Metrics,
        Outcome,
        Progress,
        Request,
        Response,
        SendMany,
        Template,
        VapidCredentials,
    )
    from ._types import (
        ClientOptions,
        Credentials,
        Duration,
        KeyT,
        Message,
        MessageT,
        OnSuspicion,
        Priority,
        Target,
        TargetT,
    )

    _T = TypeVar("_T")


class Services:
    """How a client is made: one class method for each service."""

    def __init__(self, service: Service, on_event: Callable[[Event], object] | None = None) -> None:
        """Not for callers: use `apns`, `fcm`, `web_push`, `adm` or `baidu`."""
        self._service = service
        self._watch = Watch(service.kind, on_event)

    @property
    def service(self) -> Service:
        """What this client was made of: a `Session` for another event loop is opened from it."""
        return self._service

    @classmethod
    def _opened(cls, kind: Any, credentials: Credentials, options: Any, **places: Any) -> Self:
        on_event = options.pop("on_event", None)
        return cls(Service(kind, credentials, **places, **options), on_event)

    @classmethod
    def apns(
        cls,
        credentials: ApnsCredentials,
        *,
        environment: str | None = None,
        host: str | None = None,
        management_host: str | None = None,
        broadcast_host: str | None = None,
        **options: Unpack[ClientOptions],
    ) -> Self:
        """APNs.

        `environment` is `"production"` (the default) or `"sandbox"`, the one that the device
        tokens belong to. `host` (`"host:port"`) replaces Apple's: the alternate port, a proxy, a
        sandbox of one's own. Channels are managed at `management_host` and broadcasts go to
        `broadcast_host`; each is `host` unless told.
        """
        return cls._opened(
            "apns",
            credentials,
            options,
            environment=environment,
            host=host,
            management_host=management_host,
            broadcast_host=broadcast_host,
        )

    @classmethod
    def fcm(cls, credentials: FcmCredentials, *, host: str | None = None, **options: Unpack[ClientOptions]) -> Self:
        """Firebase Cloud Messaging. `host` (`"host:port"`) replaces Google's."""
        return cls._opened("fcm", credentials, options, host=host)

    @classmethod
    def web_push(
        cls,
        credentials: VapidCredentials,
        *,
        policy: EndpointPolicy | None = None,
        **options: Unpack[ClientOptions],
    ) -> Self:
        """Web Push. `policy` says which endpoints may be talked to: by default the public services."""
        return cls._opened("web_push", credentials, options, policy=policy)

    @classmethod
    def adm(cls, credentials: AdmCredentials, *, host: str | None = None, **options: Unpack[ClientOptions]) -> Self:
        """Amazon Device Messaging. `host` (`"host:port"`) replaces Amazon's."""
        return cls._opened("adm", credentials, options, host=host)

    @classmethod
    def baidu(cls, credentials: BaiduCredentials, *, host: str | None = None, **options: Unpack[ClientOptions]) -> Self:
        """Baidu Cloud Push. `host` (`"host:port"`) replaces Baidu's."""
        return cls._opened("baidu", credentials, options, host=host)


class Client(Services):
    """Sends messages to one service, over as many connections as the load asks for.

    Share one between threads; keep it for the life of the process. After a fork the child gets
    connections of its own with the first message it sends.
    """

    def __init__(self, service: Service, on_event: Callable[[Event], object] | None = None) -> None:
        """Not for callers: use `apns`, `fcm`, `web_push`, `adm` or `baidu`."""
        super().__init__(service, on_event)
        self._process = os.getpid()
        self._blocking = BlockingClient(service, self._watch)

    def _here(self) -> BlockingClient:
        process = os.getpid()
        if process != self._process:
            # The parent's connections are the parent's: this lets go of them without a word.
            self._blocking = BlockingClient(self._service, self._watch)
            self._watch.clear()
            self._process = process
        return self._blocking

    def send(self, message: Message, *, deadline: Duration | None = None, priority: Priority | None = None) -> Outcome:
        """Sends one message and waits for the answer, at most `deadline` seconds.

        It leaves before what bulk sends have submitted earlier, unless `priority` is `"bulk"`.

        The interpreter is free for other threads meanwhile, and Ctrl-C works.

        Raises `MessageError` when the message cannot be sent at all, `NotSent`, `Unknown` or
        `Expired` when no answer came. A service's "no" is an outcome, not an exception.
        """
        return self._here().send(message, deadline=deadline, priority=priority)

    if TYPE_CHECKING:

        @overload
        def send_many(
            self,
            messages: Iterable[tuple[KeyT, Message]],
            *,
            message: None = None,
            deadline: Duration | None = None,
            on_progress: Callable[[Progress], object] | None = None,
            progress_every: Duration | None = None,
            priority: Priority | None = None,
        ) -> SendMany[KeyT]: ...

        @overload
        def send_many(
            self,
            messages: Iterable[tuple[KeyT, Target]],
            *,
            message: Message | Template,
            deadline: Duration | None = None,
            on_progress: Callable[[Progress], object] | None = None,
            progress_every: Duration | None = None,
            priority: Priority | None = None,
        ) -> SendMany[KeyT]: ...

        @overload
        def send_many(
            self,
            messages: Iterable[MessageT],
            *,
            message: None = None,
            deadline: Duration | None = None,
            on_progress: Callable[[Progress], object] | None = None,
            progress_every: Duration | None = None,
            on_suspicion: OnSuspicion | None = None,
            priority: Priority | None = None,
        ) -> SendMany[MessageT]: ...

        @overload
        def send_many(
            self,
            messages: Iterable[TargetT],
            *,
            message: Message | Template,
            deadline: Duration | None = None,
            on_progress: Callable[[Progress], object] | None = None,
            progress_every: Duration | None = None,
            on_suspicion: OnSuspicion | None = None,
            priority: Priority | None = None,
        ) -> SendMany[TargetT]: ...

    def send_many(
        self,
        messages: Iterable[Any],
        *,
        message: Message | Template | None = None,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: Duration | None = None,
        on_suspicion: OnSuspicion | None = None,
        priority: Priority | None = None,
    ) -> SendMany[Any]:
        """Sends every message of an iterable; yields `(message, result)` as they land, in any order.

        A result is an `Outcome`, or a `PushcoreError` where there is no answer. Messages are taken
        from the iterable as there is room for them: an endless generator costs no memory. With
        `message=` the iterable holds targets (tokens, subscriptions), each of which gets that
        message; what is yielded is the target. That is the fast way: nothing is encoded again. Of a pair
        `(key, message)` or `(key, target)` the key is yielded: a row's number, a device's id.

        `deadline` counts for each message from the moment it is taken. `on_progress` is called
        with a `Progress` every `progress_every` seconds (0.25) and once at the end. Closing the
        result, or an exception in the loop, cancels what has not ended.

        An answer that blames a token for what a wrong configuration could explain is held back until other answers
        make it certain, until the end, or for five seconds: `token_gone` is a dead token then, and
        `token_mismatch` one to keep. When many answers in a row blame the tokens, the event `mix_up_suspected` tells;
        with `on_suspicion="stop"` no further message is taken, what is under way ends, and what has not been written is
        `NotSent`. Without a `deadline` the time of a pause that the service has asked for does not count.

        With `priority="interactive"` the messages leave before those of other bulk sends, as those of `send` do: for
        the few that somebody waits for.
        """
        return self._here().send_many(
            messages,
            template=message,
            deadline=deadline,
            on_progress=on_progress,
            progress_every=progress_every,
            on_suspicion=on_suspicion,
            priority=priority,
        )

    def batch(
        self,
        *,
        message: Message | Template | None = None,
        deadline: Duration | None = None,
        priority: Priority | None = None,
    ) -> BlockingBatch:
        """Many messages in a loop of one's own: `submit` pairs of a key and a message, `wait`, `submit` again.

        Every result comes back with its key. With `message=` the pairs hold targets. What `submit` was not given is not
        sent: a journal can be written before. `withdraw` takes back what the service cannot have seen. `priority` is
        that of `send_many`.
        """
        return self._here().batch(template=message, deadline=deadline, priority=priority)

    def call(self, call: Call[_T], *, deadline: Duration | None = None) -> _T:
        """Sends a request that is not a message, and reads the answer.

        Calls are made by `ApnsChannels`, `FcmTopics`, `AdmGroups`, `BaiduCalls` and `WebPushMessage`; each says what it
        comes to. Raises what `send` raises.
        """
        result: _T = self._here().call(call, deadline=deadline)
        return result

    def exchange(self, request: Request, *, deadline: Duration | None = None) -> Response:
        """Sends a request of one's own to one of the service's hosts; the answer is whatever came.

        The client's authorization is added where the request has none. Raises `MisuseError` for any
        other host, and what `send` raises.
        """
        return self._here().exchange(request, deadline=deadline)

    def connections(self) -> list[dict[str, Any]]:
        """Every connection as it is now.

        Each is a `dict` of `link`, `authority`, `ready`, `retired`, `surplus`, `in_flight`, `streams`, `window`,
        `widest_window` (in bytes) and `round_trip` (in seconds); the last three are `None` while unknown.
        """
        return self._here().connections()

    def hosts(self) -> list[dict[str, Any]]:
        """Every host that is connected or that messages wait for.

        Each is a `dict` of `authority`, `waiting`, `in_flight`, `connections` and `waits_for`: `"pause"`, `"room"`,
        `"back_off"`, `"connection"`, `"stream"` or `None`.
        """
        return self._here().hosts()

    def stats(self) -> dict[str, int]:
        """How many messages of this client are where."""
        return self._here().stats()

    def metrics(self) -> Metrics:
        """Counts and latencies for a monitoring system, as numbers and as OpenMetrics text.

        May be called from any thread.
        """
        return self._here().metrics()

    def header_bytes(self) -> tuple[int, int]:
        """Bytes of compressed headers sent and received so far."""
        return self._here().header_bytes()

    def is_mix_up_suspected(self) -> bool:
        """Whether many answers in a row blame the tokens.

        Then environment, topic, sender, VAPID key or payload are probably wrong, and the tokens are to be kept.
        """
        return self._here().is_mix_up_suspected()

    def events(self) -> Iterator[Event]:
        """What happened since the last call, the last 1,024 events at most. Never waits.

        The same events go to the logger `pushcore` and to the client's `on_event`.
        """
        self._here().pump()
        yield from self._watch.events()

    def close(self) -> None:
        """Waits until what was taken has ended, then closes the connections.

        Ctrl-C works: then `close` can be called again, and what is left ends with the client.
        """
        if os.getpid() == self._process:
            self._blocking.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def request(message: Message, credentials: Credentials, **where: Any) -> Request:
    """The HTTPS request that sends `message`, for an HTTP client of one's own.

    `where` is what the message's own `request` takes: `environment`, `host`, `policy`, `now`.
    """
    return message.request(credentials, **where)  # type: ignore[arg-type]


def outcome(message: Message, response: Response, *, now: float | None = None) -> Outcome:
    """What an answer to that request means for this message."""
    return message.outcome(response, now=now)
