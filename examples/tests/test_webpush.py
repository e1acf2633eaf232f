"""The browser's side, in Node."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "webpush"


@pytest.mark.parametrize("name", ["service-worker", "subscribe", "notification"])
def test_the_script_does_its_work_in_a_stub_of_the_browser(name: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) < 20:
        pytest.skip(f"node {version.strip()} is older than 20")
    done = subprocess.run(
        [node, "--test", str(FOLDER / f"{name}.test.mjs")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
