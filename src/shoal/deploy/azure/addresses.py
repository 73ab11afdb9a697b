"""Where services find their engines: plain addresses, and those with a password, which are secrets."""

from collections.abc import Iterator

from shoal.deploy.azure.scope import OWN, Scope
from shoal.deploy.cloud.naming import owner
from shoal.deploy.cloud.values import Join, Ref, Value, join
from shoal.model.plan import ServicePlan

FILES = "/etc/shoal/files"
"""Where files lie that a service is given."""

AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""Certificates of public authorities in the image, by which Azure's servers are signed."""

PLAIN = ("servicebus", "blob")
"""Servers that need no password: whoever has the identity may use them."""

CONTAINER = "objects"
"""Where an account has its service's objects."""

BUS, CACHE = 5671, 10000
"""Ports of Service Bus and of Managed Redis."""


def plain(scope: Scope, service: ServicePlan) -> dict[str, Value]:
    """List the addresses that hold no secret, and who the service is there."""
    found: dict[str, Value] = {"AZURE_CLIENT_ID": Ref("identity", service.name, "client")}
    for role, server in scope.uses(service).items():
        if server == "servicebus":
            found[variable(role)] = broker()
        elif server == "blob":
            found[variable(role)] = join("azblob://", Ref("account", service.name, "host"), f"/{CONTAINER}")
    if scope.declared(service).personal:
        key = Ref("key", f"personal-{service.name}", "name")
        found["SHOAL_KEY_RING"] = join("keyvault://", Ref("vault", "main", "name"), ".vault.azure.net/", key)
    return found


def broker() -> Join:
    """Say where the broker is, for everybody."""
    return join("servicebus://", Ref("bus", "main", "name"), ".servicebus.windows.net")


def secret(scope: Scope, service: ServicePlan) -> Iterator[tuple[str, str, Value | None]]:
    """List the others: variable, name of the secret, and its text; None where somebody fills it in."""
    for role, server in scope.uses(service).items():
        if server not in PLAIN:
            yield variable(role), f"{role}-url", _text(scope, service, role, server)


def mailed(scope: Scope, service: ServicePlan) -> Iterator[tuple[str, str]]:
    """List variable and name of the addresses of mail servers, which hold a password.

    One that the environment says itself, without a password, is none; nor is there any where mail goes another way.
    """
    if scope.environment.mail is not None:
        return
    said = {name for name, value in scope.environment.settings.items() if "@" not in value}
    for external in scope.plan.externals:
        variable = service.externals.get(external.name, "")
        if external.protocol == "smtp" and variable and variable not in said:
            yield variable, f"{external.name}-url"


def passwords(scope: Scope, service: ServicePlan) -> list[str]:
    """Name the passwords that are made for a service; Managed Redis makes its own."""
    return [f"{service.name}-postgres"] if "postgres" in scope.uses(service).values() else []


def variable(role: str) -> str:
    """Name the variable by which a service learns an address."""
    return f"SHOAL_{role.upper()}_URL"


def _text(scope: Scope, service: ServicePlan, role: str, server: str) -> Join | None:
    if server not in OWN:
        return None
    if server == "postgres":
        own, password = owner(service.name), Ref("password", f"{service.name}-postgres", "result")
        kind = "documents" if scope.engines(service)[role] == "documents" else "postgres"
        host = Ref("postgres", service.name, "address")
        end = f":5432/{own}?sslmode=verify-full&sslrootcert={AUTHORITIES}"
        return join(f"{kind}://{own}:", password, "@", host, end)
    host, key = Ref("cache", service.name, "address"), Ref("cache", service.name, "key")
    part = service.cache.part if service.cache is not None else scope.system
    return join("valkeys://default:", key, "@", host, f":{CACHE}/{part}")
