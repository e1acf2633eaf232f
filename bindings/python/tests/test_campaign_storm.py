"""The short form of `campaign_storm.py`: a few deaths, and a journal that is cut off at every page."""

from __future__ import annotations

import pathlib

from campaign_storm import storm
from pushcore.testing import Sandbox


def test_nothing_is_lost_or_doubled_by_deaths(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    blows = storm(sandbox, tmp_path, rows=4000, kills=5, seed=3)
    assert len(blows) >= 3
    assert {blow.kind for blow in blows} >= {"SIGKILL", "power"}


def test_a_cut_at_every_page_forgets_nothing(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    blows = storm(sandbox, tmp_path, rows=1500, kills=2, seed=5, cuts=-1)
    cut = [blow for blow in blows if blow.copies]
    assert cut, "a power cut was among them"
    # A slow machine is cut early, when the journal has few pages.
    assert all(blow.copies > 4 for blow in cut)
