"""What happens to a client: lines in the log, calls of the caller's hook."""

from __future__ import annotations

import sys

# A checker takes this for true. Importing `typing` costs more than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Iterator
    from logging import Logger

    from ._pushcore import Event

#: The number of events that wait for `events()`, as many as the core keeps.
_MOST_KEPT = 1024
#: The numbers that `logging` gives to the levels of events.
_LEVELS = {"error": 40, "warning": 30, "info": 20, "debug": 10}


def logger() -> Logger | None:
    """The logger `pushcore`; `None` while nobody has imported `logging`, because then nobody listens."""
    logging = sys.modules.get("logging")
    if logging is None:
        return None
    made: Logger = logging.getLogger("pushcore")
    if not made.handlers:
        # A library prints nothing where the application has not configured logging.
        made.addHandler(logging.NullHandler())
    return made


class Watch:
    """Takes the events of one client: logs them, calls the hook, keeps the last ones for `events()`."""

    def __init__(self, kind: str, hook: Callable[[Event], object] | None) -> None:
        """`kind` is the name of the service; `hook` is the caller's `on_event`."""
        if hook is not None and not callable(hook):
            raise TypeError("on_event is not callable")
        # Here, because an import of the package costs less without it.
        from collections import deque

        self._kind = kind
        self._hook = hook
        self._kept: deque[Event] = deque(maxlen=_MOST_KEPT)

    def __call__(self, event: Event) -> None:
        """Takes one event. What the hook raises is logged, and stops nothing."""
        self._kept.append(event)
        log = logger()
        level = _LEVELS[event.level]
        if log is not None and log.isEnabledFor(level):
            extra = {
                "push_service": self._kind,
                "push_event": event.name,
                "push_link": event.link,
                "push_code": event.code,
                "push_after": event.after,
            }
            where = "" if event.link is None else f" (connection {event.link})"
            log.log(level, "%s: %s%s: %s", self._kind, event.name, where, event.text, extra=extra)
        if self._hook is not None:
            try:
                self._hook(event)
            except Exception:
                if log is not None:
                    log.exception("%s: on_event raised for the event %s", self._kind, event.name)

    def events(self) -> Iterator[Event]:
        """The events since the last call."""
        while self._kept:
            try:
                yield self._kept.popleft()
            except IndexError:
                # Another thread was faster.
                return

    def clear(self) -> None:
        """Forgets the events."""
        self._kept.clear()
