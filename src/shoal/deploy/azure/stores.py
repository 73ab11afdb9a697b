"""What services keep: databases, objects and caches, each for its owner."""

from collections.abc import Iterator

from shoal.deploy.azure.resources import Account, Cache, Lock, Postgres
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.naming import owner
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.cloud.values import Ref
from shoal.model.plan import ServicePlan

SEARCHING = ("PG_TRGM", "UNACCENT")
"""Extensions that an index of words asks for."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the engines of every service."""
    for service in scope.plan.services:
        used, source = set(scope.uses(service).values()), scope.declared(service).source
        if "postgres" in used:
            yield _postgres(scope, service)
            yield from _locked(scope, "postgres", service)
        if "valkey" in used:
            yield Cache(
                name=service.name, service=service.name, source=source, size=scope.environment.engines.valkey,
                copies=2 if scope.environment.protected else 1,
                why="One for its owner alone: a Managed Redis knows no user who sees some keys and not others.",
            )  # fmt: skip
        if "blob" in used and not scope.passive:
            cors = scope.plan.system.gateway.cors
            yield Account(
                name=service.name, service=service.name, source=source, protected=scope.environment.protected,
                keep=scope.environment.keep_backups,
                far=scope.environment.far_backups or scope.environment.standby is not None,
                origins=cors.origins if cors is not None else (),
                why="Clients fetch and bring single objects by addresses that end; nobody else gets in from outside.",
            )  # fmt: skip
            yield from _locked(scope, "account", service)


def _postgres(scope: Scope, service: ServicePlan) -> Postgres:
    environment, own = scope.environment, owner(service.name)
    return Postgres(
        name=service.name,
        service=service.name,
        source=scope.declared(service).source,
        size=environment.engines.postgres,
        storage=environment.engines.postgres_storage,
        database=own,
        role=own,
        copies=2 if scope.second else 1,
        keep=environment.keep_backups,
        far=environment.far_backups,
        protected=environment.protected,
        follows=service.name if scope.passive else "",
        extensions=SEARCHING if scope.uses(service).get("search") == "postgres" else (),
    )


def _locked(scope: Scope, kind: str, service: ServicePlan) -> Iterator[Lock]:
    if scope.environment.protected:
        yield Lock(name=f"{kind}-{service.name}", service=service.name, of=Ref(kind, service.name, "id"))
