"""Google's emulator of Pub/Sub, which knows no users."""

from shoal.local.engines import Recipe, pubsub
from shoal.local.servers.ports import BROKER
from shoal.local.servers.server import Server
from shoal.local.site import Site, World
from shoal.local.urls import pubsub_url


def _recipe(site: Site) -> Recipe:
    return pubsub.recipe(pubsub.PubsubOptions(directory=site.layout.data / "pubsub", port=site.ports[BROKER]))


def _broker(world: World, _user: str) -> str:
    return pubsub_url(world.ports[BROKER])


SERVER = Server(name="pubsub", recipe=_recipe, ports=(BROKER,), broker=_broker)
