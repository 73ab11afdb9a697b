"""Secrets and keys: what is made here, and what somebody fills in by hand. No value is in any file."""

from collections.abc import Iterator

from shoal.deploy.cloud.files import ALL, kept
from shoal.deploy.cloud.files import secret as stem
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.cloud.telling import SIGNING, key_files
from shoal.deploy.cloud.values import Ref, Value
from shoal.deploy.gcp import addresses, naming
from shoal.deploy.gcp.resources import Key, Password, Resource, Secret
from shoal.deploy.gcp.scope import WIDE, Scope
from shoal.model.plan import ServicePlan

DATA, SHARED = "data", "shared"
"""The key of what lies on disks of a region, and that of what is in two of them."""

_AGENTS = {"postgres": "sqladmin", "firestore": "firestore", "pubsub": "pubsub", "gcs": "storage",
           "bigquery": "bigquery", "valkey": "memorystore"}  # fmt: skip
"""Server → whose account of Google encrypts with our key."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make keys, passwords and secrets."""
    yield from _keys(scope)
    for service in scope.plan.services:
        yield from _personal(scope, service)
        for name in addresses.passwords(scope, service) if not scope.passive else ():
            yield Password(name=name, service=service.name)
        for name, text, purpose in _of(scope, service) if scope.run else ():
            yield from _secret(scope, service, name, text, purpose)
        for name in addresses.passwords(scope, service) if scope.wide else ():
            purpose, text = "The password of its database, for the second region.", Ref("password", name, "result")
            yield from _secret(scope, service, addresses.PASSWORD, None if scope.passive else text, purpose)
    for file in key_files(scope) if scope.run and not scope.passive else ():
        why = f"The file {file}. Verifies tokens; not secret."
        name = f"{ALL}/{stem(file)}"
        yield Secret(name=name, secret=naming.secret(ALL, stem(file)), purpose=why, regions=scope.regions)


def _keys(scope: Scope) -> Iterator[Key]:
    asked = agents(scope) if scope.environment.keys else ()
    for key in (DATA, SHARED):
        using = tuple(agent for agent in asked if key_of(scope, agent) == key)
        if using and (key == DATA or not scope.passive):
            purpose = f"Encrypts what {scope.system} keeps in {scope.environment.name}."
            yield Key(name=key, purpose=purpose, agents=using, wide=key == SHARED)


def _personal(scope: Scope, service: ServicePlan) -> Iterator[Key]:
    if scope.declared(service).personal and not scope.passive:
        purpose = f"Wraps the keys of personal data of {service.name}; without it nobody reads them again."
        yield Key(name=f"personal-{service.name}", service=service.name, purpose=purpose, wide=bool(scope.wide))


def _secret(scope: Scope, service: ServicePlan, name: str, text: Value | None, purpose: str) -> Iterator[Secret]:
    """Make a secret; one that somebody fills in is the same in both regions, and the first makes it."""
    if text is None and scope.passive:
        return
    both = text is None or name == addresses.PASSWORD
    yield Secret(
        name=f"{service.name}/{name}",
        service=service.name,
        secret=naming.secret(service.name, name) + (f"_{STANDBY}" if scope.passive else ""),
        text=text,
        purpose=purpose,
        regions=scope.regions if both else (scope.environment.region,),
    )


def agents(scope: Scope) -> tuple[str, ...]:
    """Name Google's accounts that use our key."""
    cluster = () if scope.run else ("container",)
    return ("artifactregistry", *cluster, *sorted(_AGENTS[server] for server in scope.made))


def key_of(scope: Scope, agent: str) -> str:
    """Name the key by which an account of Google encrypts: the region's, or that of both."""
    return SHARED if scope.wide and agent in WIDE else DATA


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
