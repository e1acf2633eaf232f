"""`pushcore.Hub` and `pushcore.aio.Hub`: a mixed list of devices, one notification, every service."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pushcore
import pushcore.aio
import pytest
from pushcore._hub import Route
from pushcore._pushcore import HubBoard
from pushcore.testing import AioFakeClient, FakeClient, Sandbox

NOTIFICATION = pushcore.Notification(title="Hello", body="world")
SERVICES = ["apns", "fcm", "web_push", "adm", "baidu"]
#: No waiting in tests: at most three attempts, a few milliseconds apart.
QUICK = pushcore.Retries(attempts=3, first_wait=0.01, longest_wait=0.05)


def device(service: Any, target: Any, sandbox: Sandbox | None = None, **fields: Any) -> pushcore.Device:
    if service == "apns":
        fields.setdefault("app", "com.example.app" if sandbox is None else sandbox.ready["apns"]["topic"])
        fields.setdefault("environment", "sandbox")
    if service == "web_push" and sandbox is not None:
        fields["policy"] = sandbox.policy()
    return pushcore.Device(service, target, **fields)


def token(number: int) -> str:
    return f"{number:064x}"


def apns(number: int, **fields: Any) -> pushcore.Device:
    return device("apns", token(number), key=f"apns-{number}", **fields)


def fcm(number: int, **fields: Any) -> pushcore.Device:
    return device("fcm", f"fcm-{number}", key=f"fcm-{number}", **fields)


class Kind:
    """One of the two hubs, driven to the end from a test that knows no asyncio."""

    def __init__(self, hub: Any, fake: Any, client: Any) -> None:
        self.hub, self.fake, self.client = hub, fake, client
        #: What `configure` has made, and `run` closes.
        self.clients: list[Any] = []

    def configure(self, sandbox: Sandbox, *services: str, **options: Any) -> Any:
        """A hub of the sandbox's services."""
        hub = self.hub(retries=QUICK)
        for service in services:
            self.clients.append(getattr(sandbox, service)(self.client, **options))
            hub.use(self.clients[-1], service, environment="sandbox" if service == "apns" else None)
        return hub

    def run(
        self,
        hub: Any,
        devices: Iterable[Any],
        *arguments: Any,
        stop: Callable[[Any, Any], bool] | None = None,
        **options: Any,
    ) -> list[Any]:
        """Every result; `stop` looks at each with the sending, and leaves the loop where it says so."""
        if self.hub is pushcore.Hub:
            landed = []
            with hub, hub.send(devices, *arguments, **options) as sending:
                for one in sending:
                    landed.append(one)
                    if stop is not None and stop(sending, one):
                        break
            for client in self.clients:
                client.close()
            return landed

        async def main() -> list[Any]:
            landed = []
            async with hub, hub.send(devices, *arguments, **options) as sending:
                async for one in sending:
                    landed.append(one)
                    if stop is not None and stop(sending, one):
                        break
            for client in self.clients:
                await client.close()
            return landed

        return asyncio.run(main())


@pytest.fixture(params=["blocking", "asyncio"])
def kind(request: pytest.FixtureRequest) -> Kind:
    if request.param == "blocking":
        return Kind(pushcore.Hub, FakeClient, pushcore.Client)
    return Kind(pushcore.aio.Hub, AioFakeClient, pushcore.aio.Client)


# What lands


