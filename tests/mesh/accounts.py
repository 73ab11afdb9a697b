"""The service of `believers` as an author would write it, run without anything in front of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from shoal import Principal, Service, anyone, internal, signed_in
from shoal.model.access import Access
from shoal.model.issuers import CONSUMERS
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from tests.mesh.believers import PROTECTED
from tests.mesh.samples import ISSUER
from tests.mesh.world import World

accounts = Service("accounts")


def _add(path: str, access: Access) -> None:
    async def handler(principal: Principal) -> str:
        return principal.subject

    handler.__name__ = handler.__qualname__ = path[1:]
    accounts.get(path, access=access)(handler)


for _path, _access in PROTECTED.items():
    _add(_path, _access)


@accounts.get("/accounts/{id}", access=signed_in)
async def show(id: str, principal: Principal) -> str:
    return f"{id} of {principal.subject}"


@accounts.get("/open", access=anyone)
async def opened() -> str:
    return "open"


@accounts.get("/accounts/hidden", access=internal)
async def hidden() -> str:
    return "hidden"


@asynccontextmanager
async def direct(world: World) -> AsyncIterator[Host]:
    """Run it in this process; it believes the same key sets as the edge of `world`."""
    gateway, layout = world.system.gateway, world.layout
    issuers = [i if i.remote else msgspec.structs.replace(i, keys=layout.jwks(i.name)) for i in gateway.issuers]
    config = ServiceConfig(
        system=world.system.name,
        entry="accounts",
        jwks=layout.jwks(),
        issuer=ISSUER.name,
        audience=ISSUER.audience,
        issuers=msgspec.json.encode(issuers).decode(),
        consumers=msgspec.json.encode(gateway.consumers).decode(),
        key_set=layout.jwks(CONSUMERS),
    )
    host = Host(accounts, config, Fittings(transport=LocalTransport()))
    await host.start()
    try:
        yield host
    finally:
        await host.stop()
