"""The job as Celery tasks on Redis: a task for each chunk of tokens.

celery -A celery_job worker --concurrency 2        # on every machine
python celery_job.py monday tokens.txt --alert "Hello"
"""

from __future__ import annotations

import argparse
import functools
import json
import pathlib
import sys
from collections.abc import Iterable
from typing import Any

import pushcore
import redis
import settings as config
from celery import Celery, Task, signals
from celery.exceptions import TimeoutError
from celery.result import AsyncResult, ResultSet
from sending import Job, Row, again, chunks, send
from store import RedisStore, report, summary

#: Rows are written to the store in such portions: what a killed worker had not written is sent twice.
PORTION = 100

settings = config.load()

app = Celery("fanout", broker=settings.broker, backend=settings.broker)
app.conf.update(
    # A chunk is acknowledged when it is done, not when it is taken: a dead worker's chunk comes back.
    task_acks_late=True,
    # ... at once when a pool process dies, and
    task_reject_on_worker_lost=True,
    # ... after this time when the whole worker or its machine does. Left alone, kombu looks for
    # such chunks once in 100 seconds only.
    broker_transport_options={
        "visibility_timeout": settings.visibility_timeout,
        "unacked_restore_interval": min(10, settings.visibility_timeout / 4),
        "unacked_restore_throttle": 1,
    },
    # Nobody sits on chunks that another worker could send.
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    task_serializer="json",
    accept_content=["json"],
)


@functools.cache
def client() -> pushcore.Client:
    """This process's client."""
    return config.client(settings)


@signals.worker_process_init.connect
def _after_fork(**_: object) -> None:
    client()


@signals.worker_process_shutdown.connect
def _before_exit(**_: object) -> None:
    client().close()


@functools.cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.broker)


@app.task(bind=True, name="fanout.chunk", max_retries=settings.max_retries)
def chunk(self: Task, job: dict[str, Any], tokens: list[str]) -> dict[str, int]:
    """Sends one chunk; what can be retried is retried by Celery, without the rest of the chunk."""
    spec = Job(**job)
    store = RedisStore(_redis(), spec.name)
    task = str(self.request.id)
    if store.begin(task) > settings.max_deaths:
        # Its tokens stay without a row: the report shows them as lost.
        return {"given_up": len(tokens)}
    open_rows: list[Row] = []
    counts: dict[str, int] = {}
    portion: list[Row] = []

    def tell(row: Row) -> None:
        counts[row.state] = counts.get(row.state, 0) + 1
        if not row.settled:
            open_rows.append(row)
        portion.append(row)
        if len(portion) >= PORTION:
            store.put(portion)
            portion.clear()

    # What an earlier run of this chunk has settled is not sent again.
    send(client(), settings.topic, spec, store.unsettled(tokens), tell)
    store.put(portion)
    store.end(task)
    due, seconds = again(open_rows, settings.retry_wait, settings.longest_wait)
    if due and self.request.retries < settings.max_retries:
        raise self.retry(args=(job, due), countdown=seconds)
    return counts


def submit(job: Job, tokens: Iterable[str], size: int) -> ResultSet:
    """Queues what the store does not call settled. To resume a job, submit it again."""
    store = RedisStore(_redis(), job.name)
    spec = {"name": job.name, "notification": job.notification}
    results = ResultSet([], app=app)
    for number, some in enumerate(chunks(tokens, size)):
        task = job.chunk_id(number)
        if rest := store.unsettled(some):
            AsyncResult(task, app=app).forget()
            results.add(chunk.apply_async(args=(spec, rest), task_id=task))
    return results


def main() -> int:
    """Submits, waits, prints a line of JSON for each token."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("job", help="its name; the same name resumes the job")
    parser.add_argument("tokens", type=pathlib.Path, help="a file with a device token in each line")
    parser.add_argument("--alert", default="Hello")
    parser.add_argument("--chunk", type=int, default=1000, help="tokens in each task (1000)")
    parser.add_argument("--timeout", type=float, help="seconds to wait for the results")
    options = parser.parse_args()
    job = Job(name=options.job, notification={"alert": options.alert})
    tokens = [token for some in chunks(options.tokens.read_text().split(), 1) for token in some]
    results = submit(job, tokens, options.chunk)
    try:
        results.join(timeout=options.timeout, propagate=False)
    except TimeoutError:
        print("not everything has ended; run the same command to go on", file=sys.stderr)
    rows = report(RedisStore(_redis(), job.name), job, tokens)
    for row in rows:
        print(json.dumps({"token": row.token, "state": row.state, "todo": row.todo, "id": row.id}))
    print(summary(rows), file=sys.stderr)
    return 0 if all(row.settled for row in rows) else 2


if __name__ == "__main__":
    sys.exit(main())
