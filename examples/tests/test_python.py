"""The Python examples as a reader starts them; each starts its own sandbox."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

#: File, what has to be installed, and what it has to print.
EXAMPLES: list[tuple[str, list[str], list[str]]] = [
    (
        "python/httpx_l1.py",
        ["httpx", "h2"],
        [
            f"{service}: {name}: "
            for service in ("fcm", "web push", "apns")
            for name in ("accepted", "token_gone")
        ],
    ),
    ("python/asyncio_bulk.py", [], ["2000 ended, 0 in flight", "{'accepted': 1800, 'token_gone': 200}"]),
    ("python/delete_dead_tokens.py", [], ["{'kept': 37, 'deleted': 3}, 37 devices left"]),
    (
        "python/celery_notify.py",
        ["celery"],
        ["apns: keep after 1 attempts", "apns: delete after 1 attempts", "fcm: keep after 3 attempts"],
    ),
    ("python/django_notify.py", ["django"], ["{'keep': 27, 'delete': 3}, 27 devices left"]),
    (
        "python/fastapi_push.py",
        ["fastapi", "httpx"],
        [
            "202 {'status': 'accepted'}",
            "422 notification.titel: unknown field",
            'pushcore_messages_total{service="web_push",app="",environment="production",outcome="token_gone"} 1',
            "57 devices left",
        ],
    ),
    (
        "python/notify_everyone.py",
        [],
        ["{'keep': 51, 'delete': 9}", "51 devices left; FCM asked to wait 5 times"],
    ),
    (
        "python/flask_subscriptions.py",
        ["flask"],
        [
            "204 https://fcm.googleapis.com/fcm/send/abc",
            "204 https://push.example.org/up/abc",
            "400 https://169.254.169.254/latest/meta-data",
            "400 https://localhost:8080/admin",
            "400 http://fcm.googleapis.com/fcm/send/abc",
        ],
    ),
    (
        "python/opentelemetry_batch.py",
        ["opentelemetry.sdk"],
        [
            "{'accepted': 18, 'token_gone': 2}",
            "span 'send pushes': 20 links, events {'pushcore.",
            "'pushcore.refused': 2",
            "metric messaging.client.sent.messages: {'accepted': 18, 'token_gone': 2}",
        ],
    ),
    ("python/trio_client.py", ["trio"], ["{'accepted': 27, 'token_gone': 3}"]),
    ("quickstart.py", [], ["demo ok: 3 services, 3 accepted, 3 refused as expected"]),
]


@pytest.mark.parametrize(("file", "needs", "says"), EXAMPLES, ids=[row[0] for row in EXAMPLES])
def test_it_runs(file: str, needs: list[str], says: list[str]) -> None:
    for module in needs:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert done.returncode == 0, done.stderr
    for text in says:
        assert text in done.stdout
    assert done.stderr == ""


def test_every_example_is_in_the_list() -> None:
    helpers = {"python/local.py"}
    files = {str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.py"), *ROOT.glob("python/*.py")]}
    assert files - helpers == {row[0] for row in EXAMPLES}


def test_the_callers_lines_are_as_few_as_the_guide_says() -> None:
    text = (ROOT / "python/notify_everyone.py").read_text()
    lines = text.partition("# begin:")[2].partition("# end")[0].splitlines()[1:]
    code = [line for line in lines if line.strip() and not line.strip().startswith(('"', "#"))]
    guide = (ROOT.parent / "docs/hub-python.md").read_text()
    assert f"{len(code)} lines" in guide
