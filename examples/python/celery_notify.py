"""Celery: a task that notifies one user, a client for each worker process, and what waits goes back to the queue.

    pip install celery
    python examples/python/celery_notify.py

The worker runs in this process and the broker in its memory; `../fanout` has workers on several machines, with Redis.
The state of a message's attempts (`Attempts`) travels in the task as JSON: it survives a restart of the worker.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import pushcore
from celery import Celery, signals
from celery.contrib.testing.worker import start_worker
from local import device
from pushcore.testing import Sandbox

app = Celery("notify", broker="memory://", backend="cache+memory://")
#: Short waits, because this is an example: one's own takes `Retries.standard()`.
RETRIES = pushcore.Retries(attempts=4, first_wait=0.1, longest_wait=1)


@functools.cache
def sandbox() -> Sandbox:
    """In a program of one's own: credentials."""
    return Sandbox()


@functools.cache
def hub(process: int) -> pushcore.Hub:
    """The hub of a worker process: after a fork the child has one of its own."""
    return sandbox().hub(pushcore.Hub, retries=pushcore.Retries.none())


@signals.worker_process_shutdown.connect
def _before_exit(**_: object) -> None:
    hub(os.getpid()).close()


@app.task(name="notify.device", max_retries=None, bind=True)
def notify(self: Any, row: dict[str, Any], notification: dict[str, Any], attempts: dict[str, Any] | None = None) -> str:
    """Sends to one device. The wait between attempts is Celery's: no worker sleeps."""
    state = pushcore.Attempts() if attempts is None else pushcore.Attempts.from_json(attempts)
    what = pushcore.Notification.from_json(notification)
    target = device(sandbox(), row["service"], row["token"], row["id"])
    [(_, _, result, feedback)] = hub(os.getpid()).send([target], what)
    if again := RETRIES.next(state, result):
        raise self.retry(args=(row, notification, state.to_json()), countdown=again.after)
    # One's own program deletes or replaces the row here.
    return f"{feedback.action} after {state.made} attempts"


def main() -> None:
    """Three devices: one lives, one is dead, and FCM is overloaded twice."""
    with start_worker(app, perform_ping_check=False, pool="solo", loglevel="ERROR"):
        services = sandbox()
        services.faults.answer("fcm", 503, {}, contains="messages:send", times=2)
        [alive, dead] = services.targets("apns", 1, dead=1)
        [late] = services.targets("fcm")
        rows = [("apns", alive), ("apns", dead), ("fcm", late)]
        started = [
            notify.delay({"id": number, "service": service, "token": token}, {"title": "Hello"})
            for number, (service, token) in enumerate(rows)
        ]
        for (service, _), result in zip(rows, started, strict=True):
            print(f"{service}: {result.get(timeout=30)}")
    hub(os.getpid()).close()
    services.close()


if __name__ == "__main__":
    main()
