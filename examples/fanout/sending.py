"""One chunk of a send job, whichever engine runs it: tokens in, a row for each token out."""

from __future__ import annotations

import dataclasses
import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import pushcore
from pushcore import campaign

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


def send(
    client: pushcore.Client, topic: str, job: Job, tokens: Iterable[str], tell: Callable[[Row], object]
) -> None:
    """Sends the job's notification to every token; `tell` gets a row for each, as the answers land.

    The loop is `pushcore.campaign.run`, as in the command `pushcore send --from`: it stops after a handful of refused
    credentials, and no exception throws an answer away. The engine's store is the journal here.
    """
    template = job.template(topic)
    waiting = dict.fromkeys(tokens)

    def message(row: campaign.Row) -> pushcore.ApnsMessage:
        return template.to(row.target, id=job.id(row.target))

    def ended(record: campaign.Record) -> None:
        waiting.pop(record.target, None)
        tell(judge(record, str(job.id(record.target))))

    summary = campaign.run(
        list(waiting), clients={"apns": client}, message={"apns": message}, on_result=ended
    )
    for token in waiting:
        # Taken back, or never handed over, because the run was stopped.
        tell(Row(token=token, id=str(job.id(token)), state="retry", todo="send again", reason=summary.reason))


def judge(record: campaign.Record, id: str) -> Row:
    """The row of one result."""
    state: State
    match record.result:
        case "accepted":
            state = "accepted"
        case "token_gone" if campaign.is_certain_deletion(record):
            state = "delete"
        case "rejected":
            state = "rejected"
        case "refused":
            # No message can be made for it: the token is malformed.
            state = "delete"
        case "unknown":
            state = "unknown"
        case _:
            # Told to wait, refused credentials (nothing is wrong with the token), and what a later version may say.
            state = "retry"
    return Row(
        token=record.target,
        id=id,
        state=state,
        todo=record.action or "",
        reason=record.reason,
        after=record.after,
    )


def again(rows: Iterable[Row], default: float, longest: float) -> tuple[list[str], float]:
    """Which tokens the engine should try again, and in how many seconds.

    `unknown` is among them: what engines promise is "at least once" in any case. Those that the
    service put off for more than `longest` seconds stay in the store for a later job.
    """
    due = [row for row in rows if not row.settled and (row.after or default) <= longest]
    return [row.token for row in due], max((row.after or default for row in due), default=0)
