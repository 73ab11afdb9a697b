"""Plan → the variables of each service: addresses, its own credentials and no other's."""

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

FAILPOINTS = ("SHOAL_FAILPOINTS", "SHOAL_FAILPOINTS_ONCE")
"""Variables that are handed to every service as they are; see `shoal.failpoints`."""


def service_environment(plan: Plan, service: ServicePlan, world: World, outside: Mapping[str, str]) -> dict[str, str]:
    """Return the ``SHOAL_*`` variables of a service, its externals and its own settings out of `outside`."""
    values = {
        "SHOAL_SYSTEM": plan.system.name,
        "SHOAL_ENTRY": service.entry,
        "SHOAL_STORE_URL": store_url(service, world),
        "SHOAL_BROKER_URL": broker_url(service, world),
        "SHOAL_CACHE_URL": cache_url(service, world),
        "SHOAL_WAREHOUSE_URL": warehouse_url(service, world),
        "SHOAL_SEARCH_URL": search_url(service, world),
        "SHOAL_MESH": world.outbound.get(service.name, ""),
        "SHOAL_DRAIN": f"{world.drain:g}",
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
        values["SHOAL_KEY_RING"] = f"keyfile://{quote(world.rings)}/{quote(service.name)}.json"
    values |= _believed(plan, world)
    values |= {name: outside.get(name, "") for name in FAILPOINTS}
    values = {name: value for name, value in values.items() if value}
    return values | _externals(service, world) | _settings(plan, service, outside)


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
    lines += _missing_externals(plan, outside)
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
    return server.store(world, Place(row.scheme, store.role, world.passwords.stores[store.role], store.database))


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


def search_url(service: ServicePlan, world: World) -> str:
    """Write the address of the database that has a service's indexes; empty without any."""
    search = service.search
    if search is None:
        return ""
    if search.engine == "postgres-search":
        return postgres_url(world.postgres, search.role, world.passwords.stores[search.role], search.database)
    return f"{catalog.engine(search.engine).scheme}://{search.database}"


def operator_url(world: World) -> str:
    """Write the address of the broker for who declares streams."""
    return _broker(world)(world, OPERATOR)


def store_operator_url(world: World, server: str) -> str:
    """Write the address of a local server for who declares databases."""
    address = SERVERS[server].store_operator
    assert address is not None, f"{server} keeps stores"  # noqa: S101
    return address(world)


def _broker(world: World) -> Callable[[World, str], str]:
    address = SERVERS[catalog.server(world.broker)].broker
    assert address is not None, f"{world.broker} is a broker"  # noqa: S101
    return address


def _externals(service: ServicePlan, world: World) -> dict[str, str]:
    return {variable: world.externals[name] for name, variable in service.externals.items() if name in world.externals}


def _settings(plan: Plan, service: ServicePlan, outside: Mapping[str, str]) -> dict[str, str]:
    """Take what is set by hand; it wins over a stand-in's address."""
    declared = {s.variable for s in plan.system.service(service.name).settings} | set(service.externals.values())
    return {name: outside[name] for name in sorted(declared) if name in outside}


def _missing_externals(plan: Plan, outside: Mapping[str, str]) -> list[str]:
    bare = {e.name for e in plan.externals if e.protocol == "http" and e.sandbox is None}
    return [
        f"{variable} is not set ({service.name}: address of {name}, which has no sandbox)"
        for service in plan.services
        for name, variable in service.externals.items()
        if name in bare and variable not in outside
    ]
