"""References → Bicep's expressions; what another file makes is declared here as existing. Pure."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from shoal.deploy.azure.addresses import CONTAINER
from shoal.deploy.azure.called import called
from shoal.deploy.azure.resources import Secret, Subnet, Subscription
from shoal.deploy.azure.scope import Scope
from shoal.deploy.bicep import values as bicep
from shoal.deploy.cloud.values import Join, Ref, Value

KINDS: Mapping[str, str] = {
    "account": "Microsoft.Storage/storageAccounts@2024-01-01",
    "bus": "Microsoft.ServiceBus/namespaces@2024-01-01",
    "cache": "Microsoft.Cache/redisEnterprise@2025-07-01",
    "cluster": "Microsoft.ContainerService/managedClusters@2024-10-01",
    "container": "Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01",
    "domain": "Microsoft.Communication/emailServices/domains@2023-04-01",
    "door": "Microsoft.ApiManagement/service@2024-05-01",
    "hearers": "Microsoft.Insights/actionGroups@2023-01-01",
    "identity": "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30",
    "insights": "Microsoft.Insights/components@2020-02-02",
    "job": "Microsoft.App/jobs@2026-01-01",
    "key": "Microsoft.KeyVault/vaults/keys@2024-11-01",
    "logs": "Microsoft.OperationalInsights/workspaces@2023-09-01",
    "mail": "Microsoft.Communication/communicationServices@2023-04-01",
    "network": "Microsoft.Network/virtualNetworks@2024-10-01",
    "objects": "Microsoft.Storage/storageAccounts/blobServices@2024-01-01",
    "place": "Microsoft.App/managedEnvironments@2026-01-01",
    "post": "Microsoft.Communication/emailServices@2023-04-01",
    "postgres": "Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01",
    "redis": "Microsoft.Cache/redisEnterprise/databases@2025-07-01",
    "registry": "Microsoft.ContainerRegistry/registries@2023-07-01",
    "secret": "Microsoft.KeyVault/vaults/secrets@2024-11-01",
    "subnet": "Microsoft.Network/virtualNetworks/subnets@2024-10-01",
    "subscription": "Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01",
    "topic": "Microsoft.ServiceBus/namespaces/topics@2024-01-01",
    "vault": "Microsoft.KeyVault/vaults@2024-11-01",
    "workload": "Microsoft.App/containerApps@2026-01-01",
    "zone": "Microsoft.Network/privateDnsZones@2024-06-01",
}
"""Kind → Azure's, with its version."""

_ATTRIBUTES: Mapping[tuple[str, str], str] = {
    ("account", "host"): "split({}.properties.primaryEndpoints.blob, '/')[2]",
    ("cache", "address"): "{}.properties.hostName",
    ("cluster", "issuer"): "{}.properties.oidcIssuerProfile.issuerURL",
    ("domain", "sender"): "{}.properties.fromSenderDomain",
    ("identity", "client"): "{}.properties.clientId",
    ("identity", "principal"): "{}.properties.principalId",
    ("mail", "host"): "{}.properties.hostName",
    ("place", "address"): "{}.properties.staticIp",
    ("postgres", "address"): "{}.properties.fullyQualifiedDomainName",
    ("redis", "key"): "uriComponent({}.listKeys().primaryKey)",
    ("registry", "address"): "{}.properties.loginServer",
    ("secret", "url"): "{}.properties.secretUri",
    ("workload", "host"): "{}.properties.configuration.ingress.fqdn",
}
_PARENTS = {"domain": "post", "key": "vault", "secret": "vault", "subnet": "network", "topic": "bus"}
"""Kinds that lie within the one of another kind that there is."""

PASSWORDS, DOMAIN, LOCATION = "passwords", "domain", "location"
"""Parameters: passwords of databases by name, the domain of container apps, and the region."""


def symbol(kind: str, name: str = "main") -> str:
    """Name a resource within a file."""
    said = re.sub(r"[^A-Za-z0-9_-]", "__", name).replace("-", "_")
    return f"{kind}_{said}"


class References:
    """Writes references of one file, and remembers what it refers to."""

    def __init__(self, scope: Scope, known: Mapping[tuple[str, str], object]) -> None:
        self._scope, self._known = scope, known
        self.asked: dict[tuple[str, str], None] = {}
        self.passwords, self.domain = False, False

    def symbol(self, kind: str, name: str = "main") -> str:
        """Name a resource that the file refers to."""
        self.asked.setdefault((kind, name))
        return symbol(kind, name)

    def at(self, ref: Ref) -> bicep.Raw:
        """Write a reference."""
        if ref.kind == "password":
            self.passwords = True
            return bicep.Raw(f"{PASSWORDS}['{ref.name}']")
        if (ref.kind, ref.attribute) == ("place", "domain"):
            self.domain = True
            return bicep.Raw(DOMAIN)
        if (ref.kind, ref.attribute) == ("subnet", "prefix"):
            return bicep.Raw(f"'{self.prefix(ref.name)}'")
        kind = "redis" if (ref.kind, ref.attribute) == ("cache", "key") else ref.kind
        form = _ATTRIBUTES.get((kind, ref.attribute), f"{{}}.{ref.attribute}")
        return bicep.Raw(form.format(self.symbol(kind, ref.name)))

    def written(self, value: Value) -> bicep.Value:
        """Write a value."""
        if isinstance(value, Ref):
            return self.at(value)
        if isinstance(value, Join):
            return bicep.Text(tuple(self.at(part) if isinstance(part, Ref) else part for part in value.parts))
        return value

    def prefix(self, name: str) -> str:
        """Work out the addresses of a subnet."""
        one = self._known["subnet", name]
        assert isinstance(one, Subnet)  # noqa: S101 - nothing else is called so
        network = ip_network(self._scope.environment.cidr)
        return str([*network.subnets(prefixlen_diff=one.bits)][one.number])

    def existing(self, made: frozenset[tuple[str, str]]) -> Iterator[bicep.Resource]:
        """Declare what the file refers to and does not make, each after what it lies in."""
        done = set(made)
        for kind, name in [*self.asked]:
            for one in self._chain(kind, name):
                if one not in done:
                    done.add(one)
                    yield self._found(*one)

    def _chain(self, kind: str, name: str) -> list[tuple[str, str]]:
        parent = self.parent(kind, name)
        return [*(self._chain(*parent) if parent else []), (kind, name)]

    def parent(self, kind: str, name: str) -> tuple[str, str] | None:
        """Say what a resource lies in."""
        if kind in _PARENTS:
            return _PARENTS[kind], "main"
        within = {"container": "objects", "objects": "account", "redis": "cache"}
        if kind in within:
            return within[kind], name
        if kind == "subscription":
            one = self._known["subscription", name]
            assert isinstance(one, Subscription)  # noqa: S101 - nothing else is called so
            return "topic", one.topic
        return None

    def _found(self, kind: str, name: str) -> bicep.Resource:
        parent = self.parent(kind, name)
        inside: dict[str, bicep.Value] = {"parent": bicep.Raw(symbol(*parent))} if parent else {}
        body = {**inside, "name": self.called(kind, name)}
        return bicep.Resource(symbol=symbol(kind, name), kind=KINDS[kind], body=body, existing=True)

    def called(self, kind: str, name: str = "main") -> str:
        """Name a resource as Azure is to call it."""
        one = self._known.get((kind, name))
        if isinstance(one, Secret | Subscription):
            return one.key
        plain = {"objects": "default", "redis": "default", "container": CONTAINER}
        if kind in plain:
            return plain[kind]
        if kind in ("topic", "subnet", "key"):
            return name
        return called(self._scope, kind, name)
