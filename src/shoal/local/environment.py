"""Plan → the variables of each service: addresses, its own credentials and no other's."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode

import msgspec

from shoal.errors import SettingsError
from shoal.local.secrets import OPERATOR
from shoal.local.servers.server import Place
from shoal.local.servers.table import SERVERS
from shoal.local.site import World
from shoal.local.urls import postgres_url
from shoal.model import catalog
from shoal.model.issuers import placed
from shoal.model.plan import Plan, ServicePlan
from shoal.telemetry.settings import HTTP, SIGNALS

KEY_RING = "SHOAL_KEY_RING"
"""Variable that names another key ring than the file of this machine; ``{service}`` in it stands for the service."""

SEARCH = "SHOAL_SEARCH_URL"
"""Variable that names a cluster of OpenSearch, likewise: no server of it comes with Shoal."""

BROKER = "SHOAL_BROKER_URL"
"""Variable that names a broker of which no server comes with Shoal: one address for all services and the operator."""

BROKERS_ELSEWHERE = {"servicebus": "servicebus://POLICY:KEY@NAMESPACE.servicebus.windows.net"}
"""How the address of such a broker is written."""

EXPORT_EVERY = "5000"
"""Milliseconds between two exports of metrics, where somebody looks at them as they come."""

_PROTOCOLS = re.compile("OTEL_EXPORTER_OTLP_(?:[A-Z]+_)?PROTOCOL")

CLIENT = "PGAPPNAME"
"""Variable by which PostgreSQL's own client library says who it is (PostgreSQL documentation, "Environment Variables").
What code opens past its store is so seen to be the service's; see `shoal check --observed`."""

FAILPOINTS = ("SHOAL_FAILPOINTS", "SHOAL_FAILPOINTS_ONCE")
"""Variables that are handed to every service as they are; see `shoal.failpoints`."""


def service_environment(plan: Plan, service: ServicePlan, world: World, outside: Mapping[str, str]) -> dict[str, str]:
    """Return the ``SHOAL_*`` variables of a service, its externals and its own settings out of `outside`."""
    values = {
        "SHOAL_SYSTEM": plan.system.name,
        "SHOAL_ENTRY": service.entry,
        "SHOAL_STORE_URL": store_url(service, world),
        BROKER: broker_url(service, world),
        "SHOAL_CACHE_URL": cache_url(service, world),
        "SHOAL_WAREHOUSE_URL": warehouse_url(service, world),
        "SHOAL_SEARCH_URL": search_url(service, world, outside),
        "SHOAL_OBJECTS_URL": objects_url(service, world),
        "SHOAL_MESH": world.outbound.get(service.name, ""),
        "SHOAL_DRAIN": f"{world.drain:g}",
        CLIENT: service.name,
    }
    issuer = plan.system.gateway.issuer
    if issuer is not None and world.key is not None:
        values |= {
            "SHOAL_JWKS": str(world.key.public),
            "SHOAL_ISSUER": issuer.name,
            "SHOAL_AUDIENCE": issuer.audience,
            "SHOAL_SIGNING_KEY": str(world.key.private) if service.issues_tokens else "",
        }
    if plan.system.service(service.name).personal:
        values[KEY_RING] = key_ring_url(service.name, world, outside)
    values |= _believed(plan, world)
    values |= {name: outside.get(name, "") for name in FAILPOINTS}
    values |= telemetry(plan, service.name, service.name, world, outside)
    values = {name: value for name, value in values.items() if value}
    return values | _externals(service, world) | _settings(plan, service, outside)


def telemetry(plan: Plan, service: str, replica: str, world: World, outside: Mapping[str, str]) -> dict[str, str]:
    """Return what a service is told of telemetry: variables set outside, and where a dashboard runs, its own."""
    given = {name: value for name, value in outside.items() if name.startswith(("OTEL_", "SHOAL_TRACES_"))}
    if not world.telemetry:
        return given
    given = _spoken(given)
    resource = {"service.namespace": plan.system.name, "service.instance.id": replica}
    also = given.get("OTEL_RESOURCE_ATTRIBUTES", "")
    told = ",".join([*([also] if also else []), *(f"{key}={quote(value)}" for key, value in resource.items())])
    return (
        {"OTEL_METRIC_EXPORT_INTERVAL": EXPORT_EVERY}
        | given
        | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": world.telemetry,
            "OTEL_EXPORTER_OTLP_PROTOCOL": HTTP,
            "OTEL_SERVICE_NAME": service,
            "OTEL_RESOURCE_ATTRIBUTES": told,
        }
    )


