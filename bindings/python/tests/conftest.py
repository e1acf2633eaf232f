from __future__ import annotations

import pytest
from pushcore.testing import Sandbox
from pushcore.testing.no_skips import pytest_make_collect_report, pytest_runtest_makereport

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]


@pytest.fixture(scope="session")
def running(pushcore_sandbox_program: Sandbox) -> Sandbox:
    return pushcore_sandbox_program


@pytest.fixture
def sandbox(pushcore_sandbox: Sandbox) -> Sandbox:
    return pushcore_sandbox
