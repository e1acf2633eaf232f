"""Requests of other push systems, answered as those systems answer: `docs/dialects.md`.

dialect = pushcore.dialect.Dialect("pinpoint")
job = dialect.begin(method, raw_target, headers, body)
while job.reply is None:
    for step in job.steps:
        match step.kind:
            case "ask":
                job.answer(step.id, store(step.data))
            case "send":
                job.sent(step.id, client.send(step.message))
            case "broadcast":
                job.answer(step.id, store_broadcast(step.data))
return job.reply.status, job.reply.headers, job.reply.body
"""

from __future__ import annotations

from ._pushcore import Dialect, Selection, TagExpression, pushpad_signature, token_digest
from ._pushcore import DialectJob as Job
from ._pushcore import DialectReply as Reply
from ._pushcore import DialectStep as Step

__all__ = [
    "Dialect",
    "Job",
    "Reply",
    "Selection",
    "Step",
    "TagExpression",
    "pushpad_signature",
    "token_digest",
]
