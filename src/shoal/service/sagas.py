"""Sagas as authors declare them: a class of explicit steps, each with what undoes it."""

import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

import msgspec

from shoal.errors import DeclarationError
from shoal.model.saga import Saga as SagaModel
from shoal.model.saga import Step, StepKind
from shoal.model.store import Store
from shoal.service.marks import build_policy, check_options
from shoal.service.source import of_caller, of_class, of_function

S = TypeVar("S")
C = TypeVar("C", bound="Saga[Any]")
P = ParamSpec("P")
Q = ParamSpec("Q")
Work = Callable[..., Awaitable[Any]]


class Saga(Generic[S]):
    """Base of every saga, over the type of what it knows; ``self`` of its steps is the saga that is under way.

    A step is an asynchronous method that takes the state, and whatever else is injected by type. It returns the new
    state, or None to leave it as it is. Its changes in the service's store and the saga's progress commit together.
    What it does elsewhere may happen again after a failure; calls of idempotent operations of other services carry a
    key of their own for that, and `idempotency_key` serves for everything else.

    A compensation undoes its step *if* it happened: the step that failed is undone as well, since an earlier attempt of
    it may have happened without our hearing of it. Only where all its effects lie in its transaction it is not.
    """

    id: str
    """Unique: the saga's name and its key."""
    key: str
    """What `Transaction.start` was given, or a random one."""
    idempotency_key: str
    """The same for every attempt of this step, and different for its compensation."""


class StepMark(msgspec.Struct, frozen=True, kw_only=True):
    """What a decorator says about a method."""

    step: Step
    compensate: Work | None = None


class StepDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """One step, and the methods that do and undo it."""

    step: Step
    work: Work
    compensate: Work | None = None


class SagaDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of saga."""

    name: str
    kind: type[Saga[Any]]
    state: Any
    """Type of what it knows."""
    model: SagaModel
    """Without schema and calls, which need the whole service."""
    steps: tuple[StepDeclaration, ...]

    def works(self) -> tuple[Work, ...]:
        """List every method that the framework may call, bound as handlers are."""
        found = [work for step in self.steps for work in (step.work, step.compensate) if work is not None]
        return tuple(bound(self.kind, work) for work in found)


class _StepMaker(Protocol):
    """The type of `step`."""

    def __call__(
        self,
        *,
        compensate: Callable[Concatenate[C, S, Q], Awaitable[S | None]],
        timeout: float = 25.0,
        attempts: int = 8,
        backoff: float = 0.2,
    ) -> Callable[
        [Callable[Concatenate[C, S, P], Awaitable[S | None]]], Callable[Concatenate[C, S, P], Awaitable[S | None]]
    ]:
        """Declare a step that `compensate` undoes.

        Args:
            compensate: Method of the same class that undoes the step, if it happened.
            timeout: Seconds until one attempt is cancelled; of the compensation, too.
            attempts: Failed attempts after which the saga is undone; of the compensation, after which it is parked.
            backoff: Seconds before the second attempt; doubles each time up to a minute, with jitter.
        """
        ...


class _PlainMaker(Protocol):
    """The type of `pivot` and `retriable`."""

    def __call__(
        self, *, timeout: float = 25.0, attempts: int = 8, backoff: float = 0.2
    ) -> Callable[
        [Callable[Concatenate[C, S, P], Awaitable[S | None]]], Callable[Concatenate[C, S, P], Awaitable[S | None]]
    ]:
        """Declare a step that is never undone.

        A pivot is the point of no return: once it is done, the saga only goes on. A retriable step comes after it, or
        after the last step with a compensation, and must succeed in the end. Neither is given up as long as nobody
        knows whether it happened: after its attempts the saga is parked for an operator.

        Args:
            timeout: Seconds until one attempt is cancelled.
            attempts: Failed attempts after which the saga is parked, or undone where the pivot surely did not happen.
            backoff: Seconds before the second attempt; doubles each time up to a minute, with jitter.
        """
        ...


_BOUNDS = ("timeout", "attempts", "backoff")


def _maker(kind: StepKind) -> Any:
    """Make a decorator that tells an author what is missing, where a signature could only raise `TypeError`."""

    def make(*given: object, compensate: Work | None = None, **bounds: float) -> Callable[[Work], Work]:
        place = of_caller()[1]
        if given:
            use = "step(compensate=...)" if kind == "compensatable" else f"{kind}()"
            raise DeclarationError(f"a {kind} step is declared without brackets", hint=f"write @{use}", where=place)
        check_options(f"a {kind} step", bounds, _BOUNDS, place)
        policy = build_policy(
            place,
            timeout=bounds.get("timeout", 25.0),
            attempts=int(bounds.get("attempts", 8)),
            backoff=bounds.get("backoff", 0.2),
        )

        def mark(work: Work) -> Work:
            described = Step(
                name=getattr(work, "__name__", ""),
                kind=kind,
                compensation=getattr(compensate, "__name__", "") if compensate is not None else "",
                timeout=policy.timeout,
                attempts=policy.attempts,
                backoff=policy.backoff,
                source=of_function(work),
            )
            work.__shoal_step__ = StepMark(step=described, compensate=compensate)  # type: ignore[attr-defined]
            return work

        return mark

    return make


step: _StepMaker = _maker("compensatable")
pivot: _PlainMaker = _maker("pivot")
retriable: _PlainMaker = _maker("retriable")


class SagaDeclarations:
    """The part of `Service` on which sagas are declared."""

    name: str
    store: Store | None
    background: list[Work]

    @cached_property
    def sagas(self) -> list[SagaDeclaration]:
        """The sagas declared so far."""
        return []

    def saga(self, name: str, *, timeout: float = 86_400.0) -> Callable[[type[C]], type[C]]:
        """Declare a class as a saga of this service; `Transaction.start` begins one.

        Args:
            name: DNS label of the saga, unique within the service; what is under way is found by it.
            timeout: Seconds until a saga that has not passed its point of no return is undone. Within this time it
                waits for services that are away without using up attempts.
        """

        def declare(kind: type[C]) -> type[C]:
            declared = read_saga(kind, name, timeout)
            if any(known.name == name or known.kind is kind for known in self.sagas):
                raise DeclarationError(
                    f"service {self.name} declares saga {name} twice", hint="rename one", where=declared.model.source
                )
            if self.store is None:
                raise DeclarationError(
                    f"saga {name} keeps its progress in a store, but service {self.name} has none",
                    hint=f'declare Service("{self.name}", store=Postgres())',
                    where=declared.model.source,
                )
            self.sagas.append(declared)
            self.background.extend(declared.works())
            return kind

        return declare


def read_saga(kind: type[Saga[Any]], name: str, timeout: float) -> SagaDeclaration:
    """Read a class as a saga, or raise `DeclarationError` that shows the method which is none of its parts."""
    place = of_class(kind)
    marks = {attribute: _mark(member) for attribute, member in vars(kind).items()}
    marked = {attribute: mark for attribute, mark in marks.items() if mark is not None}
    state = _state(kind, place)
    _refuse_unmarked(kind, [mark for mark in marked.values() if mark.compensate is not None], list(marked))
    steps = tuple(
        StepDeclaration(step=mark.step, work=getattr(kind, attribute), compensate=mark.compensate)
        for attribute, mark in marked.items()
    )
    for declared in steps:
        for work in (declared.work, declared.compensate):
            if work is not None:
                _check_state(work, state)
    described = SagaModel(
        name=name,
        steps=tuple(declared.step for declared in steps),
        timeout=timeout,
        summary=(inspect.getdoc(kind) or "").partition("\n")[0] if kind.__doc__ else "",
        source=place,
    )
    return SagaDeclaration(name=name, kind=kind, state=state, model=described, steps=steps)


def bound(kind: type[Saga[Any]], work: Work) -> Work:
    """Bind a method to a saga that says nothing, so that its signature reads as that of any handler."""
    method: Work = work.__get__(kind.__new__(kind), kind)
    return method


def under_way(kind: type[C], values: Mapping[str, str]) -> C:
    """Make the ``self`` of one attempt."""
    made = kind.__new__(kind)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def _mark(member: object) -> StepMark | None:
    found = getattr(member, "__shoal_step__", None)
    return found if isinstance(found, StepMark) else None


def _state(kind: type, place: str) -> Any:
    """Read the state's type from ``Saga[State]``."""
    for base in getattr(kind, "__orig_bases__", ()):
        if typing.get_origin(base) is Saga and not isinstance(typing.get_args(base)[0], TypeVar):
            return typing.get_args(base)[0]
    raise DeclarationError(
        f"{kind.__name__} does not say what it knows", hint=f"write: class {kind.__name__}(Saga[State])", where=place
    )


