"""Look-ups from outside the mesh: kept for a while, and longer while the registry is away."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import msgspec
import pytest

from shoal import CallFailed, Unavailable, anyone, contract, get
from shoal.discovery import Registry
from shoal.errors import ShoalError
from shoal.model.listing import Directory, Listing
from shoal.runtime.clients import Answer, Transport

REGISTRY, EDGE = "http://registry.example", "http://edge.example"


@contract("orders")
class OrdersApi(Protocol):
    @get("/orders/count", access=anyone)
    async def count(self) -> int: ...


class Net:
    """A registry and an edge, and what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.away = False
        self.status = 200
        self.now = 0.0
        self.edge = EDGE
        self.headers: dict[str, str] = {}

    def registry(self, **options: float | str) -> Registry:
        return Registry(REGISTRY, transport=self.open, seconds=lambda: self.now, **options)  # type: ignore[arg-type]

    def open(self, url: str) -> Transport:
        return _Wire(self, url)

    def listing(self, name: str) -> Listing:
        return Listing(name=name, host=f"{name}.shoal.local", health="up", since="", url=self.edge)


class _Wire:
    def __init__(self, net: Net, url: str) -> None:
        self.net, self.url = net, url

    async def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        self.net.asked.append((self.url, service, path))
        await asyncio.sleep(0)
        if self.url != REGISTRY:
            self.net.headers = dict(headers)
            return Answer(200, b"3")
        if self.net.away:
            raise CallFailed("registry", detail="connection refused")
        if path == "/services":
            return Answer(200, msgspec.json.encode(Directory(system="s", services=(self.net.listing("orders"),))))
        name = path.rpartition("/")[2]
        if name == "nobody":
            return Answer(404, b"{}")
        return Answer(self.net.status, msgspec.json.encode(self.net.listing(name)))

    async def close(self) -> None:
        pass


async def test_an_answer_is_kept_for_its_time_and_asked_for_once() -> None:
    net = Net()
    registry = net.registry(ttl=5)
    found = await asyncio.gather(*(registry.service("orders") for _ in range(20)))
    assert {each.url for each in found} == {EDGE}
    assert net.asked == [(REGISTRY, "registry.shoal.local", "/services/orders")]
    net.now = 4.9
    await registry.service("orders")
    assert len(net.asked) == 1
    net.now, net.edge = 5.1, "http://other.example"
    assert (await registry.service("orders")).url == "http://other.example"
    assert len(net.asked) == 2


@pytest.mark.parametrize("failure", ["away", "error"])
async def test_an_old_answer_is_better_than_none_for_a_while(failure: str) -> None:
    net = Net()
    registry = net.registry(ttl=5, stale=60)
    await registry.service("orders")
    net.away, net.status = failure == "away", 503 if failure == "error" else 200
    net.now = 30.0
    assert (await registry.service("orders")).url == EDGE
    assert len(net.asked) == 2
    assert (await registry.service("orders")).url == EDGE
    assert len(net.asked) == 2, "a registry that is away is not asked for each call"
    net.now = 31.5
    await registry.service("orders")
    assert len(net.asked) == 3
    net.now = 66.0
    with pytest.raises(Unavailable, match=r"does not answer|answers 503"):
        await registry.service("orders")
    net.away, net.status = False, 200
    assert (await registry.service("orders")).url == EDGE


async def test_an_unknown_service_is_no_outage() -> None:
    registry = Net().registry()
    with pytest.raises(ShoalError, match="knows no service 'nobody'"):
        await registry.service("nobody")


async def test_a_list_fills_what_is_kept() -> None:
    net = Net()
    registry = net.registry()
    assert [s.name for s in (await registry.services()).services] == ["orders"]
    await registry.service("orders")
    assert len(net.asked) == 1


async def test_calls_by_contract_go_where_the_service_is_by_then() -> None:
    net = Net()
    async with net.registry(ttl=5, token="signed") as registry:
        orders = registry.client(OrdersApi)
        assert await orders.count() == 3
        assert net.headers["authorization"] == "Bearer signed"
        net.now, net.edge = 6.0, "http://moved.example"
        assert await orders.count() == 3
    assert [(url, host) for url, host, _ in net.asked if url != REGISTRY] == [
        (EDGE, "orders.shoal.local"),
        ("http://moved.example", "orders.shoal.local"),
    ]


async def test_a_service_without_a_way_from_outside_is_not_called() -> None:
    net = Net()
    net.edge = ""
    with pytest.raises(CallFailed, match="no route"):
        await net.registry().client(OrdersApi).count()
    net.away = True
    with pytest.raises(CallFailed, match="does not answer"):
        await net.registry().client(OrdersApi).count()
