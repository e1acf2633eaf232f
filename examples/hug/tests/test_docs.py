"""The table of what must work names every such test, and nothing that is no test."""

from __future__ import annotations

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[3]
TESTS = [*(ROOT / "tests/tests/dialect_systems").glob("*.rs"), *(ROOT / "examples/hug/tests").glob("test_*.py")]


def test_the_table_is_whole() -> None:
    page = (ROOT / "docs/systems.md").read_text()
    table = page.partition("## What must work")[2]
    named = set(re.findall(r"`((?:test_)?[ms]_\w+)`", table))
    there = {
        name for path in TESTS for name in re.findall(r"^(?:fn|def) ((?:test_)?[ms]_\w+)\(", path.read_text(), re.M)
    }
    assert len(there) > 40
    assert named - there == set(), "no tests"
    assert there - named == set(), "not in the table"
