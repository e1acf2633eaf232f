"""Sends what is due: one thread in each worker, one client for each service, made after the fork."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import pushcore
from work import ATTEMPTS, End, Message, Send, Work

LOG = logging.getLogger("pushcore.hug")

#: Sends of one worker that may be begun and not ended: what a kill leaves unknown at most.
WINDOW = 100
#: The member of a message's form that holds the target.
TARGET = {"apns": "device", "fcm": "token", "web_push": "subscription", "adm": "registration_id", "baidu": "target"}

Result = Any  # pushcore.Outcome | pushcore.PushcoreError


class Clients:
    """The clients of one process, by service and environment."""

    def __init__(
        self, make: Callable[[str, str], pushcore.Client], policy: pushcore.EndpointPolicy | None = None
    ) -> None:
        self._make, self._policy = make, policy
        self._clients: dict[tuple[str, str], pushcore.Client] = {}
        self._lock = threading.Lock()

    def get(self, service: str, environment: str) -> pushcore.Client:
        """The client for that service; raises `LookupError` where it is not configured."""
        with self._lock:
            if (service, environment) not in self._clients:
                self._clients[service, environment] = self._make(service, environment)
            return self._clients[service, environment]

    def message(self, message: Message, target: str) -> Any:
        """A message of pushcore's out of its form and a target's text."""
        form = json.loads(message.form)
        if target:
            # FCM's whole request has its message, and so its target, one level down.
            wrapped = form.get("message") if message.service == "fcm" else None
            place = wrapped if isinstance(wrapped, dict) else form
            place[TARGET[message.service]] = _target(message.service, target)
        policy = {"policy": self._policy} if message.service == "web_push" else {}
        return pushcore.message_from_json(message.service, form, **policy)  # type: ignore[arg-type]

    def events(self) -> list[tuple[str, pushcore.Event]]:
        """What happened since the last call, with the service's name."""
        with self._lock:
            running = list(self._clients.items())
        return [(service, event) for (service, _), client in running for event in client.events()]

    def stats(self) -> dict[tuple[str, str], dict[str, int]]:
        """How many messages of this process are where."""
        with self._lock:
            return {name: client.stats() for name, client in self._clients.items()}

    def close(self) -> None:
        """Waits for what is under way, then closes every connection."""
        with self._lock:
            for client in self._clients.values():
                client.close()


class Sender:
    """Keeps a window of sends under way until it is stopped."""

    def __init__(
        self,
        work: Work,
        clients: Clients,
        *,
        feedback: Callable[[list[tuple[Send, Result]]], None] = lambda pairs: None,
        tick: Callable[[], None] = lambda: None,
        window: int = WINDOW,
        lease: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`feedback` gets what has ended; `tick` is called three times a lease."""
        self._work, self._clients, self._feedback, self._tick = work, clients, feedback, tick
        self._window, self._lease, self._clock = window, lease, clock
        self._batches: dict[tuple[str, str], pushcore.BlockingBatch] = {}
        self._ready: dict[tuple[str, str], deque[tuple[Send, Any]]] = {}
        self._begun = 0
        self._stop, self._wake, self._done = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="pushcore-sender", daemon=True)
        self._keeper = threading.Thread(target=self._keep, name="pushcore-lease", daemon=True)

    def start(self) -> None:
        """Begins; call it in the worker, after the fork."""
        self._work.renew()
        self._keeper.start()
        self._thread.start()

    def wake(self) -> None:
        """Says that there may be something to do."""
        self._wake.set()

    def stop(self, longest: float = 30.0) -> None:
        """Takes nothing more, waits for what is under way, gives the lease back."""
        self._stop.set()
        self._wake.set()
        self._thread.join(longest)
        self._keeper.join(longest)
        self._work.resign()

    def _keep(self) -> None:
        # A thread of its own, because a slow answer of a service must not cost the lease.
        while not self._done.wait(self._lease / 3):
            try:
                self._work.renew()
                self._work.sweep()
                self._tick()
            except Exception:
                LOG.exception("the lease could not be renewed")

    def _run(self) -> None:
        while not self._stop.is_set() or self._begun:
            try:
                busy = self._turn()
            except Exception:
                LOG.exception("a turn of the sender failed")
                busy = False
                self._stop.wait(1)
            if not busy:
                self._wake.wait(0.2)
                self._wake.clear()
        self._done.set()

    def _turn(self) -> bool:
        """One turn; whether another one is worth it at once."""
        spread = not self._stop.is_set() and self._work.spread()
        room = self._window - self._begun
        # A transaction a turn is dear, so a window is filled up by a quarter at least.
        if room >= max(1, self._window // 4) and not self._stop.is_set():
            for send in self._work.claim(room):
                self._begun += 1
                self._take(send)
        if not self._begun:
            return spread
        self._submit()
        ended = [pair for batch in self._batches.values() if batch.in_flight for pair in batch.wait(0.05)]
        self._end(ended)
        return True

    def _take(self, send: Send) -> None:
        name = (send.message.service, send.message.environment)
        try:
            message = self._clients.message(send.message, send.target)
            if name not in self._batches:
                self._batches[name] = self._clients.get(*name).batch()
        except (pushcore.PushcoreError, LookupError) as error:
            self._end([(send, error)])
            return
        self._ready.setdefault(name, deque()).append((send, message))

    def _submit(self) -> None:
        for name, ready in self._ready.items():
            if ready and self._work.holds_lease():
                taken = self._batches[name].submit(list(ready))
                for _ in range(taken):
                    ready.popleft()
            elif ready:
                # Somebody may call these unknown by now and choose to send them again, so they are not sent from here.
                self._work.release([send.id for send, _ in ready])
                self._begun -= len(ready)
                ready.clear()

    def _end(self, pairs: Iterable[tuple[Send, Result]]) -> None:
        pairs = list(pairs)
        if not pairs:
            return
        self._begun -= len(pairs)
        self._work.ended([end(send, result, self._clock()) for send, result in pairs])
        self._feedback(pairs)


def end(send: Send, result: Result, now: float, *, again: bool = True) -> End:
    """What is written down of a result. With `again` a send that may be tried again is, later."""
    status, reason = getattr(result, "status", None), getattr(result, "reason", None)
    if isinstance(result, pushcore.RetryLater):
        wait = max(result.after or 0.0, 2.0 ** min(send.attempts, 8))
        if again and send.attempts < ATTEMPTS:
            return End(send.id, "retry_later", status, reason, later=now + wait)
        return End(send.id, "expired", status, reason)
    if isinstance(result, pushcore.Outcome):
        return End(send.id, result.name, status, reason, answer=getattr(result, "id", None))
    if isinstance(result, pushcore.NotSent):
        # Certainly not processed: it is sent again without a doubt.
        if again and send.attempts < ATTEMPTS:
            return End(send.id, "not_sent", reason=str(result), later=now + 1)
        return End(send.id, "failed", reason=str(result))
    if isinstance(result, pushcore.Unknown):
        return End(send.id, "unknown", reason=str(result))
    if isinstance(result, pushcore.Expired):
        return End(send.id, "expired", reason=str(result))
    return End(send.id, "failed", reason=str(result))


def _target(service: str, text: str) -> Any:
    if service == "baidu":
        return {"device": text}
    return json.loads(text) if text.startswith("{") else text
