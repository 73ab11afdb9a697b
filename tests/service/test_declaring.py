"""Marks, options and contracts: what they record, and what they refuse."""

import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import msgspec
import pytest
from pydantic import BaseModel

from shoal import (
    Header,
    Issuer,
    Page,
    PageRequest,
    Postgres,
    Principal,
    Service,
    System,
    Transaction,
    anyone,
    contract,
    event,
    get,
    internal,
    pivot,
    post,
    record,
    retriable,
    role,
    scope,
    signed_in,
)
from shoal.errors import DeclarationError
from shoal.service.marks import event_mark, record_mark
from tests.service.bound import described, described_system


class Thing(msgspec.Struct):
    name: str


@event("shop.sold", version=2, key="name")
class Sold(msgspec.Struct):
    name: str


@contract("shop")
class ShopApi(Protocol):
    @get("/things/{name}", access=internal, timeout=1.5)
    async def thing(self, name: str, lang: Annotated[str, Header("X-Lang")] = "en") -> Thing: ...

    @post("/things", access=internal, idempotent=True, status=201)
    async def add(self, thing: Thing, tags: list[str]) -> Thing: ...


def test_marks_work_on_structs_dataclasses_and_pydantic_models() -> None:
    @record("things", key="id")
    class Struct(msgspec.Struct):
        id: str

    @record("things", key="id")
    @dataclass
    class Plain:
        id: str

    @record("things", key="id")
    class Model(BaseModel):
        id: str

    assert {record_mark(kind).table for kind in (Struct, Plain, Model)} == {"things"}
    assert record_mark(Struct).source.startswith("tests/service/test_declaring.py:")
    assert event_mark(Sold).id == "shop.sold.v2"


REFUSED = (
    (lambda: event("shop.sold", key="id")(Thing), "keyed by 'id', which Thing does not have", "fields are: name"),
    (lambda: event("sold")(Thing), "not of the form", "orders.placed"),
    (lambda: record("things", key="id")(Thing), "keyed by 'id', which it does not have", "fields are: name"),
    (lambda: contract("shop")(Thing), "contract Thing has no operations", "@get"),
    (lambda: contract("My Shop"), "service name 'My Shop'", "lower-case"),
    (lambda: event_mark(Thing), "Thing is not an event", "@event"),
    (lambda: record_mark(Thing), "Thing is not a record", "@record"),
    (role, "role() names no role", "signed_in"),
    (lambda: scope(""), "scope() names no scope", "signed_in"),
    (lambda: Service("Shop"), "service name 'Shop'", "lower-case"),
    (lambda: System("My System", services=[]), "system name 'My System'", "lower-case"),
)


@pytest.mark.parametrize(("declare", "message", "hint"), REFUSED)
def test_a_wrong_mark_is_refused(declare: Any, message: str, hint: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        declare()
    assert message in caught.value.message
    assert hint in caught.value.hint


OPTIONS: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("post", {"attempts": 3}, "POST /a asks for 3 attempts but is not safe to repeat", "idempotent=True"),
    ("patch", {"attempts": 2}, "PATCH /a asks for 2 attempts", "idempotent=True"),
    ("get", {"timeout": 0}, "timeout 0 s is out of range", "0 < timeout"),
    ("get", {"idempotnet": True}, "unknown option 'idempotnet'", "idempotent"),
    ("get", {"attempts": 0}, "attempts=0", "1 to 100"),
)


@pytest.mark.parametrize(("verb", "options", "message", "hint"), OPTIONS)
def test_a_wrong_option_is_refused_with_its_line(verb: str, options: dict[str, Any], message: str, hint: str) -> None:
    async def handler() -> None: ...

    with pytest.raises(DeclarationError) as caught:
        getattr(Service("shop"), verb)("/a", **options)(handler)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.where == f"tests/service/test_declaring.py:{handler.__code__.co_firstlineno}"


def test_a_wrong_policy_of_a_subscription_shows_its_line() -> None:
    with pytest.raises(DeclarationError, match="attempts=0") as caught:
        Service("shop").on(Sold, attempts=0)
    assert caught.value.where.startswith("tests/service/test_declaring.py:")