def test_every_service_and_what_to_do_with_each_device(sandbox: Sandbox, kind: Kind) -> None:
    devices: list[pushcore.Device] = []
    for service in SERVICES:
        dead = 0 if service == "baidu" else 2
        targets = sandbox.targets(service, 5, dead=dead)
        devices += [device(service, target, sandbox, key=f"{service}-{at}") for at, target in enumerate(targets)]
    hub = kind.configure(sandbox, *SERVICES)
    told: list[dict[str, pushcore.Progress]] = []
    landed = kind.run(hub, iter(devices), NOTIFICATION, on_progress=told.append)
    assert len(landed) == len(devices) == 33
    assert {one.key for one in landed} == {one.key for one in devices}
    assert Counter((one.device.service, one.result.name, one.feedback.action) for one in landed) == {
        **{(service, "accepted", "keep"): 5 for service in SERVICES},
        **{(service, "token_gone", "delete"): 2 for service in SERVICES if service != "baidu"},
    }
    # The sandbox's word: each once.
    accepted = Counter(record["service"] for record in sandbox.log(accepted=True, operation="push"))
    assert {accepted["apns"], accepted["fcm"], accepted["webpush"], accepted["adm"]} == {5}
    assert {route: (one.accepted, one.token_gone, one.in_flight) for route, one in told[-1].items()} == {
        "apns/sandbox": (5, 2, 0),
        "fcm": (5, 2, 0),
        "web_push": (5, 2, 0),
        "adm": (5, 2, 0),
        "baidu": (5, 0, 0),
    }


def test_keys_and_messages_of_ones_own(kind: Kind) -> None:
    fake = kind.fake()
    hub = kind.hub().use(fake, "apns", environment="sandbox").use(fake, "fcm")
    other = pushcore.Notification(title="Other")
    message = pushcore.ApnsMessage(token=token(4), topic="com.example.app", alert="mine")
    items = [apns(1), (("row", 2), fcm(2)), (fcm(3), other), (7, apns(4), message)]
    landed = {one.key: one.result.name for one in kind.run(hub, items, NOTIFICATION, priority="interactive")}
    assert {sent.priority for sent in fake.sent} == {"interactive"}
    assert landed == {"apns-1": "accepted", ("row", 2): "accepted", "fcm-3": "accepted", 7: "accepted"}
    assert [b"Hello" in sent.message.payload for sent in fake.sent if sent.message.target in (token(1), "fcm-2")] == [
        True
    ] * 2
    assert [b"Other" in sent.message.payload for sent in fake.sent if sent.message.target == "fcm-3"] == [True]
    assert [sent.message for sent in fake.sent if sent.message.target == token(4)] == [message]


def test_an_empty_list(kind: Kind) -> None:
    assert kind.run(kind.hub(), [], NOTIFICATION) == []


# What cannot be sent: typed, per item, and nothing else disturbed


def test_what_cannot_be_sent_is_its_own_result(kind: Kind) -> None:
    fake = kind.fake()
    hub = kind.hub().use(fake, "fcm", app="project-1")
    items = [
        fcm(1, app="project-1"),
        fcm(2, app="project-2"),
        apns(3),
        (fcm(4, app="project-1"), pushcore.Notification(body="x" * 5000)),
        fcm(5),
        fcm(1, app="project-1"),
    ]
    landed = kind.run(hub, items, NOTIFICATION)
    assert len(landed) == 6
    by_key = {one.key: one for one in landed}
    assert isinstance(by_key["fcm-2"].result, pushcore.MisuseError)
    assert "fcm production, app project-2" in str(by_key["fcm-2"].result)
    assert isinstance(by_key["apns-3"].result, pushcore.MisuseError)
    assert by_key["fcm-4"].result.kind == pushcore.ErrorKind.PAYLOAD_TOO_LARGE
    # Without an app: the only one there is.
    assert by_key["fcm-5"].result.name == "accepted"
    # The second device of a token is not sent to.
    assert len(fake.messages_to("fcm-1")) == 1
    twins = sorted((one for one in landed if one.key == "fcm-1"), key=lambda one: one.result.name)
    assert [one.result.name for one in twins] == ["DuplicateDevice", "accepted"]
    assert twins[0].result.kind == pushcore.ErrorKind.DUPLICATE_DEVICE
    assert isinstance(twins[0].result, pushcore.MessageError)
    unfit = [by_key["fcm-2"], by_key["apns-3"], twins[0]]
    assert {(one.feedback.action, one.feedback.cause) for one in unfit} == {("check_configuration", "device")}
    assert by_key["fcm-4"].feedback.action == "keep"


