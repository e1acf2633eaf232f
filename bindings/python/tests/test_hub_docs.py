"""`docs/notify-everyone.md` shows the code that runs, and counts its lines."""

from __future__ import annotations

import pathlib
import re
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[3]
OURS = ROOT / "examples" / "python" / "notify_everyone.py"
THEIRS = ROOT / "tests" / "interop" / "sandbox" / "everyone.py"


def marked(path: pathlib.Path) -> str:
    """The lines between `# begin` and `# end`."""
    [found] = re.findall(r"^# begin[^\n]*\n(.*?)\n# end$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return textwrap.dedent(found).strip()


def lines(code: str) -> int:
    """Lines of code: neither empty nor a comment nor a docstring."""
    code = re.sub(r'^ *"""[^"]*"""\n', "", code, flags=re.MULTILINE)
    return sum(1 for line in code.splitlines() if line.strip() and not line.strip().startswith("#"))


def test_the_page_shows_both_programs() -> None:
    page = (ROOT / "docs" / "notify-everyone.md").read_text(encoding="utf-8")
    ours, theirs = marked(OURS), marked(THEIRS)
    assert re.findall(r"^```python\n(.*?)\n```$", page, re.DOTALL | re.MULTILINE) == [ours, theirs]
    assert f"| pushcore | {lines(ours)} |" in page
    assert f"| aioapns, firebase-admin, pywebpush | {lines(theirs)} |" in page
    guide = (ROOT / "docs" / "hub-python.md").read_text(encoding="utf-8")
    assert f"is {lines(ours)} lines of the caller's" in guide
    assert f"it is\n{lines(theirs)}, and does less" in guide
