"""What both hubs have in common: which client a device is for, and the board that says what comes next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ._errors import MisuseError, NotSent, PushcoreError, Unknown
from ._kinds import ErrorKind
from ._pushcore import Device, Feedback, HubBoard, Metrics, Notification, Outcome, Progress, Retries

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._types import Credentials, Duration

#: The default of `patience`, in seconds.
PATIENCE = 300.0
#: How many results are fetched from the board at once.
_MOST_FETCHED = 256


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


class Lane:
    """The devices of one client in one run."""

    def __init__(self, route: Route, number: int) -> None:
        self.route = route
        #: Of the lane on the board.
        self.number = number
        #: The driver's own: a batch, a task.
        self.driver: Any = None
        self.wake: Any = None


class Run:
    """One `send` of a hub: the board keeps the books, and a driver with sockets moves the messages."""

    def __init__(
        self,
        routes: Routes,
        notification: Notification | None,
        retries: Retries,
        *,
        queue: int,
        patience: float,
        remember: int | None,
        total_deadline: Duration | None,
    ) -> None:
        self.routes = routes
        self.lanes: dict[Route, Lane] = {}
        self.board = HubBoard(
            notification,
            retries,
            self._find,
            Landed._make,
            queue=queue,
            patience=patience,
            remember=remember,
            total_deadline=total_deadline,
        )
        #: Results that nobody has fetched, beside those on the board.
        self.out: deque[Landed] = deque()
        #: What the source raised; told when everything that was read has ended.
        self.raised: BaseException | None = None
        #: The source has ended, or is not read any further.
        self.read_out = False
        self.draining = False
        self._last_progress: dict[str, Progress] | None = None

    def _find(self, device: Device) -> int | None:
        """The number of the lane for a device; `None` where no client is for it."""
        route = self.routes.find(device)
        if route is None:
            return None
        lane = self.lanes.get(route)
        if lane is None:
            lane = self.lanes[route] = Lane(route, self.board.add_lane())
        return lane.number

    def fail(self, lane: Lane, error: PushcoreError) -> None:
        """The client of a lane cannot be opened, or takes nothing more: everything that it should have sent ends."""
        if error.kind != ErrorKind.CLOSED:
            self.board.fail(lane.number, error, Unknown("the client failed"))
            return
        # A client that is closed has handed out the results of everything that it took.
        never = NotSent("the hub is closed: never sent")
        never.__cause__ = error
        self.board.fail(lane.number, never, never)

    def next(self) -> Landed | None:
        """What has landed, one by one; `None` where nothing has."""
        if not self.out:
            self.out.extend(self.board.fetch(_MOST_FETCHED))
        return self.out.popleft() if self.out else None

    @property
    def unfetched(self) -> int:
        """How many have landed and were not handed out."""
        return len(self.out) + self.board.ended

    @property
    def is_done(self) -> bool:
        """Whether everything that is ever read has landed."""
        return self.read_out and not self.board.is_open

    def progress(self) -> dict[str, Progress]:
        """How far each client is, by its route."""
        if self._last_progress is not None:
            return self._last_progress
        return {str(route): self.board.progress(lane.number) for route, lane in self.lanes.items()}

    def close(self) -> None:
        """Forgets every device; how far the clients were is still known."""
        self._last_progress = self.progress()
        self.out.clear()
        self.board.clear()

    def drain(self) -> None:
        """Reads no further, and sends nothing again: what waits for another attempt lands with its last result."""
        self.draining = self.read_out = True
        self.board.drain()


def shorter(deadline: Duration | None, total: Duration | None) -> Duration | None:
    """The deadline of an attempt: no attempt is longer than all of them together."""
    if deadline is None or total is None:
        return total if deadline is None else deadline
    return deadline if seconds(deadline) < seconds(total) else total


def seconds(duration: Duration) -> float:
    """A duration as seconds."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


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
