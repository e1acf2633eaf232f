"""What tests of an application need: outcomes, errors and progress made by hand."""

from __future__ import annotations

import pickle

import pushcore
import pytest
from pushcore import _pushcore

CLASSES: list[tuple[type[pushcore.PushcoreError], pushcore.ErrorKind]] = [
    (pushcore.CredentialError, pushcore.ErrorKind.INVALID_CREDENTIAL),
    (pushcore.MessageError, pushcore.ErrorKind.INVALID_VALUE),
    (pushcore.TransportError, pushcore.ErrorKind.CONNECTION_LOST),
    (pushcore.TlsError, pushcore.ErrorKind.TLS_PROTOCOL),
    (pushcore.NoAnswer, pushcore.ErrorKind.NOT_SENT),
    (pushcore.NotSent, pushcore.ErrorKind.NOT_SENT),
    (pushcore.Unknown, pushcore.ErrorKind.UNKNOWN),
    (pushcore.Expired, pushcore.ErrorKind.EXPIRED),
    (pushcore.Cancelled, pushcore.ErrorKind.CANCELLED),
    (pushcore.MisuseError, pushcore.ErrorKind.MISUSE),
    (pushcore.InternalError, pushcore.ErrorKind.INTERNAL),
]
NAMES = {number: name for name, number in _pushcore.error_kinds()}


@pytest.mark.parametrize(("kind", "usual"), CLASSES)
def test_an_error_has_the_usual_kind_of_its_class(
    kind: type[pushcore.PushcoreError], usual: pushcore.ErrorKind
) -> None:
    error = kind("no network")
    assert (str(error), error.kind, error.code, error.name) == ("no network", usual, usual.value, NAMES[usual])
    assert type(error.code) is int
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.code, again.name) == (kind, "no network", error.code, error.name)


def test_an_error_of_a_kind_of_its_own() -> None:
    error = pushcore.NotSent("x", pushcore.ErrorKind.EXPIRED)
    assert (error.kind, error.name) == (pushcore.ErrorKind.EXPIRED, "Expired")
    assert pushcore.PushcoreError("x", 899).kind == 899


def test_a_progress_has_only_what_matters() -> None:
    progress = pushcore.Progress(taken=3, accepted=2, ended=2)
    assert (progress.taken, progress.accepted, progress.rejected, progress.expected) == (3, 2, 0, None)
    assert progress == pushcore.Progress(taken=3, accepted=2, ended=2)
    assert hash(progress) == hash(pushcore.Progress(taken=3, accepted=2, ended=2))
    assert progress != pushcore.Progress(taken=3)
