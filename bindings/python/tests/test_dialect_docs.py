"""The table of `docs/dialects.md` is made of the tests: `PUSHCORE_WRITE_DOCS=1` writes it anew."""

from __future__ import annotations

import ast
import os
import pathlib

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[2] / "docs" / "dialects.md"
BEGIN, END = "<!-- tests:begin -->\n", "<!-- tests:end -->"


def table() -> str:
    rows = ["| | what | test |", "|---|---|---|"]
    for file in ("test_dialect_pinpoint.py", "test_dialect_boto3.py"):
        for item in ast.parse((HERE / file).read_text("utf-8")).body:
            if not isinstance(item, ast.FunctionDef) or not item.name.startswith("test_"):
                continue
            duty, _, what = (ast.get_docstring(item) or "").partition(": ")
            if duty in ("Must", "Should"):
                rows.append(f"| {duty.lower()} | {what.rstrip('.')} | `{file}::{item.name}` |")
    return "\n".join(rows) + "\n"


def test_the_page_lists_the_tests() -> None:
    page = PAGE.read_text("utf-8")
    before, rest = page.split(BEGIN)
    there, after = rest.split(END)
    if os.environ.get("PUSHCORE_WRITE_DOCS"):
        PAGE.write_text(before + BEGIN + table() + END + after, "utf-8")
        pytest.skip("written")
    assert there == table()
