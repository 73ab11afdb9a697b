"""The network, and who reaches what from it: only what is declared. Everything else that leaves is refused."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from shoal.deploy.cloud.values import Ref
from shoal.deploy.gcp.resources import Interfaces, Network, Passage, Resource
from shoal.deploy.gcp.scope import OWN, Scope
from shoal.model.plan import ServicePlan

GOOGLE = "199.36.153.8/30"
"""Where Google's interfaces are reached without leaving its network (private.googleapis.com)."""

ANYWHERE = "0.0.0.0/0"

_ALWAYS = ("artifactregistry", "cloudresourcemanager", "compute", "dns", "iam", "logging", "monitoring",
           "secretmanager")  # fmt: skip
_FOR = {
    "postgres": ("sqladmin", "servicenetworking"),
    "firestore": ("firestore",),
    "pubsub": ("pubsub",),
    "valkey": ("memorystore", "networkconnectivity", "serviceconsumermanagement"),
    "gcs": ("storage",),
    "bigquery": ("bigquery",),
}
"""Server → interfaces that make it, and that services ask."""


_USUAL = {
    "smtp": (587,),
    "kafka": (9092, 9093),
    "mongo": (27017,),
    "nats": (4222,),
    "opensearch": (443, 9200),
    "rabbitmq": (5551, 5552),
    "servicebus": (443, 5671),
}
"""Ports of what is run by others, where its address is not known; by HTTPS otherwise."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the network and its firewall; a second region is in the same network, and has rules of its engines."""
    environment = scope.environment
    if not scope.passive:
        yield Interfaces(name="main", names=interfaces(scope))
    yield Network(
        name="main",
        cidr=environment.cidr,
        region=environment.region,
        gateway=environment.gateway,
        peered=bool(scope.users("postgres")),
        connected="valkey" in scope.made,
        balanced=environment.inside and scope.run and not scope.passive,
        there=scope.passive,
        why="Nothing in it has a public address; services reach what is outside by the gateway.",
    )
    if scope.run:
        yield from _passages(scope)


def _passages(scope: Scope) -> Iterator[Resource]:
    if not scope.passive:
        yield from _everywhere(scope)
    if scope.users("valkey"):
        users = tuple(user.name for user in scope.users("valkey"))
        yield Passage(
            name="valkey", tags=users, ports=(6379,), to=(Ref("network", "main", "range"),),
            why="Who has a part of the cache.",
        )  # fmt: skip
    for service in scope.plan.services:
        if "postgres" in scope.uses(service).values():
            to = (Ref("postgres", service.name, "range"),)
            name = f"postgres-{service.name}"
            yield Passage(
                name=name, service=service.name, tags=(service.name,), ports=(5432,), to=to, why="Its owner alone."
            )
        if (ports := outside(scope, service)) and not scope.passive:
            name, why = f"outside-{service.name}", "What it talks to is not on Google Cloud."
            tags = (service.name,)
            yield Passage(name=name, service=service.name, tags=tags, ports=ports, to=(ANYWHERE,), why=why)


def _everywhere(scope: Scope) -> Iterator[Resource]:
    """Make the rules that hold in the whole network, in whichever region somebody is."""
    yield Passage(
        name="nothing-else", tags=(), ports=(), to=(ANYWHERE,), refuses=True, why="What is not let out below stays."
    )
    yield Passage(
        name="google", tags=(), ports=(443,), to=(GOOGLE,),
        why="Interfaces of Google, and other services on Cloud Run, which ask who calls.",
    )  # fmt: skip
    if scope.environment.inside:
        yield Passage(name="inside", tags=(), ports=(80,), to=(Ref("inside", "main", "range"),))


def interfaces(scope: Scope) -> tuple[str, ...]:
    """List the interfaces of Google that are switched on."""
    found = {*_ALWAYS, "run" if scope.run else "container"}
    for server in scope.made:
        found |= {*_FOR[server]}
    if scope.environment.keys or any(scope.declared(service).personal for service in scope.plan.services):
        found.add("cloudkms")
    if not scope.run:
        found |= {"gkehub", "mesh"}
    if scope.run and scope.plan.routes and not scope.environment.balanced:
        found |= {"apigateway", "servicecontrol", "servicemanagement"}
    if scope.environment.collector:
        found.add("cloudtrace")
    if scope.environment.repository:
        found |= {"iamcredentials", "sts"}
    if scope.environment.budget and scope.environment.billing:
        found.add("billingbudgets")
    return tuple(f"{name}.googleapis.com" for name in sorted(found))


def outside(scope: Scope, service: ServicePlan) -> tuple[int, ...]:
    """List the ports by which a service reaches what is outside of Google, as far as they are said or usual."""
    found = {443} if any(issuer.remote for issuer in scope.plan.system.gateway.issuers) else set[int]()
    for server in scope.uses(service).values():
        if server not in OWN:
            found |= {*_USUAL.get(server, (443,))}
    for external in scope.plan.externals:
        if external.name in service.externals:
            said = scope.environment.settings.get(service.externals[external.name], "")
            found.add(_port(said) or _USUAL.get(external.protocol, (443,))[0])
    return tuple(sorted(found))


def _port(address: str) -> int | None:
    """Read the port of an address; None where it says none."""
    try:
        return urlsplit(address).port
    except ValueError:
        return None
