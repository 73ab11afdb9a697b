"""Databases, caches, objects."""

from collections.abc import Iterator, Mapping

from shoal.deploy.azure.addresses import CONTAINER
from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context, notes
from shoal.deploy.azure.hcl.references import HERE, at, there
from shoal.deploy.azure.resources import Account, Cache, Postgres
from shoal.deploy.cloud.hcl import label, resource
from shoal.deploy.cloud.switches import after, only, spread
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Noted, Raw, Value, block, items

POSTGRES = "17"
"""Version of the servers: the newest that the provider is known to take."""

_LINKS = (Raw("azurerm_private_dns_zone_virtual_network_link.postgres"),)
_LATER = ("administrator_password_wo", "administrator_password_wo_version", "backup_retention_days")
"""What a copy has once it follows nobody."""

_TAGS = Raw("local.tags")

_GROWN = "Its disk grows by itself, and Terraform would make a server anew to have it smaller."
_OVER = "It is LRS once it has failed over, and Terraform would make it anew, and empty, to have it in zones again."


def postgres(one: Postgres, context: Context) -> Iterator[Block]:
    """Write a server and its database; it has no address outside, and its password is in no plan."""
    said: dict[str, Value] = {
        "name": called(context.scope, "postgres", one.name),
        **HERE,
        "version": POSTGRES,
        "sku_name": one.size,
        "storage_mb": one.storage * 1024,
        "auto_grow_enabled": True,
        "administrator_login": one.role,
        "administrator_password_wo": at(Ref("password", f"{one.name}-postgres", "result")),
        "administrator_password_wo_version": 1,
        "delegated_subnet_id": Raw("azurerm_subnet.data.id"),
        "private_dns_zone_id": Raw("azurerm_private_dns_zone.postgres.id"),
        "public_network_access_enabled": False,
        "backup_retention_days": one.keep,
        "geo_redundant_backup_enabled": one.far,
        "tags": _TAGS,
        "depends_on": [*_LINKS],
    }
    second = [block("high_availability", mode="ZoneRedundant")] if one.copies > 1 else []
    if one.follows:
        said, second = _following(one, said, context), [only(each, spread([1], [])) for each in second]
    moved = [Raw("zone"), *([Raw("high_availability[0].standby_availability_zone")] if second else [])]
    kept = block("lifecycle", ignore_changes=Noted([*moved, Raw("storage_mb")], _GROWN))
    yield resource(
        "azurerm_postgresql_flexible_server", one.name, *items(said, *second, kept), notes=notes(one, context)
    )
    if not one.follows:
        yield from _within(one)


def _within(one: Postgres) -> Iterator[Block]:
    """Write what is in a server; a copy has it from there."""
    server = Raw(f"azurerm_postgresql_flexible_server.{label(one.name)}.id")
    database: dict[str, Value] = {
        "name": one.database,
        "server_id": server,
        "collation": "en_US.utf8",
        "charset": "UTF8",
    }
    yield resource("azurerm_postgresql_flexible_server_database", one.name, *items(database))
    if one.extensions:
        allowed: dict[str, Value] = {"name": "azure.extensions", "server_id": server, "value": ",".join(one.extensions)}
        yield resource("azurerm_postgresql_flexible_server_configuration", f"{one.name}-extensions", *items(allowed))


def _following(one: Postgres, said: Mapping[str, Value], context: Context) -> dict[str, Value]:
    """Follow the first region's; once it has been promoted, it has a password, backups and a copy of its own.

    A person promotes it, by a command of the README: Terraform cannot say that nobody is to be waited for, which Azure
    has for a region that is gone ("Promote read replicas": forced).
    """
    left = ("version", "administrator_login", "geo_redundant_backup_enabled")
    first = there(
        context, "Microsoft.DBforPostgreSQL/flexibleServers", called(context.scope.origin(), "postgres", one.name)
    )
    later = {name: after(said[name]) for name in _LATER}
    return {
        **{name: value for name, value in said.items() if name not in left},
        "create_mode": "Replica",
        "source_server_id": first,
        **later,
        "depends_on": [*_LINKS, Raw("azurerm_private_dns_zone_virtual_network_link.postgres_first")],
    }


def cache(one: Cache, context: Context) -> Iterator[Block]:
    """Write a Managed Redis; only its owner knows its key."""
    said: dict[str, Value] = {
        "name": called(context.scope, "cache", one.name),
        **HERE,
        "sku_name": one.size,
        "high_availability_enabled": one.copies > 1,
        "public_network_access": "Disabled",
        "tags": _TAGS,
    }
    database = block(
        "default_database",
        client_protocol="Encrypted",
        clustering_policy="NoCluster",
        eviction_policy="VolatileLRU",
        access_keys_authentication_enabled=True,
    )
    yield resource("azurerm_managed_redis", one.name, *items(said, database), notes=notes(one, context))


def account(one: Account, context: Context) -> Iterator[Block]:
    """Write an account and its container; identities alone get in, and who was lent an address."""
    said: dict[str, Value] = {
        "name": called(context.scope, "account", one.name),
        **HERE,
        "account_tier": "Standard",
        "account_replication_type": one.copies,
        "min_tls_version": "TLS1_2",
        "https_traffic_only_enabled": True,
        "shared_access_key_enabled": False,
        "allow_nested_items_to_be_public": False,
        "local_user_enabled": False,
        "infrastructure_encryption_enabled": True,
        "tags": _TAGS,
    }
    stays = (
        [block("lifecycle", ignore_changes=Noted([Raw("account_replication_type")], _OVER))] if _double(context) else []
    )
    yield resource("azurerm_storage_account", one.name, *items(said, _kept(one), *stays), notes=notes(one, context))
    container: dict[str, Value] = {
        "name": CONTAINER,
        "storage_account_id": at(Ref("account", one.name, "id")),
        "container_access_type": "private",
    }
    yield resource("azurerm_storage_container", one.name, *items(container))
    if _double(context):
        yield _copied(one)


def _double(context: Context) -> bool:
    """Tell whether accounts fail over to a second region."""
    return context.scope.environment.standby is not None


def _copied(one: Account) -> Block:
    """Say at each apply that objects are in one region alone, as they are after a failover: nobody changes it here."""
    kind = f"azurerm_storage_account.{label(one.name)}.account_replication_type"
    said = block(
        "assert",
        condition=Raw(f'endswith({kind}, "GRS") || endswith({kind}, "GZRS")'),
        error_message=f"Objects of {one.name} are in one region alone; standby/README.md says how to copy them.",
    )
    return Block(kind="check", labels=(f"{one.name}-copied",), body=(said,))


def _kept(one: Account) -> Block:
    cors = [
        block(
            "cors_rule", allowed_origins=[*one.origins], allowed_methods=["GET", "HEAD", "PUT"],
            allowed_headers=["content-type", "if-none-match", "x-ms-blob-type"], exposed_headers=["etag"],
            max_age_in_seconds=3600,
        )
    ] if one.origins else []  # fmt: skip
    deleted = [
        block("delete_retention_policy", days=one.keep),
        block("container_delete_retention_policy", days=one.keep),
    ]
    return Block(kind="blob_properties", body=items({"versioning_enabled": False}, *cors, *deleted))
