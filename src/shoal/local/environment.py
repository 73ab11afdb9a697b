"""Plan → the variables of each service: addresses, its own credentials and no other's."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import msgspec

from shoal.errors import SettingsError
from shoal.local.ports import LOOPBACK
from shoal.local.secrets import OPERATOR, Passwords, SigningKey
from shoal.model import catalog
from shoal.model.issuers import placed
from shoal.model.plan import Plan, ServicePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What was decided about this machine before anything started."""

    passwords: Passwords
    key: SigningKey | None
    postgres: str
    """Folder of PostgreSQL's socket."""
    broker_port: int
    externals: Mapping[str, str]
    """External → address of its stand-in."""
    outbound: Mapping[str, str]
    """Service → socket of its outbound listener; empty when calls stay in the process."""
    drain: float = 10.0
    broker: str = "nats"
    """Engine of the broker."""
    valkey: str = ""
    """Socket of Valkey."""
    root: str = ""
    """Folder of the project, where issuers' files of keys lie."""
    key_set: str = ""
    """File of what verifies consumers' keys."""
    warehouses: str = ""
    """Folder of the warehouses of this machine."""
    mongo_port: int = 0
    aws_port: int = 0
    rings: str = ""
    """Folder of the services' key rings."""


KAFKA_WAIT = 0.1
"""Seconds that a request for messages waits at the local server of Kafka's protocol. It looks at its topics when a
request comes and after half of that, and does not notice what comes in between."""

AWS_REGION = "eu-central-1"
"""The region that the local server of Amazon's interfaces plays."""

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
    if store.engine == "mongo":
        return mongo_url(world.mongo_port, store.role, world.passwords.stores[store.role], store.database)
    if store.engine == "dynamodb":
        return aws_url("dynamodb", world.aws_port, store.role, world.passwords.stores[store.role], store.database)
    row = catalog.engine(store.engine)
    if catalog.server(row.name) != "postgres":
        return f"{row.scheme}://{store.database}"
    url = postgres_url(world.postgres, store.role, world.passwords.stores[store.role], store.database)
    return url.replace("postgres:", f"{row.scheme}:", 1)


def broker_url(service: ServicePlan, world: World) -> str:
    """Write the address of the broker with a service's own credentials; empty without events."""
    broker = service.broker
    if broker is None:
        return ""
    if "processes" not in catalog.engine(broker.engine).capabilities:
        return f"{catalog.engine(broker.engine).scheme}://"
    return _broker_url(world, broker.user)


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
    return _broker_url(world, OPERATOR)


def store_operator_url(world: World, server: str) -> str:
    """Write the address of a local server for who declares databases."""
    password = world.passwords.stores[server]
    if server == "aws":
        return aws_url("dynamodb", world.aws_port, OPERATOR, password, "")
    if server == "mongo":
        return mongo_url(world.mongo_port, OPERATOR, password, "admin")
    return postgres_url(world.postgres, "postgres", password, "postgres")


def mongo_url(port: int, user: str, password: str, database: str) -> str:
    """Write the address of a database of MongoDB's protocol; who enters is known to that database."""
    options = urlencode({"directConnection": "true", "authSource": database})
    return f"mongodb://{quote(user, safe='')}:{quote(password, safe='')}@{LOOPBACK}:{port}/{quote(database)}?{options}"


def aws_url(scheme: str, port: int, access: str, secret: str, name: str) -> str:
    """Write the address of one of Amazon's interfaces at the local server, which plays one region."""
    options = urlencode({"region": AWS_REGION, "tls": "0"})
    return f"{scheme}://{quote(access, safe='')}:{quote(secret, safe='')}@{LOOPBACK}:{port}/{quote(name)}?{options}"


def postgres_url(folder: str, role: str, password: str, database: str) -> str:
    """Write a URL that goes through the UNIX socket in `folder`."""
    query = urlencode({"host": folder, "port": "5432"}, safe="/")
    return f"postgres://{quote(role)}:{quote(password)}@/{quote(database)}?{query}"


def _broker_url(world: World, user: str) -> str:
    if world.broker == "kafka":
        return kafka_url(world.broker_port)
    if world.broker == "sns":
        return aws_url("sns", world.aws_port, user, world.passwords.brokers[user], "")
    if world.broker == "rabbitmq":
        return rabbitmq_url(world.broker_port, user, world.passwords.brokers[user])
    return nats_url(world.broker_port, user, world.passwords.brokers[user])


def kafka_url(port: int) -> str:
    """Write a URL of the local server of Kafka's protocol, which knows no users and looks but twice while it waits."""
    return f"kafka://{LOOPBACK}:{port}?wait={KAFKA_WAIT:g}"


def rabbitmq_url(port: int, user: str, password: str) -> str:
    """Write a URL of the local RabbitMQ."""
    return f"rabbitmq://{quote(user, safe='')}:{quote(password, safe='')}@{LOOPBACK}:{port}/shoal"


def nats_url(port: int, user: str, password: str) -> str:
    """Write a URL of the broker."""
    return f"nats://{quote(user)}:{quote(password)}@{LOOPBACK}:{port}"


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