def _refuse_unmarked(kind: type, undone: list[StepMark], steps: list[str]) -> None:
    """Refuse a public coroutine that is neither a step nor a compensation: somebody forgot to say what it is."""
    compensations = [mark.compensate for mark in undone]
    for attribute, member in vars(kind).items():
        is_work = inspect.iscoroutinefunction(member) and not attribute.startswith("_")
        if is_work and attribute not in steps and member not in compensations:
            raise DeclarationError(
                f"{kind.__name__}.{attribute} is neither a step nor the compensation of one",
                hint="decorate it with @step(compensate=...), @pivot() or @retriable(); a helper starts with '_'",
                where=of_function(member),
            )


def _check_state(work: Work, state: Any) -> None:
    """Refuse a method whose first parameter is not the state."""
    place, name = of_function(work), getattr(work, "__qualname__", repr(work))
    spelled = getattr(state, "__name__", str(state))
    if not inspect.iscoroutinefunction(work):
        raise DeclarationError(f"{name} is not asynchronous", hint="write `async def`", where=place)
    parameters = list(inspect.signature(work).parameters)
    try:
        hints = typing.get_type_hints(work)
    except NameError as error:
        raise DeclarationError(
            f"an annotation of {name} cannot be resolved: {error}",
            hint="define the type above the saga, and import it at run time",
            where=place,
        ) from error
    if len(parameters) < 2 or hints.get(parameters[1]) != state:
        raise DeclarationError(
            f"{name} does not take the saga's state, {spelled}, as its first parameter",
            hint=f"write: async def {getattr(work, '__name__', '')}(self, state: {spelled}, ...)",
            where=place,
        )
    returned = hints.get("return", state)
    options = set(typing.get_args(returned)) - {type(None)} if typing.get_args(returned) else {returned}
    if returned is not type(None) and returned != state and options != {state}:
        raise DeclarationError(
            f"{name} returns {returned!r}, which is neither the saga's state nor None",
            hint=f"return {spelled}, or None to leave it as it is",
            where=place,
        )
