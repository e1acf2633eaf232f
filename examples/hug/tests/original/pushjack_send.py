# pushjack 1.6.0, unchanged. Arguments: the key, a token that is alive, one that is dead.
import sys

from pushjack import GCMClient

key, alive, dead = sys.argv[1:]
answer = GCMClient(api_key=key).send([alive, dead], {"body": "x"}, low_priority=True)
print(answer.data[0]["success"], [type(error).__name__ for error in answer.errors])
