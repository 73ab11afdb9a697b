"""One file of the author's, parsed when somebody asks."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, cast

from shoal.check.finding import Place

Node = TypeVar("Node", bound=ast.AST)


@dataclass(frozen=True, eq=False)
class Module:
    """A module of the author's.

    Attributes:
        name: Dotted, as it is imported.
        path: What the model's places call it: its path below the import root.
        text: What is in it.
        is_package: Whether it is a package's ``__init__``.
        file: Where it lies below the folder of the project, if not at its path: ``src/shop/system.py``.
    """

    name: str
    path: str
    text: str
    is_package: bool = False
    file: str = ""

    @property
    def shown(self) -> str:
        """Where its text lies, which is its path where nothing else is said."""
        return self.file or self.path

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, without their ends."""
        return self.text.split("\n")

    @cached_property
    def tree(self) -> ast.Module:
        """What it says; an empty module where the file was broken since it was imported."""
        try:
            return ast.parse(self.text.removeprefix("\ufeff"))
        except (SyntaxError, ValueError):
            return ast.Module(body=[], type_ignores=[])

    def every(self, kind: type[Node]) -> Sequence[Node]:
        """List every node of a kind, such as ``ast.Call``, wherever it stands; it is looked for once.

        Whether a name is read or bound (``ast.Load``) stands at the name, and is listed nowhere.
        """
        return cast("Sequence[Node]", self._by_kind.get(kind, ()))

    @cached_property
    def imported(self) -> dict[str, str]:
        """What each imported name is in full, wherever it is imported."""
        found: dict[str, str] = {}
        for node in self.every(ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        for node_ in self.every(ast.ImportFrom):
            base = self._origin(node_)
            found |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node_.names}
        return found

    @cached_property
    def wanted(self) -> frozenset[str]:
        """Every module that it may import, also by ``importlib.import_module("...")``, and names within them."""
        found = {alias.name for node in self.every(ast.Import) for alias in node.names}
        for node in self.every(ast.ImportFrom):
            base = self._origin(node)
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
        for call in self.every(ast.Call):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "import_module":
                found |= {str(arg.value) for arg in call.args[:1] if isinstance(arg, ast.Constant)}
        return frozenset(found)

    @cached_property
    def top(self) -> dict[str, ast.stmt]:
        """What is bound at its top: classes, functions and assignments by name."""
        return self.bound_in(self.tree)

    @staticmethod
    def bound_in(scope: ast.Module | ast.ClassDef) -> dict[str, ast.stmt]:
        """Map what is bound in a module or a class itself to where it is: classes, functions and assignments."""
        found: dict[str, ast.stmt] = {}
        for node in scope.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found[node.name] = node
            elif isinstance(node, ast.Assign):
                found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found[node.target.id] = node
        return found

    def name_of(self, node: ast.expr) -> str:
        """Spell in full what an expression of names and dots refers to; empty for anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        first = self.imported.get(node.id) or (f"{self.name}.{node.id}" if node.id in self.top else node.id)
        return ".".join([first, *reversed(parts)])

    def known(self, node: ast.expr) -> str:
        """Spell in full what is imported here or bound at the top; empty for anything else."""
        first = node
        while isinstance(first, ast.Attribute):
            first = first.value
        is_own = isinstance(first, ast.Name) and (first.id in self.imported or first.id in self.top)
        return self.name_of(node) if is_own else ""

    def place(self, node: ast.AST) -> Place:
        """Say where a node is, from its beginning to its end."""
        line, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0) or 0
        column, end_column = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0) or 0
        return Place(self.shown, line, self._column(line, column), end, self._column(end, end_column))

    def head(self, node: ast.AST) -> Place:
        """Say where a node begins; of one that goes over several lines only the first."""
        found = self.place(node)
        if found.end_line <= found.line:
            return found
        return Place(found.file, found.line, found.column, found.line, len(self.lines[found.line - 1].rstrip()) + 1)

    def written(self, node: ast.AST) -> str:
        """Return the text of a node as it stands in the file."""
        place = self.place(node)
        lines = self.lines[max(0, place.line - 1) : place.end_line]
        if not lines:
            return ""
        lines[-1] = lines[-1][: place.end_column - 1]
        return "\n".join([lines[0][place.column - 1 :], *lines[1:]])

    @cached_property
    def _by_kind(self) -> dict[type[ast.AST], list[ast.AST]]:
        found: dict[type[ast.AST], list[ast.AST]] = {}
        waiting: list[ast.AST] = [self.tree]
        for node in waiting:  # grows while it is read, level by level, as `ast.walk` goes
            found.setdefault(type(node), []).append(node)
            for field in node._fields:
                value = getattr(node, field, None) if field != "ctx" else None
                if isinstance(value, ast.AST):
                    waiting.append(value)
                elif isinstance(value, list):
                    waiting += [each for each in value if isinstance(each, ast.AST)]
        return found

    def _column(self, line: int, offset: int) -> int:
        """Count characters, where ast counts bytes; from 1."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return offset + 1 if text.isascii() else len(text.encode()[:offset].decode("utf-8", "ignore")) + 1

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        parts = parts[: len(parts) - node.level + self.is_package]
        return ".".join((*parts, node.module) if node.module else parts)
