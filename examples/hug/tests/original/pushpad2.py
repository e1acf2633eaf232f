"""Pushpad's Python client 2.0.0, every call that it has. Arguments: the token; then the base URL, if not Pushpad's."""

import sys

from pushpad import Pushpad

token, *base = sys.argv[1:]
client = Pushpad(token, project_id=123, **({"base_url": base[0]} if base else {}))
created = client.notifications.create(
    body="Hello world!",
    title="Website Name",
    target_url="https://example.com",
    icon_url="https://example.com/assets/icon.png",
    ttl=604800,
    require_interaction=True,
    urgent=False,
    custom_data="123",
    starred=True,
    # In the past by now, as the client's own documentation has it.
    send_at="2025-11-20T23:15:00",
    actions=[{"title": "My Button 1", "target_url": "https://example.com/button-link", "action": "myActionName"}],
    custom_metrics=["examples", "another_metric"],
    uids=["user1", "user2"],
    tags=["segment1", "segment2"],
)
print("created", created.id, created.send_at)
assert created.id in [one.id for one in client.notifications.all(page=1)]
assert client.notifications.get(created.id).title == "Website Name"
assert client.notifications.cancel(created.id) is None
sent = client.notifications.send(body="now", tags=["segment1 && !other"])
print("scheduled", sent.scheduled)
keys = {
    "p256dh": "BCQVDTlYWdl05lal3lG5SKr3VxTrEWpZErbkxWrzknHrIKFwihDoZpc_2sH6Sh08h-CacUYI-H8gW4jH-uMYZQ4=",
    "auth": "cdKMlhgVeSPzCXZ3V7FtgQ==",
}
one = client.subscriptions.create(endpoint="https://example.com/push/1", uid="u", tags=["t1", "t2"], **keys)
assert client.subscriptions.get(one.id).uid == "u"
assert client.subscriptions.count(uids=["u"], tags=["t1 && !t3"]) == 1
assert [found.id for found in client.subscriptions.all(uids=["u"], per_page=10)] == [one.id]
assert client.subscriptions.update(one.id, uid=None, tags=["t3"]).uid is None
client.subscriptions.delete(one.id)
assert client.subscriptions.count(tags=["t3"]) == 0
sender = client.senders.create(name="News")
assert sender.vapid_private_key.startswith("-----BEGIN EC PRIVATE KEY-----")
assert client.senders.get(sender.id).name == "News"
assert client.senders.update(sender.id, name="N2").name == "N2"
assert len(client.senders.all()) == 2
project = client.projects.create(sender_id=sender.id, name="Demo 2", website="https://example.com")
assert client.projects.get(project.id).sender_id == sender.id
assert client.projects.update(project.id, name="New").name == "New"
assert len(client.projects.all()) == 2
client.projects.delete(project.id)
client.senders.delete(sender.id)
print("done")
