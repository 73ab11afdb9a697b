"""What an environment asks for that cannot be, or that somebody else has to bring."""

from collections.abc import Iterator

from shoal.deploy.cloud.system import IMPOSSIBLE
from shoal.deploy.kubernetes.scope import IN_CLUSTER, Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.model.finding import Finding, Severity


def findings(scope: Scope) -> Iterator[Finding]:
    """List it."""
    for service in scope.plan.services:
        for role, server in scope.uses(service).items():
            if server in IMPOSSIBLE:
                where = scope.declared(service).source
                message = f"the {role} of {service.name} is {server}, which one process or one machine has for itself"
                yield _say(
                    "ENGINE-01", "error", message, f'choose another: choose = ["{service.name}.{role}=..."]', where
                )
    for environment in scope.environments:
        yield from _environment(scope, environment)
    if (
        any(scope.place(environment, "opensearch") == "cluster" for environment in scope.environments)
        and "opensearch" in scope.servers
    ):
        names = ", ".join(service.name for service in scope.users("opensearch"))
        message = (
            f"OpenSearch in the cluster knows no users: whoever reaches it reads every index, which is {names} only"
        )
        yield _say("ENGINE-03", "info", message, 'or use one that knows users: engines = { opensearch = "managed" }')


def _environment(scope: Scope, environment: Environment) -> Iterator[Finding]:
    services = {service.name for service in scope.plan.services}
    name = environment.name
    for server in sorted(set(environment.engines) - set(IN_CLUSTER)):
        yield _say(
            "ENGINE-02",
            "error",
            f"{name} places {server!r}, which cannot be in a cluster",
            f"servers: {', '.join(IN_CLUSTER)}",
        )
    known = {*scope.servers, *(external.name for external in scope.plan.system.externals)}
    for reached in sorted(set(environment.reach) - known):
        yield _say(
            "REACH-01",
            "error",
            f"{name} says where {reached!r} is, which nobody uses",
            f"known: {', '.join(sorted(known))}",
        )
    for sized in sorted({*environment.services, *environment.digests} - services):
        yield _say(
            "SIZE-01",
            "error",
            f"{name} gives {sized!r} a size or a digest, which is no service",
            f"services: {', '.join(sorted(services))}",
        )
    secret = {s.variable for one in scope.plan.services for s in scope.declared(one).settings if s.secret}
    for variable in sorted(set(environment.secrets.optional) - secret):
        message = f"{name} asks for the secret {variable}, which no service reads"
        yield _say("SECRET-01", "error", message, f"secrets: {', '.join(sorted(secret)) or 'none'}")
    unreached = [
        server for server in IN_CLUSTER if server in scope.servers and scope.place(environment, server) == "managed"
    ]
    for server in unreached:
        if server not in environment.reach:
            message = f"{name} reaches {server} on the internet only, by the network's policies"
            yield _say("REACH-02", "warning", message, f'say where it is: [reach] {server} = ["10.0.0.0/16"]')
    yield from _kept(scope, environment)


def _kept(scope: Scope, environment: Environment) -> Iterator[Finding]:
    """Say who keeps what is stored: a cluster without backups, or others."""
    name = environment.name
    here = "postgres" in scope.servers and scope.place(environment, "postgres") == "cluster"
    if here and not environment.storage.backup:
        message = f"{name} keeps no backup of PostgreSQL: its copies share one cluster, and every mistake"
        yield _say("ENGINE-05", "warning", message, 'say where: [storage] backup = "s3://..."')
    managed = [server for server in scope.servers if scope.place(environment, server) == "managed"]
    if managed:
        message = f"{name} expects others to run {', '.join(managed)}, and addresses of them among its secrets"
        yield _say("ENGINE-04", "info", message, "their names are in secrets.yaml of its overlay")


def _say(code: str, severity: Severity, message: str, help_: str, where: str = "") -> Finding:
    return Finding(code=f"DEPLOY-{code}", severity=severity, message=message, help=help_, where=where)
