"""What a target cannot do for a system, as findings."""

from shoal.model import catalog, choreography, names
from shoal.model.cache import CacheUse
from shoal.model.finding import Finding
from shoal.model.objects import ObjectsPlan
from shoal.model.service import Service
from shoal.model.system import System
from shoal.model.target import HERE, Target


def findings(system: System, target: Target) -> list[Finding]:
    """List everything that `target` cannot do, or will not do by itself."""
    found = _size_findings(system, target) + _tls_findings(target)
    for service in system.services:
        found += _store_findings(service, target) + _broker_findings(service, target)
        found += _cache_findings(service, target)
        found += _warehouse_findings(service, target) + _search_findings(service, target)
        found += _objects_findings(service, target)
    return found + _wants_findings(system, target) + _external_findings(system, target) + choreography.findings(system)


def _size_findings(system: System, target: Target) -> list[Finding]:
    known = {s.name for s in system.services}
    found = [
        Finding(
            code="PLAN-SIZE-01",
            severity="error",
            message=f"replicas are asked for {name!r}, which is no service",
            help=f"services: {', '.join(sorted(known))}",
        )
        for name in sorted(set(target.replicas) - known)
    ]
    if target.shape != "processes" and target.mesh != "shared":
        message = f"shape {target.shape} has no mesh that could be {target.mesh}"
        found.append(Finding(code="PLAN-MESH-01", severity="error", message=message, help="leave out one of them"))
    if target.shape != "processes" and any(count > 1 for count in target.replicas.values()):
        message = f"shape {target.shape} has one replica of each service"
        found.append(
            Finding(code="PLAN-SIZE-02", severity="error", message=message, help="leave out the replicas or the shape")
        )
    return found


def _tls_findings(target: Target) -> list[Finding]:
    if not target.tls or target.shape == "processes":
        return []
    message = f"TLS is asked for, but shape {target.shape} has no proxy that could serve it"
    return [Finding(code="PLAN-TLS-01", severity="error", message=message, help="leave out --tls, or --one-process")]


def _store_findings(service: Service, target: Target) -> list[Finding]:
    if service.store is None:
        return []
    row = catalog.engine(store_engine(service, target), kind="store")
    needs = {*service.store.needs} | ({"processes"} if target.shape != "memory" else set())
    lacking = [
        Finding(
            code="PLAN-STORE-01",
            severity="error",
            where=service.source,
            message=f"{service.name} needs a store that {catalog.CAPABILITIES[need]}; {row.product} does not",
            help="choose another engine for it, or do without",
        )
        for need in sorted(needs - row.capabilities)
    ]
    return _unruled(service, target, row) + _limited(service, target, row) + lacking


def _unruled(service: Service, target: Target, row: catalog.Engine) -> list[Finding]:
    """Say that the constraints of its migrations do not hold on an engine that runs none."""
    if "sql" in row.capabilities or target.shape == "memory" or service.store is None or not service.store.migrations:
        return []
    message = f"{row.name} keeps documents: it runs no migration of {service.name}, and none of their constraints hold"
    help_ = "what must hold has to be checked by the handlers; see docs/how-to/engines.md"
    return [Finding(code="PLAN-STORE-02", severity="info", where=service.source, message=message, help=help_)]


def _limited(service: Service, target: Target, row: catalog.Engine) -> list[Finding]:
    """Say how much one transaction can change at most."""
    if not row.commit_limit or target.shape == "memory":
        return []
    what = "documents, messages, marks and locks"
    message = f"{row.name} commits at most {row.commit_limit} {what} of {service.name} at a time"
    help_ = "a larger transaction is refused as a whole; write in smaller ones, see docs/how-to/engines.md"
    return [Finding(code="PLAN-STORE-03", severity="info", where=service.source, message=message, help=help_)]


def _broker_findings(service: Service, target: Target) -> list[Finding]:
    if not service.publishes and not service.subscriptions:
        return []
    row = catalog.engine(target.broker, kind="broker")
    if target.shape == "memory" or "processes" in row.capabilities:
        return []
    return [
        Finding(
            code="PLAN-BROKER-01",
            severity="error",
            where=service.source,
            message=f"the events of {service.name} need a broker that {catalog.CAPABILITIES['processes']}",
            help=f"{row.product} does not; choose nats",
        )
    ]


def _cache_findings(service: Service, target: Target) -> list[Finding]:
    if service.cache is None:
        return []
    row = catalog.engine(cache_engine(service.cache, target), kind="cache")
    if target.shape != "processes" or "processes" in row.capabilities:
        return []
    return [
        Finding(
            code="PLAN-CACHE-01",
            severity="error",
            where=service.source,
            message=f"the cache of {service.name} needs an engine that {catalog.CAPABILITIES['processes']}",
            help=f"{row.product} does not; choose valkey",
        )
    ]


