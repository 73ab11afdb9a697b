"""Find every point in the source of the runtime, so that none can be forgotten."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Kind = Literal["commit", "publish", "answer", "checkpoint", "reply"]

CALLS: tuple[tuple[Kind, str, frozenset[str]], ...] = (
    ("commit", "store", frozenset({"session"})),
    ("publish", "broker", frozenset({"publish"})),
    ("answer", "delivery", frozenset({"ack", "drop"})),
    ("checkpoint", "lease", frozenset({"sent", "refuse", "forget"})),
    ("reply", "", frozenset({"send"})),
)
"""Kind of site, last name of whom is asked, and what is asked of it."""

_ROOT = Path(__file__).parent.parent / "runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One place where something becomes true for others."""

    name: str
    """Module and function, from the runtime on: ``consuming.work.Worker._commit``."""
    kind: Kind
    source: str
    """``file:line``."""

    @property
    def points(self) -> tuple[str, str]:
        """Names of the points before and after it."""
        return f"{self.name}:before-{self.kind}", f"{self.name}:after-{self.kind}"


@cache
def sites() -> tuple[Site, ...]:
    """List every site of the runtime; several of a kind in one function are one."""
    found: dict[tuple[str, str], Site] = {}
    for path in sorted(_ROOT.rglob("*.py")):
        module = ".".join(path.relative_to(_ROOT).with_suffix("").parts).removesuffix(".__init__")
        for scope, call, kind in _calls(ast.parse(path.read_text("utf-8")), ()):
            name = f"{module}.{'.'.join(scope)}"
            source = f"{path.relative_to(_ROOT.parent.parent)}:{call.lineno}"
            found.setdefault((name, kind), Site(name=name, kind=kind, source=source))
    return tuple(found.values())


def _calls(node: ast.AST, scope: tuple[str, ...]) -> Iterator[tuple[Sequence[str], ast.Call, Kind]]:
    """Walk a tree with the qualified name of the function around, as the interpreter spells it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _calls(child, (*scope, child.name))
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _calls(child, (*scope, child.name, "<locals>"))
        else:
            kind = _kind(child, scope) if isinstance(child, ast.Call) else None
            if isinstance(child, ast.Call) and kind is not None:
                yield scope[:-1], child, kind
            yield from _calls(child, scope)


def _kind(call: ast.Call, scope: tuple[str, ...]) -> Kind | None:
    if scope[-1:] != ("<locals>",):
        return None
    if scope[:2] != ("Application", "_serve") and isinstance(call.func, ast.Name):
        return None  # replies leave where requests come in
    asked = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    whom = ast.unparse(call.func.value).rpartition(".")[2].lstrip("_") if isinstance(call.func, ast.Attribute) else ""
    for kind, owner, methods in CALLS:
        if asked in methods and whom == owner:
            return kind
    return None
