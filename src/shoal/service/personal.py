"""Fields that say something of a person: what is stored and sent of them is ciphertext."""

import dataclasses
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec

from shoal.errors import DeclarationError
from shoal.service.source import of_class

T = TypeVar("T")

_EXTRA = "shoal_personal"
_MASK = "***"


class Unsaid(msgspec.Struct, frozen=True):
    """Stands where no value was declared."""


UNSAID = Unsaid()


class PersonalMark(msgspec.Struct, frozen=True, kw_only=True):
    """What `personal` says about a field."""

    of: str = ""
    find: bool = False
    unique: bool = False
    spelled: Callable[[Any], Any] | None = None
    erased: Any = UNSAID


class PersonalField(msgspec.Struct, frozen=True, kw_only=True):
    """One personal field of a record or an event."""

    name: str
    wire: str
    """Its name in JSON."""
    of: str
    """Field that names whose it is."""
    find: bool
    unique: bool
    spelled: Callable[[Any], Any] | None
    erased: Any
    """What is read once the person is erased."""

    @property
    def column(self) -> str:
        """Column of the keyed hash by which records are found; empty without one."""
        return f"{self.name}_find" if self.find else ""


def personal(
    *,
    of: str = "",
    find: bool = False,
    unique: bool = False,
    spelled: Callable[[Any], Any] | None = None,
    erased: Any = UNSAID,
) -> Any:
    """Mark a field as personal, within `Annotated`; `Personal` is the short form.

    Args:
        of: Field that holds the id of the person; the key of the record or event when nothing is said.
        find: Records can be found by it. The table has a column ``<field>_find`` for a keyed hash.
        unique: No two records have equal values; that column is unique. Includes `find`.
        spelled: Spells values that are to be found as equal in one way, such as `str.casefold`.
        erased: What is read once the person is erased; nothing said, None where the field may be None, else ``""``.
    """
    mark = PersonalMark(of=of, find=find or unique, unique=unique, spelled=spelled, erased=erased)
    return msgspec.Meta(extra_json_schema={"x-personal": True}, extra={_EXTRA: mark})


Personal: TypeAlias = Annotated[T, personal()]
"""A personal field: ``name: Personal[str]`` is a ``str`` to handlers and type checkers."""


def marks_of(cls: type | Callable[..., Any]) -> dict[str, PersonalMark]:
    """Return the marks of a class's own fields, or of a function's parameters, by name."""
    found = {}
    for name, hint in _hints(cls).items():
        mark = _mark(hint)
        if mark is not None:
            found[name] = mark
    return found


def personal_fields(cls: type, key: str) -> tuple[PersonalField, ...]:
    """List the personal fields of a record or an event.

    Args:
        cls: Its class.
        key: Its key, which names the person where a field does not say otherwise.
    """
    marks, hints = marks_of(cls), _hints(cls)
    for name, hint in hints.items():
        if name not in marks:
            _refuse_within(cls, name, hint)
    if not marks:
        return ()
    if key in marks:
        raise DeclarationError(
            f"{cls.__name__}.{key} is the key, which stays in the clear, but which is personal itself",
            hint="let the key be an id that says nothing of the person",
            where=of_class(cls),
        )
    wires = {f.name: f.encode_name for f in msgspec.structs.fields(cls)} if issubclass(cls, msgspec.Struct) else {}
    return tuple(
        PersonalField(
            name=name,
            wire=wires.get(name, name),
            of=_subject(cls, name, mark.of or key, marks, hints),
            find=mark.find,
            unique=mark.unique,
            spelled=mark.spelled,
            erased=_erased(cls, name, mark, hints[name]),
        )
        for name, mark in marks.items()
    )


def refuse_personal(cls: type, what: str) -> None:
    """Refuse personal fields where none can be: nothing there is encrypted."""
    marks = marks_of(cls)
    for name, hint in _hints(cls).items():
        if name not in marks:
            _refuse_within(cls, name, hint)
    for name in marks:
        raise DeclarationError(
            f"{what} {cls.__name__} has the personal field {name!r}, but is kept in the clear",
            hint="keep personal data in records and events, and only the person's id here",
            where=of_class(cls),
        )


