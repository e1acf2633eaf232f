"""`pushcore.campaign` as a library: what programs, notebooks and workers call."""

from __future__ import annotations

import pathlib
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pushcore
import pytest
from campaigns import register, seen
from pushcore import campaign
from pushcore.campaign import BadRow, Row, Source, Summary
from pushcore.campaign._ends import end_of
from pushcore.testing import Sandbox


def alert(sandbox: Sandbox, text: str = "x") -> pushcore.ApnsMessage:
    return pushcore.ApnsMessage(token="00", topic=sandbox.ready["apns"]["topic"], alert=text)


def test_a_list_and_a_journal(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    tokens = register(sandbox, 500)
    told: list[campaign.Record] = []
    with sandbox.apns(pushcore.Client) as client:
        for _ in range(2):
            summary = campaign.run(
                tokens, clients=client, message=alert(sandbox), journal=tmp_path / "j.db", on_result=told.append
            )
            assert summary.is_done
            assert summary.totals == {"accepted": 500}
        assert summary.skipped == 500
        with pytest.raises(campaign.JournalError, match="another message"):
            campaign.run(tokens, clients=client, message=alert(sandbox, "y"), journal=tmp_path / "j.db")
    assert seen(sandbox) == Counter(tokens)
    assert {record.target for record in told} == set(tokens)
    with campaign.Results(tmp_path / "j.db") as results:
        assert results.is_complete
        assert [record.target for record in results] == tokens, "in the order of the source"


def test_what_is_no_row_is_refused_and_the_rest_is_sent(sandbox: Sandbox) -> None:
    tokens = register(sandbox, 100)
    rows: list[Any] = [*tokens[:50], None, 7, {"token": "x"}, b"ab", BadRow(9, "torn"), *tokens[50:]]
    told: list[campaign.Record] = []
    with sandbox.apns(pushcore.Client) as client:
        summary = campaign.run(rows, clients=client, message=alert(sandbox), on_result=told.append)
    assert summary.counts == {"accepted": 100, "refused": 5}
    assert seen(sandbox) == Counter(tokens)
    assert len(told) == 105


def test_a_source_that_raises_loses_no_answer(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    tokens = register(sandbox, 300)

    def rows() -> Iterator[str]:
        yield from tokens[:200]
        raise OSError("the database went away")

    with sandbox.apns(pushcore.Client) as client:
        with pytest.raises(campaign.SourceFailed, match="database went away") as raised:
            campaign.run(rows(), clients=client, message=alert(sandbox), journal=tmp_path / "j.db")
        assert isinstance(raised.value.__cause__, OSError)
        sent = seen(sandbox)
        assert raised.value.summary.counts["accepted"] == sent.total()
        assert not raised.value.summary.is_done
        assert campaign.run(tokens, clients=client, message=alert(sandbox), journal=tmp_path / "j.db").is_done
    assert seen(sandbox) == Counter(tokens)


def test_an_exception_of_a_callback_loses_no_answer(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    tokens = register(sandbox, 300)

    def tell(record: campaign.Record) -> None:
        raise KeyboardInterrupt

    with sandbox.apns(pushcore.Client) as client:
        with pytest.raises(KeyboardInterrupt):
            campaign.run(tokens, clients=client, message=alert(sandbox), journal=tmp_path / "j.db", on_result=tell)
        summary = campaign.run(tokens, clients=client, message=alert(sandbox), journal=tmp_path / "j.db")
    assert summary.totals == {"accepted": 300}
    assert seen(sandbox) == Counter(tokens)


def test_messages_by_row_need_an_identity(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    tokens = register(sandbox, 5)
    topic = sandbox.ready["apns"]["topic"]

    def message(row: Row) -> pushcore.ApnsMessage:
        return pushcore.ApnsMessage(token=row.target, topic=topic, alert=f"for {row.key}")

    rows = [Row(token, key=f"k{at}") for at, token in enumerate(tokens)]
    with sandbox.apns(pushcore.Client) as client:
        how: dict[str, Any] = {"clients": {"apns": client}, "message": {"apns": message}}
        with pytest.raises(pushcore.MisuseError, match="identity"):
            campaign.run(rows, journal=tmp_path / "j.db", **how)
        assert campaign.run(rows, journal=tmp_path / "j.db", identity="monday", **how).is_done
        with pytest.raises(campaign.JournalError):
            campaign.run(rows, journal=tmp_path / "j.db", identity="tuesday", **how)
    shown = {record["target"]: record["body"]["aps"]["alert"] for record in sandbox.log(service="apns", accepted=True)}
    assert shown == {token: f"for k{at}" for at, token in enumerate(tokens)}


def test_an_arm_that_this_version_does_not_know_is_no_deletion(tmp_path: pathlib.Path) -> None:
    from pushcore.campaign._ends import end_of
    from pushcore.campaign.journal import State

    class TokenMismatch:
        """As an outcome of a later version would come."""

        name, status, reason, body, advice = "token_mismatch", 400, "DeviceTokenNotForTopic", b"", "keep the token"

    end = end_of(TokenMismatch())  # type: ignore[arg-type]
    assert (end.state, end.outcome, end.action) == (State.ENDED, "token_mismatch", "keep the token")
    record = campaign.Record(1, None, "apns", "ab", "token_mismatch", 400, None, None, None, None, None, None, None,
                             None, 1, 0.0, False)  # fmt: skip
    assert not campaign.is_certain_deletion(record)
    assert campaign.is_certain_deletion(record._replace(result="token_gone"))
    assert not campaign.is_certain_deletion(record._replace(result="token_gone", doubtful=True))


def test_tokens_that_belong_elsewhere_stop_it_and_wait(
    sandbox: Sandbox, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a service's answer to a wrong topic will come: the token is good, only not here."""
    from pushcore.campaign import _ends, _loop

    tokens = register(sandbox, 200)
    right = _ends.end_of
    monkeypatch.setattr(_loop, "end_of", lambda result: right(result)._replace(outcome="token_mismatch"))
    with sandbox.apns(pushcore.Client) as client:
        summary = campaign.run(tokens, clients=client, message=alert(sandbox), journal=tmp_path / "j.db")
        assert summary.stopped == "suspicion"
        assert summary.counts["token_mismatch"] <= 32, "a handful"
        assert set(summary.totals) == {"waiting"}
        with campaign.Results(tmp_path / "j.db") as results:
            found = list(results)
            assert not any(map(campaign.is_certain_deletion, found))
            assert all(record.doubtful for record in found if record.result == "token_mismatch")
        summary = campaign.run(
            tokens, clients=client, message=alert(sandbox), journal=tmp_path / "j.db", ignore_suspicion=True
        )
    assert summary.totals == {"token_mismatch": 200}


def test_a_batch_in_steps(sandbox: Sandbox) -> None:
    tokens = register(sandbox, 100)
    with sandbox.apns(pushcore.Client) as client:
        batch = client.batch(message=alert(sandbox))
        pairs: list[tuple[Any, Any]] = [*enumerate(tokens), ("bad", "no-hex"), ("none", None)]
        found: dict[Any, Any] = {}
        while pairs or batch.in_flight:
            del pairs[: batch.submit(pairs)]
            found.update(batch.wait(0.1))
        # What is no target is a result of its own, and stops nobody else's.
        assert isinstance(found.pop("bad"), pushcore.MessageError)
        assert isinstance(found.pop("none"), pushcore.MessageError)
        assert {key: result.name for key, result in found.items()} == dict.fromkeys(range(100), "accepted")
        assert batch.withdraw() == 0
        with pytest.raises(TypeError):
            batch.submit([1])  # type: ignore[list-item]
        batch.cancel()
        assert batch.submit([(1, tokens[0])]) == 0
    assert seen(sandbox) == Counter(tokens)


def test_withdraw_takes_back_what_was_not_seen(sandbox: Sandbox) -> None:
    tokens = register(sandbox, 50)
    with sandbox.apns(pushcore.Client, rate=1) as client:
        batch = client.batch(message=alert(sandbox))
        pairs: list[tuple[Any, Any]] = list(enumerate(tokens))
        assert batch.submit(pairs) == 50
        found = dict(batch.wait(0.1))
        taken_back = batch.withdraw()
        assert taken_back > 0
        end = time.monotonic() + 20
        while batch.in_flight:
            found.update(batch.wait(0.1))
            assert time.monotonic() < end
    cancelled = {key for key, result in found.items() if isinstance(result, pushcore.Cancelled)}
    assert len(cancelled) == taken_back
    assert set(seen(sandbox)) == {token for at, token in enumerate(tokens) if at not in cancelled}


@pytest.mark.parametrize("seed", range(8))
def test_random_csv_is_read_as_it_was_written(tmp_path: pathlib.Path, seed: int) -> None:
    """Fields with quotes, delimiters and line ends, written by the csv module; torn lines put in between."""
    import csv
    import io

    chance = random.Random(seed)
    delimiter = chance.choice(",;\t|")
    records = []
    for at in range(300):
        name = "".join(chance.choice("ab \",;|\t\n\r'é") for _ in range(chance.randrange(12)))
        records.append([name, f"t{at}", "x" * chance.randrange(5)])
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["name", "token", "more"])
    torn = 0
    for record in records:
        if chance.random() < 0.05:
            # A field that is opened and not closed in a line of its own.
            text.write(f'"torn{delimiter}z\r\n')
            torn += 1
        writer.writerow(record)
    source = tmp_path / "t.csv"
    source.write_bytes(text.getvalue().encode())
    rows = list(Source(source))
    good = {row.target: row for row in rows if isinstance(row, Row)}
    # A torn line may take the record after it along where that one begins with a quote of its own, and no other.
    assert len(good) >= 300 - torn
    for record in records:
        row = good.get(record[1])
        if row is not None:
            assert row.fields is not None
            wanted = record[0].replace("\r\n", "\n").replace("\r", "\n")
            assert row.fields["name"] == wanted
    assert not torn or any(isinstance(row, BadRow) for row in rows)


def test_memory_does_not_grow_with_the_file(tmp_path: pathlib.Path) -> None:
    import tracemalloc

    source = tmp_path / "t.csv"
    peaks = []
    for count in (5_000, 50_000):
        with source.open("w") as file:
            file.write("name,token\n")
            file.writelines(f"n{at},{at:064x}\n" for at in range(count))
        tracemalloc.start()
        assert sum(1 for _ in Source(source)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2, peaks


def test_what_a_result_lacks_is_absent_from_its_row() -> None:
    """`None`, and not the word `None`: a row with an id or a time that nobody said would be acted on."""
    end = end_of(pushcore.Rejected(status=400, reason="BadTopic"), now=7.0)
    assert (end.id, end.since, end.scope, end.replacement, end.location) == (None, None, None, None, None)
    assert (end.outcome, end.status, end.reason, end.at) == ("rejected", 400, "BadTopic", 7.0)
    later = end_of(pushcore.RetryLater(status=429, after=30, scope="device"))
    assert (later.scope, later.due is None or later.due > 0) == ("device", True)
    taken = end_of(pushcore.Accepted(status=200, id="1", replacement="new"))
    told = end_of(pushcore.Accepted(status=200, id="1", replacement="new", reason="word"))
    # With and without a word of the service's the row says the same of everything else.
    assert (taken.id, taken.replacement, taken.reason) == ("1", "new", None)
    assert (told.id, told.replacement, told.reason) == ("1", "new", "word")


@pytest.mark.parametrize("left", ["waiting", "unknown", "retry_later", "not_due"])
def test_a_run_with_rows_left_is_not_done(left: str) -> None:
    totals = Counter({"accepted": 5, "rejected": 2, "token_gone": 1})
    assert Summary(Counter(), totals).is_done
    assert Summary(Counter(), totals, stopped="limit").is_done
    assert not Summary(Counter(), totals, stopped="asked").is_done
    if left == "not_due":
        assert not Summary(Counter(), totals, not_due=1).is_done
    else:
        assert not Summary(Counter(), totals + Counter({left: 1})).is_done
