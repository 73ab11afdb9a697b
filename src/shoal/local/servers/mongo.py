"""A server of MongoDB's protocol."""

from shoal.local.engines import Recipe, mongo
from shoal.local.secrets import OPERATOR
from shoal.local.servers.server import Place, Server
from shoal.local.site import Site, World
from shoal.local.urls import mongo_url

_PORT = "mongo"


def _recipe(site: Site) -> Recipe:
    password, directory = site.world.passwords.stores["mongo"], site.layout.data / "mongo"
    return mongo.recipe(mongo.MongoOptions(directory=directory, port=site.ports[_PORT], password=password))


def _store(world: World, place: Place) -> str:
    return mongo_url(world.ports[_PORT], place.role, place.password, place.database)


def _operator(world: World) -> str:
    return mongo_url(world.ports[_PORT], OPERATOR, world.passwords.stores["mongo"], "admin")


SERVER = Server(name="mongo", recipe=_recipe, ports=(_PORT,), store=_store, store_operator=_operator)
