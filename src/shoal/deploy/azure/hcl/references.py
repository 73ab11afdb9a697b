"""References → Terraform's expressions, and names → its labels. Pure."""

from collections.abc import Mapping

from shoal.deploy.azure.addresses import CONTAINER
from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.cloud.hcl import label, with_references
from shoal.deploy.cloud.linked import Link, Thing
from shoal.deploy.cloud.switches import FENCED, TAKEN
from shoal.deploy.cloud.values import Ref, Value
from shoal.deploy.terraform import values as hcl

KINDS: Mapping[str, str] = {
    "account": "azurerm_storage_account",
    "bus": "azurerm_servicebus_namespace",
    "cache": "azurerm_managed_redis",
    "cluster": "azurerm_kubernetes_cluster",
    "container": "azurerm_storage_container",
    "door": "azurerm_api_management",
    "identity": "azurerm_user_assigned_identity",
    "domain": "azurerm_email_communication_service_domain",
    "job": "azurerm_container_app_job",
    "key": "azurerm_key_vault_key",
    "logs": "azurerm_log_analytics_workspace",
    "mail": "azurerm_communication_service",
    "password": "random_password",
    "place": "azurerm_container_app_environment",
    "post": "azurerm_email_communication_service",
    "postgres": "azurerm_postgresql_flexible_server",
    "registry": "azurerm_container_registry",
    "secret": "azurerm_key_vault_secret",
    "subnet": "azurerm_subnet",
    "subscription": "azurerm_servicebus_subscription",
    "topic": "azurerm_servicebus_topic",
    "vault": "azurerm_key_vault",
    "workload": "azurerm_container_app",
    "zone": "azurerm_private_dns_zone",
}
"""Kind → Terraform's resource."""

_ATTRIBUTES: Mapping[tuple[str, str], str] = {
    ("account", "host"): "primary_blob_host",
    ("cache", "address"): "hostname",
    ("cache", "key"): "default_database[0].primary_access_key",
    ("cluster", "issuer"): "oidc_issuer_url",
    ("domain", "sender"): "from_sender_domain",
    ("identity", "client"): "client_id",
    ("identity", "principal"): "principal_id",
    ("key", "scope"): "resource_versionless_id",
    ("mail", "host"): "hostname",
    ("place", "address"): "static_ip_address",
    ("place", "domain"): "default_domain",
    ("postgres", "address"): "fqdn",
    ("registry", "address"): "login_server",
    ("secret", "scope"): "resource_versionless_id",
    ("secret", "url"): "versionless_id",
    ("subnet", "prefix"): "address_prefixes[0]",
    ("workload", "host"): "ingress[0].fqdn",
}
"""Kind and attribute → where Terraform has it; the others are called alike."""


QUOTED = frozenset({("cache", "key")})
"""What Azure makes with signs that mean something in an address, in which alone it is used."""


def at(ref: Ref) -> hcl.Raw:
    """Write a reference."""
    attribute = _ATTRIBUTES.get((ref.kind, ref.attribute), ref.attribute)
    found = f"{KINDS[ref.kind]}.{label(ref.name)}.{attribute}"
    return hcl.Raw(f"urlencode({found})" if (ref.kind, ref.attribute) in QUOTED else found)


def written(value: Value) -> hcl.Value:
    """Write a value."""
    return with_references(value, at)


SUBSCRIPTION = "/subscriptions/${data.azurerm_client_config.own.subscription_id}"


def there(context: Context, kind: str, name: str) -> hcl.Raw:
    """Write the id of something of the first region, which is known without asking for it."""
    group = context.scope.origin().named(limit=90)
    return hcl.Raw(f'"{SUBSCRIPTION}/resourceGroups/{group}/providers/{kind}/{name}"')


def link(context: Context) -> Link:
    """Say how the second region finds what is in both or brought to it, and what is there after taking over."""
    first = context.scope.origin()

    def spelled(thing: Thing, attribute: str, _: Mapping[Thing, hcl.Block]) -> str | hcl.Raw | None:
        kind, name = thing
        accounts = "Microsoft.Storage/storageAccounts"
        known: dict[tuple[str, str], str | hcl.Raw] = {
            ("azurerm_container_registry", "login_server"): f"{called(first, 'registry')}.azurecr.io",
            ("azurerm_container_registry", "id"): there(
                context, "Microsoft.ContainerRegistry/registries", called(first, "registry")
            ),
            ("azurerm_key_vault_key", "resource_versionless_id"): hcl.Raw(
                f'"${{azurerm_key_vault.main.id}}/keys/{name}"'
            ),
            ("azurerm_communication_service", "id"): hcl.Raw("data.azurerm_communication_service.main.id"),
            ("azurerm_communication_service", "hostname"): hcl.Raw("data.azurerm_communication_service.main.hostname"),
            ("azurerm_storage_account", "primary_blob_host"): (
                f"{called(first, 'account', name)}.blob.core.windows.net"
            ),
            ("azurerm_storage_account", "id"): there(context, accounts, called(first, "account", name)),
            ("azurerm_storage_container", "id"): there(
                context, accounts, f"{called(first, 'account', name)}/blobServices/default/containers/{CONTAINER}"
            ),
        }
        return known.get((kind, attribute))

    when = f"{TAKEN} && !{FENCED}" if context.scope.passive else f"!{FENCED}"
    return Link(spelled=spelled, late=frozenset({"azurerm_container_app"}), when=when)


GROUP = hcl.Raw("azurerm_resource_group.main.name")
REGION = hcl.Raw("azurerm_resource_group.main.location")
HERE: dict[str, hcl.Value] = {"resource_group_name": GROUP, "location": REGION}
"""Where nearly everything is."""
