"""What an environment lacks, whatever the cloud. A cloud gives each its number: codes are stable and its own. Pure."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

from shoal.deploy.cloud.scope import Scope
from shoal.deploy.cloud.system import IMPOSSIBLE
from shoal.model.finding import Finding, Severity


class Say(Protocol):
    """Makes a finding."""

    def __call__(self, number: str, severity: Severity, message: str, help_: str, where: str = "") -> Finding:
        """Say it, with its number among those of the cloud."""
        ...


def teller(cloud: str) -> Say:
    """Return what makes the findings of a cloud, ``DEPLOY-AWS-01``."""

    def say(number: str, severity: Severity, message: str, help_: str, where: str = "") -> Finding:
        return Finding(code=f"DEPLOY-{cloud}-{number}", severity=severity, message=message, help=help_, where=where)

    return say


def engines(
    scope: Scope, say: Say, cloud: str, own: Sequence[str], secret: Callable[[str, str], str] | None = None
) -> Iterator[Finding]:
    """Refuse engines of one machine (01), and name those of others (02).

    Args:
        scope: The system, and its environment.
        say: Makes a finding.
        cloud: What people call the cloud.
        own: Servers that are made there.
        secret: Names a secret of a service, where it is not SYSTEM-ENVIRONMENT/SERVICE/NAME.
    """
    for service in scope.plan.services:
        where = scope.declared(service).source
        for role, engine in scope.engines(service).items():
            if engine in IMPOSSIBLE:
                help_ = f"declare which engine it is meant for, or choose one: choose = ['{service.name}.{role}=...']"
                yield say("01", "error", f"the {role} of {service.name} cannot be {engine} on {cloud}", help_, where)
            elif scope.uses(service)[role] not in own:
                own_name = f"{scope.named()}/{service.name}/{role}-url"
                help_ = f"fill in the secret {secret(service.name, f'{role}-url') if secret else own_name}"
                yield say("02", "info", f"{engine}, the {role} of {service.name}, is run by others", help_, where)


def settings(scope: Scope, say: Say, secret: Collection[str] = ()) -> Iterator[Finding]:
    """Name settings that are missing (09), those that nobody reads (14), and sizes of nobody (15).

    Args:
        scope: Whose.
        say: Makes a finding.
        secret: Variables that come from secrets here, whatever their settings say.
    """
    environment, possible = scope.environment, set[str]()
    for service in scope.plan.services:
        declared = scope.declared(service)
        outside = set(service.externals.values()) - {*secret}
        possible |= {s.variable for s in declared.settings if not s.secret} | outside
        required = {s.variable for s in declared.settings if s.required and not s.secret} - {*secret}
        for name in sorted((required | outside) - set(environment.settings)):
            message = f"{service.name} lacks {name} in {environment.name}, and would not start"
            help_ = f'write it into the environment\'s file: [settings] {name} = "..."'
            yield say("09", "warning", message, help_, declared.source)
    beside = environment.standby.settings if environment.standby is not None else {}
    for name in sorted({*environment.settings, *beside} - possible):
        message = f"{environment.name} sets {name}, which no service reads, or which is a secret"
        yield say("14", "error", message, f"settings are: {', '.join(sorted(possible)) or 'none'}", "")
    known = {service.name for service in scope.plan.services}
    for name in sorted(set(environment.services) - known):
        message = f"{environment.name} sizes {name}, which is no service"
        yield say("15", "error", message, f"services are: {', '.join(sorted(known))}", "")


def ordered(found: Iterator[Finding]) -> tuple[Finding, ...]:
    """Say errors first, and each thing once."""
    order = ("error", "warning", "info")
    once = {(one.code, one.message): one for one in found}
    return tuple(sorted(once.values(), key=lambda f: (order.index(f.severity), f.code, f.where, f.message)))
