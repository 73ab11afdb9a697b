"""The network and its groups."""

from collections.abc import Iterator

from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.hcl.eks import cluster
from shoal.deploy.aws.network import CLUSTER, INTERFACES
from shoal.deploy.aws.resources import Group, Network
from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.switches import TAKEN
from shoal.deploy.terraform.values import Block, Raw, Text, Value, block, items

_SUBNETS = {"private": 0, "engines": 4, "public": 8}
"""Kinds of subnets, and the first sixteenth of the network that they take."""

WITHOUT = ("apne1-az3", "cac1-az3", "use1-az3", "usw1-az2")
"""Zones where an HTTP API has no private link, and most of them no control plane of EKS ("Working with VPC links for
HTTP APIs"; "Amazon EKS networking requirements", of subnets)."""


def network(one: Network, context: Context) -> Iterator[Block]:
    """Write the network."""
    yield block("data", "aws_availability_zones", "here", state="available", exclude_zone_ids=[*WITHOUT])
    yield resource(
        "aws_vpc",
        "main",
        *items(
            {
                "cidr_block": one.cidr, "enable_dns_support": True, "enable_dns_hostnames": True,
                "tags": {"Name": context.named()},
            }
        ),
        notes=context.notes(one),
    )  # fmt: skip
    yield resource(
        "aws_default_security_group", "closed", *items({"vpc_id": Raw("aws_vpc.main.id")}),
        notes=("What names no group of its own reaches nothing.",),
    )  # fmt: skip
    for kind, first in _SUBNETS.items():
        if kind != "public" or one.gateways:
            yield _subnets(one, context, kind, first)
    yield from _tables(one)
    if one.gateways:
        yield from _gateways(one, context)
    yield from _endpoints(one)


def _subnets(one: Network, context: Context, kind: str, first: int) -> Block:
    index = f"count.index + {first}" if first else "count.index"
    return resource(
        "aws_subnet",
        kind,
        *items(
            {
                "count": one.zones,
                "vpc_id": Raw("aws_vpc.main.id"),
                "availability_zone": Raw("data.aws_availability_zones.here.names[count.index]"),
                "cidr_block": Raw(f"cidrsubnet(aws_vpc.main.cidr_block, 4, {index})"),
                "tags": {"Name": Text((f"{context.named(kind)}-", Raw("count.index"))), **_marked(kind, context)},
            }
        ),
    )


def _marked(kind: str, context: Context) -> dict[str, str]:
    """Say where a cluster of Kubernetes puts its balancers."""
    roles = {"private": "kubernetes.io/role/internal-elb", "public": "kubernetes.io/role/elb"}
    return {roles[kind]: "1"} if context.scope.environment.eks and kind in roles else {}


def _tables(one: Network) -> Iterator[Block]:
    vpc = {"vpc_id": Raw("aws_vpc.main.id")}
    yield resource("aws_route_table", "private", *items({"count": one.zones, **vpc}))
    yield _associated(one, "private", "aws_route_table.private[count.index].id")
    yield resource("aws_route_table", "engines", *items(vpc), notes=("Leads nowhere: engines ask nobody outside.",))
    yield _associated(one, "engines", "aws_route_table.engines.id")


def _associated(one: Network, kind: str, table: str) -> Block:
    subnet = Raw(f"aws_subnet.{kind}[count.index].id")
    return resource(
        "aws_route_table_association", kind,
        *items({"count": one.zones, "subnet_id": subnet, "route_table_id": Raw(table)}),
    )  # fmt: skip


def _gateways(one: Network, context: Context) -> Iterator[Block]:
    vpc = {"vpc_id": Raw("aws_vpc.main.id")}
    everywhere = {"destination_cidr_block": "0.0.0.0/0"}
    yield resource("aws_internet_gateway", "main", *items(vpc))
    yield resource("aws_route_table", "public", *items(vpc))
    yield resource(
        "aws_route",
        "public",
        *items(
            {
                "route_table_id": Raw("aws_route_table.public.id"), **everywhere,
                "gateway_id": Raw("aws_internet_gateway.main.id"),
            }
        ),
    )  # fmt: skip
    yield _associated(one, "public", "aws_route_table.public.id")
    yield resource("aws_eip", "out", *items({"count": _awake(one, one.gateways), "domain": "vpc"}))
    yield resource(
        "aws_nat_gateway",
        "out",
        *items(
            {
                "count": _awake(one, one.gateways),
                "allocation_id": Raw("aws_eip.out[count.index].id"),
                "subnet_id": Raw("aws_subnet.public[count.index].id"),
                "tags": {"Name": Text((f"{context.named('out')}-", Raw("count.index")))},
                "depends_on": [Raw("aws_internet_gateway.main")],
            }
        ),
    )
    yield _out(one)


