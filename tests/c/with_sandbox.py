"""Runs a program beside a sandbox, whose ready line is in the program's environment: apns.tokens.valid is SANDBOX_APNS_TOKENS_VALID.

    with_sandbox.py [--tokens N] [--gone N] [--fault JSON]... PROGRAM ARGUMENTS...

--tokens registers N device tokens with APNs, SANDBOX_TOKENS is a file with one a line; --gone makes the first N of them dead.
Afterwards the sandbox's log is the oracle: every token of the file has been accepted at most once.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request


def flat(value, name, out):
    if isinstance(value, dict):
        if name.endswith(("_ACTIVE", "_EXPIRED", "_THROTTLED", "_OTHER_KEY")):
            out[name] = json.dumps(value)  # a subscription is one document
        for key, inner in value.items():
            flat(inner, f"{name}_{key.upper()}", out)
    else:
        out[name] = str(value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sandbox", default=os.environ.get("PUSHCORE_SANDBOX"))
    parser.add_argument("--tokens", type=int, default=0)
    parser.add_argument("--gone", type=int, default=0)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--option", action="append", default=[])
    parser.add_argument("program", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    command = [args.sandbox, "--exit-with-stdin", *args.option]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            ready = json.loads(server.stdout.readline())
            environment = dict(os.environ)
            flat(ready, "SANDBOX", environment)

            def call(path, body=None):
                request = urllib.request.Request(ready["control"]["url"] + path)
                if body is not None:
                    request.data = json.dumps(body).encode()
                    request.add_header("authorization", "Bearer " + ready["control"]["token"])
                with urllib.request.urlopen(request) as answer:
                    return answer.read()

            tokens = [f"{index:064x}" for index in range(1 << 40, (1 << 40) + args.tokens)]
            if tokens:
                entries = [{"token": token, "bundle": ready["apns"]["topic"]} for token in tokens]
                for entry in entries[: args.gone]:
                    entry["unregistered_at"] = 1_700_000_000_000
                for begin in range(0, len(entries), 5_000):
                    call("/apns/tokens", entries[begin : begin + 5_000])
            for fault in args.fault:
                call("/faults", json.loads(fault))
            with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
                file.write("".join(token + "\n" for token in tokens))
                file.flush()
                environment["SANDBOX_TOKENS"] = file.name
                status = subprocess.run(args.program, env=environment).returncode
            if status == 0 and tokens:
                stats = json.loads(call("/stats"))
                log = json.loads(call("/log?service=apns&operation=push&accepted=1"))
                own = set(tokens)
                accepted = [record["target"] for record in log if record["target"] in own]
                doubled = len(accepted) - len(set(accepted))
                print(f"sandbox: {len(set(accepted))} of {len(tokens)} accepted, {doubled} twice")
                if doubled or stats.get("forgotten"):
                    status = 9
            sys.exit(status)
        finally:
            server.stdin.close()
            server.wait(timeout=20)


main()