def test_what_is_no_device_ends_the_run_after_the_others(kind: Kind) -> None:
    hub = kind.hub().use(kind.fake(), "fcm")
    landed: list[Any] = []
    with pytest.raises(TypeError, match="expected a Device"):
        kind.run(hub, [fcm(1), fcm(2), "text", fcm(3)], NOTIFICATION, stop=keep(landed))
    assert [one.key for one in landed] == ["fcm-1", "fcm-2"]
    with pytest.raises(ValueError, match="the database is gone"):
        kind.run(kind.hub().use(kind.fake(), "fcm"), failing(), NOTIFICATION, stop=keep(landed))
    assert len(landed) == 4


def keep(landed: list[Any]) -> Callable[[Any, Any], bool]:
    def stop(sending: Any, one: Any) -> bool:
        landed.append(one)
        return False

    return stop


def failing() -> Iterator[pushcore.Device]:
    yield fcm(1)
    yield fcm(2)
    raise ValueError("the database is gone")


def test_a_device_without_a_notification(kind: Kind) -> None:
    [landed] = kind.run(kind.hub().use(kind.fake(), "fcm"), [fcm(1)])
    assert isinstance(landed.result, pushcore.MisuseError)
    assert "notification" in str(landed.result)


def test_a_client_that_cannot_be_opened(kind: Kind) -> None:
    hub = kind.hub().use(kind.fake(), "fcm")

    def fail() -> Any:
        raise pushcore.CredentialError("no such file")

    hub._routes.add(Route("apns", "sandbox", None), fail, own=True)
    landed = kind.run(hub, [apns(1), fcm(2), apns(3)], NOTIFICATION)
    assert Counter((one.device.service, one.result.name, one.feedback.action) for one in landed) == {
        ("apns", "InvalidCredential", "check_configuration"): 2,
        ("fcm", "accepted", "keep"): 1,
    }
    assert {one.feedback.cause for one in landed} == {None, "credentials"}


# Configuration


def test_the_most_particular_client_is_chosen(kind: Kind) -> None:
    fakes = {name: kind.fake() for name in ("production", "sandbox", "app", "fcm")}
    hub = kind.hub()
    hub.use(fakes["production"], "apns").use(fakes["sandbox"], "apns", environment="sandbox")
    hub.use(fakes["app"], "apns", app="com.example.other").use(fakes["fcm"], "fcm")
    devices = [
        device("apns", token(1), environment="production"),
        device("apns", token(2), environment="sandbox"),
        device("apns", token(3), environment="production", app="com.example.other"),
        device("apns", token(4), environment="sandbox", app="com.example.other"),
        fcm(5, app="project-9"),
    ]
    kind.run(hub, devices, NOTIFICATION)
    assert {name: fake.targets for name, fake in fakes.items()} == {
        "production": [token(1)],
        "sandbox": [token(2), token(4)],
        "app": [token(3)],
        "fcm": ["fcm-5"],
    }
    assert set(hub.stats()) == set() or set(hub.clients) <= {str(route) for route in hub._routes._makers}


def test_clients_are_opened_when_they_are_needed(sandbox: Sandbox, kind: Kind) -> None:
    hub = kind.hub()
    ready = sandbox.ready["fcm"]
    assert hub.add("fcm", sandbox.fcm_credentials(), host=ready["authority"], ca=sandbox.ca) is hub
    hub.add("apns", sandbox.apns_credentials(), app=sandbox.ready["apns"]["topic"], environment="sandbox")
    assert hub.clients == {}
    seen: list[Any] = []

    def look(sending: Any, one: Any) -> bool:
        seen.append((dict(hub.clients), hub.stats(), hub.open_metrics()))
        return False

    [landed] = kind.run(hub, [device("fcm", ready["tokens"]["valid"])], NOTIFICATION, stop=look)
    assert landed.result.name == "accepted"
    clients, stats, text = seen[0]
    assert list(clients) == ["fcm"]
    assert isinstance(clients["fcm"], kind.client)
    assert stats["fcm"]["accepted"] == 1
    assert 'pushcore_messages_total{service="fcm",app="",environment="production",outcome="accepted"} 1\n' in text
    assert hub.clients == {}


