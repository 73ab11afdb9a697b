"""The balancer inside, which finds each service by its name in the network."""

from collections.abc import Iterator

from shoal.deploy.cloud.hcl import resource
from shoal.deploy.gcp.hcl.balancer import backend
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.references import NETWORK, SUBNET
from shoal.deploy.gcp.resources import Inside
from shoal.deploy.terraform.values import Block, Raw, Value, block, items


def inside(one: Inside, context: Context) -> Iterator[Block]:
    """Write the balancer, and the names under which it is found; services ask who calls all the same."""
    name, region = f"{context.scope.system}-inside", context.scope.environment.region
    address: dict[str, Value] = {
        "name": name, "region": region, "subnetwork": SUBNET, "address_type": "INTERNAL",
    }  # fmt: skip
    yield resource("google_compute_address", "inside", *items(address), notes=context.notes(one))
    for service in one.services:
        yield from backend(f"{service}-inside", service, "INTERNAL_MANAGED", context)
    yield _names(one, name)
    proxy: dict[str, Value] = {"name": name, "url_map": Raw("google_compute_url_map.inside.id")}
    yield resource("google_compute_target_http_proxy", "inside", *items(proxy))
    rule: dict[str, Value] = {
        "name": name, "load_balancing_scheme": "INTERNAL_MANAGED", "network": NETWORK, "subnetwork": SUBNET,
        "ip_address": Raw("google_compute_address.inside.address"), "port_range": "80",
        "target": Raw("google_compute_target_http_proxy.inside.id"),
        "depends_on": [Raw("google_compute_subnetwork.proxies")],
    }  # fmt: skip
    yield resource("google_compute_global_forwarding_rule", "inside", *items(rule))
    yield from _found(one)


def _names(one: Inside, name: str) -> Block:
    backends = {service: Raw(f"google_compute_backend_service.{service}-inside.id") for service in one.services}
    hosts = [block("host_rule", hosts=[f"{each}.{one.domain}"], path_matcher=each) for each in backends]
    matchers = [block("path_matcher", name=each, default_service=backend) for each, backend in backends.items()]
    arguments: dict[str, Value] = {"name": name, "default_service": backends[one.services[0]]}
    return resource("google_compute_url_map", "inside", *items(arguments, *hosts, *matchers))


def _found(one: Inside) -> Iterator[Block]:
    seen = Block(kind="private_visibility_config", body=(block("networks", network_url=NETWORK),))
    zone: dict[str, Value] = {"name": "inside", "dns_name": f"{one.domain}.", "visibility": "private"}
    yield resource("google_dns_managed_zone", "inside", *items(zone, seen))
    record: dict[str, Value] = {
        "managed_zone": Raw("google_dns_managed_zone.inside.name"), "name": f"*.{one.domain}.", "type": "A",
        "ttl": 300, "rrdatas": [Raw("google_compute_address.inside.address")],
    }  # fmt: skip
    yield resource("google_dns_record_set", "inside", *items(record))
