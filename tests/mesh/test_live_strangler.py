"""An old application's paths are taken over one by one: who answers in each state, and what is compared."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from shoal.errors import DeclarationError
from shoal.local.engines.parity import ParityOptions, recipe
from shoal.local.engines.recipe import start
from shoal.local.parity.record import Parity, read
from shoal.local.parity.server import Compared, Settings
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import Pipe
from shoal.mesh.routes import expression
from shoal.model.legacy import Legacy, LegacyRoute, Turn
from shoal.model.plan import plan
from shoal.model.system import System
from shoal.model.takeover import takeovers
from shoal.model.target import Target
from tests.mesh.samples import TINY
from tests.mesh.wire import App, asking, eventually_true, more, serving
from tests.mesh.world import World, eventually, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

ROUTES = (
    LegacyRoute(name="product", path="/products/{sku}", ignore=("/app", "/headers")),
    LegacyRoute(name="list", path="/products", ignore=("/headers",)),
    LegacyRoute(name="login", method="POST", path="/login", idempotent=True, ignore=("/app", "/headers")),
    LegacyRoute(name="old", path="/old/{page}"),
    LegacyRoute(name="remove", method="DELETE", path="/products/{sku}"),
)
OLD = Legacy(name="monolith", port=1, routes=ROUTES)
SYSTEM = System(name="tiny", services=TINY.services, gateway=msgspec.structs.replace(TINY.gateway, legacy=(OLD,)))

MONOLITH = App(name="monolith")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    """One mesh, one old application, and the process that compares."""
    MONOLITH.seen.clear()
    async with running(SYSTEM) as world, everyone(world), serving(MONOLITH, place(world)), comparing(world):
        yield world


def place(world: World) -> Pipe:
    found = world.layout.legacy("monolith")
    assert isinstance(found, Pipe)
    return found


@contextlib.asynccontextmanager
async def comparing(world: World) -> AsyncIterator[None]:
    """Run the process that compares."""
    folder = Path(world.layout.sockets)
    settings = Settings(
        listen=world.layout.parity_in().path,
        ask=world.layout.parity_out().path,
        record=str(folder / "parity.json"),
        routes=tuple(
            Compared(name=r.name, method=r.method, expression=expression(r.path), ignore=r.ignore) for r in ROUTES
        ),
    )
    process = await start(recipe(ParityOptions(settings=settings, file=folder / "settings.json")), on_line=print)
    try:
        yield
    finally:
        await process.process.stop()


async def turn(world: World, **turns: Turn) -> None:
    """Give Envoy other states as the supervisor does."""
    target = Target(port=world.layout.port, turns=turns)
    files = compile_mesh(plan(world.system, target), world.layout)
    shadow = any(t.state == "shadow" for t in turns.values())
    world.write(*(a for a in files if a.path.startswith("cds/")))
    if shadow:
        await eventually(world, "parity::")
    world.write(*(a for a in files if a.path[:4] in ("rds/", "lds/")))


async def who(world: World, line: str = "GET /products/42", **headers: str) -> str:
    answer = await world.edge(line, headers=headers)
    return str(answer.json["app"]) if answer.status == 200 else f"status {answer.status}"


def recorded(world: World, route: str = "product") -> Parity:
    return read(Path(world.layout.sockets) / "parity.json").get(route, Parity())


async def answered_by(world: World, name: str) -> None:
    async def check() -> bool:
        return {await who(world) for _ in range(10)} == {name}

    await eventually_true(check)


async def test_the_old_application_answers_until_it_is_its_turn(world: World) -> None:
    assert await who(world) == "monolith"
    assert await who(world, "GET /old/7") == "monolith"
    assert await who(world, "POST /old/7") == "status 405"
    assert await who(world, "DELETE /products/1") == "monolith"  # its own rules hold, not those of the service
    await turn(world, product=Turn(state="done"), remove=Turn(state="done"))
    await answered_by(world, "products")
    assert await who(world, "DELETE /products/1") == "status 401"  # and now those of the service


async def test_answers_are_compared_beside_the_traffic(world: World) -> None:
    await turn(world, product=Turn(state="shadow"))
    await answered_by(world, "monolith")

    async def compared() -> bool:
        assert await who(world) == "monolith"
        return recorded(world).compared >= 10

    await eventually_true(compared)
    assert recorded(world).differing == 0


async def test_a_body_reaches_both_sides(world: World) -> None:
    await turn(world, login=Turn(state="shadow"))

    async def compared() -> bool:
        answer = await world.edge("POST /login", body=b"x" * 70_000)
        assert (answer.json["app"], answer.json["size"]) == ("monolith", 70_000)
        return recorded(world, "login").compared > 0

    await eventually_true(compared)
    assert recorded(world, "login").differing == 0  # of the size, too
    again = [len(r.body) for r in MONOLITH.seen if r.path == "/login"]
    assert set(again) == {70_000}


async def test_what_differs_is_shown_without_secrets(world: World) -> None:
    await turn(world, list=Turn(state="shadow"))

    async def differing() -> bool:
        assert await who(world, "GET /products?token=sesame") == "monolith"
        return recorded(world, "list").differing > 0

    await eventually_true(differing)
    example = recorded(world, "list").examples[0]
    assert example.request == "GET /products?token=***"
    assert [(d.place, d.legacy, d.new) for d in example.differences] == [("/app", "monolith", "products")]


async def test_only_what_may_be_asked_twice_is_compared() -> None:
    with pytest.raises(DeclarationError, match="cannot be shadowed"):
        takeovers(SYSTEM, Target(turns={"remove": Turn(state="shadow")}))
    with pytest.raises(DeclarationError, match="no service takes over"):
        takeovers(SYSTEM, Target(turns={"old": Turn(state="shift", weight=10)}))


async def test_a_shift_under_load_drops_no_request(world: World) -> None:
    async with asking(lambda: who(world)) as seen:
        for weight in (20.0, 60.0, 100.0):
            await turn(world, product=Turn(state="shift", weight=weight))
            await more(seen, 30)
        await turn(world, product=Turn(state="done"))
        await answered_by(world, "products")
        await turn(world)
        await answered_by(world, "monolith")
    assert set(seen) == {"monolith", "products"}
