"""What both hubs have in common: which client a device is for, what is read ahead, what is sent again."""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ._errors import MessageError, MisuseError, NotSent, PushcoreError, Unknown
from ._kinds import ErrorKind
from ._pushcore import (
    Attempts,
    BaseMessage,
    Campaign,
    Device,
    Feedback,
    Metrics,
    Notification,
    Outcome,
    Progress,
    Retries,
    feedback,
)

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._types import Credentials, Message

# The numbers of the hub in Rust, in seconds.
#: How long a service with a full lane may settle nothing before it counts as one that has stopped.
_SILENCE = 2.0
#: The same before its first answer: a name, a handshake and an access token take their time.
_COLD_SILENCE = 5.0
#: How long the pace of a full lane is measured, because answers come in bursts.
_PACE = 10.0
#: The most that counts of one pause between two looks: the caller may have been busy, and not the service.
_LOOK = 0.25
#: The default of `patience`.
PATIENCE = 300.0
#: The places of `Progress`, by the name of a result.
_PLACES = {
    name: name for name in ("accepted", "token_gone", "token_mismatch", "retry_later", "fix_credentials", "rejected")
} | {"Unknown": "unknown"}


class Landed(NamedTuple):
    """One device that was sent to, and what came of it."""

    key: Any
    """The caller's key beside the device; the device's own key where there is none."""
    device: Device
    """The device as it was given."""
    result: Outcome | PushcoreError
    """The end of the last attempt: an outcome, or why there is no answer."""
    feedback: Feedback
    """What to do with the device."""


class Route(NamedTuple):
    """Which devices a client is for; `None` is any."""

    service: str
    environment: str | None
    app: str | None

    def __str__(self) -> str:
        return "/".join(part for part in self if part is not None)


class Routes:
    """The clients of a hub, by the devices that they are for. Opened when the first device needs them."""

    def __init__(self) -> None:
        self._makers: dict[Route, Callable[[], Any]] = {}
        self._open: dict[Route, Any] = {}
        #: Clients that the hub has made, and so closes.
        self._own: set[Route] = set()

    def add(self, route: Route, maker: Callable[[], Any], *, own: bool) -> None:
        """A client that `maker` makes when it is needed."""
        if route in self._makers:
            raise MisuseError(f"a client for {route} is there already")
        self._makers[route] = maker
        if own:
            self._own.add(route)

    def find(self, device: Device) -> Route | None:
        """The most particular route for a device; `None` where no client is for it."""
        service, environment, app = device.service, device.environment, device.app
        for route in (
            Route(service, environment, app),
            Route(service, None, app),
            Route(service, environment, None),
            Route(service, None, None),
        ):
            if route in self._makers:
                return route
        if app is None:
            # A device without an app goes to the only app there is.
            fitting = [
                route for route in self._makers if route.service == service and route.environment in (None, environment)
            ]
            if len(fitting) == 1:
                return fitting[0]
        return None

    def client(self, route: Route) -> Any:
        """The client of a route."""
        client = self._open.get(route)
        if client is None:
            client = self._open[route] = self._makers[route]()
        return client

    def open(self) -> dict[Route, Any]:
        """The clients that are open."""
        return dict(self._open)

    def release(self) -> list[Any]:
        """The clients to be closed; another one is made when it is needed again."""
        closing = [client for route, client in self._open.items() if route in self._own]
        self._open.clear()
        return closing


class Entry:
    """One device on its way."""

    __slots__ = ("attempts", "device", "key", "lane", "message", "result")

    def __init__(self, key: Any, device: Device) -> None:
        self.key = key
        self.device = device
        self.message: Message | None = None
        self.attempts: Attempts | None = None
        self.lane: Lane | None = None
        #: Of the last attempt, while the next one waits.
        self.result: Any = None


