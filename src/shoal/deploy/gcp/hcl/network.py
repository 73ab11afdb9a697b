"""The network, its firewall, and the names under which Google is found in it."""

from collections.abc import Iterator

from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.naming import joined
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.references import NETWORK, SUBNET, written
from shoal.deploy.gcp.resources import Network, Passage
from shoal.deploy.terraform.values import Block, Raw, Value, block, items

_PRIVATE = [f"199.36.153.{last}" for last in range(8, 12)]
"""Addresses of private.googleapis.com."""

_ZONES = {"google": "googleapis.com.", "run": "run.app.", "images": "pkg.dev."}


def network(one: Network, context: Context) -> Iterator[Block]:
    """Write the network, or a region's part of one that is there."""
    name = context.scope.system
    if not one.there:
        said: dict[str, Value] = {"name": name, "auto_create_subnetworks": False, "routing_mode": "REGIONAL"}
        yield resource("google_compute_network", "main", *items(said), notes=context.notes(one))
    yield _subnet(one, name, context)
    for zone, domain in _ZONES.items() if not one.there else ():
        yield from _zone(zone, domain)
    if one.gateway:
        yield from _gateway(name, one)
    if one.peered and not one.there:
        yield from _peering(name, one)
    if one.connected:
        reached = block("psc_config", subnetworks=[SUBNET])
        policy: dict[str, Value] = {
            "name": f"{name}-valkey", "location": one.region, "service_class": "gcp-memorystore", "network": NETWORK,
        }  # fmt: skip
        yield resource("google_network_connectivity_service_connection_policy", "valkey", *items(policy, reached))
    if one.balanced:
        proxies: dict[str, Value] = {
            "name": f"{name}-proxies", "region": one.region, "network": NETWORK,
            "ip_cidr_range": _range(one.cidr, 4, 2), "purpose": "GLOBAL_MANAGED_PROXY", "role": "ACTIVE",
        }  # fmt: skip
        yield resource("google_compute_subnetwork", "proxies", *items(proxies))


def _range(cidr: str, bits: int, number: int) -> Raw:
    """Take a part of the network."""
    return Raw(f'cidrsubnet("{cidr}", {bits}, {number})')


def _subnet(one: Network, name: str, context: Context) -> Block:
    pods = (
        []
        if context.scope.run
        else [
            block("secondary_ip_range", range_name="pods", ip_cidr_range=_range(one.cidr, 1, 1)),
            block("secondary_ip_range", range_name="services", ip_cidr_range=_range(one.cidr, 4, 3)),
        ]
    )
    arguments: dict[str, Value] = {
        "name": name, "region": one.region, "network": NETWORK, "ip_cidr_range": _range(one.cidr, 4, 0),
        "private_ip_google_access": True,
    }  # fmt: skip
    logged = block("log_config", aggregation_interval="INTERVAL_10_MIN", flow_sampling=0.1)
    return resource(
        "google_compute_subnetwork", "main", *items(arguments, *pods, logged),
        notes=("It is in every zone of the region.",),
    )  # fmt: skip


def _zone(name: str, domain: str) -> Iterator[Block]:
    seen = block("private_visibility_config")
    seen = Block(kind=seen.kind, body=(block("networks", network_url=NETWORK),))
    arguments: dict[str, Value] = {"name": name, "dns_name": domain, "visibility": "private"}
    yield resource("google_dns_managed_zone", name, *items(arguments, seen))
    zone = Raw(f"google_dns_managed_zone.{name}.name")
    own: dict[str, Value] = {
        "managed_zone": zone, "name": domain, "type": "A", "ttl": 300, "rrdatas": [*_PRIVATE],
    }  # fmt: skip
    yield resource("google_dns_record_set", name, *items(own))
    every: dict[str, Value] = {
        "managed_zone": zone, "name": f"*.{domain}", "type": "CNAME", "ttl": 300, "rrdatas": [domain],
    }  # fmt: skip
    yield resource("google_dns_record_set", f"{name}_every", *items(every))


def _gateway(name: str, one: Network) -> Iterator[Block]:
    router: dict[str, Value] = {"name": name, "region": one.region, "network": NETWORK}
    yield resource("google_compute_router", "main", *items(router))
    nat: dict[str, Value] = {
        "name": name, "region": one.region, "router": Raw("google_compute_router.main.name"),
        "nat_ip_allocate_option": "AUTO_ONLY",
        "source_subnetwork_ip_ranges_to_nat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
        "enable_dynamic_port_allocation": True, "min_ports_per_vm": 64, "max_ports_per_vm": 4096,
        "enable_endpoint_independent_mapping": False,
    }  # fmt: skip
    yield resource(
        "google_compute_router_nat", "main",
        *items(nat, block("log_config", enable=True, filter="ERRORS_ONLY")),
    )  # fmt: skip


def _peering(name: str, one: Network) -> Iterator[Block]:
    address = one.cidr.partition("/")[0].split(".")
    reserved: dict[str, Value] = {
        "name": f"{name}-engines", "purpose": "VPC_PEERING", "address_type": "INTERNAL", "network": NETWORK,
        "address": f"{address[0]}.{address[1]}.64.0", "prefix_length": 18,
    }  # fmt: skip
    why = "Addresses of the databases that Google runs for us, in a network of its own."
    yield resource("google_compute_global_address", "engines", *items(reserved), notes=(why,))
    peer: dict[str, Value] = {
        "network": NETWORK, "service": "servicenetworking.googleapis.com",
        "reserved_peering_ranges": [Raw("google_compute_global_address.engines.name")],
    }  # fmt: skip
    yield resource("google_service_networking_connection", "engines", *items(peer))


def passage(one: Passage, context: Context) -> Iterator[Block]:
    """Write a rule of the firewall for what leaves."""
    ports: dict[str, Value] = {"protocol": "tcp" if one.ports else "all"}
    if one.ports:
        ports["ports"] = [str(port) for port in one.ports]
    arguments: dict[str, Value] = {
        "name": context.scope.apart(joined(context.scope.system, one.name)),
        "network": NETWORK,
        "direction": "EGRESS",
        "priority": 65000 if one.refuses else 1000,
        "destination_ranges": [written(place) for place in one.to],
        **({"target_tags": [*one.tags]} if one.tags else {}),
    }
    body = items(arguments, block("deny" if one.refuses else "allow", **ports))
    yield resource("google_compute_firewall", one.name, *body, notes=context.notes(one))
