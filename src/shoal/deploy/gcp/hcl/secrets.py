"""Keys, passwords and secrets."""

from collections.abc import Iterator

from shoal.deploy.cloud.hcl import label, resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.references import BETA, NUMBER, at, local, written
from shoal.deploy.gcp.resources import Key, Password, Secret
from shoal.deploy.gcp.rights import ENCRYPTS
from shoal.deploy.terraform.values import Block, Raw, Text, Value, block, items

_OWN = {
    "bigquery": ("serviceAccount:bq-", "@bigquery-encryption.iam.gserviceaccount.com"),
    "storage": ("serviceAccount:service-", "@gs-project-accounts.iam.gserviceaccount.com"),
}
"""Accounts of Google whose names follow from the project's number."""

_RINGS = ("main", "wide")
ROTATION, DESTROYED = f"{90 * 86_400}s", f"{30 * 86_400}s"


def ring(context: Context) -> Iterator[Block]:
    """Write the rings of keys: the region's, and one for what is in two regions."""
    for wide in sorted({one.wide for one in context.all(Key)}):
        where = context.scope.wide if wide else context.scope.environment.region
        arguments: dict[str, Value] = {"name": context.scope.system, "location": where}
        why = "A ring and its keys cannot be removed, only their versions can."
        yield resource("google_kms_key_ring", _RINGS[wide], *items(arguments), notes=(why,))


def key(one: Key, context: Context) -> Iterator[Block]:
    """Write a key, and let Google's own accounts encrypt with it."""
    protected = context.scope.environment.protected
    personal: dict[str, Value] = {} if one.service else {"rotation_period": ROTATION}
    arguments: dict[str, Value] = {
        "name": one.name, "key_ring": Raw(f"google_kms_key_ring.{_RINGS[one.wide]}.id"),
        "purpose": "ENCRYPT_DECRYPT", **personal, "destroy_scheduled_duration": DESTROYED,
    }  # fmt: skip
    body = items(arguments, block("lifecycle", prevent_destroy=protected))
    yield resource("google_kms_crypto_key", one.name, *body, notes=(one.purpose, *context.notes(one)))
    for agent in one.agents:
        if agent not in _OWN:
            identity: dict[str, Value] = {"provider": BETA, "service": f"{agent}.googleapis.com"}
            yield resource("google_project_service_identity", agent, *items(identity))
        start, end = _OWN.get(agent, ("", ""))
        member: Value = Text((start, NUMBER, end)) if start else Raw(f"google_project_service_identity.{agent}.member")
        right: dict[str, Value] = {"crypto_key_id": at(Ref("key", one.name, "id")), "role": ENCRYPTS, "member": member}
        yield resource("google_kms_crypto_key_iam_member", local(one.name, agent), *items(right))


def password(one: Password, context: Context) -> Iterator[Block]:
    """Write a password; its letters and digits need no quoting in an address."""
    yield resource("random_password", one.name, *items({"length": 40, "special": False}), notes=context.notes(one))


def secret(one: Secret, context: Context) -> Iterator[Block]:
    """Write a secret, and its text where that is made of others."""
    replicas = tuple(block("replicas", location=region) for region in one.regions)
    where = Block(kind="user_managed", body=replicas)
    arguments: dict[str, Value] = {
        "secret_id": one.secret,
        "deletion_protection": context.scope.environment.protected,
    }
    why = tuple(text for text in (one.purpose, *context.notes(one)) if text)
    body = items(arguments, Block(kind="replication", body=(where,)))
    yield resource("google_secret_manager_secret", one.name, *body, notes=why)
    if one.text is not None:
        place = Raw(f"google_secret_manager_secret.{label(one.name)}.id")
        version: dict[str, Value] = {"secret": place, "secret_data": written(one.text)}
        yield resource("google_secret_manager_secret_version", one.name, *items(version))