class Lane:
    """The devices of one client in one run."""

    def __init__(self, route: Route, now: float) -> None:
        self.route = route
        #: To be sent next.
        self.queue: deque[Entry] = deque()
        #: Entries that wait for their next attempt.
        self.delayed = 0
        #: Handed to the client.
        self.flying: set[Entry] = set()
        #: Takes more at once, and has none.
        self.hungry = False
        #: When it was looked at last while it was full; `None` before.
        self.looked_at: float | None = None
        #: How long its pace has been measured, and how many devices the service has settled in that time.
        self.watched = 0.0
        self.settled = 0
        #: How long the service has settled nothing, and whether it ever did.
        self.silent = 0.0
        self.warm = False
        #: The last measure showed too slow a pace.
        self.slow = False
        self.taken = 0
        self.counts: dict[str, int] = {}
        self.began = now
        #: The driver's own: a batch, a task.
        self.driver: Any = None
        self.wake: Any = None

    @property
    def in_flight(self) -> int:
        """Entries that the client has."""
        return len(self.flying)

    def judge(self, now: float, queue: int, patience: float) -> None:
        """Measures the pace of a lane that is full."""
        step = 0.0 if self.looked_at is None else min(now - self.looked_at, _LOOK)
        self.looked_at = now
        self.watched += step
        self.silent += step
        if self.watched >= _PACE:
            # settled / watched < queue / patience, without a division. A service that settles nothing is silent, and not
            # slow: it may come back at full speed.
            self.slow = self.settled > 0 and self.settled * patience < queue * self.watched
            self.watched, self.settled = 0.0, 0

    def answered(self) -> None:
        """The service has settled a device."""
        self.settled += 1
        self.silent = 0.0
        self.warm = True

    def is_behind(self, patience: float) -> bool:
        """Whether the others do not wait for it."""
        silence = _SILENCE if self.warm else _COLD_SILENCE
        return patience != math.inf and (self.slow or self.silent >= silence)

    @property
    def waiting(self) -> int:
        """Entries that were read and are not in flight."""
        return len(self.queue) + self.delayed

    @property
    def open(self) -> int:
        """Entries that have not ended."""
        return self.waiting + self.in_flight

    def progress(self) -> Progress:
        """How far the lane is; what waits for its next attempt is in flight."""
        elapsed, ended = time.monotonic() - self.began, sum(self.counts.values())
        return Progress(
            taken=self.taken,
            in_flight=self.open,
            ended=ended,
            elapsed=elapsed,
            rate=ended / elapsed if elapsed > 0 else 0.0,
            **self.counts,
        )