def test_a_hub_refuses_what_it_cannot_be() -> None:
    hub = pushcore.Hub()
    with pytest.raises(pushcore.MisuseError, match="hms"):
        hub.add("hms", None)  # type: ignore[arg-type]
    hub.use(FakeClient(), "fcm")
    with pytest.raises(pushcore.MisuseError, match="already"):
        hub.use(FakeClient(), "fcm")
    with pytest.raises(pushcore.MessageError, match="queue"):
        hub.send([], NOTIFICATION, queue=0)


# Sending again


def test_what_may_be_sent_again_is(kind: Kind) -> None:
    fake = kind.fake()
    fake.answer_for("fcm-1", pushcore.RetryLater(), pushcore.NotSent("no network"), pushcore.Accepted(id="third"))
    fake.answer_for("fcm-2", pushcore.RetryLater(scope="device"))
    fake.answer_for("fcm-3", pushcore.Unknown("no answer"))
    fake.answer_for("fcm-4", pushcore.Rejected(reason="Bad"))
    hub = kind.hub(retries=QUICK).use(fake, "fcm")
    landed = {one.key: one for one in kind.run(hub, [fcm(n) for n in range(1, 6)], NOTIFICATION)}
    assert {key: one.result.name for key, one in landed.items()} == {
        "fcm-1": "accepted",
        "fcm-2": "retry_later",
        "fcm-3": "Unknown",
        "fcm-4": "rejected",
        "fcm-5": "accepted",
    }
    assert Counter(fake.targets) == {"fcm-1": 3, "fcm-2": 3, "fcm-3": 1, "fcm-4": 1, "fcm-5": 1}
    assert (landed["fcm-2"].feedback.action, landed["fcm-2"].feedback.scope) == ("wait", "device")


def test_nothing_is_sent_again_where_nobody_wants_it(kind: Kind) -> None:
    fake = kind.fake()
    fake.answer_for("fcm-1", pushcore.RetryLater())
    hub = kind.hub().use(fake, "fcm")
    [landed] = kind.run(hub, [fcm(1)], NOTIFICATION, retries=pushcore.Retries.none())
    assert (landed.result.name, fake.targets) == ("retry_later", ["fcm-1"])


def test_what_waits_can_be_looked_at_and_carried_over(kind: Kind) -> None:
    """A drained hub hands out what waits, with the state of its attempts."""
    fake = kind.fake()
    fake.answer_for("fcm-1", pushcore.RetryLater(after=3600))
    hub = kind.hub(retries=pushcore.Retries(total=7200)).use(fake, "fcm")
    waiting: list[Any] = []

    def stop(sending: Any, one: Any) -> bool:
        if not waiting:
            waiting.extend(sending.waiting())
            hub.drain()
        return False

    def source() -> Iterator[pushcore.Device]:
        yield fcm(1)
        for number in range(2, 2000):
            yield fcm(number)

    landed = {one.key: one for one in kind.run(hub, source(), NOTIFICATION, stop=stop)}
    if waiting:
        [(key, one, attempts)] = waiting
        assert (key, one.key, attempts.made) == ("fcm-1", "fcm-1", 1)
        assert pushcore.Attempts.from_json(attempts.to_json()).made == 1
    assert landed["fcm-1"].result.name == "retry_later"
    assert landed["fcm-1"].feedback.action == "wait"


# Nobody holds anybody back


def mixed(sandbox: Sandbox, count: int) -> Iterator[pushcore.Device]:
    """Every second device is one of APNs."""
    tokens = {service: sandbox.targets(service, count) for service in ("apns", "fcm")}
    for at in range(count):
        for service in ("apns", "fcm"):
            yield device(service, tokens[service][at], sandbox, key=f"{service}-{at}")


