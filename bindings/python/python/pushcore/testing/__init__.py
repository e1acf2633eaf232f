"""For tests: the five services on one's own machine."""

from __future__ import annotations

from .sandbox import Sandbox

__all__ = ["Sandbox"]
