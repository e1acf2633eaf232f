from __future__ import annotations

import signal

import pytest
from pushcore.testing import Sandbox
from pushcore.testing.no_skips import pytest_make_collect_report, pytest_runtest_makereport

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]

# A run in the background of a shell ignores Ctrl-C, and so would every program that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def running(pushcore_sandbox_program: Sandbox) -> Sandbox:
    return pushcore_sandbox_program


@pytest.fixture
def sandbox(pushcore_sandbox: Sandbox) -> Sandbox:
    return pushcore_sandbox
