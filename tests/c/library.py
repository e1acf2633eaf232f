"""The installed header and library as Python's cffi reads them: the first of two strangers (the second is Go's cgo)."""

import re
import sys
from pathlib import Path

import cffi

sys.path.insert(0, str(Path(__file__).parent / "abi"))
from stub import functions  # noqa: E402


def load(tree, name="libpushcore.so.0"):
    """(ffi, library, constants, functions) of the tree that scripts/install-c.sh made."""
    header = Path(tree) / "include/pushcore.h"
    text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
    constants = {name: int(value) for name, value in re.findall(r"^#define (PUSHCORE_\w+) (\d+)$", text, flags=re.M)}
    text = re.sub(r"#ifdef __cplusplus.*?#endif[^\n]*", "", text, flags=re.S)
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    ffi = cffi.FFI()
    ffi.cdef(text)
    library = ffi.dlopen(str(Path(tree) / "lib" / name))
    return ffi, library, constants, functions(header)


class Library:
    """A little comfort: views, errors, handles that are freed."""

    def __init__(self, tree):
        self.ffi, self.c, self.constants, self.functions = load(tree)
        self.kept = []

    def view(self, value):
        value = value.encode() if isinstance(value, str) else bytes(value)
        buffer = self.ffi.from_buffer(value)
        self.kept.append(buffer)
        return self.ffi.new("pushcore_view *", {"data": self.ffi.cast("uint8_t *", buffer), "len": len(value)})[0]

    def bytes_of(self, view):
        return bytes(self.ffi.buffer(view.data, view.len)) if view.len else b""

    def text_of(self, view):
        return self.bytes_of(view).decode()

    def new(self, kind, function, *arguments):
        """The handle that a function makes; raises Failed."""
        out, error = self.ffi.new(f"{kind} **"), self.ffi.new("pushcore_error **")
        status = function(*arguments, out, error)
        if status:
            raise self.failed(status, error[0])
        return self.ffi.gc(out[0], getattr(self.c, f"{kind}_free"))

    def failed(self, status, error):
        message = self.text_of(self.c.pushcore_error_message(error))
        name = self.text_of(self.c.pushcore_error_name(error))
        self.c.pushcore_error_free(error)
        return Failed(status, name, message)

    def options(self, struct, /, **fields):
        made = self.ffi.new(f"{struct} *", {"struct_size": self.ffi.sizeof(struct)})
        for name, value in fields.items():
            setattr(made, name, self.view(value) if isinstance(value, (str, bytes)) else value)
        self.kept.append(made)
        return made

    def document(self, function, handle):
        """The bytes that a function writes about a handle."""
        made = self.new("pushcore_bytes", function, handle)
        return self.bytes_of(self.c.pushcore_bytes_view(made))


class Failed(Exception):
    def __init__(self, status, name, message):
        super().__init__(f"{status} {name}: {message}")
        self.status, self.name, self.message = status, name, message