class Run:
    """One `send` of a hub: pure bookkeeping, which a driver with sockets moves on."""

    def __init__(
        self,
        routes: Routes,
        notification: Notification | None,
        retries: Retries,
        *,
        queue: int,
        patience: float,
    ) -> None:
        self.routes = routes
        self.lanes: dict[Route, Lane] = {}
        #: Results that nobody has fetched.
        self.out: deque[Landed] = deque()
        #: What the source raised; told when everything that was read has ended.
        self.raised: BaseException | None = None
        #: The source has ended, or is not read any further.
        self.read_out = False
        self.draining = False
        self._campaigns: dict[int, tuple[Notification, Campaign]] = {}
        self._campaign = None if notification is None else Campaign(notification)
        self._retries = retries
        if queue < 1:
            raise MessageError("queue is 0: no device could be taken", ErrorKind.INVALID_VALUE)
        self.room = queue
        self._patience = patience
        self._delayed: list[tuple[float, int, Entry]] = []
        self._numbers = itertools.count()
        #: Read, and without a place in its lane.
        self.held: Entry | None = None

    # Reading

    def take(self, item: Any) -> None:
        """Takes one item of the source; `held` is set where its lane has no room."""
        key, device, what = self._parts(item)
        entry = Entry(key, device)
        try:
            entry.message = self._message(device, what)
        except PushcoreError as error:
            self._settle(None, entry, error)
            return
        route = self.routes.find(device)
        if route is None:
            where = "/".join(str(part) for part in (device.service, device.environment, device.app) if part)
            self._settle(None, entry, MisuseError(f"the hub has no client for {where}"))
            return
        lane = self.lanes.get(route)
        if lane is None:
            lane = self.lanes[route] = Lane(route, time.monotonic())
        entry.lane = lane
        lane.taken += 1
        self.held = entry
        self.place()

    def place(self) -> bool:
        """Gives what is held its place, if there is one; says whether nothing is held any more.

        The rule is that of the hub in Rust: reading waits for a full lane as long as the other lanes have work. Where
        one of them has none, a lane that would clear its queue within the patience at its pace of ten seconds is
        waited for; the devices of a slower one, and of one that has stopped, are handed back.
        """
        entry = self.held
        if entry is None:
            return True
        lane = entry.lane
        assert lane is not None
        if lane.waiting < self.room:
            self.held = None
            lane.queue.append(entry)
            lane.hungry = False
            return True
        lane.judge(time.monotonic(), self.room, self._patience)
        if not (
            lane.is_behind(self._patience) and any(other.hungry for other in self.lanes.values() if other is not lane)
        ):
            return False
        self.held = None
        cause = PushcoreError(
            "its service is slower than the others can wait for: send it again later", ErrorKind.QUEUE_FULL
        )
        error = NotSent("handed back without an attempt")
        error.__cause__ = cause
        self._settle(lane, entry, error)
        return True

    def _parts(self, item: Any) -> tuple[Any, Device, Any]:
        """`device`, `(key, device)`, `(device, what)` or `(key, device, what)`."""
        kind = type(item).__name__
        parts: list[Any] = [*item] if type(item) is tuple else [item]
        what: Any = parts.pop() if parts and isinstance(parts[-1], (Notification, BaseMessage)) else None
        if len(parts) == 1 and isinstance(device := parts[0], Device):
            return device.key, device, what
        if len(parts) == 2 and isinstance(device := parts[1], Device):
            return parts[0], device, what
        raise TypeError(
            "expected a Device, (key, device), (device, what) or (key, device, what), where what is a "
            f"Notification or a message, not {kind}"
        )

    def _message(self, device: Device, what: Any) -> Any:
        if what is not None and not isinstance(what, Notification):
            # A message, complete, and for this device: the caller has made it.
            return what
        campaign = self._campaign
        if what is not None:
            # Often the same notification for the devices of one user, one after the other.
            known = self._campaigns.get(id(what))
            if known is None:
                if len(self._campaigns) >= 16:
                    self._campaigns.clear()
                known = self._campaigns[id(what)] = (what, Campaign(what))
            campaign = known[1]
        if campaign is None:
            raise MisuseError("neither the call nor the item has a notification")
        return campaign.message(device)

    # Sending

    def pairs(self, lane: Lane, most: int) -> list[tuple[Entry, Any]]:
        """What a lane sends next, at most so many; they stay in the queue until `sent`."""
        return [(entry, entry.message) for entry in itertools.islice(lane.queue, most)]

    def sent(self, lane: Lane, count: int) -> None:
        """So many of `pairs` were taken."""
        for _ in range(count):
            lane.flying.add(lane.queue.popleft())

    def end(self, entry: Entry, result: Any) -> None:
        """An attempt has ended: the device has landed, or waits for its next attempt."""
        lane = entry.lane
        assert lane is not None
        lane.flying.discard(entry)
        if isinstance(result, Outcome) and result.name != "retry_later":
            lane.answered()
        if isinstance(result, Outcome) and result.name == "accepted":
            self._settle(lane, entry, result)
            return
        if not self.draining:
            if entry.attempts is None:
                entry.attempts = Attempts(seed=next(self._numbers) & 0xFFFFFFFF)
            retry = self._retries.next(entry.attempts, result)
            if retry.after is not None:
                entry.result = result
                due = time.monotonic() + retry.after
                heapq.heappush(self._delayed, (due, next(self._numbers), entry))
                lane.delayed += 1
                return
        self._settle(lane, entry, result)

    def fail(self, lane: Lane, error: PushcoreError) -> None:
        """The client of a lane cannot be opened, or takes nothing more: everything that it should have sent ends."""
        closed = error.kind == ErrorKind.CLOSED
        result = error
        if closed:
            result = NotSent("the hub is closed: never sent")
            result.__cause__ = error
        while lane.queue:
            self._settle(lane, lane.queue.popleft(), result)
        # A client that is closed has handed out the results of everything that it took.
        doubtful = result if closed else Unknown("the client failed")
        for entry in list(lane.flying):
            lane.flying.discard(entry)
            self._settle(lane, entry, doubtful)

    def _settle(self, lane: Lane | None, entry: Entry, result: Any) -> None:
        if lane is not None:
            place = _PLACES.get(result.name, "not_sent")
            lane.counts[place] = lane.counts.get(place, 0) + 1
        self.out.append(Landed(entry.key, entry.device, result, feedback(result, entry.device)))

    # Sending again

    def due_at(self) -> float | None:
        """When the next attempt is due, on the monotonic clock."""
        return self._delayed[0][0] if self._delayed else None

    def due(self) -> list[Lane]:
        """Puts what is due into its queue; the lanes that have got something."""
        now, moved = time.monotonic(), list[Lane]()
        while self._delayed and self._delayed[0][0] <= now:
            entry = heapq.heappop(self._delayed)[2]
            lane = entry.lane
            assert lane is not None
            lane.delayed -= 1
            lane.hungry = False
            lane.queue.appendleft(entry)
            moved.append(lane)
        return moved

    def waiting(self) -> list[tuple[Any, Device, Attempts]]:
        """What waits for its next attempt: keys, devices and their states."""
        return [(entry.key, entry.device, entry.attempts) for _, _, entry in self._delayed if entry.attempts]

    def drain(self) -> None:
        """Reads no further, and sends nothing again: what waits for another attempt lands with its last result."""
        self.draining = self.read_out = True
        delayed, self._delayed = self._delayed, []
        for _, _, entry in delayed:
            if entry.lane is not None:
                entry.lane.delayed -= 1
            self._settle(entry.lane, entry, entry.result)
        if self.held is not None:
            entry, self.held = self.held, None
            error = NotSent("read, and never tried")
            error.__cause__ = MisuseError("the hub takes no more", ErrorKind.CLOSED)
            self._settle(entry.lane, entry, error)

    @property
    def open(self) -> int:
        """Devices that were read and have not landed."""
        return sum(lane.open for lane in self.lanes.values()) + (self.held is not None)


