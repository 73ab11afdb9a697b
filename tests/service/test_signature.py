"""Where each parameter comes from, and every signature that is refused, with its line."""

import datetime as dt
import enum
import inspect
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType, Protocol

import msgspec
import pytest

from shoal import (
    Clock,
    Deadline,
    Header,
    Page,
    PageRequest,
    Postgres,
    Principal,
    Reply,
    Service,
    Settings,
    Transaction,
    anyone,
    contract,
    event,
    get,
)
from shoal.errors import DeclarationError
from shoal.service.signature import analyse
from tests.service.bound import described


class Colour(enum.Enum):
    RED = "red"


class Body(msgspec.Struct):
    name: str


@dataclass(frozen=True)
class Gauge:
    value: int


class Options(Settings, frozen=True, kw_only=True):
    url: str = ""


@event("sig.happened", key="name")
class Happened(msgspec.Struct):
    name: str


@contract("other")
class OtherApi(Protocol):
    @get("/things")
    async def things(self) -> list[str]: ...


UserId = NewType("UserId", str)
Count = Annotated[int, msgspec.Meta(ge=1)]


def service(**more: Any) -> Service:
    return Service("sig", store=Postgres(), publishes=[Happened], settings=Options, **more)


def test_each_parameter_has_its_place() -> None:
    sig = service()

    @sig.provide
    def gauge() -> Gauge:
        return Gauge(1)

    async def sent(
        number: int,
        user: UserId,
        body: Body,
        colour: Colour,
        tags: list[str],
        device: Annotated[str, Header("X-Device")],
        limit: Count | None = None,
    ) -> Reply[Page[Body]]:
        raise NotImplementedError

    async def injected(
        tx: Transaction,
        clock: Clock,
        page: PageRequest,
        options: Options,
        gauge: Gauge,
        other: OtherApi,
        principal: Principal | None = None,
    ) -> None: ...

    found = analyse(sig, sent, path="/a/{number}/b/{user}", body=True)
    assert [p.place for p in found.params] == ["path", "path", "body", "query", "query", "header", "query"]
    assert [p.name for p in found.params if not p.required] == ["limit"]
    assert found.at("header")[0].wire == "X-Device"
    assert found.returns == Page[Body]
    found = analyse(sig, injected, path="/a")
    assert {p.place for p in found.params} == {"injected"}
    assert [p.name for p in found.params if not p.required] == ["principal"]


@pytest.mark.parametrize(
    "kind", [str, int, float, bool, Decimal, uuid.UUID, dt.datetime, dt.date, Colour, Literal["a", "b"], UserId, Count]
)
def test_a_scalar_fits_path_query_and_header(kind: Any) -> None:
    async def handler(one, two, three) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001

    handler.__annotations__ |= {"one": kind, "two": kind, "three": Annotated[kind, Header("X-Three")]}
    found = analyse(service(), handler, path="/{one}")
    assert [p.place for p in found.params] == ["path", "query", "header"]


def test_an_event_handler_takes_the_event_and_what_is_injected() -> None:
    async def handler(event: Happened, tx: Transaction, deadline: Deadline, other: OtherApi) -> None: ...

    assert [p.place for p in analyse(service(), handler, event=Happened).params] == ["event", *["injected"] * 3]


