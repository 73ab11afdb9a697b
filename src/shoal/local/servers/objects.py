"""A folder for the objects of each service, and the door that lends them."""

from shoal.local.engines import Recipe, objects
from shoal.local.servers.server import Server
from shoal.local.site import Site, World
from shoal.local.urls import folder_url
from shoal.model.objects import ObjectsPlan

_PORT = "objects"
_ENGINE = "folder"


def _recipe(site: Site) -> Recipe:
    kept = [s.objects for s in site.plan.services if s.objects is not None and s.objects.engine == _ENGINE]
    options = objects.ObjectsOptions(
        directory=site.layout.secrets / "objects",
        port=site.ports[_PORT],
        folders={one.user: _address(site.world, one) for one in kept},
    )
    return objects.recipe(options)


def _address(world: World, plan: ObjectsPlan) -> str:
    return folder_url(f"{world.objects}/{plan.user}", world.passwords.objects[plan.user], world.ports[_PORT], plan.user)


SERVER = Server(name="objects", recipe=_recipe, ports=(_PORT,), objects=_address)
