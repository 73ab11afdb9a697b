"""Google's emulator of Firestore, which knows no users."""

from shoal.local.engines import Recipe, firestore
from shoal.local.servers.server import Place, Server
from shoal.local.site import Site, World
from shoal.local.urls import firestore_url

_PORT = "firestore"


def _recipe(site: Site) -> Recipe:
    directory = site.layout.data / "firestore"
    return firestore.recipe(firestore.FirestoreOptions(directory=directory, port=site.ports[_PORT]))


def _store(world: World, place: Place) -> str:
    return firestore_url(world.ports[_PORT], place.database)


SERVER = Server(name="firestore", recipe=_recipe, ports=(_PORT,), store=_store)
