"""Secrets and keys: what is made here, and what somebody fills in by hand. No value is in any file."""

from collections.abc import Iterator

from shoal.deploy.aws import addresses
from shoal.deploy.aws.resources import Key, Password, Resource, Secret
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud.files import ALL, given, held, kept, secret
from shoal.deploy.cloud.telling import SIGNING, key_files
from shoal.deploy.cloud.values import Ref, Value
from shoal.deploy.kubernetes import naming
from shoal.model.plan import ServicePlan


def make(scope: Scope) -> Iterator[Resource]:
    """Make keys, passwords and secrets."""
    yield Key(name="data", purpose=f"Encrypts what {scope.system} keeps in {scope.environment.name}.")
    for service in scope.plan.services:
        if scope.declared(service).personal:
            purpose = f"Wraps the keys of personal data of {service.name}; without it nobody reads them again."
            yield Key(name=f"personal-{service.name}", service=service.name, purpose=purpose, lasting=True)
        for name in addresses.passwords(scope, service):
            yield Password(name=name, service=service.name, stored=name.endswith(("-postgres", "-mongo")))
        for name, text, purpose in _of(scope, service):
            yield Secret(name=f"{service.name}/{name}", service=service.name, text=text, purpose=purpose)
    for file in shared(scope):
        ours = file == addresses.AUTHORITIES
        why = "As AWS publishes them for the region." if ours else "Verifies tokens; not secret."
        yield Secret(name=f"{ALL}/{secret(file)}", purpose=f"The file {file}. {why}", regional=ours)
    if scope.environment.eks and scope.operated:
        text = f"sns:///{scope.system}?region={scope.environment.region}"
        yield Secret(name=f"{ALL}/broker-operator-url", text=text, purpose="Where streams are declared.")


def called(scope: Scope, name: str) -> str:
    """Name a secret as it is kept: on a cluster as its manifests ask for it, otherwise below the service's own name."""
    owner, _, rest = name.partition("/")
    if not scope.environment.eks:
        return f"{scope.named()}/{name}"
    alone = owner == ALL or rest == secret(SIGNING)
    return naming.secret(scope.named(), *((rest,) if alone else (owner, rest)))


def _of(scope: Scope, service: ServicePlan) -> Iterator[tuple[str, Value | None, str]]:
    for variable, name, text in addresses.secret(scope, service):
        yield name.removeprefix(f"{service.name}-"), text, f"{variable}: where it finds its engine."
    for setting in scope.declared(service).settings:
        if kept(scope, setting):
            yield setting.name, None, f"{setting.variable}, which somebody fills in."
    if service.issues_tokens:
        yield "signing-key", None, f"The file {SIGNING}, which signs tokens; somebody fills it in."


def variables(scope: Scope, service: ServicePlan) -> dict[str, Value]:
    """List the variables of a service that come from secrets."""
    found: dict[str, Value] = {}
    for variable, name, _ in addresses.secret(scope, service):
        found[variable] = Ref("secret", f"{service.name}/{name.removeprefix(f'{service.name}-')}")
    for setting in scope.declared(service).settings:
        if kept(scope, setting):
            found[setting.variable] = Ref("secret", f"{service.name}/{setting.name}")
    for file in files(scope, service):
        owner = service.name if file == SIGNING else ALL
        found[held(file)] = Ref("secret", f"{owner}/{secret(file)}")
    return found


def files(scope: Scope, service: ServicePlan) -> dict[str, str]:
    """List the files that a service is given, and the variables that hold them until it starts."""
    databases = {"postgres", "mongo"} & set(scope.uses(service).values())
    return given(scope, service, [addresses.AUTHORITIES] if databases else ())


def shared(scope: Scope) -> list[str]:
    """List the files that are the same for everybody."""
    authorities = [addresses.AUTHORITIES] if scope.users("postgres") or scope.users("mongo") else []
    return [*key_files(scope), *authorities]
