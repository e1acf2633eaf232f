from __future__ import annotations

from collections.abc import Iterator

import pytest
from pushcore.testing import Sandbox


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.control("POST", "reset")
    return running
