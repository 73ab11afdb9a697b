"""The network, and who may connect to whom in it: only what is declared."""

from collections.abc import Iterator

from shoal.deploy.aws.resources import Group, Network, Resource
from shoal.deploy.aws.scope import OWN, Scope
from shoal.deploy.cloud.needs import mails
from shoal.deploy.cloud.system import PORT
from shoal.model.plan import ServicePlan

PORTS = {"postgres": 5432, "mongo": 27017, "valkey": 6379, "opensearch": 443}
"""Where engines with an address in the network listen."""

SHARED = ("valkey",)
"""Engines of which all services share one, each with a user of its own."""

LINK, BALANCER, INTERFACES = "link", "balancer", "endpoints"

CLUSTER = "cluster"
"""Group of all nodes of a cluster of Kubernetes, which EKS makes; the cluster's own policies tell its pods apart."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the network and its groups."""
    environment = scope.environment
    yield Network(
        name="main",
        cidr=environment.cidr,
        zones=environment.zones,
        gateways=environment.gateways,
        endpoints=interfaces(scope) if environment.endpoints else (),
        region=environment.region,
        asleep=scope.asleep,
        why="Nothing in it has a public address but the gateways by which services reach what is outside.",
    )
    if environment.eks:
        yield from _engines(scope)
        if environment.endpoints:
            yield Group(name=INTERFACES, port=443, callers=(CLUSTER,))
        return
    if scope.plan.routes:
        yield Group(name=LINK, port=0, callers=(), why="The private link of the API; nobody connects to it.")
        yield Group(name=BALANCER, port=443 if environment.secured else 80, callers=(LINK,))
    for service in scope.plan.services:
        callers = [*scope.callers.get(service.name, ()), *([BALANCER] if service.name in scope.exposed else [])]
        source = scope.declared(service).source
        why = "Who declares a call of it, and nobody else." if callers else "Nobody calls it."
        yield Group(
            name=service.name, service=service.name, port=PORT, callers=tuple(callers), outside=outside(scope, service),
            source=source, why=why,
        )  # fmt: skip
    yield from _engines(scope)
    if environment.endpoints:
        everyone = tuple(service.name for service in scope.plan.services)
        operator = ("operator",) if scope.operated else ()
        yield Group(name=INTERFACES, port=443, callers=(*everyone, *operator))
    if scope.operated:
        yield Group(name="operator", port=0, callers=(), outside=() if environment.endpoints else (443,))


def _engines(scope: Scope) -> Iterator[Resource]:
    yield from _warehouses(scope)
    for engine, port in PORTS.items():
        users = scope.users(engine)
        if users and engine in SHARED:
            callers = (CLUSTER,) if scope.environment.eks else tuple(user.name for user in users)
            yield Group(name=engine, port=port, callers=callers)
        elif users:
            for user in users:
                name = f"{engine}-{user.name}"
                callers, why = (user.name,), "Its owner alone."
                if scope.environment.eks:
                    why = "All nodes: policies hold back pods that have no such server, its password the others."
                    callers = (CLUSTER,)
                yield Group(name=name, service=user.name, port=port, callers=callers, why=why)


def _warehouses(scope: Scope) -> Iterator[Resource]:
    for user in scope.users("redshift"):
        why = "Nobody connects to it: it is asked by the Data API."
        yield Group(name=f"redshift-{user.name}", service=user.name, port=0, callers=(), why=why)


def interfaces(scope: Scope) -> tuple[str, ...]:
    """List AWS's interfaces that somebody asks: of images, logs and secrets always."""
    found = {"ecr.api", "ecr.dkr", "logs", "secretsmanager"}
    if scope.operated:
        found |= {"sns", "sqs", "ssm"}
    if any(scope.declared(service).personal for service in scope.plan.services):
        found.add("kms")
    if scope.users("redshift"):
        found.add("redshift-data")
    if any(mails(scope, service) for service in scope.plan.services):
        found.add("email")
    if scope.environment.eks:
        found |= {"ec2", "eks", "eks-auth", "sts"}
    if scope.environment.collector:
        found |= {"monitoring", "xray"}
    return tuple(sorted(found))


def outside(scope: Scope, service: ServicePlan) -> tuple[int, ...]:
    """List the ports by which a service reaches what is outside: others, another cloud, or AWS itself."""
    remote = any(issuer.remote for issuer in scope.plan.system.gateway.issuers) or scope.environment.cognito
    foreign = any(server not in OWN for server in scope.uses(service).values())
    asked = [e.protocol for e in scope.plan.externals if e.name in service.externals]
    web = remote or foreign or not {"http", "smtp"}.isdisjoint(asked) or not scope.environment.endpoints  # SES: both
    return (*((443,) if web else ()), *((587,) if "smtp" in asked and not scope.environment.mail else ()))
