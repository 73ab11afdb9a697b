"""What services keep: databases, documents, objects, facts and caches, each for its owner."""

from collections.abc import Iterator
from typing import Any

from shoal.deploy.cloud.naming import owner
from shoal.deploy.gcp import naming
from shoal.deploy.gcp.resources import Bucket, Cache, Dataset, Documents, Postgres, Resource
from shoal.deploy.gcp.scope import FIRESTORE, Scope
from shoal.model.plan import ServicePlan

_ROOM, _OTHERS = 20, 15
"""Connections that each copy of a service may have, and those of operators and of Google."""

_LEAST_ROOM = 50


def make(scope: Scope) -> Iterator[Resource]:
    """Make the engines of every service; in a second region those that are not in both already."""
    for service in scope.plan.services:
        used, protected = set(scope.uses(service).values()), scope.environment.protected
        whose: dict[str, Any] = {
            "name": service.name,
            "service": service.name,
            "source": scope.declared(service).source,
        }
        if "postgres" in used:
            yield _postgres(scope, service)
        if "firestore" in used and not scope.passive:
            database, location = naming.database(service.name), FIRESTORE.get(scope.wide, scope.environment.region)
            wide = bool(scope.wide)
            yield Documents(**whose, database=database, protected=protected, location=location, wide=wide)
        if "gcs" in used and not scope.passive:
            cors = scope.plan.system.gateway.cors
            origins = cors.origins if cors is not None else ()
            bucket = naming.bucket(scope.project, service.name)
            yield Bucket(**whose, bucket=bucket, protected=protected, origins=origins, regions=scope.regions)
        if "bigquery" in used:
            yield Dataset(**whose, dataset=scope.dataset(service), account=service.name, protected=protected)
    if "valkey" in scope.made:
        yield Cache(
            name="main",
            node=scope.environment.engines.valkey,
            copies=2 if scope.environment.protected else 1,
            protected=scope.environment.protected,
            why="A service can do without what is in its cache, so there are no backups.",
        )


def _postgres(scope: Scope, service: ServicePlan) -> Postgres:
    environment, own = scope.environment, owner(service.name)
    return Postgres(
        name=service.name,
        service=service.name,
        source=scope.declared(service).source,
        tier=environment.engines.postgres,
        storage=environment.engines.postgres_storage,
        database=own,
        role=own,
        copies=2 if environment.protected else 1,
        keep=environment.keep_backups,
        connections=max(_LEAST_ROOM, _ROOM * scope.measured(service).most + _OTHERS),
        protected=environment.protected,
        followed=environment.standby is not None,
        follows=service.name if scope.passive else "",
    )
