"""Where services find their engines: plain addresses, and those with a password, which are secrets."""

from collections.abc import Iterator

from shoal.deploy.aws.scope import OWN, Scope
from shoal.deploy.aws.stores import FACTS
from shoal.deploy.cloud.naming import owner
from shoal.deploy.cloud.values import Join, Ref, Value, join
from shoal.model import names
from shoal.model.plan import ServicePlan

FILES = "/etc/shoal/files"
"""Where files lie that a service is given: key sets, and the authorities of RDS."""

RING = "SHOAL_KEY_RING"
"""Variable by which a service learns where the keys are that wrap those of personal data."""

AUTHORITIES = "authorities.pem"
"""Certificates of the authorities of RDS and DocumentDB in the region, as AWS publishes them."""


def plain(scope: Scope, service: ServicePlan) -> dict[str, Value]:
    """List the addresses that hold no secret: whoever has the role may use them."""
    region, found = scope.environment.region, dict[str, Value]()
    for role, server in scope.uses(service).items():
        if server == "sns":
            found[variable(role)] = f"sns:///{scope.system}?region={region}"
        elif server == "dynamodb":
            found[variable(role)] = join("dynamodb:///", Ref("table", service.name, "name"), f"?region={region}")
        elif server == "s3":
            found[variable(role)] = join("s3:///", Ref("bucket", service.name, "name"), f"?region={region}")
        elif server == "redshift":
            end = f"/{FACTS}?region={region}&every={scope.environment.engines.redshift_pace}"
            found[variable(role)] = join("redshift:///", Ref("warehouse", service.name, "name"), end)
    if scope.declared(service).personal:
        found[RING] = join("awskms:///", Ref("key", f"personal-{service.name}", "id"), f"?region={region}")
    return found


def secret(scope: Scope, service: ServicePlan) -> Iterator[tuple[str, str, Value | None]]:
    """List the others: variable, name of the secret, and its text; None where somebody fills it in."""
    known = plain(scope, service)
    for role, server in scope.uses(service).items():
        if server not in plain_servers():
            yield variable(role), f"{service.name}-{role}-url", _text(scope, service, role, server)
        elif scope.environment.eks:  # pods are told every address by a secret
            yield variable(role), f"{service.name}-{role}-url", known[variable(role)]
    if scope.environment.eks and RING in known:
        yield RING, f"{service.name}-key-ring", known[RING]


def plain_servers() -> tuple[str, ...]:
    """Name the servers that need no password."""
    return ("sns", "dynamodb", "s3", "redshift")


def passwords(scope: Scope, service: ServicePlan) -> list[str]:
    """Name the passwords of a service, one for each server that asks for one."""
    servers = dict.fromkeys(s for s in scope.uses(service).values() if s in OWN and s not in plain_servers())
    return [f"{service.name}-{server}" for server in servers]


def variable(role: str) -> str:
    """Name the variable by which a service learns an address."""
    return f"SHOAL_{role.upper()}_URL"


def _text(scope: Scope, service: ServicePlan, role: str, server: str) -> Join | None:
    own, password = owner(service.name), Ref("password", f"{service.name}-{server}", "result")
    if server == "postgres":
        kind = "documents" if scope.engines(service)[role] == "documents" else "postgres"
        host = Ref("postgres", service.name, "address")
        end = f":5432/{own}?sslmode=verify-full&sslrootcert={FILES}/{AUTHORITIES}"
        return join(f"{kind}://{own}:", password, "@", host, end)
    if server == "mongo":
        more = f"?tls=true&tlsCAFile={FILES}/{AUTHORITIES}&replicaSet=rs0&retryWrites=false"
        return join(
            f"mongodb://{own}:", password, "@", Ref("documents", service.name, "address"), f":27017/{own}{more}"
        )
    if server == "valkey" and service.cache is not None:
        host = Ref("cache", "main", "address")
        return join(f"valkeys+cluster://{service.cache.user}:", password, "@", host, f":6379/{service.cache.part}")
    if server == "opensearch":
        host = Ref("search", service.name, "address")
        return join(
            "opensearch://operator:", password, "@", host, f":443/{scope.system}-{names.database(service.name)}?tls=1"
        )
    return None
