"""Campaigns: one message to the rows of a file, with a journal that survives whatever happens to the process.

```python
from pushcore import campaign

summary = campaign.run(
    campaign.Source("tokens.csv"), clients=client, message=message, journal="monday.db"
)
```

The same call again goes on where the last one ended. `Results` reads the journal. The command `pushcore send --from` is
this function with options; workers of Celery or Dask and notebooks call it with lists of rows.
"""

from __future__ import annotations

from ._loop import Progress, Rehearsal, SourceFailed, Summary, run
from .journal import Busy, JournalError, Record, WriteError
from .message import Template
from .results import Results, export, is_certain_deletion
from .rows import BadRow, Row, Source, SourceError

__all__ = [
    "BadRow",
    "Busy",
    "JournalError",
    "Progress",
    "Record",
    "Rehearsal",
    "Results",
    "Row",
    "Source",
    "SourceError",
    "SourceFailed",
    "Summary",
    "Template",
    "WriteError",
    "export",
    "is_certain_deletion",
    "run",
]
