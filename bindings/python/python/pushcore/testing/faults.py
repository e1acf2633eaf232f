"""Fault scripts for the sandbox, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .sandbox import Sandbox


class Faults:
    """Makes a sandbox's services misbehave; `sandbox.faults`, and the fixture `pushcore_faults`.

        sandbox.faults.answer("apns", 503, times=3)
        sandbox.faults.delay("fcm", 0.2, contains=token)

    Every method takes the sandbox's conditions by keyword: `contains` (a text of path, query or body), `connection`,
    `skip`, `times`, `every`, `probability`, `seed`, and `processed=True` where the service takes the push and only
    the answer is lost. `docs/sandbox.md` lists them and the actions that have no method here, for `script`.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        """Of this sandbox."""
        self._sandbox = sandbox

    def script(self, service: str, action: Mapping[str, Any], **conditions: object) -> None:
        """Any action of `docs/sandbox.md`."""
        # The program's own name for the service.
        named = "webpush" if service == "web_push" else service
        self._sandbox.control("POST", "faults", {"service": named, "action": dict(action), **conditions})

    def answer(
        self,
        service: str,
        status: int,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        **conditions: object,
    ) -> None:
        """This answer in place of the service's own; a `body` that is no text is sent as JSON."""
        pairs = [[name, value] for name, value in (headers or {}).items()]
        action = {"kind": "answer", "status": status, "headers": pairs, "body": body}
        self.script(service, action, **conditions)

    def delay(self, service: str, seconds: float, **conditions: object) -> None:
        """The ordinary answer, so much later."""
        self.script(service, {"kind": "delay", "ms": int(seconds * 1000)}, **conditions)

    def no_answer(self, service: str, **conditions: object) -> None:
        """No answer at all: the service is stalled."""
        self.script(service, {"kind": "no_answer"}, **conditions)

    def go_away(self, service: str, reason: str = "", *, last: str = "this", **conditions: object) -> None:
        """GOAWAY, with `reason` as APNs gives one; `last` is `this`, `before`, `zero` or `max`."""
        action: dict[str, object] = {"kind": "goaway", "last": last, "close": True}
        if reason:
            action["debug"] = f'{{"reason":"{reason}"}}'
        self.script(service, action, **conditions)

    def reset_stream(self, service: str, code: int = 7, **conditions: object) -> None:
        """RST_STREAM; 7 is REFUSED_STREAM, which says that nothing was processed."""
        self.script(service, {"kind": "rst", "code": code}, **conditions)

    def close(
        self,
        service: str,
        how: Literal["clean", "fin", "reset", "reset_mid_frame"] = "reset",
        **conditions: object,
    ) -> None:
        """Ends the connection."""
        self.script(service, {"kind": "close", "how": how}, **conditions)

    def refuse_connections(self, service: str, count: int = 1) -> None:
        """The next connections end before TLS."""
        named = "webpush" if service == "web_push" else service
        entry = {"service": named, "action": {"kind": "close"}}
        self._sandbox.control("POST", "connect-faults", [entry] * count)

    def list(self) -> Any:
        """Every script with how often it matched and fired."""
        return self._sandbox.control("GET", "faults")
