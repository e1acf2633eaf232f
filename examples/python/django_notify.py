"""Django: a management command that notifies everybody, with a model of devices.

    pip install django
    python examples/python/django_notify.py

In a project of one's own `Device` stands in `models.py` and `Command` in `management/commands/notify.py`; the settings
here make one file of it.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import django
import pushcore
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from local import SERVICES, device
from pushcore.testing import Sandbox

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.db import connection, models  # noqa: E402  (needs the settings)


class Device(models.Model):
    """A row for each device."""

    service: Any = models.CharField(max_length=8)
    token: Any = models.TextField()

    class Meta:
        """Outside of a project Django wants the name of the application."""

        app_label = "devices"


class Command(BaseCommand):
    """`manage.py notify "text"`."""

    help = "Notifies every device of every user."
    stealth_options = ("sandbox",)

    def add_arguments(self, parser: Any) -> None:
        """The text."""
        parser.add_argument("text")

    def handle(self, *_: Any, text: str, sandbox: Sandbox, **options: Any) -> None:
        """Sends, and keeps the table right. SIGTERM ends it in order: what was read is sent, nothing else is."""
        with sandbox.hub(pushcore.Hub) as hub:
            before = signal.signal(signal.SIGTERM, lambda *_: hub.drain())
            done: Counter[str] = Counter()
            dead: list[str] = []
            for key, _, _, feedback in hub.send(self.devices(sandbox), pushcore.Notification(title="News", body=text)):
                done[feedback.action] += 1
                if feedback.action == "delete":
                    dead.append(key)
                elif feedback.action == "replace":
                    Device.objects.filter(pk=key).update(token=feedback.replacement)
            Device.objects.filter(pk__in=dead).delete()
            signal.signal(signal.SIGTERM, before)
        self.stdout.write(f"{dict(done)}, {Device.objects.count()} devices left")

    def devices(self, sandbox: Sandbox) -> Iterator[pushcore.Device]:
        """The rows, a page at a time: `iterator` keeps them out of memory."""
        for row in Device.objects.order_by("pk").iterator(chunk_size=500):
            yield device(sandbox, row.service, row.token, row.pk)


def main() -> None:
    """Thirty devices, three of which are dead."""
    with connection.schema_editor() as editor:
        editor.create_model(Device)
    with Sandbox() as sandbox:
        rows = [
            Device(service=service, token=target if isinstance(target, str) else json.dumps(target))
            for service in SERVICES
            for target in sandbox.targets(service, 9, dead=1)
        ]
        Device.objects.bulk_create(rows)
        call_command(Command(), "Hello", sandbox=sandbox)


if __name__ == "__main__":
    main()
