"""The route table: literal paths by one look-up, templates by their shape."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from shoal.errors import Problem

T = TypeVar("T")


class _Node(Generic[T]):
    __slots__ = ("literals", "targets", "wildcard")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.wildcard: _Node[T] | None = None
        self.targets: dict[str, T] = {}


class Routes(Generic[T]):
    """Finds the target of a method and path; literal segments win over parameters."""

    def __init__(self, entries: Iterable[tuple[str, str, T]]) -> None:
        self._literal: dict[tuple[str, str], T] = {}
        self._root: _Node[T] = _Node()
        for method, path, target in entries:
            if "{" not in path:
                self._literal[method, path] = target
            self._insert(method, path, target)

    def find(self, method: str, path: str) -> tuple[T, tuple[str, ...]]:
        """Return the target and the values of the path's parameters; raises 404 or 405 as a `Problem`."""
        found = self._literal.get((method, path))
        if found is not None:
            return found, ()
        matches = list(self._walk(self._root, path.split("/")[1:], ()))
        for node, values in matches:
            if method in node.targets:
                return node.targets[method], values
        allowed = sorted({m for node, _ in matches for m in node.targets})
        if allowed:
            raise Problem(405, "method-not-allowed", headers={"Allow": ", ".join(allowed)})
        raise Problem(404, "not-found", "there is nothing at this path")

    def _insert(self, method: str, path: str, target: T) -> None:
        node = self._root
        for part in path.split("/")[1:]:
            if part.startswith("{"):
                node.wildcard = node = node.wildcard or _Node()
            else:
                node = node.literals.setdefault(part, _Node())
        node.targets[method] = target

    def _walk(
        self, node: _Node[T], parts: list[str], values: tuple[str, ...]
    ) -> Iterable[tuple[_Node[T], tuple[str, ...]]]:
        if not parts:
            if node.targets:
                yield node, values
            return
        head, rest = parts[0], parts[1:]
        if head in node.literals:
            yield from self._walk(node.literals[head], rest, values)
        if node.wildcard is not None and head:
            yield from self._walk(node.wildcard, rest, (*values, head))
