"""Clients that send nothing: they record what they are given and answer as a test says."""

from __future__ import annotations

import datetime
import json
import time
import uuid
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .. import aio
from .._client import Client
from .._errors import Cancelled, MessageError, MisuseError, PushcoreError
from .._events import Watch
from .._kinds import ErrorKind
from .._pushcore import (
    Accepted,
    BaseMessage,
    Event,
    Metrics,
    Outcome,
    Progress,
    Request,
    Response,
    Session,
    Subscription,
)

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._pushcore import Call, Service, Template
    from .._types import Duration, Message, Priority, Target

#: The end of one message: what a service says, or why there is no answer.
Result = Outcome | PushcoreError
#: Says how a message ends; `None` leaves it to the fake client.
Answer = Callable[[BaseMessage[Any]], Result | None]


class Sent(NamedTuple):
    """One message that a fake client was given, and its end."""

    message: BaseMessage[Any]
    """The whole message, its target included."""
    key: object
    """The caller's key beside the message; the message or target itself where there is none."""
    deadline: float | None
    """The deadline that the caller gave, in seconds; `None` for the client's own."""
    result: Result
    """The end."""
    priority: str | None = None
    """The priority that the caller gave; `None` where none was given."""


def _text(target: object) -> str:
    """A target as `BaseMessage.target` writes it."""
    if isinstance(target, bytes):
        return target.hex()
    if isinstance(target, Subscription):
        return target.endpoint
    if isinstance(target, Mapping):
        members = cast("Mapping[str, Any]", target)
        return str(members.get("endpoint", json.dumps(dict(members))))
    return str(target)


class Fake:
    """What both fake clients have in common: the record, and the answers."""

    def __init__(
        self,
        service: str | None = None,
        *,
        answer: Answer | None = None,
        on_event: Callable[[Event], object] | None = None,
    ) -> None:
        """Takes messages to `service` only, where it is named. `answer` says how each message ends."""
        self.name = service
        self.sent: list[Sent] = []
        """Every message in the order in which it was given."""
        self.calls: list[Any] = []
        """Every `Call` and `Request` of `call` and `exchange`."""
        self.answer = answer
        """Is asked first how a message ends."""
        self.mix_up_suspected = False
        """What `is_mix_up_suspected` says."""
        self.closed = False
        self._answers: dict[str, deque[Result]] = {}
        self._responses: deque[Response | PushcoreError] = deque()
        self._watch = Watch(service or "fake", on_event)

    # What a test says beforehand.

    def answer_for(self, target: Target, *results: Result) -> None:
        """The ends of messages to this target, one after the other; the last one is repeated.

        For Web Push the target is the subscription, or its endpoint.
        """
        if not results:
            raise ValueError("no result is given")
        self._answers[_text(target)] = deque(results)

    def respond(self, *responses: Response | PushcoreError) -> None:
        """The answers to the next `call` or `exchange`, in order. Without one it is 200 with `{}`."""
        self._responses.extend(responses)

    def tell(self, event: Event) -> None:
        """Lets something happen: the log, `on_event` and `events()` hear of it."""
        self._watch(event)

    # What a test looks at afterwards.

    @property
    def targets(self) -> list[str | None]:
        """The target of every message, in order."""
        return [sent.message.target for sent in self.sent]

    def messages_to(self, target: Target) -> list[BaseMessage[Any]]:
        """Every message that went to this target."""
        wanted = _text(target)
        return [sent.message for sent in self.sent if wanted in _names(sent.message)]

    def clear(self) -> None:
        """Forgets what was sent; the answers stay."""
        self.sent.clear()
        self.calls.clear()

    # The words of both clients.

    @property
    def service(self) -> Service:
        """A fake client has no service to open a session from."""
        raise MisuseError("a fake client was not made of a service")

    @classmethod
    def _opened(cls, kind: Any, credentials: Any, options: Any, **places: Any) -> Self:
        return cls(kind, on_event=options.get("on_event"))

    def stats(self) -> dict[str, int]:
        """How the messages ended, under the names that a client uses."""
        counts = Session.no_stats()
        counts["submitted"] = len(self.sent) + len(self.calls)
        counts["answered"] = len(self.calls)
        for sent in self.sent:
            counts[_place(sent.result)] += 1
        return counts

    def metrics(self) -> Metrics:
        """A fake client takes no time to measure: look at `sent` and `stats`."""
        raise MisuseError("a fake client has no metrics")

    def header_bytes(self) -> tuple[int, int]:
        """No byte is sent or received."""
        return 0, 0

    def is_mix_up_suspected(self) -> bool:
        """What a test wrote into `mix_up_suspected`."""
        return self.mix_up_suspected

    def events(self) -> Iterator[Event]:
        """What `tell` was given since the last call."""
        return self._watch.events()

    def take_one(
        self,
        item: Any,
        template: Message | Template | None,
        deadline: Duration | None,
        priority: str | None = None,
    ) -> tuple[Any, Result]:
        """Takes one item of `send_many`, or a message: the key of the caller's, and the end; for `FakeBatch`."""
        self._check()
        key, item = item if _is_pair(item) else (item, item)
        try:
            message: Any = item if template is None else cast("Any", template).to(item)
            return key, self._end(message, key, deadline, priority)
        except PushcoreError as error:
            return key, error
        except (TypeError, ValueError, OverflowError) as error:
            # One malformed token among a million is a result, not the end of the run.
            return key, MessageError(str(error), ErrorKind.INVALID_TARGET)

    def _end(self, message: Any, key: Any, deadline: Duration | None, priority: str | None = None) -> Result:
        self._check()
        if not _is_message(message):
            raise TypeError(f"expected a message, not {type(message).__name__}")
        known: BaseMessage[Any] = message
        if self.name is not None and known.service != self.name:
            raise MisuseError("this message is for another service")
        result = None if self.answer is None else self.answer(known)
        if result is None:
            for name in _names(known):
                if answers := self._answers.get(name):
                    result = answers.popleft() if len(answers) > 1 else answers[0]
                    break
        if result is None:
            result = Accepted(status=200, id=str(uuid.uuid4()))
        seconds = deadline.total_seconds() if isinstance(deadline, datetime.timedelta) else deadline
        self.sent.append(Sent(known, key, seconds, result, priority))
        return result

    def _response(self, asked: Any) -> Response:
        self._check()
        self.calls.append(asked)
        response = self._responses.popleft() if self._responses else Response(200, {}, b"{}")
        if isinstance(response, PushcoreError):
            raise response
        return response

    def _check(self) -> None:
        if self.closed:
            raise MisuseError("the client is closed", ErrorKind.CLOSED)