class BaseHub:
    """How a hub is configured: the same words for both."""

    _client: Any = None

    def __init__(self, *, retries: Retries | None = None) -> None:
        """`retries` says what is sent again: `Retries.standard()` unless told."""
        self._routes = Routes()
        self._retries = Retries.standard() if retries is None else retries

    def add(
        self,
        service: str,
        credentials: Credentials,
        *,
        app: str | None = None,
        environment: str | None = None,
        **options: Any,
    ) -> Self:
        """Configures a service: its client is opened when the first device needs it.

        `app` and `environment` say which devices it is for; without `app` it is for every app that has no client of
        its own. `options` are those of `Client.apns` and its siblings. Returns the hub.
        """
        opener = getattr(self._client, service, None)
        if service not in ("apns", "fcm", "web_push", "adm", "baidu") or opener is None:
            raise MisuseError(f"no service is called {service!r}")
        if service == "apns":
            environment = environment or "production"
            options = {**options, "environment": environment}
        route = Route(service, environment, app)
        self._routes.add(route, lambda: opener(credentials, **options), own=True)
        return self

    def use(self, client: Any, service: str, *, app: str | None = None, environment: str | None = None) -> Self:
        """Takes a client that is there already, or a fake one; the hub does not close it. Returns the hub."""
        if service == "apns":
            environment = environment or "production"
        self._routes.add(Route(service, environment, app), lambda: client, own=False)
        return self

    @property
    def clients(self) -> dict[str, Any]:
        """The clients that are open, by their route: `service/environment/app` as far as they were given."""
        return {str(route): client for route, client in self._routes.open().items()}

    def open_metrics(self) -> str:
        """OpenMetrics text of every client that is open, with the labels `app` and `environment`.

        May be called from any thread.
        """
        found = [
            ({"app": route.app or "", "environment": route.environment or "production"}, client.metrics())
            for route, client in self._routes.open().items()
        ]
        return Metrics.open_metrics(found)

    def stats(self) -> dict[str, dict[str, int]]:
        """How many messages of each client are where, by its route. May be called from any thread."""
        return {route: client.stats() for route, client in self.clients.items()}
