"""The pytest plugin: fixtures for the sandbox, for clients and for fakes (`docs/testing.md`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .. import Hub, aio
    from . import AioFakeClient, FakeClient, Sandbox
    from .faults import Faults


class Clients:
    """Makes clients of the sandbox's services; a blocking one is closed after the test."""

    def __init__(self, sandbox: Sandbox, kind: Any) -> None:
        """Of a class, `pushcore.Client` or `pushcore.aio.Client`."""
        self.sandbox = sandbox
        self._kind = kind
        self.made: list[Any] = []

    def __call__(self, service: str, **options: Any) -> Any:
        """A client for a service by its name, with a client's options."""
        if service not in ("apns", "fcm", "web_push", "adm", "baidu"):
            raise ValueError(f"no service is called {service!r}")
        client = getattr(self.sandbox, service)(self._kind, **options)
        self.made.append(client)
        return client


@pytest.fixture(scope="session")
def pushcore_sandbox_program(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """The five services, for the whole run; the ini option `pushcore_sandbox_args` has their arguments."""
    from . import Sandbox

    with Sandbox(*request.config.getini("pushcore_sandbox_args")) as sandbox:
        yield sandbox


@pytest.fixture
def pushcore_sandbox(pushcore_sandbox_program: Sandbox) -> Sandbox:
    """The five services with an empty log and without faults."""
    pushcore_sandbox_program.reset()
    return pushcore_sandbox_program


@pytest.fixture
def pushcore_client(pushcore_sandbox: Sandbox) -> Iterator[Any]:
    """Makes blocking clients: `pushcore_client("apns", deadline=5)`."""
    from .. import Client

    clients = Clients(pushcore_sandbox, Client)
    yield clients
    for client in clients.made:
        client.close()


@pytest.fixture
def pushcore_aio_client(pushcore_sandbox: Sandbox) -> Clients:
    """Makes clients for asyncio, which the test closes: `async with pushcore_aio_client("apns") as client`."""
    from ..aio import Client

    return Clients(pushcore_sandbox, Client)


@pytest.fixture
def pushcore_targets(pushcore_sandbox: Sandbox) -> Any:
    """Makes devices: `pushcore_targets("apns", 10, dead=2)` are twelve tokens, of which the last two are dead."""
    return pushcore_sandbox.targets


@pytest.fixture
def pushcore_devices(pushcore_sandbox: Sandbox) -> Any:
    """Makes devices for a hub: `pushcore_devices("fcm", 10, dead=2)` are twelve `Device`s."""
    return pushcore_sandbox.devices


@pytest.fixture
def pushcore_hub(pushcore_sandbox: Sandbox) -> Iterator[Hub]:
    """A hub with a client for each of the five services, closed after the test."""
    from .._hub_blocking import Hub

    with pushcore_sandbox.hub(Hub) as hub:
        yield hub


@pytest.fixture
def pushcore_aio_hub(pushcore_sandbox: Sandbox) -> aio.Hub:
    """The same for asyncio, which the test closes: `async with pushcore_aio_hub as hub`."""
    from ..aio import Hub

    return pushcore_sandbox.hub(Hub)


@pytest.fixture
def pushcore_faults(pushcore_sandbox: Sandbox) -> Faults:
    """Makes the services misbehave: `pushcore_faults.answer("apns", 503)`."""
    return pushcore_sandbox.faults


@pytest.fixture
def pushcore_fake() -> FakeClient:
    """A client that sends nothing and records; needs no program."""
    from . import FakeClient

    return FakeClient()


@pytest.fixture
def pushcore_aio_fake() -> AioFakeClient:
    """A client for asyncio that sends nothing and records; needs no program."""
    from . import AioFakeClient

    return AioFakeClient()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini option of the plugin."""
    parser.addini("pushcore_sandbox_args", "arguments of pushcore-sandbox", type="args", default=[])
