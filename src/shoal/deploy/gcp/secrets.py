"""Secrets and keys: what is made here, and what somebody fills in by hand. No value is in any file."""

from collections.abc import Iterator

from shoal.deploy.cloud.files import ALL, kept
from shoal.deploy.cloud.files import secret as stem
from shoal.deploy.cloud.telling import SIGNING, key_files
from shoal.deploy.cloud.values import Ref, Value
from shoal.deploy.gcp import addresses, naming
from shoal.deploy.gcp.resources import Key, Password, Resource, Secret
from shoal.deploy.gcp.scope import Scope
from shoal.model.plan import ServicePlan

DATA = "data"
"""The key of what lies on disks."""

_AGENTS = {"postgres": "sqladmin", "firestore": "firestore", "pubsub": "pubsub", "gcs": "storage",
           "bigquery": "bigquery", "valkey": "memorystore"}  # fmt: skip
"""Server → whose account of Google encrypts with our key."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make keys, passwords and secrets."""
    if scope.environment.keys:
        purpose = f"Encrypts what {scope.system} keeps in {scope.environment.name}."
        yield Key(name=DATA, purpose=purpose, agents=agents(scope))
    for service in scope.plan.services:
        if scope.declared(service).personal:
            purpose = f"Wraps the keys of personal data of {service.name}; without it nobody reads them again."
            yield Key(name=f"personal-{service.name}", service=service.name, purpose=purpose)
        for name in addresses.passwords(scope, service):
            yield Password(name=name, service=service.name)
        for name, text, purpose in _of(scope, service) if scope.run else ():
            yield Secret(
                name=f"{service.name}/{name}",
                service=service.name,
                secret=naming.secret(service.name, name),
                text=text,
                purpose=purpose,
            )
    for file in key_files(scope) if scope.run else ():
        why = f"The file {file}. Verifies tokens; not secret."
        yield Secret(name=f"{ALL}/{stem(file)}", secret=naming.secret(ALL, stem(file)), purpose=why)


def agents(scope: Scope) -> tuple[str, ...]:
    """Name Google's accounts that use our key."""
    return ("artifactregistry", *sorted(_AGENTS[server] for server in scope.made))


def _of(scope: Scope, service: ServicePlan) -> Iterator[tuple[str, Value | None, str]]:
    for variable, name, text in addresses.secret(scope, service):
        server = scope.uses(service)[name.removesuffix("-url")]
        yield name, text, f"{variable}: {addresses.filled(scope, service, server)}"
    for file, text in addresses.authorities(scope, service).items():
        yield stem(file), text, f"The file {file}, by which it believes its engine."
    for setting in scope.declared(service).settings:
        if kept(scope, setting):
            yield setting.name, None, f"{setting.variable}, which somebody fills in."
    if _signs(scope, service):
        yield stem(SIGNING), None, f"The file {SIGNING}, which signs tokens; somebody fills it in."


def _signs(scope: Scope, service: ServicePlan) -> bool:
    return service.issues_tokens and scope.plan.system.gateway.issuer is not None


def variables(scope: Scope, service: ServicePlan) -> dict[str, Ref]:
    """List the variables of a service that come from secrets."""
    found = {variable: _of_service(service, name) for variable, name, _ in addresses.secret(scope, service)}
    for setting in scope.declared(service).settings:
        if kept(scope, setting):
            found[setting.variable] = _of_service(service, setting.name)
    return found


def files(scope: Scope, service: ServicePlan) -> dict[str, Ref]:
    """List the files that a service is given, by their full path."""
    found = {file: Ref("secret", f"{ALL}/{stem(file)}", "id") for file in key_files(scope)}
    own = [*addresses.authorities(scope, service), *([SIGNING] if _signs(scope, service) else [])]
    found |= {file: _of_service(service, stem(file)) for file in own}
    return {addresses.placed(f"{addresses.FILES}/{file}"): ref for file, ref in found.items()}


def _of_service(service: ServicePlan, name: str) -> Ref:
    return Ref("secret", f"{service.name}/{name}", "id")
