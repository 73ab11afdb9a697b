"""What the first of two regions copies into the second, and what the second looks up there."""

from collections.abc import Callable, Iterator
from typing import Any

from shoal.deploy.aws.copies import held
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.hcl.stores import bucket_name
from shoal.deploy.aws.resources import Bucket, Copied, Copying, Images, Key, Password, Repository, Secret, Table
from shoal.deploy.aws.rights import COPYING
from shoal.deploy.aws.secrets import called
from shoal.deploy.cloud.hcl import label, resource
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Argument, Block, Raw, Value, block, items

THERE = Raw(f"aws.{STANDBY}")
"""The provider of the second region, in the folder of the first."""


def provider(context: Context) -> Iterator[Block]:
    """Write the provider of the second region, by which the first makes copies there."""
    other = context.scope.environment.standby
    if other is not None:
        tags: Value = {
            "system": context.scope.system,
            "environment": context.scope.environment.name,
            "managed-by": "terraform",
        }
        own: dict[str, Value] = {"alias": STANDBY, "region": other.region}
        yield Block(kind="provider", labels=("aws",), body=items(own, block("default_tags", tags=tags)))


def abroad(blocks: Iterator[Block]) -> Iterator[Block]:
    """Say of resources that they are made in the second region."""
    for one in blocks:
        body = (Argument(name="provider", value=THERE), *one.body)
        yield Block(kind=one.kind, labels=one.labels, body=body, notes=one.notes)


def copying(one: Copying, context: Context) -> Iterator[Block]:
    """Write how objects are copied, both ways: what is written after a take-over comes back."""
    yield _rule(one.name, f"{one.name}-{STANDBY}", f"data-{STANDBY}", context)
    yield from abroad(iter([_rule(f"{one.name}-{STANDBY}", one.name, "data", context)]))


def _rule(source: str, target: str, key: str, context: Context) -> Block:
    encrypted = block("encryption_configuration", replica_kms_key_id=context.at(Ref("key", key)))
    where: dict[str, Value] = {"bucket": context.at(Ref("bucket", target))}
    chosen = Block(
        kind="source_selection_criteria",
        body=(block("replica_modifications", status="Enabled"), block("sse_kms_encrypted_objects", status="Enabled")),
    )
    rule = items(
        {"id": "everything", "status": "Enabled", "priority": 1},
        Block(kind="filter"),
        block("delete_marker_replication", status="Enabled"),
        chosen,
        Block(kind="destination", body=items(where, encrypted)),
    )
    own: dict[str, Value] = {
        "bucket": Raw(f"aws_s3_bucket.{label(source)}.id"),
        "role": context.at(Ref("role", COPYING)),
        "depends_on": [Raw(f"aws_s3_bucket_versioning.{label(name)}") for name in (source, target)],
    }
    return resource("aws_s3_bucket_replication_configuration", source, *items(own, Block(kind="rule", body=rule)))


def images(one: Images, context: Context) -> Iterator[Block]:
    """Write that images are copied, as they are pushed; what was pushed before stays where it is."""
    whose: dict[str, Value] = {"region": one.to, "registry_id": context.at(Ref("account", "own", "id"))}
    chosen = block("repository_filter", filter=f"{context.scope.system}/", filter_type="PREFIX_MATCH")
    rule = Block(kind="rule", body=(block("destination", **whose), chosen))
    whole = Block(kind="replication_configuration", body=(rule,))
    yield resource("aws_ecr_replication_configuration", one.name, whole, notes=context.notes(one))


def given(one: Copied, context: Context) -> Iterator[Block]:
    """Look a copy up, by the name that the first region gave it."""
    kind, asked = _LOOKED_UP[type(one)](one, context)
    yield Block(kind="data", labels=(kind, label(one.name)), body=items(asked))


Asked = tuple[str, dict[str, Value]]


def _key(one: Key, context: Context) -> Asked:
    return "aws_kms_key", {"key_id": f"alias/{context.scope.copied(one.name)}"}


def _password(one: Password, context: Context) -> Asked:
    return "aws_secretsmanager_secret_version", {"secret_id": called(context.scope.origin(), held(one))}


def _secret(one: Secret, context: Context) -> Asked:
    return "aws_secretsmanager_secret", {"name": called(context.scope.origin(), one.name)}


def _repository(one: Repository, context: Context) -> Asked:
    return "aws_ecr_repository", {"name": f"{context.scope.system}/{one.name}"}


def _table(one: Table, context: Context) -> Asked:
    return "aws_dynamodb_table", {"name": context.scope.origin().named(one.name)}


def _bucket(one: Bucket, context: Context) -> Asked:
    return "aws_s3_bucket", {"bucket": bucket_name(context.scope.origin(), f"{one.name}-{STANDBY}", context)}


_LOOKED_UP: dict[type, Callable[[Any, Context], Asked]] = {
    Key: _key,
    Password: _password,
    Secret: _secret,
    Repository: _repository,
    Table: _table,
    Bucket: _bucket,
}