def test_a_second_handler_of_an_event_is_refused_with_both_places() -> None:
    shop = Service("shop")

    @shop.on(Sold)
    async def count(event: Sold) -> None: ...

    async def thank(event: Sold) -> None: ...

    with pytest.raises(DeclarationError, match=r"in count .*test_declaring.py:.* and in thank") as caught:
        shop.on(Sold)(thank)
    assert caught.value.where.startswith("tests/service/test_declaring.py:")
    assert [said.handler for said in shop.subscriptions] == [count]


@pytest.mark.parametrize(
    ("declare", "what"),
    [
        (lambda **options: Service("shop").on(Sold, **options), "@shop.on(Sold)"),
        (pivot, "a pivot step"),
        (retriable, "a retriable step"),
    ],
)
def test_an_option_that_nobody_reads_is_refused_with_those_there_are(declare: Any, what: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        declare(attemps=3)
    assert caught.value.message == f"{what} has an unknown option 'attemps'"
    assert "attempts" in caught.value.hint
    assert caught.value.where.startswith("tests/service/test_declaring.py:")


def test_repeating_is_allowed_where_it_is_safe() -> None:
    shop = Service("shop", store=Postgres())

    @shop.get("/a", access=anyone)
    async def read() -> None: ...

    @shop.post("/b", access=anyone)
    async def write() -> None: ...

    @shop.post("/c", access=anyone, idempotent=True)
    async def write_once() -> None: ...

    found = described(shop)
    assert {e.name: e.policy.attempts for e in found.endpoints} == {"read": 2, "write": 1, "write_once": 2}


def shop_with(**handlers: Any) -> Service:
    shop = Service("shop", contracts=[ShopApi], store=Postgres())
    for name, handler in handlers.items():
        shop.implements(getattr(ShopApi, name))(handler)
    return shop


async def thing(name: str, lang: Annotated[str, Header("X-Lang")] = "en") -> Thing:
    raise NotImplementedError


async def add(thing: Thing, tags: list[str], tx: Transaction) -> Thing:
    raise NotImplementedError


def test_an_implementation_takes_over_what_the_contract_says() -> None:
    found = described(shop_with(thing=thing, add=add))
    assert [(e.method, e.path, e.status, e.idempotent) for e in found.endpoints] == [
        ("GET", "/things/{name}", 200, False),
        ("POST", "/things", 201, True),
    ]
    assert found.endpoints[0].policy.timeout == 1.5
    assert found.endpoints[0].access == internal


async def other_type(name: int, lang: Annotated[str, Header("X-Lang")] = "en") -> Thing:
    raise NotImplementedError


async def other_answer(name: str, lang: Annotated[str, Header("X-Lang")] = "en") -> str:
    raise NotImplementedError


async def other_header(name: str, lang: Annotated[str, Header("X-Language")] = "en") -> Thing:
    raise NotImplementedError


async def without_header(name: str) -> Thing:
    raise NotImplementedError


async def with_more(name: str, extra: int, lang: Annotated[str, Header("X-Lang")] = "en") -> Thing:
    raise NotImplementedError


async def one_tag(thing: Thing, tags: str) -> Thing:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("handlers", "message"),
    [
        ({"thing": thing}, "promises add but nothing implements it"),
        ({"thing": other_type, "add": add}, "thing does not take name: str as"),
        ({"thing": other_answer, "add": add}, "thing answers <class 'str'>, its contract says <class .*Thing'>"),
        ({"thing": other_header, "add": add}, "thing does not take lang"),
        ({"thing": without_header, "add": add}, "thing does not take lang"),
        ({"thing": with_more, "add": add}, "thing needs 'extra', which its contract does not send"),
        ({"thing": thing, "add": one_tag}, r"add does not take tags: list\[str\]"),
    ],
)
def test_a_broken_promise_is_refused(handlers: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message) as caught:
        described(shop_with(**handlers))
    assert caught.value.where.startswith("tests/service/test_declaring.py:")
    assert caught.value.hint


def test_only_the_owner_implements_a_contract() -> None:
    with pytest.raises(DeclarationError, match=r"thing is no operation of a contract of bank"):
        Service("bank").implements(ShopApi.thing)(thing)
    with pytest.raises(DeclarationError, match=r"is no contract"):
        described(Service("shop", contracts=[Thing]))


