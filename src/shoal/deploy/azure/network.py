"""The network: one way in, addresses inside for what Microsoft runs, and walls between the subnets."""

from collections.abc import Iterator

from shoal.deploy.azure.addresses import BUS
from shoal.deploy.azure.resources import Borrowed, Endpoint, Network, Rule, Subnet, Wall, Zone
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.cloud.values import Ref

APPS, EDGE, INSIDE, DATA = "apps", "edge", "inside", "data"
"""Subnets: of apps or nodes, of the gateway, of addresses of what Microsoft runs, of databases."""

PROXY = "31443"
"""Where an environment's own proxy answers HTTPS, behind its balancer ("Securing a custom VNET", inbound rules)."""

_JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
_LEAVE = "Microsoft.Network/virtualNetworks/subnets/action"

_ZONES = {
    "vault": "privatelink.vaultcore.azure.net",
    "account": "privatelink.blob.core.windows.net",
    "cache": "privatelink.redis.azure.net",
    "bus": "privatelink.servicebus.windows.net",
    "registry": "privatelink.azurecr.io",
}
_PARTS = {"vault": "vault", "account": "blob", "cache": "redisEnterprise", "bus": "namespace", "registry": "registry"}
"""Kind → what its endpoint is called, and where its names lie ("Azure Private Endpoint private DNS zone values")."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the network, its subnets and walls, and what leads into it."""
    yield Network(name="main", cidr=scope.environment.cidr, region=scope.environment.region)
    yield from _subnets(scope)
    if scope.apps:
        yield _wall(APPS, *_from_gateway(scope), *_each_other(APPS), why="The gateway, and apps among each other.")
    yield _wall(INSIDE, _from(APPS, "443", str(BUS), "10000"), why="Services alone, and nobody else.")
    if scope.users("postgres"):
        rules = (_from(APPS, "5432"), *_each_other(DATA), *_copies(scope))
        yield _wall(DATA, *rules, why="Services, and copies of databases.")
        domain = f"{scope.named(limit=32)}.postgres.database.azure.com"
        yield Zone(name="postgres", domain=domain)
        if scope.passive:
            why = "Copies find what they follow by its name."
            yield Borrowed(name="postgres", zone="postgres", why=why)
    if scope.plan.routes and scope.apps:
        yield _wall(EDGE, *_gateways(), why="The gateway serves the world, and Microsoft manages it.")
        yield Zone(name="apps", domain=Ref("place", "main", "domain"), wild=Ref("place", "main", "address"))
    yield from _endpoints(scope)


def _subnets(scope: Scope) -> Iterator[Subnet]:
    delegated = scope.environment.gateway.partition("_")[0].endswith("V2")
    mine = ("Microsoft.App/environments", (_JOIN,)) if scope.apps else ("", ())
    yield Subnet(name=APPS, bits=4, number=0, delegated=mine[0], actions=mine[1])
    if scope.users("postgres"):
        servers = "Microsoft.DBforPostgreSQL/flexibleServers"
        yield Subnet(name=DATA, bits=8, number=16, delegated=servers, actions=(_JOIN,))
    yield Subnet(name=INSIDE, bits=8, number=17)
    if scope.plan.routes and scope.apps:
        if delegated:
            yield Subnet(name=EDGE, bits=8, number=18, delegated="Microsoft.Web/serverFarms", actions=(_LEAVE,))
        else:
            yield Subnet(name=EDGE, bits=8, number=18)


def _endpoints(scope: Scope) -> Iterator[Resource]:
    found = [("vault", "main", "")]
    if scope.environment.engines.registry == "Premium":
        found.append(("registry", "main", ""))
    if scope.environment.engines.servicebus == "Premium" and scope.users("servicebus"):
        found.append(("bus", "main", ""))
    found += [("account", service.name, service.name) for service in scope.users("blob")]
    found += [("cache", service.name, service.name) for service in scope.users("valkey")]
    for kind in dict.fromkeys(kind for kind, _, _ in found):
        yield Zone(name=kind, domain=_ZONES[kind])
    for kind, name, service in found:
        own = f"{kind}-{name}" if service else kind
        yield Endpoint(name=own, service=service, to=Ref(kind, name, "id"), part=_PARTS[kind], zone=kind)


def _wall(subnet: str, *rules: Rule, why: str) -> Wall:
    closed = Rule(name="others", allow=False, origin="VirtualNetwork")
    return Wall(name=subnet, subnet=subnet, rules=(*rules, closed), why=why)


def _from(subnet: str, *ports: str) -> Rule:
    return Rule(name=f"from-{subnet}", ports=ports, origin=Ref("subnet", subnet, "prefix"))


def _each_other(subnet: str) -> Iterator[Rule]:
    yield Rule(name="each-other", origin=Ref("subnet", subnet, "prefix"))
    yield Rule(name="health", origin="AzureLoadBalancer")


def _copies(scope: Scope) -> Iterator[Rule]:
    """Let databases of the other region in, where there is one: they copy each other."""
    other = scope.first or scope.environment.standby
    if other is not None:
        start = ".".join(other.cidr.split(".")[:2])
        yield Rule(name="copies", ports=("5432",), origin=f"{start}.16.0/24")


def _from_gateway(scope: Scope) -> Iterator[Rule]:
    if scope.plan.routes:
        yield _from(EDGE, "443", PROXY)


def _gateways() -> Iterator[Rule]:
    """List what a gateway in a network needs ("Deploy your API Management instance to a virtual network")."""
    yield Rule(name="clients", ports=("443",), origin="Internet")
    yield Rule(name="management", ports=("3443",), origin="ApiManagement")
    yield Rule(name="health", ports=("6390",), origin="AzureLoadBalancer")
