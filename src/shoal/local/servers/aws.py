"""Amazon's interfaces, played by one server: DynamoDB, SNS and SQS."""

from shoal.local.engines import Recipe, aws
from shoal.local.secrets import OPERATOR
from shoal.local.servers.server import Place, Server
from shoal.local.site import Site, World
from shoal.local.urls import aws_url

_PORT = "aws"


def _recipe(site: Site) -> Recipe:
    return aws.recipe(aws.AwsOptions(directory=site.layout.data / "aws", port=site.ports[_PORT]))


def _store(world: World, place: Place) -> str:
    return aws_url(place.scheme, world.ports[_PORT], place.role, place.password, place.database)


def _operator(world: World) -> str:
    return aws_url("dynamodb", world.ports[_PORT], OPERATOR, world.passwords.stores["aws"], "")


def _broker(world: World, user: str) -> str:
    return aws_url("sns", world.ports[_PORT], user, world.passwords.brokers[user], "")


SERVER = Server(name="aws", recipe=_recipe, ports=(_PORT,), store=_store, store_operator=_operator, broker=_broker)
