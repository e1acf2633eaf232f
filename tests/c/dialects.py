"""tests/dialects/plays.json through the C ABI, by Python's cffi: requests of original clients to their replies.

    dialects.py TREE      (a tree that scripts/install-c.sh made)
"""

import json
import sys
from pathlib import Path

from library import Failed, Library

L = Library(sys.argv[1])
ffi, c, K = L.ffi, L.c, L.constants
PLAYS = json.loads((Path(__file__).resolve().parents[1] / "dialects/plays.json").read_text())
KINDS = {"ask": K["PUSHCORE_STEP_ASK"], "send": K["PUSHCORE_STEP_SEND"], "broadcast": K["PUSHCORE_STEP_BROADCAST"]}
MISUSE = K["PUSHCORE_ERROR_MISUSE"]


def holds(there, expected):
    """Whether a value holds every member of the expected one."""
    if isinstance(expected, dict):
        return isinstance(there, dict) and all(n in there and holds(there[n], v) for n, v in expected.items())
    return type(there) is type(expected) and there == expected


def now(seconds):
    return {"monotonic_ms": 1000, "unix_ms": seconds * 1000}


def begin(dialect, request, seconds):
    pairs = [{"name": L.view(name), "value": L.view(value)} for name, value in request["headers"]]
    headers = ffi.new("pushcore_pair[]", pairs)
    return L.new(
        "pushcore_dialect_job",
        c.pushcore_dialect_begin,
        dialect,
        L.view(request["method"]),
        L.view(request["target"]),
        headers,
        len(pairs),
        L.view(request["body"]),
        now(seconds),
    )


def done(function, *arguments):
    error = ffi.new("pushcore_error **")
    status = function(*arguments, error)
    if status:
        raise L.failed(status, error[0])


def reply_of(job):
    out = ffi.new("pushcore_dialect_reply **")
    assert c.pushcore_dialect_job_reply(job, out, ffi.NULL) == 0
    return ffi.gc(out[0], c.pushcore_dialect_reply_free) if out[0] != ffi.NULL else None


def send(job, step, response):
    message = L.new("pushcore_message", c.pushcore_dialect_step_message, step)
    answer = L.new("pushcore_response", c.pushcore_response_new, response["status"], L.view(response["body"]))
    outcome = L.new("pushcore_outcome", c.pushcore_message_outcome, message, answer, now(1_795_000_000))
    done(c.pushcore_dialect_job_sent, job, c.pushcore_dialect_step_id(step), outcome, ffi.NULL)


def play(row):
    options = json.dumps(row["options"]) if row["options"] else ""
    dialect = L.new("pushcore_dialect", c.pushcore_dialect_new, L.view(row["system"]), L.view(options))
    assert L.text_of(c.pushcore_dialect_system(dialect)) == row["system"]
    job = begin(dialect, row["request"], row["now"])
    assert L.text_of(c.pushcore_dialect_job_operation(job)) == (row["operation"] or "")
    assert c.pushcore_dialect_job_began_ms(job) == row["now"] * 1000
    for expected in row["steps"]:
        assert reply_of(job) is None
        # Written down and read back: what it waited for it waits for again.
        text = L.document(c.pushcore_dialect_job_to_json, job)
        job = L.new("pushcore_dialect_job", c.pushcore_dialect_job_from_json, L.view(text))
        assert c.pushcore_dialect_job_step_count(job) >= 1
        step = L.new("pushcore_dialect_step", c.pushcore_dialect_job_step_at, job, 0)
        written = L.document(c.pushcore_dialect_step_to_json, step)
        step = L.new("pushcore_dialect_step", c.pushcore_dialect_step_from_json, L.view(written))
        data = json.loads(written)
        assert holds(data, expected["expect"]), (data, expected["expect"])
        assert c.pushcore_dialect_step_kind(step) == KINDS[data["step"]]
        number = c.pushcore_dialect_step_id(step)
        if "to" in expected:
            web_push = K["PUSHCORE_SERVICE_WEB_PUSH"]
            target = L.view(json.dumps(expected["to"]["target"]))
            target = L.new("pushcore_target", c.pushcore_target_parse, web_push, target, ffi.NULL)
            message = L.new("pushcore_message", c.pushcore_dialect_step_message_to, step, target)
            payload = json.loads(L.document(c.pushcore_message_payload, message))
            assert holds(payload, expected["to"]["payload"]), payload
        if "answer" in expected:
            done(c.pushcore_dialect_job_answer, job, number, L.view(json.dumps(expected["answer"])))
        elif "response" in expected:
            send(job, step, expected["response"])
        else:
            done(c.pushcore_dialect_job_unknown, job, number)
    reply, expected = reply_of(job), row["reply"]
    assert reply is not None, row["label"]
    assert c.pushcore_dialect_job_step_count(job) == 0
    assert c.pushcore_dialect_reply_status(reply) == expected["status"]
    name, value = ffi.new("pushcore_view *"), ffi.new("pushcore_view *")
    headers = {}
    for index in range(c.pushcore_dialect_reply_header_count(reply)):
        assert c.pushcore_dialect_reply_header_at(reply, index, name, value) == 0
        headers[L.text_of(name[0])] = L.text_of(value[0])
    assert headers["Content-Type"] == expected["content_type"]
    keys = [c.pushcore_dialect_reply_remember_at(reply, at) for at in range(c.pushcore_dialect_reply_remember_count(reply))]
    assert len(keys) == expected["remember"] and all(key.len for key in keys)
    assert bool(c.pushcore_dialect_reply_remember_s(reply)) == bool(keys)
    body = json.loads(L.text_of(c.pushcore_dialect_reply_body(reply)))
    assert holds(body, expected["body"]), body
    assert json.loads(L.document(c.pushcore_dialect_reply_to_json, reply))["status"] == expected["status"]


