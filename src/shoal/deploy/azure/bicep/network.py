"""The network, its walls, and addresses inside."""

from shoal.deploy.azure.bicep.context import TAGGED, TAGS, Context, Declared
from shoal.deploy.azure.bicep.references import symbol
from shoal.deploy.azure.called import called
from shoal.deploy.azure.resources import Endpoint, Network, Rule, Subnet, Wall, Zone
from shoal.deploy.bicep.values import Raw, Resource, Value
from shoal.deploy.cloud.values import Join, Ref

_WALL = "Microsoft.Network/networkSecurityGroups@2024-10-01"
_ENDPOINT = "Microsoft.Network/privateEndpoints@2024-10-01"
_ZONE = "Microsoft.Network/privateDnsZones@2024-06-01"


def network(one: Network, context: Context) -> Declared:
    """Write the network with its subnets, each behind its wall."""
    walls = {wall.subnet for wall in context.whole.all(Wall)}
    subnets: list[Value] = [_subnet(part, context, walled=part.name in walls) for part in context.whole.all(Subnet)]
    body: dict[str, Value] = {"addressSpace": {"addressPrefixes": [one.cidr]}, "subnets": subnets}
    yield context.made("network", one, {**TAGGED, "properties": body})


def subnet(_: Subnet, __: Context) -> Declared:
    """Write nothing: subnets are written with their network, which would take away all others."""
    yield from ()


def _subnet(one: Subnet, context: Context, *, walled: bool) -> Value:
    body: dict[str, Value] = {
        "addressPrefix": context.references.prefix(one.name),
        "privateEndpointNetworkPolicies": "Enabled",
    }
    if walled:
        body["networkSecurityGroup"] = {"id": Raw(f"{symbol('wall', one.name)}.id")}
    if one.delegated:
        body["delegations"] = [{"name": one.name, "properties": {"serviceName": one.delegated}}]
    return {"name": one.name, "properties": body}


def wall(one: Wall, context: Context) -> Declared:
    """Write a wall and its rules, the first of which holds that fits."""
    rules: list[Value] = [
        _rule(rule, 100 + 10 * n if rule.allow else 4000, context) for n, rule in enumerate(one.rules)
    ]
    yield Resource(
        symbol=symbol("wall", one.name),
        kind=_WALL,
        body={"name": called(context.scope, "wall", one.name), **TAGGED, "properties": {"securityRules": rules}},
        notes=context.whole.notes(one),
    )


def _rule(rule: Rule, priority: int, context: Context) -> Value:
    several = len(rule.ports) > 1
    body: dict[str, Value] = {
        "priority": priority,
        "direction": rule.way,
        "access": "Allow" if rule.allow else "Deny",
        "protocol": "Tcp" if rule.allow and rule.ports != ("*",) else "*",
        "sourceAddressPrefix": context.references.written(rule.origin),
        "sourcePortRange": "*",
        "destinationAddressPrefix": rule.to,
        "destinationPortRanges" if several else "destinationPortRange": [*rule.ports] if several else rule.ports[0],
    }
    return {"name": rule.name, "properties": body}


def zone(one: Zone, context: Context) -> Declared:
    """Write a zone of names, which the network asks."""
    own = symbol("zone", one.name)
    everywhere: dict[str, Value] = {"location": "global", "tags": TAGS}
    name = context.references.written(one.domain)
    yield Resource(symbol=own, kind=_ZONE, body={"name": name, **everywhere}, notes=context.whole.notes(one))
    where = context.references.symbol("network")
    linked: dict[str, Value] = {"registrationEnabled": False, "virtualNetwork": {"id": Raw(f"{where}.id")}}
    name = called(context.scope, "network")
    link: dict[str, Value] = {"parent": Raw(own), "name": name, **everywhere, "properties": linked}
    kind = "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01"
    yield Resource(symbol=f"{own}_link", kind=kind, body=link)
    if one.wild is not None:
        addresses: Value = [{"ipv4Address": context.references.at(one.wild)}]
        record: dict[str, Value] = {"parent": Raw(own), "name": "*", "properties": {"ttl": 300, "aRecords": addresses}}
        yield Resource(symbol=f"{own}_all", kind="Microsoft.Network/privateDnsZones/A@2024-06-01", body=record)


def endpoint(one: Endpoint, context: Context) -> Declared:
    """Write an address inside."""
    own, asked = symbol("endpoint", one.name), context.references
    connection: Value = {
        "name": one.part,
        "properties": {"privateLinkServiceId": asked.at(one.to), "groupIds": [one.part]},
    }
    body: dict[str, Value] = {
        "subnet": {"id": asked.at(Ref("subnet", "inside", "id"))},
        "privateLinkServiceConnections": [connection],
    }
    named: dict[str, Value] = {"name": called(context.scope, "endpoint", one.name), **TAGGED, "properties": body}
    yield Resource(symbol=own, kind=_ENDPOINT, body=named, notes=context.whole.notes(one))
    domain = next(zone.domain for zone in context.whole.all(Zone) if zone.name == one.zone)
    assert not isinstance(domain, Ref | Join)  # noqa: S101 - names of endpoints are known
    where = Raw(f"resourceId('Microsoft.Network/privateDnsZones', '{domain}')")
    group: dict[str, Value] = {
        "parent": Raw(own),
        "name": "default",
        "properties": {"privateDnsZoneConfigs": [{"name": one.part, "properties": {"privateDnsZoneId": where}}]},
    }
    kind = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-10-01"
    yield Resource(symbol=f"{own}_names", kind=kind, body=group)
