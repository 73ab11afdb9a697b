"""Upcasters: pure functions by which an event of an older version reaches the handler of a newer one."""

import inspect
import typing
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from shoal.errors import DeclarationError
from shoal.service import codec
from shoal.service.marks import EventMark, version_mark
from shoal.service.source import of_function

Old = TypeVar("Old")
New = TypeVar("New")

_HINT = "write: @upcast\ndef to_v2(old: ThingHappenedV1) -> ThingHappened: ..."


class Upcast(Generic[Old, New]):
    """A pure function from an older version of an event to a newer one; call it like the function that it was."""

    __slots__ = ("__name__", "function", "new", "old", "source")

    def __init__(self, function: Callable[[Old], New], old: type[Old], new: type[New]) -> None:
        self.function, self.old, self.new = function, old, new
        self.source = of_function(function)
        self.__name__ = function.__name__

    def __call__(self, old: Old) -> New:
        """Turn an event of the older version into one of the newer."""
        return self.function(old)

    def __repr__(self) -> str:
        """Show the name and the versions."""
        return f"<upcast {self.__name__}: {version_mark(self.old).id} to {version_mark(self.new).id}>"


def upcast(function: Callable[[Old], New]) -> Upcast[Old, New]:
    """Declare a pure function as the way from an older version of an event to a newer one.

    Its annotations say which: ``def to_v2(old: OrderPlacedV1) -> OrderPlaced``. Name it where the newer version is
    handled: ``@service.on(OrderPlaced, upcasters=[to_v2])``.

    Raises:
        DeclarationError: The annotations are not two versions of one event, the older one first.
    """
    old, new = _annotated(function)
    before, after = _mark(function, old), _mark(function, new)
    if before.name != after.name or before.version >= after.version:
        raise DeclarationError(
            f"upcaster {function.__name__} leads from {before.id} to {after.id}",
            hint="an upcaster leads from an older version of an event to a newer version of the same event",
            where=of_function(function),
        )
    return Upcast(function, old, new)


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """The whole way from one older version to the version that a handler takes."""

    event: EventMark
    """The older version."""
    kind: type
    steps: tuple[Upcast[Any, Any], ...]


def chains(kind: type, upcasters: Sequence[Any], place: str) -> tuple[Chain, ...]:
    """Compose upcasters into one way to `kind` from each older version, the newest first.

    Raises:
        DeclarationError: Something is no upcaster, leads elsewhere, or two lead from one version.
    """
    by_old: dict[type, Upcast[Any, Any]] = {}
    for given in upcasters:
        if not isinstance(given, Upcast):
            name = getattr(given, "__name__", repr(given))
            raise DeclarationError(f"{name} is no upcaster", hint="decorate it with @upcast", where=place)
        first = by_old.setdefault(given.old, given)
        if first is not given:
            raise DeclarationError(
                f"{version_mark(given.old).id} has two upcasters, {first.__name__} and {given.__name__}",
                hint="keep one of them",
                where=given.source,
            )
    found = [_chain(kind, old, by_old) for old in by_old]
    return tuple(sorted(found, key=lambda chain: -chain.event.version))


class Upcasting(codec.Codec[Any]):
    """Reads an event of an older version and turns it into the one that the handler takes."""

    __slots__ = ("_plain", "_steps")

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain.kind)
        self._steps, self._plain = chain.steps, self.read
        self.read = self._read  # the bare door leads through the steps as well

    def decode(self, body: bytes) -> Any:
        """Read JSON of the older version, or raise `codec.Malformed`; then apply the steps."""
        return self._climb(super().decode(body))

    def from_plain(self, value: object) -> Any:
        """Read plain values of the older version, or raise `codec.Malformed`; then apply the steps."""
        return self._climb(super().from_plain(value))

    def _read(self, body: Any, /) -> Any:
        return self._climb(self._plain(body))

    def _climb(self, event: Any) -> Any:
        for step in self._steps:
            event = step.function(event)
        return event


def _chain(kind: type, old: type, by_old: dict[type, Upcast[Any, Any]]) -> Chain:
    steps = [by_old[old]]
    while steps[-1].new is not kind:  # ends: versions only grow
        following = by_old.get(steps[-1].new)
        if following is None:
            reached, wanted = version_mark(steps[-1].new).id, version_mark(kind).id
            raise DeclarationError(
                f"upcaster {steps[-1].__name__} leads to {reached}, the handler takes {wanted}",
                hint=f"add an upcaster from {reached} to {wanted}, or remove this one",
                where=steps[-1].source,
            )
        steps.append(following)
    return Chain(event=version_mark(old), kind=old, steps=tuple(steps))


def _annotated(function: Callable[..., Any]) -> tuple[Any, Any]:
    """Read the types of the one parameter and of the result."""
    where = of_function(function)
    try:
        hints = typing.get_type_hints(function)
    except NameError as error:
        raise DeclarationError(
            f"an annotation of upcaster {function.__name__} cannot be resolved: {error}",
            hint="define both versions above the upcaster",
            where=where,
        ) from error
    parameters = list(inspect.signature(function).parameters.values())
    if inspect.iscoroutinefunction(function) or len(parameters) != 1:
        raise DeclarationError(
            f"upcaster {function.__name__} is not a plain function of one event", hint=_HINT, where=where
        )
    if parameters[0].name not in hints or "return" not in hints:
        raise DeclarationError(
            f"upcaster {function.__name__} does not say from what to what it leads", hint=_HINT, where=where
        )
    return hints[parameters[0].name], hints["return"]


def _mark(function: Callable[..., Any], kind: Any) -> EventMark:
    if not isinstance(kind, type) or not (hasattr(kind, "__shoal_event__") or hasattr(kind, "__shoal_fact__")):
        raise DeclarationError(
            f"upcaster {function.__name__} names {getattr(kind, '__name__', kind)}, which is no event and no fact",
            hint=_HINT,
            where=of_function(function),
        )
    return version_mark(kind)