def refused():
    """Answers that cannot be, and failures in place of outcomes."""
    row = PLAYS["plays"][0]
    dialect = L.new("pushcore_dialect", c.pushcore_dialect_new, L.view(row["system"]), L.view(""))
    job = begin(dialect, row["request"], row["now"])
    step = L.new("pushcore_dialect_step", c.pushcore_dialect_job_step_at, job, 0)
    number = c.pushcore_dialect_step_id(step)
    for status, function, arguments in (
        (K["PUSHCORE_ERROR_INVALID_VALUE"], c.pushcore_dialect_job_answer, (job, number, L.view("7"))),
        (K["PUSHCORE_ERROR_INVALID_PAYLOAD"], c.pushcore_dialect_job_answer, (job, number, L.view("{"))),
        (MISUSE, c.pushcore_dialect_job_answer, (job, number + 1, L.view("null"))),
        (MISUSE, c.pushcore_dialect_job_unknown, (job, number)),
        (MISUSE, c.pushcore_dialect_job_sent, (job, number, ffi.NULL, ffi.NULL)),
    ):
        try:
            done(function, *arguments)
        except Failed as failed:
            assert failed.status == status, failed
        else:
            raise AssertionError(f"{status} was expected")
        assert c.pushcore_dialect_job_step_count(job) == 1, "the step waits on"
    # A message without an answer: the failure of another call stands for the one that its client had.
    for expected in row["steps"][:-1]:
        step = L.new("pushcore_dialect_step", c.pushcore_dialect_job_step_at, job, 0)
        number = c.pushcore_dialect_step_id(step)
        done(c.pushcore_dialect_job_answer, job, number, L.view(json.dumps(expected["answer"])))
    out, error = ffi.new("pushcore_message **"), ffi.new("pushcore_error **")
    status = c.pushcore_message_from_json(K["PUSHCORE_SERVICE_ADM"], L.view("{"), ffi.NULL, out, error)
    assert status == K["PUSHCORE_ERROR_INVALID_PAYLOAD"]
    step = L.new("pushcore_dialect_step", c.pushcore_dialect_job_step_at, job, 0)
    done(c.pushcore_dialect_job_sent, job, c.pushcore_dialect_step_id(step), ffi.NULL, error[0])
    c.pushcore_error_free(error[0])
    reply = reply_of(job)  # the view lives as long as the reply
    body = json.loads(L.text_of(c.pushcore_dialect_reply_body(reply)))
    (result,) = body["Result"].values()
    assert (result["DeliveryStatus"], result["StatusCode"]) == ("PERMANENT_FAILURE", 400), result


def tables():
    names = []
    while name := L.text_of(c.pushcore_dialect_system_at(len(names))):
        names.append(name)
    assert names == ["pinpoint", "pushpad", "ionic", "cozie", "fcm_legacy"]
    views = [ffi.new("pushcore_view *") for _ in range(3)]
    for name in names:
        dialect = L.new("pushcore_dialect", c.pushcore_dialect_new, L.view(name), L.view("{}"))
        count = c.pushcore_dialect_route_count(dialect)
        assert count > 0
        for index in range(count):
            assert c.pushcore_dialect_route_at(dialect, index, *views) == 0
            method, path, operation = (L.text_of(view[0]) for view in views)
            assert method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") and path.startswith("/") and operation
        assert c.pushcore_dialect_route_at(dialect, count, *views) == MISUSE
    digest, signed = PLAYS["digest"], PLAYS["signature"]
    assert L.document(c.pushcore_dialect_token_digest, L.view(digest["key"])).decode() == digest["sha256"]
    signature = L.new("pushcore_bytes", c.pushcore_dialect_pushpad_signature, L.view(signed["token"]), L.view(signed["uid"]))
    assert L.text_of(c.pushcore_bytes_view(signature)) == signed["signature"]
    for row in PLAYS["selections"]:
        selection = L.new("pushcore_dialect_selection", c.pushcore_dialect_selection_new, L.view(json.dumps(row["filter"])))
        for expected, cases in ((True, row["selected"]), (False, row["not"])):
            for uid, tags in cases:
                views_of = ffi.new("pushcore_view[]", [L.view(tag) for tag in tags])
                said = c.pushcore_dialect_selection_selects(selection, L.view(uid or ""), views_of, len(tags))
                assert said is expected, (row, uid, tags)


def main():
    for row in PLAYS["plays"]:
        play(row)
    refused()
    tables()
    print(f"{len(PLAYS['plays'])} plays")


main()