def _spoken(given: Mapping[str, str]) -> dict[str, str]:
    """Leave the protocol that was chosen outside to signals that have an address of their own there."""
    kept = {name: value for name, value in given.items() if not _PROTOCOLS.fullmatch(name)}
    for signal in SIGNALS:
        own = f"OTEL_EXPORTER_OTLP_{signal.upper()}"
        chosen = given.get(f"{own}_PROTOCOL") or given.get("OTEL_EXPORTER_OTLP_PROTOCOL")
        if chosen and given.get(f"{own}_ENDPOINT"):
            kept[f"{own}_PROTOCOL"] = chosen
    return kept


def _believed(plan: Plan, world: World) -> dict[str, str]:
    """Name the issuers outside the system, and the consumers."""
    gateway = plan.system.gateway
    values: dict[str, str] = {}
    if gateway.issuers:
        values["SHOAL_ISSUERS"] = msgspec.json.encode([placed(i, world.root) for i in gateway.issuers]).decode()
    if gateway.consumers:
        values["SHOAL_CONSUMERS"] = msgspec.json.encode(gateway.consumers).decode()
        values["SHOAL_KEY_SET"] = world.key_set
    return values


def missing_settings(plan: Plan, outside: Mapping[str, str]) -> None:
    """Refuse to start services that could not read their settings; the error names every variable."""
    lines = []
    for service in plan.services:
        given = set(service.externals.values())
        lines += [
            f"{setting.variable} is not set ({service.name}: {setting.name})"
            for setting in plan.system.service(service.name).settings
            if setting.required and setting.variable not in outside and setting.variable not in given
        ]
    lines += _missing_externals(plan, outside) + _missing_search(plan, outside) + _missing_broker(plan, outside)
    if lines:
        raise SettingsError(
            "settings are missing:\n  " + "\n  ".join(sorted(set(lines))),
            hint=f"set them where you start it: {min(lines).partition(' ')[0]}=... shoal run",
        )


def store_url(service: ServicePlan, world: World) -> str:
    """Write the address of a service's own database; empty without one."""
    store = service.store
    if store is None:
        return ""
    row = catalog.engine(store.engine)
    server = SERVERS.get(catalog.server(row.name))
    if server is None or server.store is None:
        return f"{row.scheme}://{store.database}"
    password = world.passwords.stores[store.role]
    return server.store(world, Place(row.scheme, store.role, password, store.database, store.pooled))


def broker_url(service: ServicePlan, world: World) -> str:
    """Write the address of the broker with a service's own credentials; empty without events."""
    broker = service.broker
    if broker is None:
        return ""
    if "processes" not in catalog.engine(broker.engine).capabilities:
        return f"{catalog.engine(broker.engine).scheme}://"
    return _broker(world)(world, broker.user)


def cache_url(service: ServicePlan, world: World) -> str:
    """Write the address of a service's part of the cache with its own credentials; empty without one."""
    cache = service.cache
    if cache is None:
        return ""
    if cache.engine != "valkey":
        return f"{catalog.engine(cache.engine).scheme}://{quote(cache.part)}"
    user, password = quote(cache.user), quote(world.passwords.caches[cache.user], safe="")
    return f"valkey://{user}:{password}@/{quote(cache.part)}?{urlencode({'socket': world.valkey}, safe='/')}"


def warehouse_url(service: ServicePlan, world: World) -> str:
    """Write the place of a service's own warehouse, a file in a folder of its own; empty without one."""
    if service.warehouse is None:
        return ""
    scheme = catalog.engine(service.warehouse.engine).scheme
    return f"{scheme}://{quote(world.warehouses)}/{quote(service.name)}/facts.{scheme}"


def search_url(service: ServicePlan, world: World, outside: Mapping[str, str]) -> str:
    """Write the address of what has a service's indexes, which `outside` says of engines that do not run here."""
    search = service.search
    if search is None:
        return ""
    if search.engine == "postgres-search":
        return postgres_url(world.postgres, search.role, world.passwords.stores[search.role], search.database)
    if search.engine == "opensearch":
        return of_service(outside.get(SEARCH, ""), service.name)
    return f"{catalog.engine(search.engine).scheme}://{search.database}"