class Refusals:
    """Each method declares one thing that is refused; its docstring is what the message says, and the hint."""

    def untyped(self, sig: Service) -> Callable[..., Any]:
        """Parameter 'q' of .* has no type | annotate it."""

        @sig.get("/a")
        async def handler(q) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001

        return handler

    def synchronous(self, sig: Service) -> Callable[..., Any]:
        """Is not asynchronous | async def."""

        def handler() -> None: ...

        sig.get("/a")(handler)  # type: ignore[type-var]
        return handler

    def two_bodies(self, sig: Service) -> Callable[..., Any]:
        """More than one body: one and two | @sig.provide."""

        @sig.post("/a")
        async def handler(one: Body, two: Body) -> None: ...

        return handler

    def body_of_a_get(self, sig: Service) -> Callable[..., Any]:
        """Nothing provides 'body' of .*: Body | @sig.provide."""

        @sig.get("/a")
        async def handler(body: Body) -> None: ...

        return handler

    def unprovided(self, sig: Service) -> Callable[..., Any]:
        """Nothing provides 'gauge' of .*: Gauge | settings=."""

        @sig.get("/a")
        async def handler(gauge: Gauge) -> None: ...

        return handler

    def structured_path(self, sig: Service) -> Callable[..., Any]:
        """'body' of .* cannot come from a path: Body | a text."""

        @sig.post("/a/{body}")
        async def handler(body: Body) -> None: ...

        return handler

    def structured_header(self, sig: Service) -> Callable[..., Any]:
        """'many' of .* cannot come from a header | a text."""

        @sig.get("/a")
        async def handler(many: Annotated[list[int], Header("X-Many")]) -> None: ...

        return handler

    def stars(self, sig: Service) -> Callable[..., Any]:
        """Parameter 'more' of .* cannot be given by name | plain parameters."""

        @sig.get("/a")
        async def handler(*more: int) -> None: ...

        return handler

    def positional(self, sig: Service) -> Callable[..., Any]:
        """Parameter 'q' of .* cannot be given by name | before '/'."""

        @sig.get("/a")
        async def handler(q: int, /) -> None: ...

        return handler

    def missing_from_path(self, sig: Service) -> Callable[..., Any]:
        """Disagree about: order_id | name each."""

        @sig.get("/a/{order_id}")
        async def handler(id: str) -> None: ...

        return handler

    def without_answer(self, sig: Service) -> Callable[..., Any]:
        """Refused: does not say what it answers | -> None."""

        @sig.get("/a")
        async def handler(q: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
            ...

        return handler

    def bare_reply(self, sig: Service) -> Callable[..., Any]:
        """Refused: does not say what it answers | Reply."""

        @sig.get("/a")
        async def handler() -> Reply:  # type: ignore[type-arg]
            raise NotImplementedError

        return handler

    def principal_of_an_event(self, sig: Service) -> Callable[..., Any]:
        """Asks for 'who', which exists only within an HTTP request | from the event."""

        @sig.on(Happened)
        async def handler(event: Happened, who: Principal) -> None: ...

        return handler

    def header_of_an_event(self, sig: Service) -> Callable[..., Any]:
        """Asks for 'device', which exists only | from the event."""

        @sig.on(Happened)
        async def handler(event: Happened, device: Annotated[str, Header("X-D")]) -> None: ...

        return handler

    def event_handler_without_event(self, sig: Service) -> Callable[..., Any]:
        """Refused: handles Happened but has no parameter | event: Happened."""

        @sig.on(Happened)  # type: ignore[arg-type]
        async def handler(tx: Transaction) -> None: ...

        return handler

    def scalar_of_a_seed(self, sig: Service) -> Callable[..., Any]:
        """Asks for 'count', which exists only within an HTTP request | settings."""

        @sig.seed("first")
        async def handler(tx: Transaction, count: int = 3) -> None: ...

        return handler

    def provider_of_nothing(self, sig: Service) -> Callable[..., Any]:
        """Refused: does not say what it returns | annotate it."""

        @sig.provide
        def handler():  # type: ignore[no-untyped-def]  # noqa: ANN202
            return 1

        return handler

    def provider_of_a_request(self, sig: Service) -> Callable[..., Any]:
        """Asks for Transaction, which exists only within a request | in the handler."""

        @sig.provide
        def handler(tx: Transaction) -> Gauge:
            raise NotImplementedError

        return handler

    def untyped_provider(self, sig: Service) -> Callable[..., Any]:
        """Parameter 'x' of .* has no type | annotate it."""

        @sig.provide
        def handler(x) -> Gauge:  # type: ignore[no-untyped-def]  # noqa: ANN001
            raise NotImplementedError

        return handler

    def second_provider(self, sig: Service) -> Callable[..., Any]:
        """Gauge is provided twice, first at | remove one."""

        @sig.provide
        def first() -> Gauge:
            raise NotImplementedError

        @sig.provide
        async def handler() -> AsyncIterator[Gauge]:
            yield Gauge(1)

        return handler


CASES = [name for name, member in vars(Refusals).items() if inspect.isfunction(member)]


@pytest.mark.parametrize("name", CASES)
def test_an_odd_signature_is_refused_with_its_line(name: str) -> None:
    declare = getattr(Refusals(), name)
    message, _, hint = (declare.__doc__ or "").removeprefix("Refused: ").rstrip(".").partition(" | ")
    sig = service()
    handler = declare(sig)
    with pytest.raises(DeclarationError, match=f"(?i){message}") as caught:
        described(sig)
    assert hint in caught.value.hint
    line = handler.__code__.co_firstlineno
    assert caught.value.where == f"tests/service/test_signature.py:{line}"


def test_an_annotation_that_cannot_be_resolved_is_refused() -> None:
    sig = service()

    @sig.get("/a")
    async def handler(q: "Missing") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(DeclarationError, match="cannot be resolved: name 'Missing'") as caught:
        described(sig)
    assert "TYPE_CHECKING" in caught.value.hint


def test_a_generator_provides_what_it_yields() -> None:
    sig = service()

    @sig.provide
    def gauge() -> Iterator[Gauge]:
        yield Gauge(1)

    @sig.get("/a", access=anyone)
    async def handler(gauge: Gauge) -> int:
        return gauge.value

    assert described(sig).endpoints[0].parameters == ()
