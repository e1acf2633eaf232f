"""Why there is no answer. A service's "no" is not among these: it is an `Outcome`."""

from __future__ import annotations

import enum
from typing import Any


class ErrorKind(enum.IntEnum):
    """What went wrong, as a number that is the same in every language and never reused."""

    INVALID_KEY = 100
    WRONG_KEY_TYPE = 101
    WRONG_CURVE = 102
    ENCRYPTED_KEY = 103
    KEY_MISMATCH = 104
    INVALID_CREDENTIAL = 105
    WRONG_PASSWORD = 106
    TOKEN_ENDPOINT_NOT_ALLOWED = 107
    TOKEN_REFUSED = 108
    TOKEN_ANSWER_INVALID = 109
    TOKEN_NEEDED = 110

    INVALID_TOKEN = 200
    INVALID_TOPIC = 201
    INVALID_HEADER = 202
    INVALID_PAYLOAD = 203
    PAYLOAD_TOO_LARGE = 204
    PAYLOAD_EMPTY = 205
    INVALID_UTF8 = 206
    INVALID_TARGET = 207
    RESERVED_KEY = 208
    INVALID_VALUE = 209
    INVALID_SUBSCRIPTION = 210
    ENDPOINT_NOT_ALLOWED = 211
    CONFLICT = 212
    INVALID_CONDITION = 213
    MISSING_FIELD = 214
    INVALID_CIPHERTEXT = 215
    DECRYPTION_FAILED = 216

    CERTIFICATE_EXPIRED = 300
    CERTIFICATE_NOT_YET_VALID = 301
    CERTIFICATE_WRONG_NAME = 302
    CERTIFICATE_UNKNOWN_ISSUER = 303
    CERTIFICATE_INVALID = 304
    NO_APPLICATION_PROTOCOL = 305
    TLS_INCOMPATIBLE = 306
    TLS_ALERT = 307
    TLS_PROTOCOL = 308

    CONNECT_REFUSED = 400
    CONNECT_TIMEOUT = 401
    NAME_NOT_RESOLVED = 402
    ADDRESS_NOT_ALLOWED = 403
    CONNECTION_LOST = 404
    HTTP2_PROTOCOL = 405
    HTTP1_PROTOCOL = 406
    LIMIT_EXCEEDED = 407
    GO_AWAY = 408
    STREAM_RESET = 409
    PROXY_REFUSED = 410
    PEER_SILENT = 411

    NOT_SENT = 500
    UNKNOWN = 501
    EXPIRED = 502
    CANCELLED = 503

    MISUSE = 800
    QUEUE_FULL = 801
    CLOSED = 802

    INTERNAL = 900


class PushcoreError(Exception):
    """The base of all exceptions of this package.

    `code` is the number of the kind, the same in every language; `kind` is its name as an
    `ErrorKind`, or the bare number where this file is older than the extension.
    """

    code: int
    kind: ErrorKind | int

    def __init__(self, message: str = "", code: int = 900, name: str = "Internal") -> None:
        super().__init__(message)
        self.code = code
        self.name = name
        try:
            self.kind = ErrorKind(code)
        except ValueError:
            self.kind = code

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.code, self.name)


class CredentialError(PushcoreError, ValueError):
    """A key, a certificate or another credential cannot be used (codes 100 to 199)."""


class MessageError(PushcoreError, ValueError):
    """A message cannot be sent as it is; nothing was sent (codes 200 to 299)."""


class TransportError(PushcoreError, ConnectionError):
    """The service could not be reached or broke the protocol (codes 400 to 499)."""


class TlsError(TransportError):
    """No trusted TLS connection (codes 300 to 399)."""


class NoAnswer(PushcoreError):
    """A message was taken and ended without an answer (codes 500 to 599)."""


class NotSent(NoAnswer, ConnectionError):
    """Certainly not processed by the service: safe to send again."""


class Unknown(NoAnswer, ConnectionError):
    """Written, and no answer came: the service may or may not have taken it.

    Sending it again may show it twice, unless the service recognises its id.
    """


class Expired(NoAnswer, TimeoutError):
    """The deadline passed before it was written: certainly not processed."""


class Cancelled(NoAnswer):
    """Cancelled by the caller."""


class MisuseError(PushcoreError, RuntimeError):
    """A call that the documentation forbids: fix the calling code (codes 800 to 899)."""


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
    ErrorKind.NOT_SENT: NotSent,
    ErrorKind.UNKNOWN: Unknown,
    ErrorKind.EXPIRED: Expired,
    ErrorKind.CANCELLED: Cancelled,
}

for _class in (*CLASSES.values(), PushcoreError):
    # They are documented, raised and pickled as members of the package.
    _class.__module__ = "pushcore"