def _is_message(value: object) -> bool:
    """Whether it is a message: not `isinstance` in place, because checkers then know less of its type."""
    return isinstance(value, BaseMessage)


def _is_pair(item: object) -> bool:
    """Whether an item of a bulk send has a key beside it."""
    return type(item) is tuple and len(item) == 2  # pyright: ignore[reportUnknownArgumentType]


def _names(message: BaseMessage[Any]) -> tuple[str, ...]:
    """The texts by which a test may name the target of a message."""
    target = message.target
    if target is None:
        return ()
    if message.service == "web_push":
        return str(json.loads(target)["endpoint"]), target
    return (target,)


def _place(result: Result) -> str:
    if isinstance(result, Outcome):
        return result.name
    return {"Unknown": "unknown", "Expired": "expired", "Cancelled": "cancelled"}.get(result.name, "not_sent")


class _Counts:
    """How far a fake bulk send is."""

    def __init__(self, expected: int | None) -> None:
        self.expected = expected
        self.counts: dict[str, int] = {}
        self.taken = 0
        self._began = time.monotonic()

    def count(self, result: Result) -> None:
        place = _place(result)
        place = "not_sent" if place in ("expired", "cancelled") else place
        self.counts[place] = self.counts.get(place, 0) + 1

    def progress(self) -> Progress:
        ended, elapsed = sum(self.counts.values()), time.monotonic() - self._began
        return Progress(
            expected=self.expected,
            taken=self.taken,
            in_flight=self.taken - ended,
            ended=ended,
            elapsed=elapsed,
            rate=ended / elapsed if elapsed else 0.0,
            **self.counts,
        )


def _length(source: object) -> int | None:
    try:
        return len(source)  # type: ignore[arg-type]
    except TypeError:
        return None


class FakeSendMany:
    """The results of `FakeClient.send_many`: what `SendMany` is for a client that sends."""

    def __init__(self, pairs: Iterator[tuple[Any, Result]], counts: _Counts, report: Callable[[Progress], object]):
        self._pairs: Iterator[tuple[Any, Result]] | None = pairs
        self._counts = counts
        self._report = report

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[Any, Result]:
        if self._pairs is None:
            raise StopIteration
        try:
            pair = next(self._pairs)
        except StopIteration:
            self._pairs = None
            self._report(self._counts.progress())
            raise
        return pair

    @property
    def progress(self) -> Progress | None:
        """How far it is; `None` when it is over."""
        return None if self._pairs is None else self._counts.progress()

    def close(self) -> None:
        """Takes no further message."""
        self._pairs = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FakeBatch:
    """What `FakeClient.batch` gives: `submit`, `wait`, and `withdraw` for what `wait` has not handed out."""

    def __init__(
        self,
        fake: Fake,
        template: Message | Template | None,
        deadline: Duration | None,
        priority: str | None = None,
    ) -> None:
        self._fake, self._template, self._deadline, self._priority = fake, template, deadline, priority
        #: Keys with their ends, and where the message stands in the record; `None` for what was refused.
        self._landed: list[tuple[Any, Result, Sent | None]] = []

    def submit(self, pairs: list[tuple[Any, Any]]) -> int:
        """Takes every pair of a key and a message or target."""
        sent = self._fake.sent
        for pair in pairs:
            before = len(sent)
            key, result = self._fake.take_one(pair, self._template, self._deadline, self._priority)
            self._landed.append((key, result, sent[-1] if len(sent) > before else None))
        return len(pairs)

    def wait(self, longest: Duration | None = None) -> list[tuple[Any, Result]]:
        """What was submitted since the last call, with its end. Never waits."""
        landed, self._landed = self._landed, []
        return [(key, result) for key, result, _ in landed]

    def finish(self) -> None:
        """Says that no message follows; a fake holds nothing back."""

    def withdraw(self) -> int:
        """Turns every message that `wait` has not handed out into `Cancelled`; says how many."""
        taken = [sent for _, _, sent in self._landed if sent is not None]
        self._fake.sent[:] = [sent for sent in self._fake.sent if not any(sent is one for one in taken)]
        cancelled = Cancelled("cancelled by the caller")
        self._landed = [(key, result if sent is None else cancelled, None) for key, result, sent in self._landed]
        return len(taken)

    @property
    def in_flight(self) -> int:
        """The number of results that `wait` has not handed out."""
        return len(self._landed)

    def cancel(self) -> None:
        """Lets go of everything."""
        self._landed = []


