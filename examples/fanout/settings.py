"""What a worker has to know, from the JSON file that `FANOUT_SETTINGS` names.

The file and the key that it names are put on every machine by whoever deploys it: credentials never
travel through the broker.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from typing import Any

import pushcore


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The job's side of the world; times in seconds."""

    key: str
    key_id: str
    team_id: str
    topic: str
    environment: str = "production"
    #: Only for a sandbox of one's own.
    host: str | None = None
    ca: str | None = None
    broker: str = "redis://localhost:6379/0"
    #: A chunk that no living worker has acknowledged for so long is given to another one. Must be
    #: longer than a chunk takes, or chunks are sent twice without anybody having died.
    visibility_timeout: float = 600
    #: How often what can be retried is tried again, how long to wait where the service does not
    #: say, and how long at most: tokens that have to wait longer stay in the store.
    max_retries: int = 3
    retry_wait: float = 10
    longest_wait: float = 300
    #: A chunk that killed so many workers is given up: the next one would die as well.
    max_deaths: int = 3


def load() -> Settings:
    """The settings of this process. Raises `KeyError` without `FANOUT_SETTINGS`."""
    fields: dict[str, Any] = json.loads(pathlib.Path(os.environ["FANOUT_SETTINGS"]).read_text())
    return Settings(**fields)


def client(settings: Settings) -> pushcore.Client:
    """A client with connections of its own: one for each worker process, made after the fork."""
    credentials = pushcore.ApnsCredentials.from_p8(
        pathlib.Path(settings.key), key_id=settings.key_id, team_id=settings.team_id
    )
    return pushcore.Client.apns(
        credentials,
        environment=settings.environment,
        host=settings.host,
        ca=None if settings.ca is None else pathlib.Path(settings.ca),
    )
