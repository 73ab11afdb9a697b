"""What no type checker looked at is refused where it was written, with what would do."""

import datetime as dt
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from shoal import Cache, Consumer, Cors, Gateway, RateLimit, Service, Socket, System, Update, anyone, event
from shoal.errors import DeclarationError
from shoal.model.fitting import fits, spelled

shop = Service("shop")


def endpoint(**options: Any) -> None:
    @shop.get("/things", **options)
    async def things() -> str:
        return ""


def socket(**options: Any) -> None:
    @shop.socket("/socket", **options)
    async def talking(socket: Socket[str, str]) -> None: ...


def stream(**options: Any) -> None:
    @shop.stream("/stream", **options)
    async def told() -> AsyncIterator[Update[str]]:
        yield Update(data="")


def wrong(value: object) -> Any:
    return value


@pytest.mark.parametrize(
    ("declare", "said", "hint"),
    [
        (lambda: RateLimit(requests=1, per=60, by=wrong("ip")), "by='ip'", "'principal' or 'address' or 'everyone'"),
        (lambda: RateLimit(requests=1, per=wrong("minute")), "per='minute'", "takes float"),
        (lambda: RateLimit(requests=0), "0 requests per", "1 to 1000000"),
        (lambda: RateLimit(requests=1, shared=wrong("valkey")), "shared='valkey'", "takes bool or 'counted'"),
        (lambda: endpoint(limit="10/minute"), "GET /things has limit='10/minute'", "takes RateLimit"),
        (lambda: endpoint(access="anyone"), "access='anyone'", "takes Access"),
        (lambda: endpoint(version="v1"), "version='v1'", "takes int"),
        (lambda: endpoint(version=0), "version=0", "count from 1"),
        (lambda: endpoint(sunset="2099-01-01"), "sunset='2099-01-01'", "takes date"),
        (lambda: endpoint(cache=30), "cache=30", "takes Cache"),
        (lambda: endpoint(largest=0), "0 bytes are no size", "use 1 to"),
        (
            lambda: endpoint(deprecated=dt.date(2031, 1, 1), sunset=dt.date(2030, 1, 1)),
            "before it is deprecated",
            "after",
        ),
        (lambda: Cache(0), "a cache for 0 s", "seconds"),
        (lambda: Cache(1, invalidated_by=wrong(["shop.sold"])), "invalidated_by=['shop.sold']", "Sequence[type]"),
        (lambda: stream(on=["shop.sold"]), "on=['shop.sold']", "Sequence[type]"),
        (lambda: socket(on=["shop.sold"]), "on=['shop.sold']", "Sequence[type]"),
        (lambda: socket(rate="fast"), "rate='fast'", "float"),
        (lambda: shop.on(wrong("shop.sold")), "'shop.sold' is no class of an event", "name the class"),
        (lambda: Gateway(consumers=wrong(Consumer(name="till"))), "Gateway(consumers=", "such as (one,)"),
        (lambda: Cors(origins=wrong("http://a.example")), "origins='http://a.example'", "a tuple of str"),
        (lambda: Cors(origins=("a.example",)), "'a.example' is no origin", "scheme://host"),
        (lambda: Service("till", publishes=wrong(["x.y"])), "publishes=['x.y']", "Sequence[type]"),
        (lambda: System("s", services=wrong(shop)), "services=Service('shop')", "Sequence[Service]"),
    ],
)
def test_a_wrong_value_is_refused_where_it_is_written(declare: Callable[[], object], said: str, hint: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        declare()
    assert said in refused.value.message
    assert hint in refused.value.hint
    assert refused.value.where.startswith("tests/service/test_wrong_types.py:")


def test_what_is_right_is_not_refused() -> None:
    @event("shop.sold")
    class Sold(msgspec.Struct):
        name: str

    endpoint(limit=RateLimit(requests=1, per=60), access=anyone, cache=Cache(3, invalidated_by=[Sold]), version=1)
    endpoint(sunset=dt.datetime(2099, 1, 1, tzinfo=dt.UTC), timeout=2)
    assert Gateway(consumers=wrong([Consumer(name="till")])).consumers


@pytest.mark.parametrize(
    ("value", "kind", "answer"),
    [
        (1, float, True),
        (True, int, False),
        (1.0, int, False),
        (None, int | None, True),
        ((1, "a"), tuple[int, str], True),
        ((1,), tuple[int, str], False),
        ({"a": 1}, dict[str, int], True),
        ({"a": "b"}, dict[str, int], False),
        ("ab", list[str], False),
        (int, type[int], True),
        (print, Callable[..., Any], True),
        (object(), Any, True),
    ],
)
def test_values_are_judged_by_their_annotations(value: object, kind: Any, answer: object) -> None:
    assert fits(value, kind) is answer
    assert spelled(kind)
