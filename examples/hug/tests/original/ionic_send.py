# The first Ionic Push API as scripts of its time called it: runs on Python 2.7 and on Python 3.
# Arguments: the private key, the app, a token of APNs.
import base64
import json
import sys

try:
    from urllib2 import Request, urlopen
except ImportError:
    from urllib.request import Request, urlopen

private_key, app_id, token = sys.argv[1:]
post = {"tokens": [token], "notification": {"alert": "Hello", "ios": {"badge": 1, "payload": {"$state": "about"}}}}
auth = base64.b64encode((private_key + ":").encode("ascii")).decode("ascii")
request = Request("https://push.ionic.io/api/v1/push", data=json.dumps(post).encode("utf-8"))
request.add_header("Authorization", "Basic " + auth)
request.add_header("Content-Type", "application/json")
request.add_header("X-Ionic-Application-Id", app_id)
response = urlopen(request)
answer = json.loads(response.read().decode("utf-8"))
print("%d %s %d" % (response.getcode(), answer["result"], len(answer["message_id"])))
