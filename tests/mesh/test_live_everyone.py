"""The shop's whole matrix: each certificate at each operation's door; what is declared passes, all else gets 403."""

import json

import pytest

from shoal.model.issuers import CONSUMERS
from shoal.model.plan import GATEWAY
from shoal.model.service import path_parameters
from shoal.service.describe import describe
from shoal.tokens import nobodys_key
from shop.system import system
from tests.mesh.samples import planned
from tests.mesh.wire import ask
from tests.mesh.world import World, everyone, replace, running

pytestmark = pytest.mark.live


def keep_no_keys(world: World) -> None:
    replace(world.layout.jwks(CONSUMERS), json.dumps({"keys": [nobodys_key()]}))


async def test_every_caller_at_every_operation_of_the_shop() -> None:
    model = describe(system)
    plan = planned(model)
    names = {service.identity: service.name for service in plan.services} | {plan.gateway_identity: GATEWAY}
    asked = 0
    async with running(model, keep_no_keys) as world, everyone(world) as apps:
        holders = {holder: world.holder(holder) for holder in names.values()}
        for service in plan.services:
            for grant in service.grants:
                declared = {names[caller] for caller in grant.callers}
                path = grant.path
                for parameter in path_parameters(path):
                    path = path.replace(f"{{{parameter}}}", "some-1")
                for holder, client in holders.items():
                    answer = await ask(world.layout.inbound(service.name), f"{grant.method} {path}", tls=client)
                    assert answer.status == (200 if holder in declared else 403), f"{holder} at {service.name}.{path}"
                    asked += 1
        checks = {service.traffic.health.path for service in model.services if service.traffic.health}
        passed = sum(request.path not in checks for app in apps.values() for request in app.seen)
        assert passed == sum(len(grant.callers) for service in plan.services for grant in service.grants)
    assert asked == len(holders) * sum(len(service.grants) for service in plan.services) > 150
