"""The route table: literal paths by one look-up, templates by their shape."""

import re
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote

from shoal.errors import Problem

T = TypeVar("T")

_SLASH = "\ue000"
"""Stands for an encoded slash while a path is taken apart; of no character set (Unicode, private use)."""

_Form = tuple[bool, ...]
"""For each segment of a template, whether it is a parameter."""


class _Shape(Generic[T]):
    """The templates of one method whose parameters stand at the same places: told apart by one look-up."""

    __slots__ = ("literals", "parameters", "targets")

    def __init__(self, form: _Form) -> None:
        # The part before the first slash is always there, so every shape has a literal.
        self.literals = itemgetter(*(i for i, is_parameter in enumerate(form) if not is_parameter))
        places = [i for i, is_parameter in enumerate(form) if is_parameter]
        self.parameters = itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))
        self.targets: dict[Any, T] = {}


class Routes(Generic[T]):
    """Finds the target of a method and path; literal segments win over parameters."""

    def __init__(self, entries: Iterable[tuple[str, str, T]]) -> None:
        self._literal: dict[tuple[str, str], T] = {}
        self._methods: set[str] = set()
        forms: dict[tuple[str, int], dict[_Form, _Shape[T]]] = {}
        for method, path, target in entries:
            self._methods.add(method)
            parts = path.split("/")
            form = tuple(part.startswith("{") for part in parts)
            if not any(form):
                self._literal[method, path] = target
                continue
            shape = forms.setdefault((method, len(parts)), {}).setdefault(form, _Shape(form))
            shape.targets[shape.literals(parts)] = target
        # A literal segment is False and sorts first, from the left.
        self._shapes = {place: [some[form] for form in sorted(some)] for place, some in forms.items()}

    def find(self, method: str, path: str) -> tuple[T, tuple[str, ...]]:
        """Return the target and the values of the path's parameters; raises 404 or 405 as a `Problem`."""
        found = self.match(method, path)
        if found is not None:
            return found
        allowed = sorted(other for other in self._methods if self.match(other, path))
        if allowed:
            raise Problem(405, "method-not-allowed", headers={"Allow": ", ".join(allowed)})
        raise Problem(404, "not-found", "there is nothing at this path")

    def match(self, method: str, path: str) -> tuple[T, tuple[str, ...]] | None:
        """Return what `find` returns, or None where it raises."""
        target = self._literal.get((method, path))
        if target is not None:
            return target, ()
        parts = path.split("/")
        for shape in self._shapes.get((method, len(parts)), ()):
            target = shape.targets.get(shape.literals(parts))
            if target is not None:
                values = tuple(shape.parameters(parts))
                if "" not in values:
                    return target, values
        return None


def locate(routes: Routes[T], scope: Mapping[str, Any]) -> tuple[T, tuple[str, ...]]:
    """Find the target of an ASGI request; an encoded slash belongs to its segment (RFC 3986, 2.2)."""
    raw = scope.get("raw_path") or b""
    if raw.find(b"%2") < 0 or b"%2f" not in raw.lower():
        method, path = scope["method"], scope["path"]
        return routes.match(method, path) or routes.find(method, path)
    path = unquote(re.sub("%2[fF]", quote(_SLASH), raw.decode("ascii")))
    target, values = routes.find(scope["method"], path)
    return target, tuple(value.replace(_SLASH, "/") for value in values)
