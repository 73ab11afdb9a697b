"""The vault, its keys and secrets, and locks."""

from collections.abc import Iterator

from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context, notes
from shoal.deploy.azure.hcl.references import HERE, at, written
from shoal.deploy.azure.resources import Key, Lock, Password, Secret, Vault
from shoal.deploy.cloud.hcl import label, resource
from shoal.deploy.terraform.values import Block, Raw, Value, block, items

VAULT = Raw("azurerm_key_vault.main.id")
APPLIES = [Raw("azurerm_role_assignment.applies")]
"""Whoever applies may write into the vault, once this is there."""

UNKNOWN = "to be filled in"
"""What a secret holds until somebody fills it in."""


def vault(one: Vault, context: Context) -> Iterator[Block]:
    """Write the vault: by rights alone, from inside and from where it is operated."""
    closed = one.protected or bool(one.operators)
    said: dict[str, Value] = {
        "name": called(context.scope, "vault"),
        **HERE,
        "tenant_id": Raw("data.azurerm_client_config.own.tenant_id"),
        "sku_name": "standard",
        "rbac_authorization_enabled": True,
        "purge_protection_enabled": one.protected,
        "soft_delete_retention_days": 90 if one.protected else 7,
        "public_network_access_enabled": bool(one.operators) or not one.protected,
        "tags": Raw("local.tags"),
    }
    rules = block(
        "network_acls",
        default_action="Deny" if closed else "Allow",
        bypass="AzureServices",
        ip_rules=[*one.operators],
    )
    yield resource("azurerm_key_vault", one.name, *items(said, rules), notes=notes(one, context))


def key(one: Key, context: Context) -> Iterator[Block]:
    """Write a key, which is turned every year."""
    said: dict[str, Value] = {
        "name": one.name,
        "key_vault_id": VAULT,
        "key_type": "RSA",
        "key_size": 3072,
        "key_opts": ["wrapKey", "unwrapKey"],
        "tags": Raw("local.tags"),
        "depends_on": APPLIES,
    }
    turned = Block(kind="rotation_policy", body=items(None, block("automatic", time_after_creation="P365D")))
    yield resource("azurerm_key_vault_key", one.name, *items(said, turned), notes=notes(one, context))


def password(one: Password, context: Context) -> Iterator[Block]:
    """Write a password; its letters and digits need no quoting in an address."""
    said: dict[str, Value] = {"length": 40, "special": False, "min_lower": 1, "min_upper": 1, "min_numeric": 1}
    yield resource("random_password", one.name, *items(said), notes=notes(one, context))


def secret(one: Secret, context: Context) -> Iterator[Block]:
    """Write a secret; one that is filled in by hand keeps what somebody filled in, which the state never learns."""
    unknown: dict[str, Value] = {"value_wo": UNKNOWN, "value_wo_version": 1}
    said: dict[str, Value] = {
        "name": one.key,
        "key_vault_id": VAULT,
        "content_type": one.purpose[:255],
        **(unknown if one.text is None else {"value": written(one.text)}),
        "tags": Raw("local.tags"),
        "depends_on": APPLIES,
    }
    kept = [block("lifecycle", ignore_changes=[Raw("value"), Raw("value_wo_version")])] if one.text is None else []
    yield resource("azurerm_key_vault_secret", one.name, *items(said, *kept), notes=notes(one, context))


def lock(one: Lock, context: Context) -> Iterator[Block]:
    """Write a lock."""
    said: dict[str, Value] = {
        "name": label(one.name),
        "scope": at(one.of),
        "lock_level": "CanNotDelete",
        "notes": "Holds data. Take the lock away first, on purpose.",
    }
    yield resource("azurerm_management_lock", one.name, *items(said), notes=notes(one, context))
