"""Pushpad's Python client 1.0.0: its address is in its code. Argument: the token."""

import datetime
import sys

import pushpad

project = pushpad.Pushpad(sys.argv[1], 123)
notification = pushpad.Notification(
    project,
    body="Hello world!",
    title="Website Name",
    target_url="https://example.com",
    ttl=604800,
    custom_data="123",
    custom_metrics=["examples"],
    actions=[{"title": "My Button 1"}],
    starred=True,
)
print("broadcast", notification.broadcast(tags=["segment1"])["scheduled"])
print("deliver_to", notification.deliver_to(["user1", "nobody"])["uids"])
assert notification.deliver_to([])["scheduled"] == 0
later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
print("send_at", pushpad.Notification(project, body="later", send_at=later).broadcast()["send_at"])
print("done")
