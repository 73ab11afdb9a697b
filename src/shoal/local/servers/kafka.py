"""A server of Kafka's protocol, which knows no users."""

from shoal.local.engines import Recipe, kafka
from shoal.local.servers.ports import BROKER
from shoal.local.servers.server import Server
from shoal.local.site import Site, World
from shoal.local.urls import kafka_url


def _recipe(site: Site) -> Recipe:
    return kafka.recipe(kafka.KafkaOptions(directory=site.layout.data / "kafka", port=site.ports[BROKER]))


def _broker(world: World, _user: str) -> str:
    return kafka_url(world.ports[BROKER])


SERVER = Server(name="kafka", recipe=_recipe, ports=(BROKER,), broker=_broker)
