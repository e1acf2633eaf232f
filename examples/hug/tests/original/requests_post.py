"""One request by the library `requests`, as Cozie's researchers and the tutorial's app send it.

Arguments: the URL, the headers and the body as JSON.
"""

import json
import sys

import requests

url, headers, body = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
response = requests.post(url, headers=headers, json=body)
print(response.status_code, response.text)
