"""For tests: the five services on one's own machine, fake clients, and a pytest plugin (`docs/testing.md`)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .fake import AioFakeClient, FakeClient, Sent
    from .sandbox import Sandbox
else:
    # The pytest plugin is loaded by every run of pytest where the package is installed: it costs what is used.
    _LAZY = {"AioFakeClient": "fake", "FakeClient": "fake", "Sent": "fake", "Sandbox": "sandbox"}

    def __getattr__(name):
        """What is imported when it is asked for."""
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(f".{_LAZY[name]}", __name__), name)
        return value


__all__ = ["AioFakeClient", "FakeClient", "Sandbox", "Sent"]
