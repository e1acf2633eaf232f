"""Writes what the header declares in other forms.

    stub.py HEADER                a C file that defines every function: compiled with -g, abidiff reads it as the ABI that callers see
    stub.py HEADER --symbols      the names of the functions, one a line
    stub.py HEADER --strip        the header without its comments, as baseline.h is kept
"""

import re
import sys
from pathlib import Path


def functions(header):
    """(return type, name, parameters) of every function of the header, in its order."""
    text = re.sub(r"/\*.*?\*/", "", Path(header).read_text(), flags=re.S)
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    text = re.sub(r"typedef struct \w+ \{.*?\} \w+;", "", text, flags=re.S)
    found = re.findall(r"^\s*((?:struct |const )*\w+)\s+\**(pushcore_\w+)\((.*?)\);", text, flags=re.S | re.M)
    return [(kind, name, " ".join(arguments.split())) for kind, name, arguments in found]


def main():
    header, *rest = sys.argv[1:]
    if rest == ["--symbols"]:
        print("\n".join(sorted(name for _, name, _ in functions(header))))
        return
    if rest == ["--strip"]:
        text = re.sub(r"/\*.*?\*/", "", Path(header).read_text(), flags=re.S)
        print("\n".join(line.rstrip() for line in text.splitlines() if line.strip()))
        return
    print(f'#include "{Path(header).resolve()}"')
    for kind, name, arguments in functions(header):
        value = "" if kind == "void" else "static char zero[64]; return *(" + kind + " *)(void *)zero;"
        print(f"{kind} {name}({arguments}) {{ {value} }}")


if __name__ == "__main__":
    main()
