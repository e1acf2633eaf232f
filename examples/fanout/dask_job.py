"""The job on Dask: a task for each chunk of tokens; results come back to who submitted.

PYTHONPATH=. dask scheduler --port 8786
PYTHONPATH=. dask worker tcp://localhost:8786 --nthreads 1      # on every machine
python dask_job.py tcp://localhost:8786 monday tokens.txt --alert "Hello"
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys
import time

import distributed
import settings as config
from dask_chunk import chunk
from sending import Job, Row, again, chunks
from store import SqliteStore, report, summary


def run(cluster: distributed.Client, job: Job, tokens: list[str], size: int, store: SqliteStore) -> None:
    """Sends to every token that the store does not call settled, in rounds."""
    settings = config.load()
    spec = dataclasses.asdict(job)
    waiting = store.unsettled(tokens)
    for attempt in range(settings.max_retries + 1):
        futures = {
            cluster.submit(
                chunk,
                spec,
                some,
                key=f"fanout-{job.chunk_id(number)}-{attempt}",
                # Not a pure function: a second run of it is a second send.
                pure=False,
                # Exceptions: a worker without its settings, no memory. Deaths have a count of
                # their own, `distributed.scheduler.allowed-failures`.
                retries=1,
            )
            for number, some in enumerate(chunks(waiting, size))
        }
        rows: list[Row] = []
        for future in distributed.as_completed(futures):
            if future.status == "finished":
                done = [Row(**row) for row in future.result()]
                store.put(done)
                rows += done
            else:
                print(f"a chunk failed: {future.exception()!r}", file=sys.stderr)
        waiting, seconds = again(rows, settings.retry_wait, settings.longest_wait)
        if not waiting or attempt == settings.max_retries:
            return
        time.sleep(seconds)


def main() -> int:
    """Submits, waits, prints a line of JSON for each token."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scheduler", help="its address, tcp://host:port")
    parser.add_argument("job", help="its name; the same name resumes the job")
    parser.add_argument("tokens", type=pathlib.Path, help="a file with a device token in each line")
    parser.add_argument("--alert", default="Hello")
    parser.add_argument("--chunk", type=int, default=1000, help="tokens in each task (1000)")
    parser.add_argument("--results", default="results.sqlite", help="the store (results.sqlite)")
    options = parser.parse_args()
    job = Job(name=options.job, notification={"alert": options.alert})
    tokens = [token for some in chunks(options.tokens.read_text().split(), 1) for token in some]
    store = SqliteStore(options.results, job.name)
    with distributed.Client(options.scheduler) as cluster:
        run(cluster, job, tokens, options.chunk, store)
    rows = report(store, job, tokens)
    store.close()
    for row in rows:
        print(json.dumps({"token": row.token, "state": row.state, "todo": row.todo, "id": row.id}))
    print(summary(rows), file=sys.stderr)
    return 0 if all(row.settled for row in rows) else 2


if __name__ == "__main__":
    sys.exit(main())
