"""The network, its walls, and addresses inside."""

from collections.abc import Iterator

from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context, notes
from shoal.deploy.azure.hcl.references import GROUP, HERE, at, written
from shoal.deploy.azure.resources import Borrowed, Endpoint, Network, Rule, Subnet, Wall, Zone
from shoal.deploy.cloud.hcl import label, resource
from shoal.deploy.terraform.values import Block, Raw, Value, block, items

_TAGS = {"tags": Raw("local.tags")}


def network(one: Network, context: Context) -> Iterator[Block]:
    """Write the network."""
    said: dict[str, Value] = {"name": called(context.scope, "network"), **HERE, "address_space": [one.cidr], **_TAGS}
    yield resource("azurerm_virtual_network", one.name, *items(said), notes=notes(one, context))


def subnet(one: Subnet, context: Context) -> Iterator[Block]:
    """Write a subnet; what is in it is let in by its wall alone."""
    prefix = f"cidrsubnet(one(azurerm_virtual_network.main.address_space), {one.bits}, {one.number})"
    said: dict[str, Value] = {
        "name": one.name,
        "resource_group_name": GROUP,
        "virtual_network_name": Raw("azurerm_virtual_network.main.name"),
        "address_prefixes": [Raw(prefix)],
        "private_endpoint_network_policies": "Enabled",
    }
    blocks = []
    if one.delegated:
        whose = block("service_delegation", name=one.delegated, actions=[*one.actions])
        blocks.append(Block(kind="delegation", body=items({"name": one.name}, whose)))
    yield resource("azurerm_subnet", one.name, *items(said, *blocks), notes=notes(one, context))


def wall(one: Wall, context: Context) -> Iterator[Block]:
    """Write a wall and its rules, the first of which holds that fits."""
    said: dict[str, Value] = {"name": called(context.scope, "wall", one.name), **HERE, **_TAGS}
    yield resource("azurerm_network_security_group", one.name, *items(said), notes=notes(one, context))
    for number, rule in enumerate(one.rules):
        yield _rule(one.name, rule, 100 + 10 * number if rule.allow else 4000)
    yield resource(
        "azurerm_subnet_network_security_group_association",
        one.name,
        *items(
            {
                "subnet_id": Raw(f"azurerm_subnet.{label(one.subnet)}.id"),
                "network_security_group_id": Raw(f"azurerm_network_security_group.{label(one.name)}.id"),
            }
        ),
    )


def _rule(wall: str, rule: Rule, priority: int) -> Block:
    said: dict[str, Value] = {
        "name": rule.name,
        "resource_group_name": GROUP,
        "network_security_group_name": Raw(f"azurerm_network_security_group.{label(wall)}.name"),
        "priority": priority,
        "direction": rule.way,
        "access": "Allow" if rule.allow else "Deny",
        "protocol": "Tcp" if rule.allow and rule.ports != ("*",) else "*",
        "source_address_prefix": written(rule.origin),
        "source_port_range": "*",
        "destination_address_prefix": rule.to,
        "destination_port_ranges" if len(rule.ports) > 1 else "destination_port_range": (
            [*rule.ports] if len(rule.ports) > 1 else rule.ports[0]
        ),
    }
    return resource("azurerm_network_security_rule", f"{wall}_{rule.name}", *items(said))


def zone(one: Zone, context: Context) -> Iterator[Block]:
    """Write a zone of names, which the network asks."""
    said: dict[str, Value] = {"name": written(one.domain), "resource_group_name": GROUP, **_TAGS}
    yield resource("azurerm_private_dns_zone", one.name, *items(said), notes=notes(one, context))
    linked: dict[str, Value] = {
        "name": context.named(),
        "resource_group_name": GROUP,
        "private_dns_zone_name": Raw(f"azurerm_private_dns_zone.{label(one.name)}.name"),
        "virtual_network_id": Raw("azurerm_virtual_network.main.id"),
        **_TAGS,
    }
    yield resource("azurerm_private_dns_zone_virtual_network_link", one.name, *items(linked))
    if one.wild is not None:
        record: dict[str, Value] = {
            "name": "*",
            "zone_name": Raw(f"azurerm_private_dns_zone.{label(one.name)}.name"),
            "resource_group_name": GROUP,
            "ttl": 300,
            "records": [at(one.wild)],
        }
        yield resource("azurerm_private_dns_a_record", one.name, *items(record))


def borrowed(one: Borrowed, context: Context) -> Iterator[Block]:
    """Write that the network asks a zone of the first region, too."""
    first = context.scope.origin()
    domain = next(zone.domain for zone in context.all(Zone) if zone.name == one.zone)
    said: dict[str, Value] = {
        "name": context.named(),
        "resource_group_name": first.named(limit=90),
        "private_dns_zone_name": str(domain).replace(context.scope.named(limit=32), first.named(limit=32)),
        "virtual_network_id": Raw("azurerm_virtual_network.main.id"),
        **_TAGS,
    }
    yield resource(
        "azurerm_private_dns_zone_virtual_network_link", f"{one.name}_first", *items(said), notes=notes(one, context)
    )


def endpoint(one: Endpoint, context: Context) -> Iterator[Block]:
    """Write an address inside."""
    said: dict[str, Value] = {
        "name": called(context.scope, "endpoint", one.name),
        **HERE,
        "subnet_id": Raw("azurerm_subnet.inside.id"),
        **_TAGS,
    }
    connected = block(
        "private_service_connection",
        name=one.part,
        private_connection_resource_id=at(one.to),
        subresource_names=[one.part],
        is_manual_connection=False,
    )
    zone = Raw(f"azurerm_private_dns_zone.{label(one.zone)}.id")
    named = block("private_dns_zone_group", name=one.part, private_dns_zone_ids=[zone])
    yield resource("azurerm_private_endpoint", one.name, *items(said, connected, named), notes=notes(one, context))
