"""A cluster of Kubernetes with Azure's Istio."""

from shoal.deploy.azure.bicep.context import TAGGED, Context, Declared
from shoal.deploy.azure.bicep.secrets import ROLES
from shoal.deploy.azure.hcl.cluster import ISTIO
from shoal.deploy.azure.network import APPS
from shoal.deploy.azure.resources import Cluster
from shoal.deploy.bicep.values import Raw, Resource, Value
from shoal.deploy.cloud.values import Ref

_NETWORK: dict[str, Value] = {
    "networkPlugin": "azure",
    "networkPluginMode": "overlay",
    "networkDataplane": "cilium",
    "networkPolicy": "cilium",
    "loadBalancerSku": "standard",
    "outboundType": "loadBalancer",
    "podCidr": "192.168.0.0/16",
    "serviceCidr": "172.16.0.0/16",
    "dnsServiceIP": "172.16.0.10",
}


def cluster(one: Cluster, context: Context) -> Declared:
    """Write it: no local accounts, nodes over zones, names of services in the cloud by their accounts."""
    body: dict[str, Value] = {
        "dnsPrefix": context.scope.named(limit=54),
        "disableLocalAccounts": True,
        "enableRBAC": True,
        "aadProfile": {"managed": True, "enableAzureRBAC": True},
        "apiServerAccessProfile": {"enablePrivateCluster": one.protected},
        "oidcIssuerProfile": {"enabled": True},
        "securityProfile": {
            "workloadIdentity": {"enabled": True},
            "imageCleaner": {"enabled": True, "intervalHours": 48},
        },
        "autoUpgradeProfile": {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"},
        "agentPoolProfiles": [_nodes(one, context)],
        "networkProfile": _NETWORK,
        "serviceMeshProfile": _mesh(),
        "workloadAutoScalerProfile": {"keda": {"enabled": True}},
        "azureMonitorProfile": {"metrics": {"enabled": True}},
        "addonProfiles": _addons(context),
    }
    sku: Value = {"name": "Base", "tier": "Standard" if one.protected else "Free"}
    who: Value = {"type": "SystemAssigned"}
    yield context.made("cluster", one, {**TAGGED, "sku": sku, "identity": who, "properties": body})
    registry = context.references.symbol("registry")
    role = f"subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{ROLES['AcrPull']}')"
    pull: dict[str, Value] = {
        "name": Raw(f"guid({registry}.id, cluster_main.id, '{ROLES['AcrPull']}')"),
        "scope": Raw(registry),
        "properties": {
            "roleDefinitionId": Raw(role),
            "principalId": Raw("cluster_main.properties.identityProfile.kubeletidentity.objectId"),
            "principalType": "ServicePrincipal",
        },
    }
    yield Resource(symbol="cluster_pulls", kind="Microsoft.Authorization/roleAssignments@2022-04-01", body=pull)


def _nodes(one: Cluster, context: Context) -> Value:
    return {
        "name": "system",
        "mode": "System",
        "vmSize": one.node,
        "count": one.least,
        "enableAutoScaling": True,
        "minCount": one.least,
        "maxCount": one.most,
        "availabilityZones": ["1", "2", "3"],
        "vnetSubnetID": context.references.at(Ref("subnet", APPS, "id")),
        "osDiskType": "Ephemeral",
        "osSKU": "AzureLinux",
        "upgradeSettings": {"maxSurge": "33%"},
    }


def _mesh() -> Value:
    gateways: Value = [{"enabled": True, "mode": "External"}]
    return {"mode": "Istio", "istio": {"revisions": [ISTIO], "components": {"ingressGateways": gateways}}}


def _addons(context: Context) -> Value:
    workspace = context.references.at(Ref("logs", "main", "id"))
    return {
        "azurepolicy": {"enabled": True},
        "azureKeyvaultSecretsProvider": {"enabled": True, "config": {"enableSecretRotation": "true"}},
        "omsagent": {"enabled": True, "config": {"logAnalyticsWorkspaceResourceID": workspace, "useAADAuth": "true"}},
    }
