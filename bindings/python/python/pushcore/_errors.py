"""Why there is no answer. A service's "no" is not among these: it is an `Outcome`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._kinds import ErrorKind


class PushcoreError(Exception):
    """The base of all exceptions of this package.

    `code` is the number of the kind, the same in every language; `name` its name in the core. An error made by hand,
    for tests, has the usual kind of its class unless told: `NotSent("no network")`,
    `TransportError("lost", ErrorKind.CONNECTION_LOST)`.
    """

    #: The kind of an error of this class that names none.
    _usual = 900

    def __init__(self, message: str = "", code: int | None = None, name: str | None = None) -> None:
        super().__init__(message)
        self.code = self._usual if code is None else int(code)
        self.name = _name(self.code) if name is None else name

    @property
    def kind(self) -> ErrorKind | int:
        """The name of the kind, or the bare number where this file is older than the extension."""
        from ._kinds import ErrorKind

        try:
            return ErrorKind(self.code)
        except ValueError:
            return self.code

    def __reduce__(self) -> tuple[Any, ...]:
        made = type(self), (str(self), self.code, self.name)
        return made if self.__cause__ is None else (*made, {"__cause__": self.__cause__})


def _name(code: int) -> str:
    """The core's name of a kind."""
    from ._pushcore import error_kinds

    return next((name for name, number in error_kinds() if number == code), "Internal")


class CredentialError(PushcoreError, ValueError):
    """A key, a certificate or another credential cannot be used (codes 100 to 199)."""

    _usual = 105


class MessageError(PushcoreError, ValueError):
    """A message cannot be sent as it is; nothing was sent (codes 200 to 299)."""

    _usual = 209


class TransportError(PushcoreError, ConnectionError):
    """The service could not be reached or broke the protocol (codes 400 to 499)."""

    _usual = 404


class TlsError(TransportError):
    """No trusted TLS connection (codes 300 to 399)."""

    _usual = 308


class NoAnswer(PushcoreError):
    """A message was taken and ended without an answer (codes 500 to 599)."""

    _usual = 500


class NotSent(NoAnswer, ConnectionError):
    """Certainly not processed by the service: safe to send again."""

    _usual = 500


class Unknown(NoAnswer, ConnectionError):
    """Written, and no answer came: the service may or may not have taken it.

    Sending it again may show it twice, unless the service recognises its id.
    """

    _usual = 501


class Expired(NoAnswer, TimeoutError):
    """The deadline passed before it was written: certainly not processed."""

    _usual = 502


class Cancelled(NoAnswer):
    """Cancelled by the caller."""

    _usual = 503


class MisuseError(PushcoreError, RuntimeError):
    """A call that the documentation forbids: fix the calling code (codes 800 to 899)."""

    _usual = 800


class InternalError(PushcoreError, RuntimeError):
    """A bug of pushcore; please report it (codes 900 to 999)."""


#: The class of each kind: by its number, or by its hundred.
CLASSES: dict[int, type[PushcoreError]] = {
    1: CredentialError,
    2: MessageError,
    3: TlsError,
    4: TransportError,
    5: NoAnswer,
    8: MisuseError,
    9: InternalError,
    500: NotSent,
    501: Unknown,
    502: Expired,
    503: Cancelled,
}

for _class in (*CLASSES.values(), PushcoreError):
    # They are documented, raised and pickled as members of the package.
    _class.__module__ = "pushcore"
