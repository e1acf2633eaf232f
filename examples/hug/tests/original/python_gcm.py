"""python-gcm 0.4, JSON and forms: its address is in its code. Arguments: the key, a token alive, a dead one."""

import sys

from gcm import GCM
from gcm.gcm import GCMNotRegisteredException

key, alive, dead = sys.argv[1:]
client = GCM(key)
answer = client.json_request(
    registration_ids=[alive, dead], data={"a": "b"}, collapse_key="x", delay_while_idle=True, time_to_live=3600
)
assert list(answer["success"]) == [alive], answer
assert answer["errors"]["NotRegistered"] == [dead], answer
assert client.plaintext_request(registration_id=alive, data={"a": "b"}) is None
try:
    client.plaintext_request(registration_id=dead, data={"a": "b"})
except GCMNotRegisteredException:
    print("done")
