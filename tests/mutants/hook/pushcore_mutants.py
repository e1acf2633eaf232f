"""Small faults in Python sources: which there are, and a source with one of them."""

from __future__ import annotations

import ast
import copy
import os
import pathlib
import typing

#: What stands for what in a comparison, a sum, an `and`.
_COMPARISONS: dict[type, list[type]] = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
_SUMS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


class Fault(typing.NamedTuple):
    """One fault: the node that it replaces or leaves out, and what stands there with it (`None`: nothing)."""

    line: int
    function: str
    what: str
    path: tuple[tuple[str, int | None], ...]
    new: ast.AST | None


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else text[:60] + "…"


def _is_about_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


class _Finder:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, node: ast.AST, names: list[str], path: list[tuple[str, int | None]], what: str, new: ast.AST | None) -> None:
        if new is not None:
            ast.copy_location(new, node)
            ast.fix_missing_locations(new)
        self.faults.append(Fault(node.lineno, ".".join(names), what, tuple(path), new))  # type: ignore[attr-defined]

    def walk(self, node: ast.AST, names: list[str], path: list[tuple[str, int | None]], *, spoken: bool = False) -> None:
        """`spoken`: words for a reader are inside."""
        if _is_about_types(node):
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names = [*names, node.name]
        else:
            self.here(node, names, path, spoken)
        spoken = spoken or isinstance(node, (ast.Raise, ast.JoinedStr))
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "type_comment", "decorator_list", "type_params", "bases", "pattern"):
                continue
            if isinstance(value, ast.AST):
                self.walk(value, names, [*path, (field, None)], spoken=spoken)
            elif isinstance(value, list):
                for index, one in enumerate(value):
                    if not isinstance(one, ast.AST):
                        continue
                    if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
                        continue
                    self.walk(one, names, [*path, (field, index)], spoken=spoken)

    def here(self, node: ast.AST, names: list[str], path: list[tuple[str, int | None]], spoken: bool) -> None:
        def add(what: str, new: ast.AST | None) -> None:
            self.add(node, names, path, what, new)

        def changed(**fields: typing.Any) -> ast.AST:
            one = copy.copy(node)
            for name, value in fields.items():
                setattr(one, name, value)
            return one

        def contrary(test: ast.expr) -> ast.expr:
            return ast.UnaryOp(ast.Not(), test)

        match node:
            case ast.Compare(ops=[operator]):
                for other in _COMPARISONS.get(type(operator), ()):
                    new = changed(ops=[other()])
                    add(f"`{_short(new)}` for `{_short(node)}`", new)
            case ast.BoolOp(op=operator):
                new = changed(op=ast.Or() if isinstance(operator, ast.And) else ast.And())
                add(f"`{_short(new)}` for `{_short(node)}`", new)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                add(f"not `{_short(node)}`", inner)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                add(f"`{_short(inner)}` for `{_short(node)}`", inner)
            case ast.BinOp(op=operator) if type(operator) in _SUMS and not spoken:
                new = changed(op=_SUMS[type(operator)]())
                add(f"`{_short(new)}` for `{_short(node)}`", new)
            case ast.AugAssign(op=operator) if type(operator) in _SUMS:
                new = changed(op=_SUMS[type(operator)]())
                add(f"`{_short(new)}` for `{_short(node)}`", new)
                add(f"`{_short(node)}` is left out", ast.Pass())
            case ast.Constant(value=bool(value)):
                add(f"`{not value}` for `{value}`", ast.Constant(not value))
            case ast.Constant(value=int(value)) if not spoken:
                add(f"`{value + 1}` for `{value}`", ast.Constant(value + 1))
            case ast.Constant(value=float(value)) if not spoken:
                add(f"`{value + 1}` for `{value}`", ast.Constant(value + 1))
            case ast.Constant(value=str(value)) if not spoken:
                add(f"another text for `{_short(node)}`", ast.Constant("xyzzy" if value != "xyzzy" else ""))
            case ast.Return(value=value) if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
                add(f"None for `{_short(value)}`", ast.Return(ast.Constant(None)))
            case ast.Expr(value=ast.Call() | ast.Await()):
                add(f"`{_short(node)}` is left out", ast.Pass())
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
                add(f"`{_short(node)}` is left out", ast.Pass())
            case ast.Raise() | ast.Delete():
                add(f"`{_short(node)}` is left out", ast.Pass())
            case ast.Continue():
                add("`break` for `continue`", ast.Break())
            case ast.Break():
                add("`continue` for `break`", ast.Continue())
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if not isinstance(
                test, (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Constant)
            ):
                add(f"not `{_short(test)}`", changed(test=contrary(test)))
            case ast.ExceptHandler():
                caught = "anything" if node.type is None else _short(node.type)
                add(f"`except {caught}` catches nothing", changed(body=[ast.Raise()]))
            case ast.comprehension(ifs=[test, *rest]):
                self.faults.append(
                    Fault(test.lineno, ".".join(names), f"without `if {_short(test)}`", tuple(path), changed(ifs=rest))
                )
            case _:
                pass