def _wants_findings(system: System, target: Target) -> list[Finding]:
    """Say what the broker leaves to us."""
    row = catalog.engine(target.broker, kind="broker")
    wanting = sorted(catalog.BROKER_WANTS - row.capabilities)
    if (
        "processes" not in row.capabilities
        or not wanting
        or not any(s.publishes or s.subscriptions for s in system.services)
    ):
        return []
    message = f"broker {row.name} cannot do all that {Target().broker} can: {', '.join(wanting)}"
    return [Finding(code="PLAN-BROKER-02", severity="info", message=message, help="see docs/reference/brokers.md")]


def _external_findings(system: System, target: Target) -> list[Finding]:
    return [
        Finding(
            code="PLAN-EXTERNAL-01",
            severity="warning",
            where=external.source,
            message=f"external {external.name} has no sandbox: set {external.setting} by hand",
            help="declare External(..., sandbox=Sandbox(...))",
        )
        for external in system.externals
        if target.shape != "memory" and external.protocol == "http" and external.sandbox is None
    ]


def cache_engine(cache: CacheUse, target: Target) -> str:
    """Choose the engine of a cache: the target's, or the one declared."""
    return target.cache or cache.engine


def _search_findings(service: Service, target: Target) -> list[Finding]:
    """Refuse indexes in the memory of the test shape where the records are elsewhere."""
    engine = search_engine(service, target)
    if service.search is None or target.shape == "memory" or "processes" in catalog.engine(engine).capabilities:
        return []
    return [
        Finding(
            code="PLAN-SEARCH-01",
            severity="error",
            where=service.source,
            message=f"the indexes of {service.name} need an engine that {catalog.CAPABILITIES['processes']}",
            help=f"{catalog.engine(engine).product} does not; choose postgres-search",
        )
    ]


def _warehouse_findings(service: Service, target: Target) -> list[Finding]:
    """Refuse a second process beside a warehouse that only one can have."""
    if service.warehouse is None:
        return []
    row = catalog.engine(warehouse_engine(service, target), kind="warehouse")
    several = target.replicas.get(service.name, 1) > 1 or service.name in target.splits
    if "processes" in row.capabilities or not several:
        return []
    return [
        Finding(
            code="PLAN-WAREHOUSE-01",
            severity="error",
            where=service.source,
            message=f"several processes of {service.name} need a warehouse that {catalog.CAPABILITIES['processes']}",
            help=f"{row.product}: run one replica, and no second version beside it",
        )
    ]


def warehouse_engine(service: Service, target: Target) -> str:
    """Choose a warehouse: the memory shape replaces every one, the others keep what is declared or chosen."""
    if target.shape == "memory" or service.warehouse is None:
        return "memory-warehouse"
    return target.warehouses.get(service.name, service.warehouse.engine)


def _objects_findings(service: Service, target: Target) -> list[Finding]:
    """Refuse an engine that only those outside can reach, or only one process; say what another one leaves to us."""
    if service.objects is None or target.shape == "memory":
        return []
    row = catalog.engine(objects_engine(service, target), kind="objects")
    lacking = row.lacking_here if target.name == HERE else frozenset()
    if "processes" not in row.capabilities - lacking:
        message = f"the objects of {service.name} need an engine that can be run here; {row.product} cannot"
        help_ = "choose folder, s3 or blob"
        return [Finding(code="PLAN-OBJECTS-01", severity="error", where=service.source, message=message, help=help_)]
    wanting = sorted(catalog.OBJECTS_WANTS - row.capabilities)
    if not wanting:
        return []
    message = f"the objects of {service.name} in {row.name} lack what others have: {', '.join(wanting)}"
    return [Finding(code="PLAN-OBJECTS-02", severity="info", message=message, help="see docs/how-to/objects.md")]


def objects_engine(service: Service, target: Target) -> str:
    """Choose where objects are: the memory shape replaces every one, the others keep what is declared or chosen."""
    if target.shape == "memory" or service.objects is None:
        return "memory-objects"
    return target.objects.get(service.name, service.objects.engine)


def objects_plan(system: System, service: Service, target: Target) -> ObjectsPlan | None:
    """Decide where the objects of a service are; None where it has none."""
    if service.objects is None:
        return None
    bucket = names.bucket(system.name, service.name)
    return ObjectsPlan(engine=objects_engine(service, target), user=service.name, bucket=bucket)


def search_engine(service: Service, target: Target) -> str:
    """Choose where indexes are: the memory shape has its own, the others keep what the service declares."""
    if target.shape == "memory" or service.search is None:
        return "memory-search"
    return target.searches.get(service.name, service.search.engine)


def store_engine(service: Service, target: Target) -> str:
    """Choose a store: the memory shape replaces every one, the others keep what the service declares."""
    if target.shape == "memory" or service.store is None:
        return target.store
    return target.stores.get(service.name, service.store.engine)
