"""A cluster of GKE, for the manifests that `shoal deploy kubernetes` writes."""

from collections.abc import Iterator

from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.references import NETWORK, SUBNET, at, encrypted
from shoal.deploy.gcp.resources import Cluster
from shoal.deploy.gcp.rights import NODES
from shoal.deploy.terraform.values import Block, Raw, Text, Value, block, items

_PROJECT = Raw("data.google_project.own.project_id")
_CONTROL = "172.16.0.0/28"
"""Addresses of the cluster's control plane."""


_EVERYTHING = "https://www.googleapis.com/auth/cloud-platform"
"""What a machine's token may be for; what it may do is said by the rights of its account."""


def _machines() -> Block:
    """Say who the machines of the cluster are."""
    account = at(Ref("account", NODES, "email"))
    return block("auto_provisioning_defaults", service_account=account, oauth_scopes=[_EVERYTHING])


def cluster(one: Cluster, context: Context) -> Iterator[Block]:
    """Write the cluster (Autopilot, private), its place in the fleet, and the mesh of Google in it.

    Its interface has no address outside: it is called by its name (DNS), where Google asks who calls.
    """
    region = context.scope.environment.region
    arguments: dict[str, Value] = {
        "name": context.scope.system,
        "location": region,
        "enable_autopilot": True,
        "network": NETWORK,
        "subnetwork": SUBNET,
        "deletion_protection": one.protected,
    }
    key = encrypted(context, "key_name", "container")
    waits: list[Value] = [Raw("google_gke_hub_feature.mesh"), *key.pop("depends_on", [])]  # type: ignore[misc]
    arguments["depends_on"] = waits  # what a fleet gives its members, it gives who comes later
    ranges = block(
        "ip_allocation_policy", cluster_secondary_range_name="pods", services_secondary_range_name="services"
    )
    private = block(
        "private_cluster_config", enable_private_nodes=True, enable_private_endpoint=True,
        master_ipv4_cidr_block=_CONTROL,
    )  # fmt: skip
    blocks = [
        ranges,
        private,
        Block(kind="master_authorized_networks_config", body=()),
        block("release_channel", channel="REGULAR"),
        *([block("database_encryption", state="ENCRYPTED", **key)] if key else []),
        Block(kind="cluster_autoscaling", body=(_machines(),)),
        block("workload_identity_config", workload_pool=Text((_PROJECT, ".svc.id.goog"))),
        block("fleet", project=_PROJECT),
        block("gateway_api_config", channel="CHANNEL_STANDARD"),
        block("secret_manager_config", enabled=True),
        Block(kind="control_plane_endpoints_config", body=(block("dns_endpoint_config", allow_external_traffic=True),)),
    ]
    yield resource("google_container_cluster", "main", *items(arguments, *blocks), notes=context.notes(one))
    yield _mesh()


def _mesh() -> Block:
    mesh: dict[str, Value] = {"name": "servicemesh", "location": "global"}
    managed = Block(kind="fleet_default_member_config", body=(block("mesh", management="MANAGEMENT_AUTOMATIC"),))
    why = "Cloud Service Mesh: Google runs the control plane; manifests written with mesh = 'istio' are for it."
    return resource("google_gke_hub_feature", "mesh", *items(mesh, managed), notes=(why,))
