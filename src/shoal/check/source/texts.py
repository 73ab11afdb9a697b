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

    def read(self, module: Module, said: ast.expr | None, left: int, within: str = "") -> str:
        """Return what an expression of a module says.

        Args:
            module: Where it stands.
            said: The expression.
            left: How far it is followed.
            within: Full name of the class in whose body it stands; empty for any other place.
        """
        found = UNKNOWN
        match said if left else None:
            case ast.Constant(value=str(value)):
                found = value
            case ast.JoinedStr(values=parts):
                found = "".join(self.read(module, part, left - 1, within) for part in parts)
            case ast.BinOp(left=one, op=ast.Add(), right=other):
                found = self.read(module, one, left - 1, within) + self.read(module, other, left - 1, within)
            case (
                ast.FormattedValue(value=one)
                | ast.BinOp(left=one, op=ast.Mod())
                | ast.Call(func=ast.Attribute(value=one, attr="format"))
            ):
                found = self.read(module, one, left - 1, within)
            case ast.Call(func=func, args=args) if _last(func) in _SAME:
                same = args[0] if args else func.value if isinstance(func, ast.Attribute) else None
                found = self.read(module, same, left - 1, within)
            case ast.Name() | ast.Attribute() as name:
                found = self._named(module, name, left, within)
        return found

    def _named(self, module: Module, said: ast.Name | ast.Attribute, left: int, within: str) -> str:
        function = self._function
        if isinstance(said, ast.Name) and module is function.module and not within and said.id in function.bound:
            return self.read(module, function.value(said.id), left - 1)
        own = function.own(said) if module is function.module else ""
        beside = f"{within}.{said.id}" if within and isinstance(said, ast.Name) else ""
        name = beside if beside and self._source.value(beside) else self._source.origin(own or module.name_of(said))
        holder = self._source.holder(name)
        owner = name.rpartition(".")[0]
        if holder is None:
            return UNKNOWN
        return self.read(holder, self._source.value(name), left - 1, owner if owner != holder.name else "")


def _last(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
