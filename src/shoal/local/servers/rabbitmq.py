"""RabbitMQ: who may connect, and what each may say and hear."""

from shoal.local.engines import Recipe, rabbitmq
from shoal.local.secrets import OPERATOR
from shoal.local.servers.ports import BROKER
from shoal.local.servers.server import Server
from shoal.local.site import Site, World
from shoal.local.unit import Unit
from shoal.local.urls import rabbitmq_url
from shoal.model.plan import ServicePlan

_ERLANG = "broker erlang"


def _options(site: Site) -> rabbitmq.RabbitOptions:
    operator = rabbitmq.RabbitUser(name=OPERATOR, password=site.world.passwords.brokers[OPERATOR], operator=True)
    return rabbitmq.RabbitOptions(
        directory=site.layout.data / "rabbitmq",
        port=site.ports[BROKER],
        erlang_port=site.ports[_ERLANG],
        users=(operator, *(user for service in site.plan.services if (user := _user(site, service)) is not None)),
    )


def _user(site: Site, service: ServicePlan) -> rabbitmq.RabbitUser | None:
    broker = service.broker
    if broker is None:
        return None
    spoken = {s.name for s in site.plan.streams if {*s.subjects} & {*broker.publish}}
    heard = {c.stream for c in broker.consumers}
    return rabbitmq.RabbitUser(
        name=broker.user,
        password=site.world.passwords.brokers[broker.user],
        publish=broker.publish,
        streams=tuple(sorted(spoken | heard)),
        consumers=tuple(sorted(f"{c.stream}.{c.durable}" for c in broker.consumers)),
    )


def _recipe(site: Site) -> Recipe:
    return rabbitmq.recipe(_options(site))


def _broker(world: World, user: str) -> str:
    return rabbitmq_url(world.ports[BROKER], user, world.passwords.brokers[user])


async def _renew(site: Site, unit: Unit) -> None:
    """Start it again if rights have changed: it reads them when it starts."""
    if unit.process is not None and rabbitmq.changed(_options(site)):
        await unit.stop()
        await unit.start()
        unit.keep()


SERVER = Server(name="rabbitmq", recipe=_recipe, ports=(BROKER, _ERLANG), broker=_broker, renew=_renew)