def test_a_stalled_service_holds_nobody_back(sandbox: Sandbox, kind: Kind) -> None:
    """APNs answers nothing for a minute: FCM is through long before, although its devices stand between APNs'."""
    sandbox.faults.no_answer("apns")
    count = 800
    hub = kind.configure(sandbox, "apns", "fcm", deadline=60, response_timeout=60, max_queued=100)
    landed_of_fcm = 0

    def through(sending: Any, one: Any) -> bool:
        nonlocal landed_of_fcm
        landed_of_fcm += int(one.device.service == "fcm")
        return landed_of_fcm >= count

    began = time.monotonic()
    landed = kind.run(hub, mixed(sandbox, count), NOTIFICATION, queue=50, patience=5, stop=through)
    assert time.monotonic() - began < 55
    assert Counter(one.result.name for one in landed if one.device.service == "fcm") == {"accepted": count}
    # What had no room is told at once, with the advice to wait.
    refused = [one for one in landed if one.device.service == "apns"]
    assert {(one.result.name, one.feedback.action) for one in refused} == {("NotSent", "wait")}
    assert {one.result.__cause__.kind for one in refused} == {pushcore.ErrorKind.QUEUE_FULL}


def test_a_stalled_service_is_accounted_for(sandbox: Sandbox, kind: Kind) -> None:
    sandbox.faults.no_answer("apns")
    count = 300
    hub = kind.configure(sandbox, "apns", "fcm", deadline=2, response_timeout=2, max_queued=50)
    landed = kind.run(
        hub,
        mixed(sandbox, count),
        NOTIFICATION,
        retries=pushcore.Retries.none(),
        queue=20,
        patience=5,
    )
    assert len({one.key for one in landed}) == len(landed) == 2 * count
    ends = Counter((one.device.service, one.result.name) for one in landed)
    assert ends["fcm", "accepted"] == count
    # Never sent, or sent without an answer.
    assert {name for service, name in ends if service == "apns"} <= {"NotSent", "Unknown", "Expired"}


def test_reading_goes_on_only_as_far_as_there_is_room(kind: Kind) -> None:
    """Memory stays the same however long the list is."""
    read = 0

    def endless() -> Iterator[pushcore.Device]:
        nonlocal read
        while True:
            read += 1
            yield fcm(read)

    hub = kind.hub().use(kind.fake(), "fcm")
    landed: list[Any] = []

    def stop(sending: Any, one: Any) -> bool:
        landed.append(one)
        if len(landed) == 10:
            time.sleep(0.1)
        return len(landed) == 20

    kind.run(hub, endless(), NOTIFICATION, stop=stop)
    assert len(landed) == 20
    assert read < 20_000


# The end


def test_leaving_early_cancels(sandbox: Sandbox, kind: Kind) -> None:
    hub = kind.configure(sandbox, "apns")
    tokens = sandbox.targets("apns", 500)
    landed = kind.run(hub, [device("apns", one, sandbox) for one in tokens], NOTIFICATION, stop=lambda *_: True)
    assert len(landed) == 1


def test_draining_ends_in_order(sandbox: Sandbox, kind: Kind) -> None:
    sandbox.faults.delay("apns", 0.05)
    hub = kind.configure(sandbox, "apns", max_queued=50)
    tokens = sandbox.targets("apns", 2000)
    devices = [device("apns", one, sandbox, key=one) for one in tokens]
    taken = 0

    def source() -> Iterator[pushcore.Device]:
        nonlocal taken
        for one in devices:
            taken += 1
            yield one

    landed = kind.run(hub, source(), NOTIFICATION, queue=100, stop=lambda sending, _: hub.drain())
    # Whatever was read has landed once; the service took what is accepted, and nothing else.
    assert len({one.key for one in landed}) == len(landed) == taken < 2000
    ends = Counter(one.result.name for one in landed)
    assert set(ends) <= {"accepted", "NotSent"}
    assert ends["NotSent"] <= 1
    logged = {record["target"] for record in sandbox.log(service="apns", accepted=True)}
    # A request that the test before has cancelled may be logged late.
    assert logged & set(tokens) == {one.key for one in landed if one.result.name == "accepted"} != set()


