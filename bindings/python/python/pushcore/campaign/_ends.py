"""What a result means for the journal, and texts that are safe to show."""

from __future__ import annotations

import json
import time
from typing import Any

from .._errors import Expired, NotSent, PushcoreError
from .._kinds import ErrorKind
from .._pushcore import Outcome
from .journal import WAITING_OUTCOMES, End, State

_ACTIONS = {
    "not_sent": "not processed: send again",
    "expired": "not processed in time: send again if it is still wanted",
    "cancelled": "not sent: send again",
    "unknown": "it may have been shown; send again only if twice is better than never (--resend-unknown)",
    "refused": "fix the message or the target",
}

_NAMES = {"NotSent": "not_sent", "Unknown": "unknown", "Expired": "expired", "Cancelled": "cancelled"}

#: What the cause of a message that was not sent is, where the credentials are to be mended first.
_REFUSALS = (ErrorKind.CREDENTIALS_REFUSED, ErrorKind.TOKEN_REFUSED)
_MEND = "not sent: fix the credentials, then send again"

#: The longest sentence of a service that is kept, in characters.
_LONGEST = 300


def result_name(result: Outcome | PushcoreError) -> str:
    """The name of a result as it stands in results files."""
    if isinstance(result, PushcoreError):
        name = _NAMES.get(type(result).__name__)
        return name or ("refused" if result.code < 300 or result.code >= 500 else "not_sent")
    return result.name


def is_held_by_credentials(result: Outcome | PushcoreError) -> bool:
    """Whether the client did not send this because the service, or its token endpoint, refuses the credentials."""
    cause = result.__cause__ if isinstance(result, (NotSent, Expired)) else None
    return isinstance(cause, PushcoreError) and cause.code in _REFUSALS


def end_of(result: Outcome | PushcoreError, now: float | None = None) -> End:
    """The end of a row that came to this result."""
    now = time.time() if now is None else now
    name = result_name(result)
    state = State.WAITING if name in WAITING_OUTCOMES else State.ENDED
    if isinstance(result, PushcoreError):
        action = _MEND if is_held_by_credentials(result) else _ACTIONS[name]
        return End(state, name, reason=clean(_causes(result)), action=action, at=now)
    if name == "accepted" and result.reason is None:
        # By far the most frequent one.
        return End(
            state, name, result.status, None, result.advice, result.id, None, None, None, result.replacement,  # type: ignore[attr-defined]
            result.location, now,  # type: ignore[attr-defined]
        )  # fmt: skip
    # Not every arm has every member: an arm that this version does not know keeps what it has.
    more: dict[str, Any] = {}
    for member in ("id", "since", "after", "scope", "replacement", "location"):
        value = getattr(result, member, None)
        more[member] = value if value is None or isinstance(value, float) else clean(str(value))
    return End(state, name, status=result.status, reason=_reason(result), action=result.advice, at=now, **more)


def _causes(error: BaseException) -> str:
    """An error with what it came from."""
    text, cause = str(error), error.__cause__
    if cause is not None and str(cause) and str(cause) not in text:
        text = f"{text} ({cause})"
    return text


def _reason(outcome: Outcome) -> str | None:
    """The service's word, and its sentence where it wrote one."""
    reason = outcome.reason
    if outcome.name == "accepted":
        return None if reason is None else clean(reason)
    sentence = _sentence(outcome.body)
    if sentence and (reason is None or sentence not in reason):
        reason = sentence if reason is None or reason in sentence else f"{reason}: {sentence}"
    return None if reason is None else clean(reason)


def _sentence(body: bytes) -> str:
    """What a body says in words: the texts with a blank in a JSON document, or a short plain text."""
    text = body[:65_536].decode("utf-8", "replace").strip()
    if not text or text.startswith("<"):
        return ""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text[:_LONGEST] if " " in text else ""
    found: dict[str, None] = {}
    waiting = [value]
    while waiting and len(found) < 4:
        one = waiting.pop(0)
        if isinstance(one, str):
            if " " in one.strip():
                found[one.strip()] = None
        elif isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return "; ".join(found)[:_LONGEST]


def clean(text: str) -> str:
    """The text without control characters, which would move a terminal's cursor or a file's lines."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" if ord(letter) < 256
                   else f"\\u{ord(letter):04x}" for letter in text)  # fmt: skip
