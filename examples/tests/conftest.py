from __future__ import annotations

import os
import pathlib

import pytest
from pushcore.testing import Sandbox
from pushcore.testing.no_skips import pytest_make_collect_report, pytest_runtest_makereport

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def running(pushcore_sandbox_program: Sandbox) -> Sandbox:
    return pushcore_sandbox_program


@pytest.fixture
def sandbox(pushcore_sandbox: Sandbox) -> Sandbox:
    return pushcore_sandbox


@pytest.fixture(scope="session")
def target() -> pathlib.Path:
    """Where cargo builds."""
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "examples"