def faults(source: str) -> list[Fault]:
    """Every fault of a source, in its order."""
    finder = _Finder()
    finder.walk(ast.parse(source), [], [])
    return finder.faults


def _place(tree: ast.AST, path: tuple[tuple[str, int | None], ...], put: typing.Callable[[ast.AST], ast.AST]) -> None:
    node = tree
    for field, index in path[:-1]:
        value = getattr(node, field)
        node = value if index is None else value[index]
    field, index = path[-1]
    if index is None:
        setattr(node, field, put(getattr(node, field)))
    else:
        getattr(node, field)[index] = put(getattr(node, field)[index])


def with_fault(source: str, number: int) -> ast.AST:
    """The source with one fault."""
    tree = ast.parse(source)
    fault = faults(source)[number]
    assert fault.new is not None
    _place(tree, fault.path, lambda _: typing.cast("ast.AST", fault.new))
    return ast.fix_missing_locations(tree)


def with_marks(source: str, name: str) -> ast.AST:
    """The source, which says which of its statements are reached."""
    tree = ast.parse(source)

    class Marks(ast.NodeTransformer):
        def generic_visit(self, node: ast.AST) -> ast.AST:
            super().generic_visit(node)
            for field in ("body", "orelse", "finalbody"):
                body = getattr(node, field, None)
                if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                    setattr(node, field, [one for statement in body for one in marked(statement)])
            return node

    def marked(statement: ast.stmt) -> list[ast.stmt]:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            return [statement]
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return [statement]
        text = f"__import__('pushcore_mutants').reached({name!r}, {statement.lineno})"
        mark = ast.parse(text).body[0]
        for node in ast.walk(mark):
            ast.copy_location(node, statement)
        return [mark, statement]

    return ast.fix_missing_locations(Marks().visit(tree))


def _statements(source: str) -> list[ast.stmt]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]


def statement(source: str, line: int) -> int:
    """The first line of the innermost statement that a line belongs to."""
    around = [one for one in _statements(source) if one.lineno <= line <= (one.end_lineno or one.lineno)]
    return max((one.lineno for one in around), default=line)


def at_import(source: str) -> set[int]:
    """The statements that run while the module is imported."""
    lines: set[int] = set()

    def walk(body: list[ast.stmt]) -> None:
        for one in body:
            lines.add(one.lineno)
            if not isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for field in ("body", "orelse", "finalbody"):
                    walk(getattr(one, field, []))

    walk(ast.parse(source).body)
    return lines


_SEEN: set[tuple[str, str, int]] = set()


def reached(file: str, line: int) -> None:
    """Writes down that the running test has come to a statement."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "?").rpartition(" ")[0]
    one = (test, file, line)
    if one not in _SEEN:
        _SEEN.add(one)
        with pathlib.Path(os.environ["PUSHCORE_MUTANTS_REACHED"]).open("a") as log:
            log.write(f"{file}\t{line}\t{test}\n")
