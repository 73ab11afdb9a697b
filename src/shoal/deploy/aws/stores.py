"""What services keep: databases, tables, objects, caches and indexes, each for its owner."""

from collections.abc import Iterator

from shoal.deploy.aws import naming
from shoal.deploy.aws.resources import Bucket, Cache, Documents, Postgres, Resource, Search, Table, Warehouse
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud.naming import owner
from shoal.deploy.cloud.values import ACCOUNT, Value, join
from shoal.model.plan import ServicePlan

FACTS = "facts"
"""Database of a warehouse."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the engines of every service."""
    for service in scope.plan.services:
        used = set(scope.uses(service).values())
        if used & {"postgres", "mongo"}:
            yield from _databases(scope, service, used)
        source, protected = scope.declared(service).source, scope.environment.protected
        if "dynamodb" in used:
            yield Table(name=service.name, service=service.name, source=source, protected=protected)
        if "s3" in used:
            cors = scope.plan.system.gateway.cors
            origins = cors.origins if cors is not None else ()
            yield Bucket(name=service.name, service=service.name, source=source, protected=protected, origins=origins)
        if "opensearch" in used:
            yield _search(scope, service)
        if "redshift" in used:
            yield _warehouse(scope, service)
    if users := scope.users("valkey"):
        yield _cache(scope, users)


def _databases(scope: Scope, service: ServicePlan, used: set[str]) -> Iterator[Resource]:
    environment, source = scope.environment, scope.declared(service).source
    own, copies = owner(service.name), 2 if environment.protected else 1
    if "postgres" in used:
        yield Postgres(
            name=service.name,
            service=service.name,
            source=source,
            instance=environment.engines.postgres,
            storage=environment.engines.postgres_storage,
            database=own,
            role=own,
            copies=copies,
            keep=environment.keep_backups,
            protected=environment.protected,
            replica=_source(scope, service),
        )
    if "mongo" in used:
        yield Documents(
            name=service.name,
            service=service.name,
            source=source,
            instance=environment.engines.mongo,
            role=own,
            copies=copies,
            keep=environment.keep_backups,
            protected=environment.protected,
            worldly=_worldly(scope, service),
            follows=scope.passive,
        )


def _source(scope: Scope, service: ServicePlan) -> Value:
    """Name the database of the first region that this one follows, by the law of names: nobody is asked there."""
    if scope.first is None:
        return ""
    name = scope.origin().named(service.name, limit=naming.DATABASE)
    return join(f"arn:aws:rds:{scope.first.region}:", ACCOUNT, f":db:{name}")


def _worldly(scope: Scope, service: ServicePlan) -> str:
    both = scope.passive or scope.environment.standby is not None
    return scope.origin().named(service.name, "worldly", limit=naming.DATABASE) if both else ""


def _cache(scope: Scope, users: list[ServicePlan]) -> Cache:
    commands = " ".join(scope.valkey)
    rules = {
        user.cache.user: f"on ~{user.cache.part}:* -@all +ping {commands}".rstrip()
        for user in users
        if user.cache is not None
    }
    copies = 2 if scope.environment.protected else 1
    return Cache(
        name="main",
        instance=scope.environment.engines.valkey,
        copies=copies,
        users=rules,
        asleep=scope.passive,
        why="A service can do without what is in its cache, so there are no backups.",
    )


def _search(scope: Scope, service: ServicePlan) -> Search:
    environment = scope.environment
    return Search(
        name=service.name,
        service=service.name,
        source=scope.declared(service).source,
        instance=environment.engines.opensearch,
        nodes=environment.zones if environment.protected else 1,
        storage=environment.engines.opensearch_storage,
        region=environment.region,
        why="Indexes are built anew from the store, so a night's automatic snapshot is enough.",
    )


def _warehouse(scope: Scope, service: ServicePlan) -> Warehouse:
    environment = scope.environment
    return Warehouse(
        name=service.name,
        service=service.name,
        source=scope.declared(service).source,
        database=FACTS,
        capacity=environment.engines.redshift,
        pace=environment.engines.redshift_pace,
        protected=environment.protected,
        why="Its role is who asks: nobody knows a password, and nobody connects to it but by Amazon's interface.",
    )
