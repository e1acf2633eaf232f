"""PyFCM 1.5.4, and before: its address is in its code. Arguments: the server key, a token that is alive, one that is dead."""

import sys

from pyfcm import FCMNotification
from pyfcm.errors import AuthenticationError

key, alive, dead = sys.argv[1:]
push = FCMNotification(api_key=key)
one = push.notify_single_device(
    registration_id=alive, message_title="Title", message_body="Body", data_message={"score": 5}, time_to_live=60
)
assert (one["success"], one["failure"]) == (1, 0), one
many = push.notify_multiple_devices(registration_ids=[alive, dead], message_body="Body", sound="Default")
many = many[0] if isinstance(many, list) else many  # before 1.4
assert (many["success"], many["failure"]) == (1, 1), many
assert many["results"][1] == {"error": "NotRegistered"}, many
topic = push.notify_topic_subscribers(topic_name="news", message_body="Body")
assert topic["success"] == 1, topic
test = push.notify_single_device(registration_id=alive, message_body="Body", dry_run=True)
assert test["results"] == [{"message_id": "fake_message_id"}], test
try:
    FCMNotification(api_key="wrong").notify_single_device(registration_id=alive, message_body="x")
except AuthenticationError:
    print("done")
