"""Upcasters: which declarations are refused, how chains are composed, what older events become."""

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal import Postgres, Service, System, Transaction, event, upcast
from shoal.errors import DeclarationError
from shoal.model import plan
from shoal.model.target import LOCAL
from shoal.service.codec import Codec, Malformed, encode
from shoal.service.describe import describe
from shoal.service.upcasting import Chain, Upcasting, chains


@event("shop.sold", version=1, key="item")
class SoldV1(msgspec.Struct, frozen=True):
    item: str
    cents: int


@event("shop.sold", version=2, key="item")
class SoldV2(pydantic.BaseModel):
    item: str
    cents: int
    currency: str


@event("shop.sold", version=4, key="sku")
class Sold(msgspec.Struct, frozen=True):
    sku: str
    amount: str
    note: str = ""


@event("shop.returned")
class Returned(msgspec.Struct, frozen=True):
    item: str


@upcast
def to_v2(old: SoldV1) -> SoldV2:
    """Add the currency of those days."""
    return SoldV2(item=old.item, cents=old.cents, currency="EUR")


@upcast
def to_v4(old: SoldV2) -> Sold:
    return Sold(sku=old.item, amount=f"{old.cents / 100:.2f} {old.currency}")


shop = Service("shop", store=Postgres(), publishes=[Sold])
desk = Service("desk", store=Postgres())


@desk.on(Sold, upcasters=[to_v2, to_v4])
async def count(event: Sold, tx: Transaction) -> None:
    """Take whatever was sold."""


system = System("sys", services=[shop, desk])
OLDER = ("shop.sold.v2", "shop.sold.v1")


def ways(*upcasters: object) -> tuple[Chain, ...]:
    return chains(Sold, upcasters, "here.py:1")


def test_an_upcaster_is_still_the_function_that_it_was() -> None:
    assert to_v2(SoldV1("a", 150)) == SoldV2(item="a", cents=150, currency="EUR")
    assert repr(to_v2) == "<upcast to_v2: shop.sold.v1 to shop.sold.v2>"


def test_every_older_version_has_its_way() -> None:
    for given_ in ((to_v2, to_v4), (to_v4, to_v2)):
        assert [(c.event.id, len(c.steps)) for c in ways(*given_)] == [("shop.sold.v2", 1), ("shop.sold.v1", 2)]


@settings(deadline=None)
@given(st.builds(SoldV1, st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 10**9)))
def test_a_chain_is_the_composition_of_its_steps(old: SoldV1) -> None:
    reader = Upcasting(ways(to_v2, to_v4)[-1])
    wanted = to_v4(to_v2(old))
    assert reader.decode(encode(old)) == wanted
    assert reader.read(encode(old)) == wanted
    assert reader.from_plain({"item": old.item, "cents": old.cents}) == wanted


def test_older_events_are_validated_as_what_they_are() -> None:
    with pytest.raises(Malformed, match="cents"):
        Upcasting(ways(to_v2, to_v4)[-1]).decode(b'{"item":"a"}')


@pytest.mark.parametrize("kind", [SoldV1, SoldV2, Sold])
def test_events_are_read_with_tolerance(kind: type) -> None:
    """Fields that nobody knows are ignored, fields that may be missing get their default."""
    known = {"item": "a", "cents": 1, "currency": "EUR", "sku": "a", "amount": "1", "later": {"x": [1]}}
    found: object = Codec(kind).decode(encode(known))
    assert getattr(found, "note", "") == ""
    assert not hasattr(found, "later")


def test_the_plan_lets_older_versions_through() -> None:
    described = describe(system)
    assert described.services[1].subscriptions[0].accepts == OLDER
    planned = plan(described, LOCAL)
    wanted = {f"sys.event.{event}" for event in ("shop.sold.v4", *OLDER)}
    (stream,) = [s for s in planned.streams if s.name == "SYS_SHOP"]
    assert {s.rpartition(".")[0] for s in stream.subjects} == wanted, "they may still be on their way"
    producer, consumer = planned.service("shop").broker, planned.service("desk").broker
    assert producer is not None
    assert consumer is not None
    assert {s.rpartition(".")[0] for s in producer.publish} == wanted, "and still in the outbox"
    for subscribed in [c for c in consumer.consumers if c.stream == "SYS_SHOP"]:
        assert {s.rpartition(".")[0] for s in subscribed.subjects} == wanted


def test_one_version_has_one_handler() -> None:
    twice = Service("desk", store=Postgres())

    @twice.on(Sold, upcasters=[to_v4])
    async def new(event: Sold) -> None: ...

    async def old(event: SoldV2) -> None: ...

    with pytest.raises(DeclarationError, match=r"desk handles shop\.sold\.v2 twice: in new .* and in old"):
        twice.on(SoldV2)(old)


def test_a_mistaken_list_of_upcasters_is_refused_where_it_stands() -> None:
    def plain(old: SoldV1) -> Sold:
        return Sold(sku=old.item, amount="")

    with pytest.raises(DeclarationError, match=r"here\.py:1: plain is no upcaster"):
        ways(plain)
    with pytest.raises(DeclarationError, match=r"to_v2 leads to shop\.sold\.v2, the handler takes shop\.sold\.v4"):
        ways(to_v2)
    with pytest.raises(DeclarationError, match=r"shop\.sold\.v1 has two upcasters, to_v2 and plain") as refused:
        ways(to_v2, to_v4, upcast(plain))
    assert refused.value.where.startswith("tests/service/test_upcasting.py:")


def _backwards(old: Sold) -> SoldV1:
    return SoldV1(old.sku, 0)


def _same(old: Sold) -> Sold:
    return old


def _other(old: Returned) -> Sold:
    return Sold(sku=old.item, amount="")


def _silent(old: SoldV1):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return old


def _of_two(old: SoldV1, more: int) -> Sold:
    return Sold(sku=old.item, amount=str(more))


async def _waiting(old: SoldV1) -> Sold:
    return Sold(sku=old.item, amount="")


def _of_text(old: str) -> Sold:
    return Sold(sku=old, amount="")


def _unknown(old: "Nowhere") -> Sold:  # type: ignore[name-defined]  # noqa: F821
    return Sold(sku=old, amount="")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_backwards, r"leads from shop\.sold\.v4 to shop\.sold\.v1"),
        (_same, r"leads from shop\.sold\.v4 to shop\.sold\.v4"),
        (_other, r"leads from shop\.returned\.v1 to shop\.sold\.v4"),
        (_silent, "does not say from what to what"),
        (_of_two, "is not a plain function of one event"),
        (_waiting, "is not a plain function of one event"),
        (_of_text, "names str, which is no event"),
        (_unknown, "cannot be resolved"),
    ],
)
def test_a_function_that_is_no_upcaster_is_refused_at_its_line(function: object, message: str) -> None:
    with pytest.raises(DeclarationError, match=message) as refused:
        upcast(function)  # type: ignore[arg-type]
    line = function.__code__.co_firstlineno  # type: ignore[attr-defined]
    assert refused.value.where == f"tests/service/test_upcasting.py:{line}"
    assert refused.value.hint
