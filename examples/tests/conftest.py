from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

import pytest
from pushcore.testing import Sandbox

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.control("POST", "reset")
    return running


@pytest.fixture(scope="session")
def target() -> pathlib.Path:
    """Where cargo builds."""
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "examples"
