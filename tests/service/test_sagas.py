"""Sagas are refused where they are declared, with the place of what is wrong."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from shoal import Clock, Postgres, Saga, Service, Transaction, model, pivot, retriable, step
from shoal.errors import DeclarationError
from shoal.service.describe import describe, describe_service
from tests.runtime.sagas import Travel, system

HERE = "tests/service/test_sagas.py:"


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    city: str


class Other(msgspec.Struct, frozen=True, kw_only=True):
    town: str


async def nothing(self: Saga[Trip], state: Trip) -> None: ...


undo: Any = nothing
careless_step: Any = step
careless_pivot: Any = pivot
careless_retriable: Any = retriable
careless_saga: Any = Saga
"""As somebody sees them who asks no type checker."""


def declare(build: Callable[[], type[Any]], name: str = "trip", *, store: bool = True, **options: Any) -> Service:
    service = Service("travel", store=Postgres() if store else None)
    service.saga(name, **options)(build())
    return service


def neither() -> type:
    class Bad(Saga[Trip]):
        @retriable()
        async def tell(self, state: Trip) -> None: ...

        async def forgotten(self, state: Trip) -> None: ...

    return Bad


def missing() -> type:
    class Bad(Saga[Trip]):
        @careless_step()  # type: ignore[untyped-decorator]
        async def book(self, state: Trip) -> None: ...

    return Bad


def bare() -> type:
    class Bad(Saga[Trip]):
        @careless_pivot  # type: ignore[untyped-decorator]
        async def book(self, state: Trip) -> None: ...

    return Bad


def two_pivots() -> type:
    class Bad(Saga[Trip]):
        @pivot()
        async def pay(self, state: Trip) -> None: ...

        @pivot()
        async def pay_again(self, state: Trip) -> None: ...

    return Bad


def step_after_pivot() -> type:
    class Bad(Saga[Trip]):
        @pivot()
        async def pay(self, state: Trip) -> None: ...

        @step(compensate=undo)
        async def book(self, state: Trip) -> None: ...

    return Bad


def pivot_after_retriable() -> type:
    class Bad(Saga[Trip]):
        @retriable()
        async def tell(self, state: Trip) -> None: ...

        @pivot()
        async def pay(self, state: Trip) -> None: ...

    return Bad


def empty() -> type:
    class Bad(Saga[Trip]):
        pass

    return Bad


def stateless() -> type:
    class Bad(careless_saga):  # type: ignore[misc]
        @retriable()
        async def tell(self, state: Trip) -> None: ...

    return Bad


def other_state() -> type:
    class Bad(Saga[Trip]):
        @retriable()
        async def tell(self, state: Other) -> None: ...

    return Bad


def other_result() -> type:
    class Bad(Saga[Trip]):
        @careless_retriable()  # type: ignore[untyped-decorator]
        async def tell(self, state: Trip) -> Other:
            return Other(town=state.city)

    return Bad


def synchronous() -> type:
    class Bad(Saga[Trip]):
        @careless_retriable()  # type: ignore[untyped-decorator]
        def tell(self, state: Trip) -> None: ...

    return Bad


def out_of_range() -> type:
    class Bad(Saga[Trip]):
        @retriable(attempts=0)
        async def tell(self, state: Trip) -> None: ...

    return Bad


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (neither, "Bad.forgotten is neither a step nor the compensation of one"),
        (missing, "step book has no compensation"),
        (bare, "a pivot step is declared without brackets"),
        (two_pivots, "saga trip has a second pivot, pay_again, after the pivot step pay"),
        (step_after_pivot, "saga trip has the compensatable step book after the pivot step pay"),
        (pivot_after_retriable, "saga trip has the pivot step pay after the retriable step tell"),
        (empty, "saga trip has no steps"),
        (stateless, "Bad does not say what it knows"),
        (other_state, "Bad.tell does not take the saga's state, Trip"),
        (other_result, "Bad.tell returns"),
        (synchronous, "Bad.tell is not asynchronous"),
        (out_of_range, "attempts=0 is out of range"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(build: Callable[[], type], says: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        declare(build)
    assert (
        says.replace("Bad", f"{build.__name__}.<locals>.Bad" if "Bad.tell" in says else "Bad") in refused.value.message
    )
    assert refused.value.where.startswith(HERE)
    assert int(refused.value.where.removeprefix(HERE)) > 30
    assert refused.value.hint


def good() -> type:
    class Good(Saga[Trip]):
        """A good one.

        It has more to say.
        """

        @step(compensate=undo, timeout=2.0, attempts=4, backoff=0.5)
        async def book(self, state: Trip, tx: Transaction, clock: Clock) -> Trip | None:
            return None

        @pivot()
        async def pay(self, state: Trip) -> None: ...

        @retriable()
        async def tell(self, state: Trip) -> Trip:
            return state

        async def _help(self) -> None: ...

    return Good


def test_names_are_labels_and_unique_and_need_a_store() -> None:
    for name in ("", "Trip", "a b", "x" * 41):
        with pytest.raises(DeclarationError, match="label"):
            declare(good, name)
    with pytest.raises(DeclarationError, match="has none"):
        declare(good, store=False)
    with pytest.raises(DeclarationError, match="timeout"):
        declare(good, timeout=0)
    service = declare(good)
    with pytest.raises(DeclarationError, match="twice"):
        service.saga("trip")(good())


def test_the_model_tells_steps_kinds_compensations_and_calls() -> None:
    travel = Travel()
    saga = describe_service(travel.service).sagas[0]
    assert [(s.name, s.kind, s.compensation, s.contained) for s in saga.steps] == [
        ("book_seat", "compensatable", "cancel_seat", True),
        ("book_room", "compensatable", "cancel_room", False),
        ("pay", "pivot", "", False),
        ("tell", "retriable", "", True),
    ]
    assert [s.calls for s in saga.steps] == [(), (), ("bank.charge",), ()]
    assert saga.state == {"$ref": "#/components/schemas/Trip"}
    assert saga.pivot is saga.steps[2]
    assert saga.summary == "A trip."


def test_calls_of_steps_are_dependencies_of_the_service() -> None:
    calls = describe_service(Travel().service).calls
    assert [(call.service, call.endpoint) for call in calls] == [("bank", "charge")]


def test_a_step_that_asks_for_what_nothing_provides_is_refused() -> None:
    service = Service("travel", store=Postgres())
    globals()["unprovided"] = service
    service.module = __name__

    @service.saga("trip")
    class Asking(Saga[Trip]):
        @retriable()
        async def tell(self, state: Trip, other: Other) -> None: ...

    with pytest.raises(DeclarationError, match=r"nothing provides 'other'") as refused:
        describe_service(service)
    assert refused.value.where.startswith(HERE)


def test_a_saga_survives_json() -> None:
    saga = describe_service(Travel().service).sagas[0]
    assert msgspec.json.decode(msgspec.json.encode(saga), type=model.Saga) == saga


def test_a_system_without_the_callee_of_a_step_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"travel calls bank\.charge, which does not exist"):
        describe(system(Travel()))
