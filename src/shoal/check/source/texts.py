"""Texts that are put together in the source, as far as it can be read what they say."""

import ast

from shoal.check.source.functions import Function
from shoal.check.source.index import Source
from shoal.check.source.module import Module

UNKNOWN = "\0"
"""What stands in a text for a part that nobody can read."""

_SAME = frozenset({"strip", "lstrip", "rstrip", "dedent", "cleandoc", "text"})
"""What returns a text much as it is given it."""

_DEEP = 20
"""Names and parts that lead further than this are left unread."""


def text(source: Source, function: Function, said: ast.expr) -> str:
    """Return what an expression says: a text, one that is put together, or a name that is bound to one.

    Args:
        source: Where names of other modules are looked up.
        function: Where the expression stands.
        said: The expression.

    Returns:
        The text, with `UNKNOWN` for parts that cannot be read; empty where it is no text.
    """
    found = _Reading(source, function).read(function.module, said, _DEEP)
    return "" if found.strip(UNKNOWN) == "" else found


class _Reading:
    """Reads one expression."""

    def __init__(self, source: Source, function: Function) -> None:
        self._source, self._function = source, function

    def read(self, module: Module, said: ast.expr | None, left: int) -> str:
        """Return what an expression of a module says."""
        found = UNKNOWN
        match said if left else None:
            case ast.Constant(value=str(value)):
                found = value
            case ast.JoinedStr(values=parts):
                found = "".join(self.read(module, part, left - 1) for part in parts)
            case ast.BinOp(left=one, op=ast.Add(), right=other):
                found = self.read(module, one, left - 1) + self.read(module, other, left - 1)
            case (
                ast.FormattedValue(value=one)
                | ast.BinOp(left=one, op=ast.Mod())
                | ast.Call(func=ast.Attribute(value=one, attr="format"))
            ):
                found = self.read(module, one, left - 1)
            case ast.Call(func=func, args=args):
                found = self._called(module, func, args, left)
            case ast.Name() | ast.Attribute():
                found = self._named(module, said, left)
        return found

    def _called(self, module: Module, func: ast.expr, args: list[ast.expr], left: int) -> str:
        name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        if name not in _SAME:
            return UNKNOWN
        same = args[0] if args else func.value if isinstance(func, ast.Attribute) else None
        return self.read(module, same, left - 1)

    def _named(self, module: Module, said: ast.Name | ast.Attribute, left: int) -> str:
        if isinstance(said, ast.Name) and module is self._function.module and said.id in self._function.bound:
            return self.read(module, self._function.value(said.id), left - 1)
        own = self._function.own(said) if module is self._function.module else ""
        name = self._source.origin(own or module.name_of(said))
        owner = self._source.holder(name)
        return self.read(owner, self._source.value(name), left - 1) if owner else UNKNOWN
