"""`@service.cached`: functions whose results are kept."""

import functools
import hashlib
import inspect
import typing
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import ContextVar
from typing import Any, ParamSpec, Protocol, TypeVar

import msgspec

from shoal.errors import DeclarationError
from shoal.model.cache import CacheUse
from shoal.service import codec
from shoal.service.marks import event_mark
from shoal.service.source import of_caller, of_function

P = ParamSpec("P")
R = TypeVar("R")

LONGEST = 86_400.0
"""Seconds for which a result may be kept."""

_LONG = 200
"""Characters beyond which a key is replaced by its hash."""


class CachedFunction(msgspec.Struct, frozen=True, kw_only=True):
    """A function whose results are kept."""

    name: str
    reader: codec.Codec[Any]
    ttl: float
    stale: float
    absent: float
    until: tuple[str, ...]
    """Ids of the events that end a result."""
    source: str

    def key(self, spelled: str) -> str:
        """Name the result for the spelled value of its key."""
        if len(spelled) > _LONG:
            spelled = "#" + hashlib.blake2b(spelled.encode(), digest_size=32).hexdigest()
        return f"@{self.name}/{spelled}"


class Remembering(Protocol):
    """Keeps results, for one running service."""

    async def through(self, function: CachedFunction, key: str, make: Callable[[], Awaitable[Any]]) -> Any:
        """Return a kept result, or one that `make` makes."""
        ...


remembering: ContextVar[Remembering | None] = ContextVar("shoal_remembering", default=None)
"""Of the service whose code runs; without one, functions are just called."""


class CachedDeclarations:
    """The part of `Service` that declares functions whose results are kept."""

    name: str
    source: str
    cache: CacheUse | None

    @functools.cached_property
    def remembered(self) -> dict[str, CachedFunction]:
        """Those functions, by name."""
        return {}

    def cached(
        self,
        *,
        ttl: float,
        key: str | Sequence[str] = (),
        stale: float = 0.0,
        absent: float = 0.0,
        until: Sequence[type] = (),
    ) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
        """Keep the results of an asynchronous function, for all replicas.

        However many ask for a missing result at once, in whichever replicas, the function runs once and the others
        wait for it. While the cache is away it runs once in each replica. Called with a transaction that has written
        something it just runs: what is not committed is nobody else's.

        Args:
            ttl: Seconds for which a result is given.
            key: Names of the parameters that tell results apart; all of them when nothing is said.
            stale: Further seconds in which one caller makes a new result while all others still get the old one, who
                also get it when that fails.
            absent: Seconds for which it is remembered that there was nothing (None); 0 asks again each time.
            until: Events that end the result whose key is the event's key.
        """
        place = of_caller()[1]
        _check_times(place, ttl, stale, absent)
        ends = tuple(event_mark(kind, place).id for kind in until)

        def declare(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
            names = _names(function, (key,) if isinstance(key, str) else tuple(key), place)
            declared = _declared(function, place, (ttl, stale, absent), ends)
            _check_events(declared, names, place)
            self._remember(declared, place)
            return _keeping(function, declared, names)

        return declare

    def _remember(self, declared: CachedFunction, place: str) -> None:
        if declared.name in self.remembered:
            raise DeclarationError(
                f"service {self.name} keeps the results of two functions called {declared.name}",
                hint="rename one",
                where=place,
            )
        self.remembered[declared.name] = declared


def _declared(
    function: Callable[..., Any], place: str, times: tuple[float, float, float], until: tuple[str, ...]
) -> CachedFunction:
    ttl, stale, absent = times
    reader: codec.Codec[Any] = codec.Codec(_returned(function, place))
    return CachedFunction(
        name=function.__name__, reader=reader, ttl=ttl, stale=stale, absent=absent, until=until,
        source=of_function(function),
    )  # fmt: skip


def spelled(values: Sequence[Any]) -> str:
    """Write the values of a key; a single one as events have it as their key."""
    if len(values) != 1:
        return codec.encode(list(values)).decode()
    (plain,) = map(codec.to_plain, values)
    return plain if isinstance(plain, str) else codec.encode(plain).decode()


def forgetting(service: CachedDeclarations) -> dict[str, tuple[CachedFunction, ...]]:
    """Collect the functions whose results each event ends."""
    functions = service.remembered.values()
    events = {event: None for function in functions for event in function.until}
    return {event: tuple(f for f in functions if event in f.until) for event in events}


def _keeping(
    function: Callable[P, Coroutine[Any, Any, R]], declared: CachedFunction, names: tuple[str, ...]
) -> Callable[P, Coroutine[Any, Any, R]]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    async def kept(*args: P.args, **kwargs: P.kwargs) -> R:
        keeper = remembering.get()
        if keeper is None:
            return await function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        if any(getattr(value, "uncommitted", None) is True for value in bound.arguments.values()):
            return await function(*args, **kwargs)  # of a transaction: what is not committed is not to be kept
        bound.apply_defaults()
        key = declared.key(spelled([bound.arguments[name] for name in names]))
        found: R = await keeper.through(declared, key, lambda: function(*args, **kwargs))
        return found

    return kept


def _check_times(place: str, ttl: float, stale: float, absent: float) -> None:
    if not 0 < ttl <= LONGEST or not 0 <= stale <= LONGEST or not 0 <= absent <= LONGEST:
        raise DeclarationError(
            f"results kept for ttl={ttl!r}, stale={stale!r}, absent={absent!r} s",
            hint=f"use 0 < ttl, 0 <= stale and 0 <= absent, each up to {LONGEST:g}",
            where=place,
        )


def _names(function: Callable[..., Any], given: tuple[str, ...], place: str) -> tuple[str, ...]:
    if not inspect.iscoroutinefunction(function):
        raise DeclarationError(f"{function!r} is not asynchronous", hint="write `async def`", where=place)
    known = typing.get_type_hints(function)
    there = list(inspect.signature(function).parameters)
    for name in given or there:
        if name not in there:
            raise DeclarationError(
                f"{function.__name__} has no parameter {name!r} to tell its results apart by",
                hint=f"its parameters are: {', '.join(there) or 'none'}",
                where=place,
            )
        if not given and not _is_plain(known.get(name)):
            raise DeclarationError(
                f"results of {function.__name__} cannot be told apart by {name!r}",
                hint=f'name what tells them apart: key="{next((n for n in there if _is_plain(known.get(n))), name)}"',
                where=place,
            )
    return given or tuple(there)


def _is_plain(kind: Any) -> bool:
    """Tell whether a value of this type means the same in every process."""
    if kind is None or getattr(kind, "_is_protocol", False):
        return False
    try:
        codec.Codec(kind)
    except DeclarationError:
        return False
    return not isinstance(kind, type) or msgspec.inspect.type_info(kind) != msgspec.inspect.CustomType(kind)


def _returned(function: Callable[..., Any], place: str) -> Any:
    hints = typing.get_type_hints(function)
    if "return" not in hints:
        raise DeclarationError(f"{function.__name__} does not say what it returns", hint="annotate it", where=place)
    return hints["return"]


def _check_events(declared: CachedFunction, names: tuple[str, ...], place: str) -> None:
    if declared.until and len(names) != 1:
        raise DeclarationError(
            f"results of {declared.name} are told apart by {' and '.join(names) or 'nothing'}, which no event's key is",
            hint='name the one parameter that the events have as their key: key="sku"',
            where=place,
        )
