"""Circuit breakers and fallbacks: declared beside the calls that they guard, seen by who wants to know."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from inspect import iscoroutinefunction, signature
from typing import Any, Concatenate, Literal, ParamSpec, TypedDict, TypeVar, Unpack, get_type_hints

import msgspec

from shoal.errors import DeclarationError
from shoal.model.breaker import Breaker
from shoal.service.marks import Operation, check_options, operations_of, placed
from shoal.service.source import of_caller, of_function

P = ParamSpec("P")
R = TypeVar("R")


class BreakerOptions(TypedDict, total=False):
    """What a breaker may be told."""

    timeout: float
    """Seconds until an attempt counts as failed; the operation's own when nothing is said."""
    error_threshold: float
    """Percent of calls that fail when the circuit opens; 50 when nothing is said."""
    volume_threshold: int
    """Calls within the window below which nothing is concluded; 10 when nothing is said."""
    reset_timeout: float
    """Seconds that it stays open before one call is let through to see; 30 when nothing is said."""
    window: float
    """Seconds over which calls are counted; 10 when nothing is said."""
    cached: float
    """Seconds for which the last good answer to the same question may stand in; none when nothing is said."""


class StandIn(msgspec.Struct, frozen=True, kw_only=True):
    """One answer that did not come from the callee."""

    call: str
    """Callee and operation, as ``products.prices``."""
    kind: Literal["cached", "default"]
    """Whether it is an earlier answer, or that of the fallback function."""
    age: float
    """Seconds since the callee gave it; 0 for a default."""
    reason: str
    """Why the callee did not answer."""


_noted: ContextVar[tuple[list[StandIn], ...]] = ContextVar("shoal_fallbacks", default=())


@contextmanager
def fallbacks() -> Iterator[list[StandIn]]:
    """Collect which answers within the block are fallbacks; also those of tasks that it starts.

    Nothing was one when the list stays empty.
    """
    found: list[StandIn] = []
    token = _noted.set((*_noted.get(), found))
    try:
        yield found
    finally:
        _noted.reset(token)


def note(stand_in: StandIn) -> None:
    """Tell every `fallbacks` block around that an answer is a fallback."""
    for found in _noted.get():
        found.append(stand_in)


class BreakerDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """What was said about one operation of a contract, or about all of them."""

    service: str
    operation: str
    """Empty for every operation of the service."""
    options: BreakerOptions
    function: Callable[..., Awaitable[Any]] | None = None
    source: str


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one operation."""

    breaker: Breaker
    function: Callable[..., Awaitable[Any]] | None


class BreakerDeclarations:
    """The part of `Service` on which breakers are declared."""

    name: str

    @cached_property
    def breakers(self) -> list[BreakerDeclaration]:
        """The breakers declared so far."""
        return []

    def breaker(self, call: type | Callable[..., Any], **options: Unpack[BreakerOptions]) -> None:
        """Stop asking a callee that fails: one circuit for an operation, or for all of a contract together.

        Args:
            call: An operation of a contract (``ProductsApi.prices``), or the contract itself.
            **options: See `BreakerOptions`.
        """
        place = of_caller()[1]
        whole = operations_of(call)
        if whole is None:
            found = _operation(call, place)
            self._declare(found.service, found, options, None, place)
            return
        if options.get("cached"):
            raise DeclarationError(
                f"a breaker of all of {getattr(call, '__name__', call)} keeps answers",
                hint="say cached= for the one operation whose old answers do no harm",
                where=place,
            )
        self._declare(next(iter(whole.values())).service, None, options, None, place)

    def fallback(
        self, method: Callable[Concatenate[Any, P], Awaitable[R]], **options: Unpack[BreakerOptions]
    ) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
        """Answer instead of an operation whose callee does not: same parameters, same type of answer.

        It stands in for outages (no answer in time, no connection, a status of 5xx, an open circuit), never for what
        the callee refuses (4xx). With ``cached=`` an earlier answer to the same question comes first.

        Args:
            method: An operation of a contract.
            **options: Of the operation's breaker; see `BreakerOptions`.
        """

        def declare(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
            place = of_function(function)
            operation = _operation(method, place)
            _check_function(method, operation, function, place)
            self._declare(operation.service, operation, options, function, place)
            return function

        return declare

    def guard(self, operation: Operation) -> Guard | None:
        """Say what holds for an operation; None when nothing was declared."""
        whole = next((b for b in self.breakers if b.service == operation.service and not b.operation), None)
        own = [b for b in self.breakers if (b.service, b.operation) == (operation.service, operation.name)]
        if whole is None and not own:
            return None
        spoken = [b for b in own if b.options]
        own_circuit = bool(spoken) or whole is None
        options = spoken[0].options if spoken else {} if whole is None else whole.options
        answering = next((b for b in own if b.function is not None), None)
        function = None if answering is None else answering.function
        guarding = spoken[0] if spoken else whole or own[0]
        breaker = Breaker(
            circuit=f"{operation.service}.{operation.name}" if own_circuit else operation.service,
            fallback=getattr(function, "__name__", ""),
            source=guarding.source,
            fallback_source="" if answering is None else answering.source,
            **options,
        )
        return Guard(breaker=breaker, function=function)

    def refuse_idle(self, called: Collection[tuple[str, str]]) -> None:
        """Refuse a breaker around what the service never calls; `called` are services and operations."""
        for known in self.breakers:
            if not any(known.service == service and known.operation in ("", name) for service, name in called):
                target = f"{known.service}.{known.operation}" if known.operation else known.service
                raise DeclarationError(
                    f"service {self.name} has a breaker for {target}, which it never calls",
                    hint="take the contract as a parameter of a handler, or remove the breaker",
                    where=known.source,
                )

    def _declare(
        self,
        service: str,
        operation: Operation | None,
        options: BreakerOptions,
        function: Callable[..., Awaitable[Any]] | None,
        place: str,
    ) -> None:
        name = "" if operation is None else operation.name
        target = f"{service}.{name}" if name else service
        check_options(f"the breaker of {target}", options, BreakerOptions.__annotations__, place)
        with placed(place):
            Breaker(circuit=target, **options)
        if operation is not None and operation.method != "GET" and options.get("cached"):
            raise DeclarationError(
                f"{target} is a {operation.method}: an earlier answer cannot stand in for doing it again",
                hint="leave out cached=",
                where=place,
            )
        for known in self.breakers:
            twice = bool(known.options and options) or bool(known.function and function) or not name
            if (known.service, known.operation) == (service, name) and twice:
                raise DeclarationError(
                    f"the breaker of {target} is declared twice, first at {known.source}",
                    hint="say everything in one place",
                    where=place,
                )
        self.breakers.append(
            BreakerDeclaration(service=service, operation=name, options=options, function=function, source=place)
        )


def _operation(method: Any, place: str) -> Operation:
    found = getattr(method, "__shoal_operation__", None)
    if isinstance(found, Operation) and found.service:
        return found
    raise DeclarationError(
        f"{getattr(method, '__qualname__', method)} is no operation of a contract",
        hint="name a contract, or a method of one",
        where=place,
    )


def _check_function(method: Any, operation: Operation, function: Callable[..., Any], place: str) -> None:
    wanted = [name for name in signature(method).parameters if name != "self"]
    taken = list(signature(function).parameters)
    if wanted != taken or not iscoroutinefunction(function):
        raise DeclarationError(
            f"the fallback of {operation.service}.{operation.name} takes ({', '.join(taken)})",
            hint=f"write async def {getattr(function, '__name__', '')}({', '.join(wanted)}), as the contract says",
            where=place,
        )


def check_fallbacks(declared: Collection[BreakerDeclaration], called: Collection[Any]) -> None:
    """Refuse a fallback that takes or answers another type than its operation; `called` are contracts."""
    methods = {
        (operation.service, name): getattr(contract, name)
        for contract in called
        for name, operation in (operations_of(contract) or {}).items()
    }
    for each in filter(lambda known: known.function is not None, declared):
        method = methods[each.service, each.operation]
        wanted, given = get_type_hints(method), get_type_hints(each.function)
        for name, kind in wanted.items():
            if name not in given or not _same(given[name], kind):
                odd, right = (getattr(k, "__name__", str(k)) for k in (given.get(name, "nothing"), kind))
                what = "answers" if name == "return" else f"takes {name} as"
                raise DeclarationError(
                    f"the fallback of {each.service}.{each.operation} {what} {odd}, not {right}",
                    hint=f"annotate it as the contract does: {right}",
                    where=each.source,
                )


def _same(given: Any, wanted: Any) -> bool:
    """Compare two annotations; a class of which the wanted one is a base will do."""
    classes = isinstance(given, type) and isinstance(wanted, type)
    return bool(given == wanted) or given is Any or wanted is Any or (classes and issubclass(given, wanted))
