"""Every Python block of both READMEs type-checks."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import textwrap

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parent.parent
#: Names that the reader has: they are not made in the blocks.
GIVEN = {
    "accepted": "pushcore.Accepted",
    "message": "pushcore.FcmMessage",
    "registration_ids": "list[str]",
    "state": "pushcore.LiveActivity",
    "token": "str",
    "tokens": "list[str]",
    "web_push_message": "pushcore.WebPushMessage",
}


def blocks() -> list[tuple[str, int, str]]:
    found = []
    for file in (PACKAGE.parent.parent / "README.md", PACKAGE / "README.md"):
        for number, block in enumerate(re.findall(r"```python\n(.*?)```", file.read_text(), re.S)):
            found.append((str(file.relative_to(PACKAGE.parent.parent)), number, block))
    return found


def test_there_are_blocks() -> None:
    assert len(blocks()) >= 6


@pytest.mark.parametrize(("file", "number", "block"), blocks())
def test_a_block_type_checks(file: str, number: int, block: str, tmp_path: pathlib.Path) -> None:
    given = {name: kind for name, kind in GIVEN.items() if not re.search(rf"^ *{name} = ", block, re.M)}
    if " as client" not in block:
        given["client"] = "pushcore.Client"
    parameters = ", ".join(f"{name}: {kind}" for name, kind in given.items())
    body = textwrap.indent(block, "    ")
    source = tmp_path / "block.py"
    source.write_text(f"import pushcore\nimport pushcore.aio\n\nasync def block({parameters}) -> None:\n{body}\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--allow-redefinition", str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{file}, block {number}:\n{done.stdout}{done.stderr}"