def key_ring_url(service: str, world: World, outside: Mapping[str, str]) -> str:
    """Write where the key ring of a service is: where `outside` says, else a file that only we can read."""
    return of_service(outside.get(KEY_RING) or f"keyfile://{quote(world.rings)}/{{service}}.json", service)


def of_service(url: str, service: str) -> str:
    """Put a service into an address that is said once for all."""
    return url.replace("{service}", quote(service))


def objects_url(service: ServicePlan, world: World) -> str:
    """Write the address of a service's objects with its own credentials; empty without any."""
    if service.objects is None:
        return ""
    address = SERVERS[catalog.server(service.objects.engine)].objects
    assert address is not None, f"{service.objects.engine} keeps objects"  # noqa: S101
    return address(world, service.objects)


def operator_url(world: World) -> str:
    """Write the address of the broker for who declares streams."""
    return _broker(world)(world, OPERATOR)


def elsewhere(plan: Plan, outside: Mapping[str, str]) -> str:
    """Return the address of the plan's broker where it runs elsewhere, which `outside` says; else nothing."""
    engine = catalog.engine(plan.target.broker)
    return outside.get(BROKER, "") if "processes" in engine.capabilities and _none_here(engine.name) else ""


def store_operator_url(world: World, server: str) -> str:
    """Write the address of a local server for who declares databases."""
    address = SERVERS[server].store_operator
    assert address is not None, f"{server} keeps stores"  # noqa: S101
    return address(world)


def _broker(world: World) -> Callable[[World, str], str]:
    if _none_here(world.broker):
        if not world.broker_url:
            hint = f"set {BROKER} as it was when the system was started"
            raise SettingsError(f"it is not said where {world.broker} is", hint=hint)
        return lambda world, _: world.broker_url
    address = SERVERS[catalog.server(world.broker)].broker
    assert address is not None, f"{world.broker} is a broker"  # noqa: S101
    return address


def _none_here(broker: str) -> bool:
    """Tell whether no server of a broker comes with Shoal."""
    return catalog.server(broker) not in SERVERS


def _externals(service: ServicePlan, world: World) -> dict[str, str]:
    return {variable: world.externals[name] for name, variable in service.externals.items() if name in world.externals}


def _settings(plan: Plan, service: ServicePlan, outside: Mapping[str, str]) -> dict[str, str]:
    """Take what is set by hand; it wins over a stand-in's address."""
    declared = {s.variable for s in plan.system.service(service.name).settings} | set(service.externals.values())
    return {name: outside[name] for name in sorted(declared) if name in outside}


def _missing_search(plan: Plan, outside: Mapping[str, str]) -> list[str]:
    """Demand the address of OpenSearch; two services whose indexes have the same name must not meet there."""
    asking = [service.name for service in plan.services if service.search and service.search.engine == "opensearch"]
    if not outside.get(SEARCH) and asking:
        return [
            f"{SEARCH} is not set ({', '.join(asking)}: opensearch://user:password@host:9200/shop-{{service}}?tls=1)"
        ]
    if len(asking) > 1 and "{service}" not in outside[SEARCH]:
        return [f"{SEARCH} does not say {{service}}, and would be the same for {' and '.join(asking)}"]
    return []


def _missing_broker(plan: Plan, outside: Mapping[str, str]) -> list[str]:
    """Demand the address of a broker of which no server comes with Shoal."""
    engine = catalog.engine(plan.target.broker)
    if "processes" not in engine.capabilities or not _none_here(engine.name) or outside.get(BROKER):
        return []
    if not any(service.broker for service in plan.services):
        return []
    return [f"{BROKER} is not set (broker {engine.name}: {BROKERS_ELSEWHERE[engine.name]}; none runs here)"]


def _missing_externals(plan: Plan, outside: Mapping[str, str]) -> list[str]:
    bare = {e.name for e in plan.externals if e.protocol == "http" and e.sandbox is None}
    return [
        f"{variable} is not set ({service.name}: address of {name}, which has no sandbox)"
        for service in plan.services
        for name, variable in service.externals.items()
        if name in bare and variable not in outside
    ]
