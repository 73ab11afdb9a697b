"""Azurite: an account for the objects of each service, whose key opens no other."""

import base64

from shoal.local.engines import Recipe, blob
from shoal.local.servers.server import Server
from shoal.local.site import Site, World
from shoal.local.urls import blob_url
from shoal.model.objects import ObjectsPlan

_ENGINE = _PORT = "blob"


def _recipe(site: Site) -> Recipe:
    kept = [s.objects for s in site.plan.services if s.objects is not None and s.objects.engine == _ENGINE]
    accounts = tuple(blob.BlobAccount(name=one.user, key=_key(site.world, one)) for one in kept)
    directory = site.layout.data / "blob"
    return blob.recipe(blob.BlobOptions(directory=directory, port=site.ports[_PORT], accounts=accounts))


def _address(world: World, plan: ObjectsPlan) -> str:
    return blob_url(world.ports[_PORT], plan.user, _key(world, plan), plan.bucket)


def _key(world: World, plan: ObjectsPlan) -> str:
    return base64.b64encode(world.passwords.objects[plan.user].encode()).decode()


SERVER = Server(name="blob", recipe=_recipe, ports=(_PORT,), objects=_address, objects_operator=_address)