class FakeClient(Fake, Client):
    """A `pushcore.Client` that sends nothing, needs no program, and answers as a test says: `Accepted`, unless told.

        fake = FakeClient()
        fake.answer_for(dead, pushcore.TokenGone())
        notify(fake, user)
        assert fake.targets == [good, dead]

    It refuses what a client refuses before it sends: what is no message, a message to another service, anything after
    `close`. Results come in the order of the messages.
    """

    def send(self, message: Message, *, deadline: Duration | None = None, priority: Priority | None = None) -> Outcome:
        """Records the message; returns its outcome, or raises its error."""
        result = self._end(message, message, deadline, priority)
        if isinstance(result, PushcoreError):
            raise result
        return result

    def send_many(
        self,
        messages: Iterable[Any],
        *,
        message: Message | Template | None = None,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: Duration | None = None,
        on_suspicion: str | None = None,
        priority: Priority | None = None,
    ) -> Any:
        """Records every message of an iterable as it is read; yields `(message, result)`.

        `on_progress` is called at the end.
        """
        self._check()
        counts = _Counts(_length(messages))

        source = iter(messages)

        def pairs() -> Iterator[tuple[Any, Result]]:
            for item in source:
                counts.taken += 1
                pair = self.take_one(item, message, deadline, priority)
                counts.count(pair[1])
                yield pair

        return FakeSendMany(pairs(), counts, on_progress or (lambda _: None))

    def batch(
        self,
        *,
        message: Message | Template | None = None,
        deadline: Duration | None = None,
        priority: Priority | None = None,
    ) -> Any:
        """Many messages in a loop of one's own; every result lands with the next `wait`."""
        self._check()
        return FakeBatch(self, message, deadline, priority)

    def call(self, call: Call[Any], *, deadline: Duration | None = None) -> Any:
        """Records the call; reads what `respond` was given."""
        return call.outcome(self._response(call))

    def exchange(self, request: Request, *, deadline: Duration | None = None) -> Response:
        """Records the request; returns what `respond` was given."""
        return self._response(request)

    def close(self) -> None:
        """Takes no further message."""
        self.closed = True


class AioFakeClient(Fake, aio.Client):
    """A `pushcore.aio.Client` that sends nothing, as `FakeClient`; may be used again after `close`, as that client."""

    async def send(
        self, message: Message, *, deadline: Duration | None = None, priority: Priority | None = None
    ) -> Outcome:
        """Records the message; returns its outcome, or raises its error."""
        result = self._end(message, message, deadline, priority)
        if isinstance(result, PushcoreError):
            raise result
        return result

    async def _each(
        self,
        messages: Iterable[Any] | AsyncIterable[Any],
        message: Message | Template | None,
        deadline: Duration | None,
        on_progress: Callable[[Progress], object] | None,
        priority: Priority | None,
    ) -> AsyncGenerator[tuple[Any, Result], None]:
        counts = _Counts(_length(messages))
        if isinstance(messages, AsyncIterable):
            async for item in messages:
                counts.taken += 1
                pair = self.take_one(item, message, deadline, priority)
                counts.count(pair[1])
                yield pair
        else:
            for item in messages:
                counts.taken += 1
                pair = self.take_one(item, message, deadline, priority)
                counts.count(pair[1])
                yield pair
        if on_progress is not None:
            on_progress(counts.progress())

    def send_many(
        self,
        messages: Iterable[Any] | AsyncIterable[Any],
        *,
        message: Message | Template | None = None,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: float | None = None,
        on_suspicion: str | None = None,
        priority: Priority | None = None,
    ) -> AsyncGenerator[tuple[Any, Result], None]:
        """Records every message of an iterable of either kind as it is read; yields `(message, result)`."""
        return self._each(messages, message, deadline, on_progress, priority)

    async def call(self, call: Call[Any], *, deadline: Duration | None = None) -> Any:
        """Records the call; reads what `respond` was given."""
        return call.outcome(self._response(call))

    async def exchange(self, request: Request, *, deadline: Duration | None = None) -> Response:
        """Records the request; returns what `respond` was given."""
        return self._response(request)

    async def close(self) -> None:
        """Does nothing: a client for asyncio takes messages again after `close`."""