def test_a_hub_that_is_closed_half_way(sandbox: Sandbox, kind: Kind) -> None:
    """Whatever was read lands once, and says truly whether it was sent."""
    sandbox.faults.delay("apns", 0.05)
    # More than is read ahead (a few thousand) before the first results are handed out.
    tokens = sandbox.targets("apns", 8000)
    read: list[str] = []

    def source() -> Iterator[pushcore.Device]:
        for one in tokens:
            read.append(one)
            yield device("apns", one, sandbox, key=one)

    landed: list[Any] = []
    if kind.hub is pushcore.Hub:
        hub = sandbox.hub(pushcore.Hub)
        for one in hub.send(source(), NOTIFICATION, queue=300):
            landed.append(one)
            if len(landed) == 50:
                hub.close()
        hub.close()
    else:

        async def main() -> None:
            hub = sandbox.hub(pushcore.aio.Hub)
            async for one in hub.send(source(), NOTIFICATION, queue=300):
                landed.append(one)
                if len(landed) == 50:
                    await hub.close()
            await hub.close()

        asyncio.run(main())
    assert Counter(one.key for one in landed) == Counter(read)
    assert len(read) < len(tokens)
    ends = Counter(one.result.name for one in landed)
    assert set(ends) <= {"accepted", "NotSent"}
    logged = {record["target"] for record in sandbox.log(service="apns", accepted=True)} & set(tokens)
    assert logged == {one.key for one in landed if one.result.name == "accepted"}
    causes = {one.result.__cause__.kind for one in landed if one.result.name == "NotSent"}
    assert causes <= {pushcore.ErrorKind.CLOSED}


