"""One chunk of a send job, whichever engine runs it: tokens in, a row for each token out."""

from __future__ import annotations

import dataclasses
import itertools
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import pushcore

#: `accepted`: taken by the service. `delete`: the token is dead. `rejected`: the message is at
#: fault. `retry`: certainly not taken, send again. `unknown`: written, and no answer came.
State = Literal["accepted", "delete", "rejected", "retry", "unknown"]

#: These do not change any more, however often the chunk runs.
SETTLED: frozenset[State] = frozenset({"accepted", "delete", "rejected"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """What became of one token, and what to do with it."""

    token: str
    id: str
    state: State
    todo: str
    reason: str | None = None
    #: Seconds that the service asked to wait.
    after: float | None = None

    @property
    def settled(self) -> bool:
        """Whether this is the end of it."""
        return self.state in SETTLED


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """What is sent: travels with every chunk. `name` makes the ids, so it is used for one job only."""

    name: str
    notification: dict[str, Any]

    def id(self, token: str) -> uuid.UUID:
        """The apns-id of this job's push to `token`: the same in every attempt, on every machine."""
        return uuid.uuid5(self.namespace, token)

    def chunk_id(self, number: int) -> str:
        """The engine's id of a chunk: submitting a job again submits the same tasks."""
        return str(uuid.uuid5(self.namespace, f"chunk {number}"))

    @property
    def namespace(self) -> uuid.UUID:
        """Of this job's ids."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"urn:fanout:{self.name}")

    def template(self, topic: str) -> pushcore.ApnsMessage:
        """The message, to a token that is replaced.

        A device that gets a push twice shows it once, because both have the same collapse id.
        """
        return pushcore.ApnsMessage(
            token="00", topic=topic, collapse_id=str(self.namespace), **self.notification
        )


def chunks(tokens: Iterable[str], size: int) -> Iterator[list[str]]:
    """The tokens in lists of `size`, each token once."""
    rest = iter(dict.fromkeys(token.strip().lower() for token in tokens))
    while chunk := list(itertools.islice(rest, size)):
        yield chunk


def send(client: pushcore.Client, topic: str, job: Job, tokens: Iterable[str]) -> Iterator[Row]:
    """Sends the job's notification to every token; yields a row for each, as the answers land."""
    template = job.template(topic)
    malformed: list[Row] = []

    def messages() -> Iterator[pushcore.ApnsMessage]:
        for token in tokens:
            try:
                yield template.to(token, id=job.id(token))
            except pushcore.MessageError as error:
                malformed.append(
                    Row(
                        token=token, id=str(job.id(token)), state="delete", todo=str(error), reason=error.name
                    )
                )

    for message, result in client.send_many(messages()):
        yield judge(message.token, str(job.id(message.token)), result)
    yield from malformed


def judge(token: str, id: str, result: pushcore.Outcome | pushcore.PushcoreError) -> Row:
    """The row of one result."""
    match result:
        case pushcore.Accepted():
            return Row(token=token, id=id, state="accepted", todo=result.advice)
        case pushcore.TokenGone():
            return Row(token=token, id=id, state="delete", todo=result.advice, reason=result.reason)
        case pushcore.TokenMismatch():
            # The token is blamed, but the configuration could explain it: kept, and open until that is checked.
            return Row(token=token, id=id, state="retry", todo=result.advice, reason=result.reason)
        case pushcore.RetryLater(after=after):
            return Row(
                token=token, id=id, state="retry", todo=result.advice, reason=result.reason, after=after
            )
        case pushcore.FixCredentials():
            # Nothing is wrong with the token or the message: open until somebody has mended the key.
            return Row(token=token, id=id, state="retry", todo=result.advice, reason=result.reason)
        case pushcore.Outcome():
            return Row(token=token, id=id, state="rejected", todo=result.advice, reason=result.reason)
        case pushcore.Unknown():
            todo = "send again with the same id, or leave it: the device may have it"
            return Row(token=token, id=id, state="unknown", todo=todo, reason=result.name)
        case pushcore.MessageError():
            return Row(token=token, id=id, state="rejected", todo="fix the message", reason=result.name)
        case _:
            return Row(token=token, id=id, state="retry", todo="send again", reason=result.name)


def again(rows: Iterable[Row], default: float, longest: float) -> tuple[list[str], float]:
    """Which tokens the engine should try again, and in how many seconds.

    `unknown` is among them: what engines promise is "at least once" in any case. Those that the
    service put off for more than `longest` seconds stay in the store for a later job.
    """
    due = [row for row in rows if not row.settled and (row.after or default) <= longest]
    return [row.token for row in due], max((row.after or default for row in due), default=0)
