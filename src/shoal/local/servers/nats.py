"""NATS: who may connect, and what each may say and hear."""

from shoal.local.engines import Recipe, nats
from shoal.local.secrets import OPERATOR
from shoal.local.servers.ports import BROKER
from shoal.local.servers.server import Server
from shoal.local.site import Site, World
from shoal.local.unit import Unit
from shoal.local.urls import nats_url
from shoal.model.permissions import permissions


def _options(site: Site) -> nats.NatsOptions:
    known = site.world.passwords.brokers
    users = [nats.NatsUser(name=OPERATOR, password=known[OPERATOR], publish=(">",), subscribe=(">",))]
    for service in site.plan.services:
        if service.broker is not None:
            rights, name = permissions(service.broker), service.broker.user
            user = nats.NatsUser(name=name, password=known[name], publish=rights.publish, subscribe=rights.subscribe)
            users.append(user)
    return nats.NatsOptions(directory=site.layout.data / "nats", users=tuple(users), port=site.ports[BROKER])


def _recipe(site: Site) -> Recipe:
    return nats.recipe(_options(site))


def _broker(world: World, user: str) -> str:
    return nats_url(world.ports[BROKER], user, world.passwords.brokers[user])


async def _renew(site: Site, unit: Unit) -> None:
    """Write the rights and have them read again; nobody's connection ends."""
    if unit.process is not None:
        nats.reload(unit.process, _options(site))


SERVER = Server(name="nats", recipe=_recipe, ports=(BROKER,), broker=_broker, renew=_renew)
