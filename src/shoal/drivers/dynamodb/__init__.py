"""DynamoDB as a store. URLs: ``dynamodb://ACCESS:SECRET@HOST:PORT/TABLE?region=eu-central-1``.

Without host and keys it is Amazon's own, with the keys of the machine: ``dynamodb:///shop-orders?region=eu-central-1``.
"""

from shoal.drivers.aws import address
from shoal.drivers.aws.client import AwsClient
from shoal.drivers.base import Store, StoreAdmin
from shoal.drivers.base.documents.store import DocumentStore
from shoal.drivers.dynamodb.admin import DynamoAdmin
from shoal.drivers.dynamodb.engine import DynamoEngine
from shoal.errors import DeclarationError

_SERVICE = "dynamodb"
_SHORTEST = 3


def store(url: str) -> Store:
    """Return one service's connection, not yet open."""
    found = address.read(url)
    if len(found.name) < _SHORTEST:
        raise DeclarationError(
            f"the dynamodb address names no table: {found.name!r}", hint="dynamodb://.../TABLE?region=..."
        )
    return DocumentStore(DynamoEngine(AwsClient(_SERVICE, found), found.name))


def store_admin(url: str) -> StoreAdmin:
    """Return the operator's side of a region."""
    return DynamoAdmin(AwsClient(_SERVICE, address.read(url)))
