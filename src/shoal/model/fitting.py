"""Whether a value is what an annotation says; for what authors wrote, which no type checker may have seen."""

import types
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin


def fits(value: object, kind: Any) -> bool:
    """Say whether a value is of a kind; what is too special to be judged is."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is None:
        return _is_a(value, kind)
    judge = _JUDGES.get(origin)
    if judge is not None:
        return judge(value, parts)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and _all(value, parts[0]) and _all(value.values(), parts[1])
    if isinstance(origin, type) and issubclass(origin, Collection):
        return isinstance(value, Collection) and not isinstance(value, (str, bytes)) and _all(value, parts[0])
    return isinstance(value, origin) if isinstance(origin, type) else True


def spelled(kind: Any) -> str:
    """Write a kind as an author would."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin in (Union, types.UnionType):
        return " or ".join(map(spelled, parts))
    if origin is tuple and parts[1:] == (...,):
        return f"a tuple of {spelled(parts[0])}, such as (one,)"
    if origin in (None, Annotated, Callable):
        return "None" if kind is type(None) else getattr(kind, "__name__", str(kind))
    return f"{origin.__name__}[{', '.join(map(spelled, parts))}]"


def _is_a(value: object, kind: Any) -> bool:
    if kind is None:
        return value is None
    if kind in (int, float):
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    if not isinstance(kind, type) or kind in (object, Any) or getattr(kind, "_is_protocol", False):
        return True
    return isinstance(value, kind)


def _all(values: Any, kind: Any) -> bool:
    return all(fits(value, kind) for value in values)


def _tuple(value: object, parts: tuple[Any, ...]) -> bool:
    if not isinstance(value, (tuple, list)):
        return False
    if parts[1:] == (...,):
        return _all(value, parts[0])
    return len(value) == len(parts) and all(map(fits, value, parts))


def _one_of(value: object, parts: tuple[Any, ...]) -> bool:
    return any(fits(value, part) for part in parts)


_JUDGES: dict[Any, Callable[[Any, tuple[Any, ...]], bool]] = {
    Annotated: lambda value, parts: fits(value, parts[0]),
    Callable: lambda value, _: callable(value),
    Literal: lambda value, parts: any(type(value) is type(part) and value == part for part in parts),
    Union: _one_of,
    types.UnionType: _one_of,
    tuple: _tuple,
    type: lambda value, _: isinstance(value, type),
}
