"""What runs in Dask's workers."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import pushcore
import settings as config
from sending import Job, Row, send


@functools.cache
def client() -> pushcore.Client:
    """The client of this worker process; its threads share it."""
    return config.client(config.load())


def chunk(job: dict[str, Any], tokens: list[str]) -> list[dict[str, Any]]:
    """Sends one chunk. When its worker dies, Dask runs it again elsewhere, from the beginning."""
    rows: list[Row] = []
    send(client(), config.load().topic, Job(**job), tokens, rows.append)
    return [dataclasses.asdict(row) for row in rows]
