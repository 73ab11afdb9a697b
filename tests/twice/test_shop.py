"""The whole shop, by what is rendered: each certificate at each operation's door, a fault, a copy, and the log."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from shoal.deploy.kubernetes.settings import Environment, Mesh, Second, Strike
from shoal.mesh.layout import Pipe
from shoal.model.plan import GATEWAY
from shoal.model.service import path_parameters
from tests.conformance.mesh.sample import SAMPLE
from tests.deploy.samples import scope_of, shop
from tests.mesh.wire import ask, eventually_true
from tests.mesh.world import key_set, new_signer
from tests.twice.scene import Twice, built, proven

pytestmark = [pytest.mark.asyncio, pytest.mark.live]


@pytest.mark.parametrize("mesh", ["istio", "istio-ambient"])
async def test_every_caller_at_every_operation_of_the_shop(mesh: Mesh) -> None:
    environment, ambient = Environment(name="proof", mesh=mesh), mesh == "istio-ambient"
    plan = scope_of(shop(), environment).plan
    names = {service.identity: service.name for service in plan.services} | {plan.gateway_identity: GATEWAY}
    asked, keys = Counter[int](), {"https://proof.shop.example/.well-known/jwks.json": key_set(new_signer("one"))}
    async with proven(built(shop(), environment), mesh, keys=keys) as world:
        clients = {name: world.holder("edge-istio" if name == GATEWAY else name) for name in names.values()}
        for service in plan.services:
            where = world.place.waypoint(service.name) if ambient else world.place.inbound(service.name)
            for grant in service.grants:
                path = grant.path
                for parameter in path_parameters(path):
                    path = path.replace(f"{{{parameter}}}", "some-1")
                asking = [ask(Pipe(path=where), f"{grant.method} {path}", tls=client) for client in clients.values()]
                for name, answer in zip(clients, await asyncio.gather(*asking), strict=True):
                    declared = name in {names[caller] for caller in grant.callers}
                    assert answer.status == (200 if declared else 403), f"{name} at {service.name}.{grant.endpoint}"
                    asked[answer.status] += 1
    assert asked[200] > 50
    assert asked[403] > 150


async def test_a_fault_strikes_whom_it_names() -> None:
    strike = Strike(caller="till", callee="stock", endpoint="show", abort=418)
    async with proven(built(SAMPLE, Environment(name="proof", faults=(strike,)))) as world:
        for caller, line, status in (
            ("till", "GET /items/7", 418),
            ("till", "POST /counts", 200),
            ("menu", "GET /items/secret", 200),
        ):
            where = Pipe(path=world.place.outbound(caller))
            assert (await ask(where, line, host="stock")).status == status, (caller, line)


@pytest.mark.parametrize("mesh", ["istio", "istio-ambient"])
async def test_copies_are_made_of_what_changes_nothing(mesh: Mesh) -> None:
    environment = Environment(name="proof", mesh=mesh, splits={"stock": Second(version="2", mirror=100)})
    ambient = mesh == "istio-ambient"
    async with proven(built(SAMPLE, environment), mesh) as world:
        where = world.place.waypoint("stock") if ambient else world.place.outbound("till")
        for line in ("POST /counts", "GET /items/7", "POST /counts"):
            tls = world.holder("till") if ambient else None
            answer = await ask(Pipe(path=where), line, host="stock", tls=tls)
            assert (answer.status, answer.json.get("version")) == (200, None)

        async def copied() -> bool:
            return bool(world.apps["stock-canary"].seen)

        await eventually_true(copied)
        assert [(one.method, one.path) for one in world.apps["stock-canary"].seen] == [("GET", "/items/7")]


async def test_what_went_wrong_is_logged_and_nothing_else() -> None:
    async with proven(built(SAMPLE, Environment(name="proof"))) as world:
        for line in ("GET /items/7", "GET /items/secret"):
            await ask(Pipe(path=world.place.outbound("till")), line, host="stock")

        async def told() -> bool:
            return "GET /items/secret 403" in logged(world)

        await eventually_true(told)
        assert "/items/7" not in logged(world)


def logged(world: Twice) -> str:
    return Path(world.place.log).read_text("utf-8")
