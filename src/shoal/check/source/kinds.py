"""Annotations as names: which type a parameter has, as far as it can be read."""

import ast
from typing import NamedTuple

from shoal.check.source.module import Module

_THROUGH = frozenset({"typing.Annotated", "typing.Optional", "typing.Final", "typing.ClassVar"})


class Kind(NamedTuple):
    """A type: ``Objects[Picture]`` is ``shoal.Objects`` of ``shop.products.pictures.Picture``."""

    name: str
    """In full: ``shoal.Transaction``."""
    of: tuple[str, ...] = ()


def kind_of(module: Module, annotation: ast.expr | None) -> Kind | None:
    """Read an annotation without ``Annotated`` and ``None``; None where it is no name."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except (SyntaxError, ValueError):
            return None
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = [kind_of(module, annotation.left), kind_of(module, annotation.right)]
        known = [side for side in sides if side is not None]
        return known[0] if len(known) == 1 else None
    if isinstance(annotation, ast.Subscript):
        return _subscripted(module, annotation)
    name = "" if annotation is None else module.name_of(annotation)
    return Kind(name) if name else None


def _subscripted(module: Module, annotation: ast.Subscript) -> Kind | None:
    inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
    name = module.name_of(annotation.value)
    if name in _THROUGH:
        return kind_of(module, inner[0])
    return Kind(name, tuple(module.name_of(part) for part in inner)) if name else None


def made_of(module: Module, value: ast.expr) -> Kind | None:
    """Read what a call makes: the name of a class, or of a function that says what it returns; else None."""
    name = module.known(value.func) if isinstance(value, ast.Call) else ""
    return Kind(name) if name else None


def given(kind: Kind | None) -> str:
    """Name what comes of something that yields or is waited for; the type itself of anything else."""
    if kind is None:
        return ""
    return kind.of[0] if kind.of and kind.name.rpartition(".")[2] in _GIVING else kind.name


_GIVING = frozenset({"AsyncIterator", "AsyncGenerator", "Awaitable", "Iterator", "Generator"})