def masking(cls: type) -> None:
    """Let the `repr` of a class show nothing of its personal fields."""
    plain: Callable[[Any], str] = cls.__repr__  # type: ignore[assignment]  # of the class, not bound

    def masked(self: object) -> str:
        marks = _known(type(self))
        if not marks:
            return plain(self)
        names: tuple[str, ...] = getattr(cls, "__struct_fields__", None) or tuple(_hints(cls))
        shown = [f"{n}={_MASK if n in marks else repr(getattr(self, n, None))}" for n in names]
        return f"{type(self).__name__}({', '.join(shown)})"

    cls.__repr__ = masked  # type: ignore[assignment]


_marks: dict[type, dict[str, PersonalMark]] = {}


def _known(cls: type) -> dict[str, PersonalMark]:
    if cls not in _marks:
        _marks[cls] = marks_of(cls)
    return _marks[cls]


def _hints(cls: type | Callable[..., Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def _mark(hint: Any) -> PersonalMark | None:
    """Find the mark of a field: on its type, or on one that it is a union of, as in ``Personal[str] | None``."""
    for part in getattr(hint, "__metadata__", ()):
        extra = getattr(part, "extra", None)
        mark = extra.get(_EXTRA) if isinstance(extra, dict) else None
        if isinstance(mark, PersonalMark):
            return mark
    parts = typing.get_args(hint) if _is_union(hint) else ()
    return next((mark for part in parts if (mark := _mark(part)) is not None), None)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _refuse_within(cls: type, name: str, hint: Any) -> None:
    """Refuse a mark within the type of a field: nothing there would be sealed."""
    inner = _within(hint, set())
    if inner:
        raise DeclarationError(
            f"{cls.__name__}.{name} has something personal within it ({inner}), which would be kept in the clear",
            hint=f"mark the whole field: {name}: Annotated[..., personal(erased=...)]",
            where=of_class(cls),
        )


def _within(hint: Any, seen: set[Any]) -> str:
    """Say where something within a type is marked as personal; empty when nothing is."""
    if _mark(hint) is not None:
        return "its items"
    for part in typing.get_args(hint):
        if not isinstance(part, msgspec.Meta) and (found := _within(part, seen)):
            return found
    kind = typing.get_origin(hint) or hint
    if not isinstance(kind, type) or kind in seen or not _has_fields(kind):
        return ""
    seen.add(kind)
    for name, part in _hints(kind).items():
        if _mark(part) is not None or _within(part, seen):
            return f"{kind.__name__}.{name}"
    return ""


def _has_fields(kind: type) -> bool:
    return issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind) or hasattr(kind, "model_fields")


def _subject(cls: type, name: str, of: str, marks: dict[str, PersonalMark], hints: dict[str, Any]) -> str:
    if of == name or of in marks:
        raise DeclarationError(
            f"{cls.__name__}.{name} is personal and belongs to {of!r}, which is personal itself",
            hint="name the field with the person's id, which stays in the clear: personal(of=...)",
            where=of_class(cls),
        )
    if of not in hints:
        raise DeclarationError(
            f"{cls.__name__}.{name} is personal but nothing says whose it is",
            hint=f"name the field with the person's id: personal(of=...); the fields are: {', '.join(hints)}",
            where=of_class(cls),
        )
    return of


def _kinds(hint: Any) -> set[Any]:
    """List what a type is a union of."""
    if hasattr(hint, "__metadata__"):
        return _kinds(typing.get_args(hint)[0])
    return {kind for part in typing.get_args(hint) for kind in _kinds(part)} if _is_union(hint) else {hint}


def _erased(cls: type, name: str, mark: PersonalMark, hint: Any) -> Any:
    if not isinstance(mark.erased, Unsaid):
        return mark.erased
    kinds = _kinds(hint)
    if type(None) in kinds:
        return None
    if kinds == {str}:
        return ""
    raise DeclarationError(
        f"{cls.__name__}.{name} is personal, and nothing says what is read once the person is erased",
        hint="declare it, personal(erased=...), or let the field be None",
        where=of_class(cls),
    )
