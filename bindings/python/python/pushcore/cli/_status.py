"""What the exit status says. The table stands in the help, the man page and the README; a test compares them."""

from __future__ import annotations

import enum


class Status(enum.IntEnum):
    """The exit status of every command."""

    ACCEPTED = 0
    REFUSED = 1
    WRONG = 2
    LEFT = 3
    STOPPED = 4
    UNWRITTEN = 5
    FAULT = 70
    BUSY = 75
    PIPE = 141


#: Each status with what it says.
TABLE: dict[str, str] = {
    "0": "every row was accepted, in this run or an earlier one",
    "1": "some rows were refused for good: dead tokens, wrong rows or messages; the results say which",
    "2": "wrong options, input, credentials file or journal: nothing was sent",
    "3": "some rows are left: no answer, told to wait, or unknown whether they were shown",
    "4": "stopped: the service refuses the credentials, or the tokens seem to belong elsewhere; the rest waits",
    "5": "stopped: results could not be written (a full disk); the rest waits",
    "70": "a fault of pushcore itself: please report it",
    "75": "another run holds the journal: nothing was sent",
    "128+N": "ended in order by signal N: 129 SIGHUP, 130 SIGINT, 143 SIGTERM; 141: nobody reads the output any more",
}


def text() -> str:
    """The table for the help."""
    return "\n".join(f"  {status:<6} {what}" for status, what in TABLE.items())
