"""A server of S3's interface: a bucket for the objects of each service, and a user that may enter no other."""

from shoal.local.engines import Recipe, s3
from shoal.local.secrets import OPERATOR
from shoal.local.servers.server import Server
from shoal.local.site import Site, World
from shoal.local.urls import aws_url
from shoal.model.objects import ObjectsPlan

_ENGINE = "s3"
_PORTS = tuple(f"s3 {name}" for name in s3.PORTS)


def _recipe(site: Site) -> Recipe:
    known = site.world.passwords.objects
    kept = [s.objects for s in site.plan.services if s.objects is not None and s.objects.engine == _ENGINE]
    users = [s3.S3User(name=one.user, password=known[one.user], bucket=one.bucket) for one in kept]
    options = s3.S3Options(
        directory=site.layout.data / "s3",
        ports={name: site.ports[f"s3 {name}"] for name in s3.PORTS},
        users=(s3.S3User(name=OPERATOR, password=known[OPERATOR]), *users),
    )
    return s3.recipe(options)


def _address(world: World, plan: ObjectsPlan) -> str:
    return aws_url("s3", world.ports["s3 s3"], plan.user, world.passwords.objects[plan.user], plan.bucket)


def _operator(world: World, _plan: ObjectsPlan) -> str:
    return aws_url("s3", world.ports["s3 s3"], OPERATOR, world.passwords.objects[OPERATOR], "")


SERVER = Server(name="s3", recipe=_recipe, ports=_PORTS, objects=_address, objects_operator=_operator)
