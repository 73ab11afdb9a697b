"""Requests are spread over replicas, kept on one of them by a key, and kept away from those that fail."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal.mesh.endpoints import endpoints
from shoal.model.system import System
from shoal.model.traffic import HashBy, HealthCheck, Outliers, Traffic
from tests.mesh.samples import INTERNAL, endpoint, service
from tests.mesh.wire import App, Request, eventually_true, serving
from tests.mesh.world import World, clusters, eventually, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

COUNT = 3

CARTS = replace(
    service(
        "carts", endpoint("get", "GET", "/carts/{cart_id}"), endpoint("lines", "GET", "/carts/{cart_id}/lines/{n}")
    ),
    traffic=Traffic(hash_by=HashBy(parameter="cart_id")),
)
SESSIONS = replace(
    service("sessions", endpoint("get", "GET", "/sessions")), traffic=Traffic(hash_by=HashBy(header="x-session"))
)
BUSY = replace(service("busy", endpoint("get", "GET", "/busy")), traffic=Traffic())
CHECKED = replace(
    service("checked", endpoint("get", "GET", "/checked")),
    traffic=Traffic(health=HealthCheck(interval=0.05, failures=1)),
)
FAILING = replace(
    service("failing", endpoint("get", "GET", "/failing"), endpoint("other", "GET", "/other", INTERNAL)),
    traffic=Traffic(outliers=Outliers(errors=3, rest=60.0)),
)
SYSTEM = System(name="spread", services=(CARTS, SESSIONS, BUSY, CHECKED, FAILING))


@dataclass(slots=True, kw_only=True)
class Moody(App):
    """A replica that may be unready, or fail."""

    ready: bool = True
    fails: bool = False

    def _reply(self, request: Request) -> bytes:
        if request.path == "/ready" and not self.ready:
            return b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n"
        status = 500 if self.fails else 200
        body = f'{{"app": "{self.name}"}}'
        return f"HTTP/1.1 {status} X\r\nx-app: {self.name}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


Replicas = dict[str, list[Moody]]


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="mesh")
async def start() -> AsyncIterator[World]:
    async with running(SYSTEM) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="replicas")
async def serve(mesh: World) -> AsyncIterator[Replicas]:
    async with contextlib.AsyncExitStack() as stack:
        found: Replicas = {}
        for name in mesh.layout.services:
            places = [mesh.layout.replica(name, n) for n in range(COUNT)]
            found[name] = [Moody(name=str(n)) for n in range(COUNT)]
            for app, place in zip(found[name], places, strict=True):
                await stack.enter_async_context(serving(app, place))
            mesh.point(name, *places)
        for name in mesh.layout.services:
            for n in range(COUNT):
                await eventually(mesh, f"{name}::{mesh.layout.replica(name, n).path}::")
        await eventually(mesh, "/failed_active_hc", gone=True)
        yield found


async def takers(mesh: World, lines: list[str], headers: dict[str, str] | None = None) -> list[str]:
    """Send requests one after the other; name the replica that took each."""
    return [(await mesh.edge(line, headers=headers)).json["app"] for line in lines]


async def test_a_key_in_the_path_keeps_its_replica_on_every_route_that_has_it(mesh: World, replicas: Replicas) -> None:
    places = {}
    for key in range(24):
        lines = [f"GET /carts/c{key}", f"GET /carts/c{key}?x=1", f"GET /carts/c{key}/lines/7"]
        took = set(await takers(mesh, lines))
        assert len(took) == 1, f"cart {key} moved"
        places[key] = took.pop()
    assert set(places.values()) == {"0", "1", "2"}, "the keys are not spread"


async def test_a_key_in_a_header_keeps_its_replica(mesh: World, replicas: Replicas) -> None:
    places = set()
    for key in range(24):
        took = set(await takers(mesh, ["GET /sessions"] * 3, {"x-session": f"s{key}"}))
        assert len(took) == 1
        places |= took
    assert places == {"0", "1", "2"}


async def test_when_a_replica_goes_hardly_any_key_of_the_others_moves(mesh: World, replicas: Replicas) -> None:
    before = await homes(mesh)
    mesh.point("sessions", *(mesh.layout.replica("sessions", n) for n in (0, 1)))
    await eventually(mesh, f"sessions::{mesh.layout.replica('sessions', 2).path}::", gone=True)
    after = await homes(mesh)
    moved = [key for key in before if before[key] != "2" and before[key] != after[key]]
    assert len(moved) <= 6, f"{len(moved)} of 60 moved without need"


async def homes(mesh: World) -> dict[str, str]:
    """Ask where each of 60 sessions lives."""
    return {f"s{n}": (await takers(mesh, ["GET /sessions"], {"x-session": f"s{n}"}))[0] for n in range(60)}


async def test_a_replica_with_requests_under_way_gets_fewer_new_ones(mesh: World, replicas: Replicas) -> None:
    hold = [asyncio.create_task(mesh.edge("GET /busy", headers={"x-test-hold": "1"})) for _ in range(30)]

    async def held() -> bool:
        return sum(len(app.seen) for app in replicas["busy"]) == 30

    await eventually_true(held)
    assert min(len(app.seen) for app in replicas["busy"]) >= 3, "the less busy of two did not get it"
    for app in replicas["busy"][1:]:
        app.release.set()
    for app in replicas["busy"][1:]:
        app.release.clear()
    took = Counter(await takers(mesh, ["GET /busy"] * 90))
    assert took["0"] < 30, took
    replicas["busy"][0].release.set()
    await asyncio.gather(*hold)


async def test_a_replica_that_is_not_ready_gets_nothing_until_it_is(mesh: World, replicas: Replicas) -> None:
    where = mesh.layout.replica("checked", 0).path
    replicas["checked"][0].ready = False
    await eventually(mesh, f"checked::{where}::health_flags::/failed_active_hc")
    await eventually_by(mesh, "GET /checked", "1", "2")
    replicas["checked"][0].ready = True
    await eventually_by(mesh, "GET /checked", "0", "1", "2")


async def test_below_the_panic_threshold_everybody_is_asked(mesh: World, replicas: Replicas) -> None:
    for app in replicas["checked"][:2]:
        app.ready = False
    for n in range(2):
        await eventually(mesh, f"checked::{mesh.layout.replica('checked', n).path}::health_flags::/failed_active_hc")
    await eventually_by(mesh, "GET /checked", "0", "1", "2")
    for app in replicas["checked"]:
        app.ready = True
    await eventually(mesh, "/failed_active_hc", gone=True)


async def test_a_replica_that_answers_errors_rests(mesh: World, replicas: Replicas) -> None:
    replicas["failing"][0].fails = True
    seen = 0
    while f"{mesh.layout.replica('failing', 0).path}::health_flags::/failed_outlier_check" not in await clusters(mesh):
        seen += (await mesh.edge("GET /failing")).status == 500
        assert seen < 60, "errors are no reason"
    await eventually_by(mesh, "GET /failing", "1", "2")


async def test_the_near_zone_is_asked_until_it_is_gone(mesh: World, replicas: Replicas) -> None:
    places = [mesh.layout.replica("busy", n) for n in range(COUNT)]
    mesh.write(endpoints("busy", places, ("a", "b", "b"), near="a"))
    await eventually_by(mesh, "GET /busy", "0")
    mesh.write(endpoints("busy", places[1:], ("b", "b"), near="a"))
    await eventually_by(mesh, "GET /busy", "1", "2")


async def eventually_by(mesh: World, line: str, *names: str) -> None:
    """Wait until 30 requests in a row are taken by these replicas: Envoy's threads learn of it one by one."""

    async def taken() -> bool:
        return {(await mesh.edge(line)).headers.get("x-app") for _ in range(30)} == set(names)

    await eventually_true(taken)
