"""encrypt.py TREE SUBSCRIPTION TEXT: the body of a Web Push message, for examples/c/receiver.c."""

import sys

from library import Library

library = Library(sys.argv[1])
c = library.c
key = library.new("pushcore_signing_key", c.pushcore_signing_key_generate)
out = library.ffi.new("pushcore_bytes **")
assert c.pushcore_signing_key_private(key, library.constants["PUSHCORE_KEY_PKCS8_PEM"], out, library.ffi.NULL) == 0
options = library.options("pushcore_web_push_service_options", subject="mailto:ops@example.com")
options.key = c.pushcore_bytes_view(out[0])
service = library.new("pushcore_service", c.pushcore_web_push_service_new, options)
options = library.options("pushcore_web_push_message_options", subscription=sys.argv[2], payload=sys.argv[3])
message = library.new("pushcore_message", c.pushcore_web_push_message_new, options)
now = {"monotonic_ms": 0, "unix_ms": 1_795_000_000_000}
request = library.new("pushcore_request", c.pushcore_service_request, service, message, now)
sys.stdout.buffer.write(library.bytes_of(c.pushcore_request_body(request)))