def test_a_parameter_declares_the_dependency() -> None:
    bank = Service("bank")

    @bank.get("/balance", access=anyone)
    async def balance(shop: ShopApi) -> int:
        raise NotImplementedError

    found = described_system(System("sys", services=[bank, shop_with(thing=thing, add=add)]))
    assert [(c.service, c.endpoint, c.policy.timeout) for c in found.service("bank").calls] == [
        ("shop", "thing", 1.5),
        ("shop", "add", 5.0),
    ]


@pytest.mark.parametrize("what", ["transaction", "idempotent", "seed"])
def test_what_needs_a_store_is_refused_without_one(what: str) -> None:
    shop = Service("shop")

    async def write(tx: Transaction) -> None: ...
    async def nothing() -> None: ...

    if what == "seed":
        shop.seed("first")(write)
    else:
        shop.post("/a", idempotent=what == "idempotent")(write if what == "transaction" else nothing)
    with pytest.raises(DeclarationError, match="needs a store, but service shop has none"):
        described(shop)


def test_an_internal_operation_cannot_ask_who_calls() -> None:
    shop = Service("shop")

    @shop.get("/a", access=internal)
    async def who(principal: Principal | None = None) -> None: ...

    with pytest.raises(DeclarationError, match="who is internal and asks for a principal") as caught:
        described(shop)
    assert "signed_in" in caught.value.hint


def test_an_empty_answer_is_described_as_it_is_sent() -> None:
    shop = Service("shop")

    @shop.delete("/a", access=anyone)
    async def remove() -> None: ...

    @shop.post("/b", access=anyone, status=202)
    async def begin() -> None: ...

    assert [e.status for e in described(shop).endpoints] == [204, 202]


def test_an_optional_body_is_described_as_optional() -> None:
    shop = Service("shop")

    @shop.post("/a", access=anyone)
    async def maybe(thing: Thing | None = None) -> None: ...

    assert not described(shop).endpoints[0].request_required


def test_an_unbound_service_is_refused() -> None:
    with pytest.raises(DeclarationError, match="not bound to a name") as caught:
        _ = Service("lost-one").entry
    assert "lost_one = Service(...)" in caught.value.hint


def test_an_issuer_publishes_its_keys() -> None:
    users = Service("users")
    found = described_system(System("sys", services=[users], issuer=Issuer(users, audience="sys")))
    assert [(e.path, e.access.kind) for e in found.services[0].endpoints] == [("/.well-known/jwks.json", "anyone")]
    assert found.gateway.issuer is not None
    assert found.gateway.issuer.name == "spiffe://sys/users"


def test_pages_link_to_their_neighbours() -> None:
    asked = PageRequest(page=2, limit=10, path="/things/a%20b", query=(("tag", "x&y"),))
    page: Page[int] = asked.of(list(range(10)), total=25)
    assert asked.offset == 10
    assert page.links.self == "/things/a%20b?tag=x%26y&page=2&limit=10"
    assert (page.links.prev or "").endswith("page=1&limit=10")
    assert (page.links.next or "").endswith("page=3&limit=10")
    last = PageRequest(page=3, limit=10, path="/t").of(list(range(5)), total=25)
    assert last.links.next is None
    only: Page[int] = PageRequest(path="/t").of([], total=0)
    assert only.links.prev is only.links.next is None
    assert (only.pagination.page, only.pagination.limit, only.pagination.total) == (1, 20, 0)


def test_access_in_words() -> None:
    assert (anyone.kind, signed_in.kind, internal.kind) == ("anyone", "principal", "internal")
    assert role("admin", "clerk").roles == ("admin", "clerk")
    assert scope("read").scopes == ("read",)


def test_importing_declarations_starts_nothing() -> None:
    code = """
import sys, threading
import tests.service.test_declaring
heavy = {"asyncpg", "nats", "aiohttp", "uvicorn", "shoal.runtime", "shoal.drivers", "shoal.local"}
print(sorted(heavy & sys.modules.keys()), threading.active_count())
import asyncio
try:
    asyncio.get_running_loop()
except RuntimeError:
    print("no loop")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.split("\n")[:2] == ["[] 1", "no loop"]
