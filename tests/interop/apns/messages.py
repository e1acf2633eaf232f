"""The messages that all three clients send.

`words` are pushcore's keywords; `payload` is the same message as Apple's text spells it, which
`aioapns` sends as it stands; `a2` are the words of a2's builder where they are not the same, or
a reason why a2 cannot say it. `aioapns` holds such a reason for aioapns.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from pushcore import LiveActivity, Localized

TOPIC = "com.example.app"
HOUR = int(time.time()) + 3600


@dataclass
class Case:
    """One message; the options are those that become headers."""

    name: str
    words: dict[str, Any]
    payload: dict[str, Any]
    a2: dict[str, Any] | str | None = None
    aioapns: str | None = None
    topic: str = TOPIC
    options: dict[str, Any] = field(default_factory=lambda: {"push_type": "alert"})


def alert(**more: Any) -> dict[str, Any]:
    return {"push_type": "alert", **more}


NO_WORDS = "a2's builder has no word for it"
BUTTONS = [{"i": "helpful", "n": "Helpful"}, {"i": "not_helpful", "n": "Not helpful"}]
DEEP = {"n": None, "big": 9007199254740993, "f": 0.1, "neg": -1, "l": [[], {}, [True, False]], "": "empty key"}
FULL = "x" * (4096 - len('{"aps":{"alert":""}}'))

CASES = [
    Case("a text", {"alert": "Hello"}, {"aps": {"alert": "Hello"}}, a2={"body": "Hello"}),
    Case(
        "title and body",
        {"title": "T", "body": "B"},
        {"aps": {"alert": {"title": "T", "body": "B"}}},
    ),
    Case(
        "title, subtitle, body, badge, sound",
        {"title": "T", "subtitle": "S", "body": "B", "badge": 3, "sound": "default"},
        {"aps": {"alert": {"title": "T", "subtitle": "S", "body": "B"}, "badge": 3, "sound": "default"}},
        options=alert(priority=10),
    ),
    Case("the badge goes away", {"badge": 0}, {"aps": {"badge": 0}}),
    Case(
        "background",
        {"content_available": True, "custom": {"job": "sync"}},
        {"aps": {"content-available": 1}, "job": "sync"},
        options={"push_type": "background", "priority": 5},
    ),
    Case(
        "localized",
        {"title": Localized("GAME_TITLE", "Chess"), "body": Localized("GAME_PLAY", "Ann", "Bob")},
        {
            "aps": {
                "alert": {
                    "title-loc-key": "GAME_TITLE",
                    "title-loc-args": ["Chess"],
                    "loc-key": "GAME_PLAY",
                    "loc-args": ["Ann", "Bob"],
                }
            }
        },
        a2={
            "title_loc_key": "GAME_TITLE",
            "title_loc_args": ["Chess"],
            "loc_key": "GAME_PLAY",
            "loc_args": ["Ann", "Bob"],
        },
    ),
    Case(
        "an alert in the service's own words",
        {"alert": {"title": "T", "launch-image": "start.png"}},
        {"aps": {"alert": {"title": "T", "launch-image": "start.png"}}},
        a2={"title": "T", "launch_image": "start.png"},
    ),
    Case(
        "a critical sound",
        {"body": "Fire", "title": "Alarm", "sound": "alarm.caf", "critical_volume": 0.5},
        {
            "aps": {
                "alert": {"title": "Alarm", "body": "Fire"},
                "sound": {"critical": 1, "name": "alarm.caf", "volume": 0.5},
            }
        },
    ),
    Case(
        "buttons",
        {"title": "T", "body": "B", "category": "ask", "mutable_content": True, "custom": {"buttons": BUTTONS}},
        {
            "aps": {"alert": {"title": "T", "body": "B"}, "category": "ask", "mutable-content": 1},
            "buttons": BUTTONS,
        },
    ),
    Case(
        "collapse id of 64 bytes",
        {"alert": "x"},
        {"aps": {"alert": "x"}},
        a2={"body": "x"},
        options=alert(collapse_id="c0/~" * 16),
    ),
    Case(
        "collapse id of 64 bytes in other scripts",
        {"alert": "x"},
        {"aps": {"alert": "x"}},
        a2="a2 takes ASCII only",
        options=alert(collapse_id="é昨🏆" * 7 + "x"),
    ),
    Case(
        "voip",
        {"custom": {"caller": "Ann", "handle": "+15550100"}},
        {"aps": {}, "caller": "Ann", "handle": "+15550100"},
        topic=TOPIC + ".voip",
        options={"push_type": "voip", "priority": 10},
    ),
    Case(
        "good for an hour",
        {"alert": "x"},
        {"aps": {"alert": "x"}},
        a2={"body": "x"},
        options=alert(expiration=HOUR),
    ),
    Case(
        "one attempt, nothing stored",
        {"alert": "x"},
        {"aps": {"alert": "x"}},
        a2={"body": "x"},
        aioapns="it adds the present time to what it is given",
        options=alert(expiration=0),
    ),
    Case(
        "an id of the caller's",
        {"alert": "x"},
        {"aps": {"alert": "x"}},
        a2={"body": "x"},
        options=alert(id="123e4567-e89b-12d3-a456-4266554400a0"),
    ),
    Case(
        "any text",
        {"title": 'quote " backslash \\ </script>', "body": "Zürich 🏔️ \u2028 \u0001 \t\n 東京"},
        {"aps": {"alert": {"title": 'quote " backslash \\ </script>', "body": "Zürich 🏔️ \u2028 \u0001 \t\n 東京"}}},
    ),
    Case(
        "time sensitive",
        {"body": "B", "title": "T", "interruption_level": "time-sensitive", "relevance_score": 0.75, "thread_id": "t/1"},
        {
            "aps": {
                "alert": {"title": "T", "body": "B"},
                "interruption-level": "time-sensitive",
                "relevance-score": 0.75,
                "thread-id": "t/1",
            }
        },
        a2=NO_WORDS,
    ),
    Case(
        "for one window, with a filter",
        {"alert": "x", "target_content_id": "w1", "filter_criteria": "work"},
        {"aps": {"alert": "x", "target-content-id": "w1", "filter-criteria": "work"}},
        a2=NO_WORDS,
    ),
    Case(
        "keys of no one's making",
        {"alert": "x", "aps": {"new-key": {"a": [1]}}, "custom": {"deep": DEEP}},
        {"aps": {"alert": "x", "new-key": {"a": [1]}}, "deep": DEEP},
        a2=NO_WORDS,
    ),
    Case(
        "data of every JSON type",
        {"alert": "x", "custom": {"deep": DEEP}},
        {"aps": {"alert": "x"}, "deep": DEEP},
        a2={"body": "x", "custom": {"deep": DEEP}},
    ),
    Case(
        "live activity",
        {
            "live_activity": LiveActivity.update(
                timestamp=1700000000, content_state={"score": 3}, stale_date=1700003600
            )
        },
        {
            "aps": {
                "event": "update",
                "timestamp": 1700000000,
                "content-state": {"score": 3},
                "stale-date": 1700003600,
            }
        },
        a2=NO_WORDS,
        topic=TOPIC + ".push-type.liveactivity",
        options={"push_type": "liveactivity", "priority": 10},
    ),
    Case(
        "location query",
        {"payload": {"aps": {}}},
        {"aps": {}},
        a2={},
        aioapns="it has no such push type",
        topic=TOPIC + ".location-query",
        options={"push_type": "location", "priority": 5},
    ),
    Case(
        "file provider",
        {"payload": {"container-identifier": "NSFileProviderWorkingSetContainerItemIdentifier", "domain": "d"}},
        {"container-identifier": "NSFileProviderWorkingSetContainerItemIdentifier", "domain": "d"},
        a2=NO_WORDS,
        topic=TOPIC + ".pushkit.fileprovider",
        options={"push_type": "fileprovider"},
    ),
    Case(
        "power before speed",
        {"alert": "x"},
        {"aps": {"alert": "x"}},
        a2="a2 has no priority 1",
        options=alert(priority=1),
    ),
    Case(
        "a whole payload of the caller's",
        {"payload": {"aps": {"alert": "x", "sound": "s"}, "k": [1, 2.5, None]}},
        {"aps": {"alert": "x", "sound": "s"}, "k": [1, 2.5, None]},
        a2={"body": "x", "sound": "s", "custom": {"k": [1, 2.5, None]}},
    ),
    Case(
        "4096 bytes",
        {"alert": FULL},
        {"aps": {"alert": FULL}},
        a2={"body": FULL},
    ),
]

assert len({case.name for case in CASES}) == len(CASES)
assert len(json.dumps(CASES[-1].payload, separators=(",", ":"))) == 4096
