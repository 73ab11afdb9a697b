"""Secrets and keys: what is made here, and what somebody fills in by hand. No value is in any file."""

from collections.abc import Iterator

from shoal.deploy.azure import addresses, naming
from shoal.deploy.azure.resources import Key, Password, Secret, Vault
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.files import kept
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.cloud.telling import SIGNING, key_files
from shoal.deploy.cloud.values import Value
from shoal.model.plan import ServicePlan


def make(scope: Scope) -> Iterator[Resource]:
    """Make the vault, keys, passwords and secrets."""
    environment = scope.environment
    yield Vault(name="main", protected=environment.protected, operators=environment.operators)
    for service in scope.plan.services:
        source = scope.declared(service).source
        if scope.declared(service).personal and not scope.passive:
            purpose = f"Wraps the keys of personal data of {service.name}; without it nobody reads them again."
            yield Key(
                name=f"personal-{service.name}", service=service.name, source=source, why=purpose, purpose=purpose
            )
        for name in addresses.passwords(scope, service):
            yield Password(name=name, service=service.name)
        for name, text, purpose in _of(scope, service):
            key = naming.secret(scope.system, service.name, name)
            yield Secret(name=f"{service.name}/{name}", service=service.name, key=key, text=text, purpose=purpose)
    if not scope.apps and scope.users("servicebus"):
        key = naming.secret(scope.system, "broker", "operator", "url")
        yield Secret(
            name="operator/broker-url", key=key, text=addresses.broker(), purpose="Where streams are declared."
        )
    for file in key_files(scope):
        stem = file.removesuffix(".json")
        key = naming.secret(scope.system, stem)
        yield Secret(name=f"/{stem}", key=key, purpose=f"The file {file}. Verifies tokens; not secret.")


def _of(scope: Scope, service: ServicePlan) -> Iterator[tuple[str, Value | None, str]]:
    for variable, name, text in addresses.secret(scope, service):
        yield name, text, f"{variable}: where it finds its engine."
    if not scope.apps:
        yield from _plain(scope, service)
    for variable, name in addresses.mailed(scope, service):
        yield name, None, f"{variable}: smtp://USER:PASSWORD@HOST:587, of whoever sends the mail."
    for setting in scope.declared(service).settings:
        if kept(scope, setting):
            yield setting.name, None, f"{setting.variable}, which somebody fills in."
    if service.issues_tokens:
        yield "signing-key", None, f"The file {SIGNING}, which signs tokens; somebody fills it in."


def _plain(scope: Scope, service: ServicePlan) -> Iterator[tuple[str, Value | None, str]]:
    """List addresses without a password, which services in a cluster read from the vault like all others."""
    found = addresses.plain(scope, service)
    for role in scope.uses(service):
        if addresses.variable(role) in found:
            yield (
                f"{role}-url",
                found[addresses.variable(role)],
                f"{addresses.variable(role)}: where it finds its engine.",
            )
    if "SHOAL_KEY_RING" in found:
        yield "key-ring", found["SHOAL_KEY_RING"], "SHOAL_KEY_RING: what wraps its keys."


def variables(scope: Scope, service: ServicePlan) -> dict[str, str]:
    """List the variables of a service that come from secrets."""
    found = {variable: f"{service.name}/{name}" for variable, name, _ in addresses.secret(scope, service)}
    found |= {variable: f"{service.name}/{name}" for variable, name in addresses.mailed(scope, service)}
    for setting in scope.declared(service).settings:
        if kept(scope, setting):
            found[setting.variable] = f"{service.name}/{setting.name}"
    return found


def held(scope: Scope, service: ServicePlan) -> dict[str, str]:
    """List the files that a service is given, and the secrets that hold them."""
    found = {file: f"/{file.removesuffix('.json')}" for file in key_files(scope)}
    if service.issues_tokens:
        found[SIGNING] = f"{service.name}/signing-key"
    return found


def files(scope: Scope, service: ServicePlan) -> dict[str, str]:
    """Say what each file is called where it lies: as its secret is in the vault."""
    stems = {file: name.partition("/") for file, name in held(scope, service).items()}
    return {
        file: naming.secret(scope.system, *(part for part in (owner, stem) if part))
        for file, (owner, _, stem) in stems.items()
    }
