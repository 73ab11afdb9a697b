"""A cluster of Kubernetes with Azure's Istio."""

from collections.abc import Iterator

from shoal.deploy.azure.hcl.context import Context, notes
from shoal.deploy.azure.hcl.references import HERE, at
from shoal.deploy.azure.network import APPS
from shoal.deploy.azure.resources import Cluster
from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Noted, Raw, Value, block, items

_LOGS = at(Ref("logs", "main", "id"))

ISTIO = "asm-1-27"
"""Revision of the add-on; Azure supports three at a time."""


def cluster(one: Cluster, context: Context) -> Iterator[Block]:
    """Write it: no local accounts, nodes over zones, names of services in the cloud by their accounts."""
    said: dict[str, Value] = {
        "name": context.named(),
        **HERE,
        "dns_prefix": context.named(limit=54),
        "sku_tier": "Standard" if one.protected else "Free",
        "private_cluster_enabled": Noted(one.protected, "Its interface has an address inside alone."),
        "local_account_disabled": True,
        "role_based_access_control_enabled": True,
        "oidc_issuer_enabled": True,
        "workload_identity_enabled": True,
        "azure_policy_enabled": True,
        "image_cleaner_enabled": True,
        "image_cleaner_interval_hours": 48,
        "automatic_upgrade_channel": "patch",
        "node_os_upgrade_channel": "NodeImage",
        "tags": Raw("local.tags"),
    }
    yield resource("azurerm_kubernetes_cluster", one.name, *items(said, *_parts(one)), notes=notes(one, context))
    pull: dict[str, Value] = {
        "scope": at(Ref("registry", "main", "id")),
        "role_definition_name": "AcrPull",
        "principal_id": Raw("azurerm_kubernetes_cluster.main.kubelet_identity[0].object_id"),
        "principal_type": "ServicePrincipal",
    }
    yield resource("azurerm_role_assignment", "cluster-pulls", *items(pull))


def _nodes(one: Cluster) -> Block:
    turned = block("upgrade_settings", max_surge="33%")
    said: dict[str, Value] = {
        "name": "system",
        "vm_size": one.node,
        "auto_scaling_enabled": True,
        "min_count": one.least,
        "max_count": one.most,
        "zones": ["1", "2", "3"],
        "vnet_subnet_id": at(Ref("subnet", APPS, "id")),
        "os_disk_type": "Ephemeral",
        "os_sku": "AzureLinux",
        "temporary_name_for_rotation": "spare",
    }
    return Block(kind="default_node_pool", body=items(said, turned))


def _parts(one: Cluster) -> list[Block]:
    return [
        _nodes(one),
        block("identity", type="SystemAssigned"),
        block("azure_active_directory_role_based_access_control", azure_rbac_enabled=True),
        block(
            "network_profile", network_plugin="azure", network_plugin_mode="overlay", network_data_plane="cilium",
            network_policy="cilium", load_balancer_sku="standard", outbound_type="loadBalancer",
            pod_cidr="192.168.0.0/16", service_cidr="172.16.0.0/16", dns_service_ip="172.16.0.10",
        ),
        block(
            "service_mesh_profile", mode="Istio", revisions=[ISTIO], external_ingress_gateway_enabled=True,
            internal_ingress_gateway_enabled=False,
        ),
        block("workload_autoscaler_profile", keda_enabled=True),
        block("key_vault_secrets_provider", secret_rotation_enabled=True),
        block("oms_agent", log_analytics_workspace_id=_LOGS, msi_auth_for_monitoring_enabled=True),
        block("monitor_metrics"),
        block("lifecycle", ignore_changes=[Raw("default_node_pool[0].node_count"), Raw("kubernetes_version")]),
    ]  # fmt: skip
