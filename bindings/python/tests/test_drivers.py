"""Every case of the drivers' suite (tests/drivers), with each driver of this language."""

from __future__ import annotations

import asyncio
import json

import _drivers
import pytest
import uvloop

_RUNNERS = {
    "python": _drivers.blocking,
    "asyncio": _drivers.asynchronous(asyncio.SelectorEventLoop),
    "uvloop": _drivers.asynchronous(uvloop.Loop),
}
_PLAYED = [(driver, name) for driver in _RUNNERS for name in _drivers.names(driver)]


@pytest.mark.parametrize(("driver", "name"), _PLAYED, ids=["-".join(each) for each in _PLAYED])
def test_case(driver: str, name: str) -> None:
    report = _drivers.play(name, driver, _RUNNERS[driver])
    assert report["faults"] == [], json.dumps(report)[:4000]