def _out(one: Network) -> Block:
    """Lead each private subnet to a gateway, of its own zone where there is one."""
    index = "count.index" if one.gateways == one.zones else f"count.index % {one.gateways}"
    return resource(
        "aws_route",
        "out",
        *items(
            {
                "count": _awake(one, one.zones),
                "route_table_id": Raw("aws_route_table.private[count.index].id"),
                "destination_cidr_block": "0.0.0.0/0",
                "nat_gateway_id": Raw(f"aws_nat_gateway.out[{index}].id"),
            }
        ),
    )


def _endpoints(one: Network) -> Iterator[Block]:
    vpc, region = {"vpc_id": Raw("aws_vpc.main.id")}, one.region
    for name in ("dynamodb", "s3"):
        yield resource(
            "aws_vpc_endpoint",
            name,
            *items(
                {
                    **vpc, "service_name": f"com.amazonaws.{region}.{name}", "vpc_endpoint_type": "Gateway",
                    "route_table_ids": Raw("aws_route_table.private[*].id"),
                }
            ),
        )  # fmt: skip
    if one.endpoints:
        yield resource(
            "aws_vpc_endpoint",
            "interfaces",
            *items(
                {
                    "for_each": Raw(f"toset({_listed(one)})"),
                    **vpc,
                    "service_name": Text((f"com.amazonaws.{region}.", Raw("each.key"))),
                    "vpc_endpoint_type": "Interface",
                    "private_dns_enabled": True,
                    "subnet_ids": Raw("aws_subnet.private[*].id"),
                    "security_group_ids": [Raw(f"aws_security_group.{INTERFACES}.id")],
                }
            ),
        )


def _listed(one: Network) -> str:
    names = "[" + ", ".join(f'"{name}"' for name in one.endpoints) + "]"
    return f"{TAKEN} ? {names} : []" if one.asleep else names


def _awake(one: Network, count: int) -> Value:
    """Count what a second region has only from when it takes over."""
    return Raw(f"{TAKEN} ? {count} : 0") if one.asleep else count


def group(one: Group, context: Context) -> Iterator[Block]:
    """Write a group, and for each caller the two rules by which it reaches it."""
    yield resource(
        "aws_security_group",
        one.name,
        *items(
            {
                "name": context.named(one.name, "group"),
                "description": f"{one.name} of {context.scope.system}",
                "vpc_id": Raw("aws_vpc.main.id"),
            }
        ),
        notes=context.notes(one),
    )
    for caller in one.callers:
        name, own, other = f"{caller}_to_{one.name}", _id(one.name), _caller(caller, context)
        yield _rule("ingress", name, own, one.port, {"referenced_security_group_id": other})
        if caller != CLUSTER:
            yield _rule("egress", name, other, one.port, {"referenced_security_group_id": own})
    for port in one.outside:
        yield _rule("egress", f"{one.name}_outside_{port}", _id(one.name), port, {"cidr_ipv4": "0.0.0.0/0"})
    if (one.service and one.service == one.name and 443 not in one.outside) or (
        one.name == "operator" and not one.outside
    ):
        for endpoint in ("dynamodb", "s3"):
            through = {"prefix_list_id": Raw(f"aws_vpc_endpoint.{endpoint}.prefix_list_id")}
            yield _rule("egress", f"{one.name}_to_{endpoint}", _id(one.name), 443, through)


def _caller(name: str, context: Context) -> Raw:
    return cluster(context, "vpc_config[0].cluster_security_group_id") if name == CLUSTER else _id(name)


def _id(name: str) -> Raw:
    return Raw(f"aws_security_group.{name}.id")


def _rule(way: str, name: str, own: Raw, port: int, other: dict[str, Raw] | dict[str, str]) -> Block:
    return resource(
        f"aws_vpc_security_group_{way}_rule",
        name,
        *items({"security_group_id": own, "ip_protocol": "tcp", "from_port": port, "to_port": port, **other}),
    )
