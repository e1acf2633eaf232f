"""Cuts `hpack.json` and `frames.json` out of checkouts of http2jp's two repositories of test cases.

usage: select.py HPACK_TEST_CASE HTTP2_FRAME_TEST_CASE   (writes into its own folder)
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
# Two of literals only, then short ones with cookies, dates and repeated fields: a sample, because all are 30 MB.
STORIES = ["00", "01", "03", "10", "15", "20"]
ENCODERS = [
    "go-hpack",
    "haskell-http2-linear-huffman",
    "nghttp2",
    "nghttp2-16384-4096",
    "nghttp2-change-table-size",
    "node-http2-hpack",
    "python-hpack",
    "swift-nio-hpack-huffman",
]
# As many header lists of a story as are kept.
LISTS = 40


def cases(folder: pathlib.Path, encoder: str, story: str) -> list[dict]:
    path = folder / encoder / f"story_{story}.json"
    return json.loads(path.read_text())["cases"][:LISTS] if path.exists() else []


def hpack(folder: pathlib.Path) -> list[dict]:
    stories = []
    for story in STORIES:
        lists = [case["headers"] for case in cases(folder, "nghttp2", story)]
        blocks = {}
        for encoder in ENCODERS:
            told = cases(folder, encoder, story)
            if not told:
                continue
            assert [case["headers"] for case in told] == lists, (encoder, story)
            blocks[encoder] = [[case.get("header_table_size"), case["wire"]] for case in told]
        headers = [[[name, value] for field in fields for name, value in field.items()] for fields in lists]
        stories.append({"story": story, "headers": headers, "blocks": blocks})
    return stories


def frames(folder: pathlib.Path) -> list[dict]:
    found = []
    for path in sorted((folder / "error").glob("*.json")):
        vector = json.loads(path.read_text())
        found.append({"name": path.stem, "error": vector["error"], "wire": vector["wire"]})
    return found


def write(name: str, what: list[dict]) -> None:
    lines = ",\n".join(json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in what)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    write("hpack.json", hpack(pathlib.Path(sys.argv[1])))
    write("frames.json", frames(pathlib.Path(sys.argv[2])))
