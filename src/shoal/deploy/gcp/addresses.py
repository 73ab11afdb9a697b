"""Where services find their engines: plain addresses, and those with a password, which are secrets."""

import re
from collections.abc import Iterator

from shoal.deploy.cloud.naming import owner
from shoal.deploy.cloud.values import Join, Ref, Value, join
from shoal.deploy.gcp import naming
from shoal.deploy.gcp.scope import OWN, Scope
from shoal.model.plan import ServicePlan

FILES = "/etc/shoal/files"
"""Folder of the files that a service is given."""

PLAIN = ("pubsub", "firestore", "bigquery")
"""Servers that need no password: who has the service account may use them."""

PASSWORD = "database-password"  # noqa: S105 - the name of a secret
"""Name of the secret by which a second region knows the password of a database; no setting has a hyphen."""

_FILE = re.compile(rf"{FILES}/([a-z0-9-]+)\.([a-z]+)")


def placed(text: str) -> str:
    """Say where files lie: a secret is a volume of its own on Cloud Run, so each file has a folder of its own."""
    return _FILE.sub(rf"{FILES}/\1/\1.\2", text)


def plain(scope: Scope, service: ServicePlan) -> dict[str, Value]:
    """List the addresses that hold no secret."""
    region, found = scope.environment.region, dict[str, Value]()
    for role, server in scope.uses(service).items():
        if server == "pubsub":
            found[variable(role)] = f"pubsub:///{scope.project}"
        elif server == "firestore":
            found[variable(role)] = f"firestore:///{scope.project}/{naming.database(service.name)}"
        elif server == "bigquery":
            found[variable(role)] = f"bigquery://{scope.project}/{scope.dataset(service)}?location={region}"
    if scope.declared(service).personal:
        found["SHOAL_KEY_RING"] = f"cloudkms:///{ring(scope)}/cryptoKeys/personal-{service.name}"
    return found


def ring(scope: Scope) -> str:
    """Name the ring of keys in full; rings stay for ever, so it bears the system's name."""
    return f"projects/{scope.project}/locations/{scope.home}/keyRings/{scope.system}"


def secret(scope: Scope, service: ServicePlan) -> Iterator[tuple[str, str, Value | None]]:
    """List the others: variable, name of the secret, and its text; None where somebody fills it in."""
    for role, server in scope.uses(service).items():
        if server not in PLAIN:
            yield variable(role), f"{role}-url", _text(scope, service, role, server)


def filled(scope: Scope, service: ServicePlan, server: str) -> str:
    """Say what somebody fills in where an address is not known here."""
    if server != "gcs":
        return "where it finds its engine."
    key = f"a key of {email(scope, service)}" if scope.run else "a key of a service account that may use it"
    return f"gcs://ACCESS:SECRET@/{naming.bucket(scope.project, service.name)} with {key} (gcloud storage hmac create)."


def email(scope: Scope, service: ServicePlan) -> str:
    """Say who a service is."""
    account = scope.apart(naming.account(service.name), naming.ACCOUNT)
    return f"{account}@{scope.project}.iam.gserviceaccount.com"


def authorities(scope: Scope, service: ServicePlan) -> dict[str, Ref]:
    """List the files by which a service believes its engines, and who has their text."""
    found, used = dict[str, Ref](), set(scope.uses(service).values())
    if "postgres" in used:
        found["postgres.pem"] = Ref("postgres", service.name, "authority")
    if "valkey" in used:
        found["valkey.pem"] = Ref("cache", "main", "authority")
    return found


def known(scope: Scope, service: ServicePlan) -> Ref:
    """Say who has the password of a database; that of a copy is in a secret, which is in both regions."""
    if scope.passive:
        return Ref("secret", f"{service.name}/{PASSWORD}", "text")
    return Ref("password", service.name, "result")


def passwords(scope: Scope, service: ServicePlan) -> list[str]:
    """Name the passwords of a service: that of its database."""
    return [service.name] if "postgres" in set(scope.uses(service).values()) & set(OWN) else []


def variable(role: str) -> str:
    """Name the variable by which a service learns an address."""
    return f"SHOAL_{role.upper()}_URL"


def _text(scope: Scope, service: ServicePlan, role: str, server: str) -> Join | None:
    if server == "postgres":
        return database(scope, service, role, placed(f"{FILES}/postgres.pem"))
    if server == "valkey" and service.cache is not None:
        end = placed(f":6379/{service.cache.part}?ca={FILES}/valkey.pem")
        return join("valkeys://default:default@", Ref("cache", "main", "address"), end)
    return None


def database(scope: Scope, service: ServicePlan, role: str, authority: str) -> Join:
    """Say where a database is: it is known by its address alone, so its authority is verified, and no name.

    Args:
        scope: The system, and its environment.
        service: Whose database.
        role: What it is to the service.
        authority: File with the certificate of its authority.
    """
    own, host = owner(service.name), Ref("postgres", service.name, "address")
    kind = "documents" if scope.engines(service)[role] == "documents" else "postgres"
    end = f":5432/{own}?sslmode=verify-ca&sslrootcert={authority}"
    return join(f"{kind}://{own}:", known(scope, service), "@", host, end)