def test_a_hub_of_threads(sandbox: Sandbox) -> None:
    """Several threads send through one hub."""
    kind = Kind(pushcore.Hub, FakeClient, pushcore.Client)
    hub = kind.configure(sandbox, "apns", "fcm")
    found: list[Counter[str]] = []

    def work() -> None:
        devices = [device(service, one, sandbox) for service in ("apns", "fcm") for one in sandbox.targets(service, 50)]
        found.append(Counter(one.result.name for one in hub.send(devices, NOTIFICATION)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hub.close()
    assert found == [{"accepted": 100}] * 4


def test_an_asynchronous_source() -> None:
    async def rows() -> AsyncIterator[Any]:
        for number in range(100):
            await asyncio.sleep(0)
            yield number, fcm(number)

    async def main() -> None:
        fake = AioFakeClient()
        async with pushcore.aio.Hub() as hub:
            hub.use(fake, "fcm")
            keys = [key async for key, _, _, _ in hub.send(rows(), NOTIFICATION)]
        assert sorted(keys) == list(range(100))
        assert len(fake.targets) == 100

    asyncio.run(main())


def test_a_cancelled_task_leaves_nothing_behind(sandbox: Sandbox) -> None:
    async def main() -> None:
        sandbox.faults.no_answer("apns")
        async with pushcore.aio.Hub() as hub:
            hub.use(client := sandbox.apns(pushcore.aio.Client), "apns", environment="sandbox")
            devices = [device("apns", one, sandbox) for one in sandbox.targets("apns", 10)]

            async def send() -> None:
                async with hub.send(devices, NOTIFICATION) as sending:
                    async for _ in sending:
                        pass

            task = asyncio.create_task(send())
            await asyncio.sleep(0.5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(asyncio.all_tasks()) == 1
            stats = client.stats()
            assert stats["queued"] + stats["open"] == 0
            await client.close()

    asyncio.run(main())


@pytest.mark.parametrize(("remember", "sent"), [(None, 3), (0, 4), (1, 4), (2, 3)])
def test_a_token_that_comes_twice(kind: Kind, remember: int | None, sent: int) -> None:
    """As many devices are remembered as the caller says; messages of one's own are sent to every row."""
    fake = kind.fake()
    hub = kind.hub().use(fake, "fcm")
    # Two others come between the rows of the first token.
    rows = [("a", fcm(1)), ("b", fcm(2)), ("c", fcm(3)), ("d", fcm(1))]
    landed = {one.key: one.result.name for one in kind.run(hub, rows, NOTIFICATION, remember=remember)}
    assert len(fake.sent) == sent
    assert Counter(landed.values())["accepted"] == sent
    assert {landed[key] for key in "abc"} == {"accepted"}
    own = [(number, fcm(1), pushcore.Notification(title=str(number))) for number in range(3)]
    assert {one.result.name for one in kind.run(kind.hub().use(kind.fake(), "fcm"), own, NOTIFICATION)} == {"accepted"}


def test_a_total_deadline(sandbox: Sandbox, kind: Kind) -> None:
    """Everything ends in time: what is under way, what waits for room, and what would wait for another attempt."""
    sandbox.faults.no_answer("apns")
    hub = kind.configure(sandbox, "apns", deadline=60, response_timeout=60, max_queued=20)
    tokens = sandbox.targets("apns", 100)
    devices = [device("apns", one, sandbox, key=one) for one in tokens]
    began = time.monotonic()
    landed = kind.run(hub, devices, NOTIFICATION, queue=20, patience=math.inf, total_deadline=1.5)
    # A client alone waits for a minute.
    assert time.monotonic() - began < 45
    assert {one.key for one in landed} == set(tokens)
    # APNs has one stream before its first answer: what it refuses (REFUSED_STREAM) when the time is over is `NotSent`.
    assert {one.result.name for one in landed} <= {"Unknown", "Expired", "NotSent"}


def test_a_wait_beyond_the_total_deadline_is_not_begun(kind: Kind) -> None:
    fake = kind.fake()
    fake.answer_for("fcm-1", pushcore.RetryLater(after=60))
    began = time.monotonic()
    [landed] = kind.run(kind.hub().use(fake, "fcm"), [fcm(1)], NOTIFICATION, total_deadline=timedelta(seconds=20))
    assert time.monotonic() - began < 15
    assert (landed.result.name, len(fake.sent)) == ("retry_later", 1)


def test_who_is_behind() -> None:
    """The rule is that of the hub in Rust, whose tests have the rest: here, silent for 5 s before the first answer."""

    def full(patience: float = pushcore._hub.PATIENCE) -> Any:
        board = HubBoard(
            NOTIFICATION,
            QUICK,
            lambda _: 0,
            tuple,
            queue=1,
            patience=patience,
            remember=None,
            total_deadline=None,
        )
        assert board.add_lane() == 0
        assert [board.take(fcm(1)), board.take(fcm(2))] == [True, False]
        return board

    assert pushcore._hub.PATIENCE == 300
    board = full()
    board.note_wait(4.9)
    assert not board.is_behind(0)
    board.note_wait(0.2)
    assert board.is_behind(0)
    # Nobody else has work to do or nothing to do: the device is waited for.
    assert not board.place()
    board.add_lane()
    assert board.place()
    [handed_back] = board.fetch(10)
    assert handed_back[2].__cause__.kind == pushcore.ErrorKind.QUEUE_FULL
    # What an infinite patience never does.
    board = full(math.inf)
    board.add_lane()
    board.note_wait(3600)
    assert not board.place()


def test_a_board_is_collected() -> None:
    """A key that refers to the results of its own send is no leak."""
    import gc
    import weakref

    class Key:
        pass

    key = Key()
    fake = FakeClient()
    fake.answer_for("fcm-1", pushcore.RetryLater(after=3600))
    hub = pushcore.Hub(retries=pushcore.Retries(total=7200)).use(fake, "fcm")
    sending = hub.send([(key, fcm(1)), fcm(2)], NOTIFICATION)
    key.sending = sending  # type: ignore[attr-defined]
    assert next(sending).key == "fcm-2"
    assert [one[0] for one in sending.waiting()] == [key]
    seen = weakref.ref(key)
    del key, sending, hub
    gc.collect()
    assert seen() is None
