"""Databases, tables, objects, caches and indexes."""

from collections.abc import Iterator

from shoal.deploy.aws import naming
from shoal.deploy.aws.hcl import logs
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Bucket, Cache, Documents, Postgres, Search, Table
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud.hcl import json, label, resource
from shoal.deploy.cloud.switches import SPREAD, after, chosen
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Noted, Raw, Text, Value, block, items

POSTGRES, DOCUMENTS, VALKEY, OPENSEARCH = "18", "5.0.0", "8.0", "OpenSearch_2.19"
"""Versions of the engines."""

END = "x"
"""Attribute that says when DynamoDB lets go of an item, as the driver calls it."""

_SUBNETS = Raw("aws_subnet.engines[*].id")
_KEY = Ref("key", "data")


_BEGUN = "begun"
"""When an environment was made first: part of the names of what is left of it, which stay when it is destroyed."""


def spreads(context: Context) -> bool:
    """Tell whether a region has engines that are in two zones."""
    engines: list[Postgres | Documents | Cache] = [*context.all(Postgres), *context.all(Documents), *context.all(Cache)]
    return any(one.copies > 1 for one in engines)


def shared(context: Context) -> Iterator[Block]:
    """Write where engines may be, once for all of a kind."""
    if context.scope.environment.protected and [*context.all(Postgres), *context.all(Documents)]:
        kept = block("lifecycle", ignore_changes=[Raw("input")])
        yield resource(
            "terraform_data", _BEGUN, *items({"input": Raw('formatdate("YYYYMMDDhhmmss", timestamp())')}, kept),
            notes=("What is left of a database has a name that no later one of the same name has.",),
        )  # fmt: skip
    if context.all(Postgres):
        yield resource("aws_db_subnet_group", "engines", *items({"name": context.named(), "subnet_ids": _SUBNETS}))
        forced = block("parameter", name="rds.force_ssl", value="1")
        family = {"name": context.named(), "family": f"postgres{POSTGRES}"}
        yield resource("aws_db_parameter_group", "postgres", *items(family, forced))
    if context.all(Documents):
        yield resource(
            "aws_docdb_subnet_group", "engines", *items({"name": context.named("documents"), "subnet_ids": _SUBNETS})
        )
    if context.all(Cache):
        name = context.named(limit=naming.CACHE)
        yield resource("aws_elasticache_subnet_group", "engines", *items({"name": name, "subnet_ids": _SUBNETS}))


def postgres(one: Postgres, context: Context) -> Iterator[Block]:
    """Write a database; it has no public address, and its password is in no plan."""
    name = context.named(one.name, limit=naming.DATABASE)
    log = f"{one.name}_postgres"
    yield logs.group(log, f"/aws/rds/instance/{name}/postgresql", context)
    yield resource(
        "aws_db_instance",
        one.name,
        *items(
            {
                "identifier": name,
                **(_following(one, context) if one.replica else _own(one, context)),
                "instance_class": one.instance,
                "max_allocated_storage": one.storage * 5,
                "storage_type": "gp3",
                "storage_encrypted": True,
                "kms_key_id": context.at(_KEY),
                "multi_az": Raw(SPREAD) if one.replica and one.copies > 1 else one.copies > 1,
                "publicly_accessible": False,
                "db_subnet_group_name": Raw("aws_db_subnet_group.engines.name"),
                "parameter_group_name": Raw("aws_db_parameter_group.postgres.name"),
                "vpc_security_group_ids": [context.at(Ref("group", f"postgres-{one.name}", "id"))],
                "enabled_cloudwatch_logs_exports": ["postgresql"],
                "auto_minor_version_upgrade": True,
                "backup_retention_period": one.keep,
                "copy_tags_to_snapshot": True,
                "deletion_protection": one.protected,
                **_left(name, protected=one.protected, copy=bool(one.replica)),
                "depends_on": logs.before(log),
            }
        ),
        notes=context.notes(one),
    )


def _left(name: str, *, protected: bool, copy: bool) -> dict[str, Value]:
    """Say what is left of a database that is destroyed; nothing is of a copy, which Amazon refuses."""
    if not protected:
        return {"skip_final_snapshot": True}
    last = Text((f"{name}-last-", Raw(f"terraform_data.{_BEGUN}.output")))
    skipped: Value = after(then=False, before=True) if copy else False
    return {"skip_final_snapshot": skipped, "final_snapshot_identifier": last}


def _own(one: Postgres, context: Context) -> dict[str, Value]:
    return {
        "engine": "postgres",
        "engine_version": POSTGRES,
        "db_name": one.database,
        "username": one.role,
        "password_wo": context.at(Ref("password", f"{one.name}-postgres", "result")),
        "password_wo_version": context.scope.environment.passwords,
        "allocated_storage": one.storage,
    }


def _following(one: Postgres, context: Context) -> dict[str, Value]:
    """Follow the database of the first region, with its users and its size, until this region takes over."""
    why = "Engine, users, passwords and size are those of the database that it follows."
    return {"replicate_source_db": Noted(after(None, context.written(one.replica)), why), "apply_immediately": True}


def documents(one: Documents, context: Context) -> Iterator[Block]:
    """Write a cluster of DocumentDB and its instances."""
    name = context.named(one.name, "documents", limit=naming.DATABASE)
    yield resource(
        "aws_docdb_cluster",
        one.name,
        *items(
            {
                "cluster_identifier": name,
                "engine": "docdb",
                "engine_version": DOCUMENTS,
                **(_member(one) if one.follows else _alone(one, context)),
                "storage_encrypted": True,
                "kms_key_id": context.at(_KEY),
                "db_subnet_group_name": Raw("aws_docdb_subnet_group.engines.name"),
                "vpc_security_group_ids": [context.at(Ref("group", f"mongo-{one.name}", "id"))],
                "backup_retention_period": one.keep,
                "deletion_protection": one.protected,
                **_left(name, protected=one.protected, copy=one.follows),
            },
            *_joined(one),
        ),
        notes=context.notes(one),
    )
    where = Raw(f"aws_docdb_cluster.{one.name}.id")
    copies: Value = chosen(SPREAD, one.copies, 1) if one.follows and one.copies > 1 else one.copies
    yield resource(
        "aws_docdb_cluster_instance",
        one.name,
        *items({"count": copies, "cluster_identifier": where, "instance_class": one.instance}),
    )
    if one.worldly and not one.follows:
        both: dict[str, Value] = {
            "global_cluster_identifier": one.worldly,
            "source_db_cluster_identifier": Raw(f"aws_docdb_cluster.{one.name}.arn"),
        }
        yield resource("aws_docdb_global_cluster", one.name, *items(both), notes=("The second region follows in it.",))


def _alone(one: Documents, context: Context) -> dict[str, Value]:
    return {
        "master_username": one.role,
        "master_password_wo": context.at(Ref("password", f"{one.name}-mongo", "result")),
        "master_password_wo_version": context.scope.environment.passwords,
    }


def _member(one: Documents) -> dict[str, Value]:
    """Follow the cluster of the first region, with its users, until this region takes over."""
    return {"global_cluster_identifier": after(None, one.worldly)}


def _joined(one: Documents) -> Iterator[Block]:
    """Leave a cluster where the one over both regions has put it."""
    if one.worldly and not one.follows:
        yield block("lifecycle", ignore_changes=[Raw("global_cluster_identifier")])


def table(one: Table, context: Context) -> Iterator[Block]:
    """Write a table, as its driver would make it."""
    keys = [block("attribute", name=name, type="S") for name in ("p", "s")]
    yield resource(
        "aws_dynamodb_table",
        one.name,
        *items(
            {
                "name": context.named(one.name),
                "billing_mode": "PAY_PER_REQUEST",
                "hash_key": "p",
                "range_key": "s",
                "deletion_protection_enabled": one.protected,
                **({"stream_enabled": True, "stream_view_type": "NEW_AND_OLD_IMAGES"} if one.to else {}),
            },
            *keys,
            block("ttl", attribute_name=END, enabled=True),
            block("point_in_time_recovery", enabled=one.protected),
            block("server_side_encryption", enabled=True),
            *_elsewhere(one),
        ),
        notes=context.notes(one),
    )


def _elsewhere(one: Table) -> Iterator[Block]:
    """Write the replica; the last of two writes of an item counts, wherever it was made."""
    if one.to:
        kept = {"point_in_time_recovery": one.protected, "deletion_protection_enabled": one.protected}
        yield block("replica", region_name=one.to, propagate_tags=True, **kept)


def bucket(one: Bucket, context: Context) -> Iterator[Block]:
    """Write a bucket that nobody outside the account reads, and nobody without TLS."""
    name = bucket_name(context.scope, one.name, context)
    where = Raw(f"aws_s3_bucket.{one.name}.id")
    yield resource(
        "aws_s3_bucket", one.name, *items({"bucket": name, "force_destroy": not one.protected}, *_origins(one)),
        notes=context.notes(one),
    )  # fmt: skip
    closed = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    yield resource(
        "aws_s3_bucket_public_access_block", one.name, *items({"bucket": where, **dict.fromkeys(closed, True)})
    )
    state = "Enabled" if one.protected or one.to or one.place == "abroad" else "Suspended"
    yield resource(
        "aws_s3_bucket_versioning", one.name,
        *items({"bucket": where}, block("versioning_configuration", status=state)),
    )  # fmt: skip
    how = block("apply_server_side_encryption_by_default", sse_algorithm="aws:kms", kms_master_key_id=context.key(one))
    rule = Block(kind="rule", body=items({"bucket_key_enabled": True}, how))
    yield resource("aws_s3_bucket_server_side_encryption_configuration", one.name, *items({"bucket": where}, rule))
    yield _lifecycle(one, where)
    everything: Value = [Raw(f"aws_s3_bucket.{one.name}.arn"), Text((Raw(f"aws_s3_bucket.{one.name}.arn"), "/*"))]
    denied: Value = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": everything,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json({"Version": "2012-10-17", "Statement": [denied]})
    yield resource("aws_s3_bucket_policy", one.name, *items({"bucket": where, "policy": policy}))


def bucket_name(scope: Scope, name: str, context: Context) -> Text:
    """Name a bucket apart from everybody's: by the account, too."""
    return Text((f"{scope.named(name, limit=naming.BUCKET - 13)}-", context.at(Ref("account", "own", "id"))))


def _origins(one: Bucket) -> Iterator[Block]:
    if one.origins:
        yield block(
            "cors_rule",
            allowed_origins=[*one.origins],
            allowed_methods=["GET", "PUT"],
            allowed_headers=["*"],
            expose_headers=["ETag"],
            max_age_seconds=600,
        )


def _lifecycle(one: Bucket, where: Raw) -> Block:
    rule = Block(
        kind="rule",
        body=items(
            {"id": "unfinished", "status": "Enabled"},
            Block(kind="filter"),
            block("abort_incomplete_multipart_upload", days_after_initiation=1),
            block("noncurrent_version_expiration", noncurrent_days=30),
        ),
    )
    return resource("aws_s3_bucket_lifecycle_configuration", one.name, *items({"bucket": where}, rule))


def cache(one: Cache, context: Context) -> Iterator[Block]:
    """Write the cluster of Valkey and its users."""
    yield from _users(one, context)
    yield _servers(one, context)


def _users(one: Cache, context: Context) -> Iterator[Block]:
    name = context.named(limit=naming.CACHE)
    for user, access in one.users.items():
        yield resource(
            "aws_elasticache_user",
            user,
            *items(
                {
                    "user_id": context.named(user, limit=naming.CACHE),
                    "user_name": user,
                    "engine": "valkey",
                    "access_string": access,
                    "passwords": [context.at(Ref("password", f"{user}-valkey", "result"))],
                }
            ),
        )
    users: Value = [Raw(f"aws_elasticache_user.{label(user)}.user_id") for user in one.users]
    yield resource(
        "aws_elasticache_user_group", one.name, *items({"user_group_id": name, "engine": "valkey", "user_ids": users})
    )


def _servers(one: Cache, context: Context) -> Block:
    name, more = context.named(limit=naming.CACHE), one.copies - 1
    later = one.asleep and more > 0
    zones: Value = Raw(SPREAD) if later else more > 0
    return resource(
        "aws_elasticache_replication_group",
        one.name,
        *items(
            {
                "replication_group_id": name,
                "description": f"What {context.scope.system} can do without",
                "engine": "valkey",
                "engine_version": VALKEY,
                "node_type": one.instance,
                "parameter_group_name": f"default.valkey{VALKEY.partition('.')[0]}.cluster.on",
                "num_node_groups": 1,
                "replicas_per_node_group": chosen(SPREAD, more, 0) if later else more,
                "automatic_failover_enabled": True,
                "multi_az_enabled": zones,
                "transit_encryption_enabled": True,
                "at_rest_encryption_enabled": True,
                "kms_key_id": context.at(_KEY),
                "user_group_ids": [Raw(f"aws_elasticache_user_group.{one.name}.id")],
                "subnet_group_name": Raw("aws_elasticache_subnet_group.engines.name"),
                "security_group_ids": [context.at(Ref("group", "valkey", "id"))],
            }
        ),
        notes=context.notes(one),
    )


def search(one: Search, context: Context) -> Iterator[Block]:
    """Write a domain of OpenSearch, which only its owner reaches."""
    zones = (block("zone_awareness_config", availability_zone_count=one.nodes),) if one.nodes > 1 else ()
    nodes = items(
        {"instance_type": one.instance, "instance_count": one.nodes, "zone_awareness_enabled": one.nodes > 1}, *zones
    )
    password = context.at(Ref("password", f"{one.name}-opensearch", "result"))
    who = block("master_user_options", master_user_name="operator", master_user_password=password)
    security = items({"enabled": True, "internal_user_database_enabled": True}, who)
    groups: Value = [context.at(Ref("group", f"opensearch-{one.name}", "id"))]
    subnets = Raw(f"slice(aws_subnet.engines[*].id, 0, {one.nodes})")
    allowed: Value = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "es:ESHttp*", "Resource": "*"}
    yield resource(
        "aws_opensearch_domain",
        one.name,
        *items(
            {
                "domain_name": context.named(one.name, limit=naming.DOMAIN),
                "engine_version": OPENSEARCH,
                "access_policies": json({"Version": "2012-10-17", "Statement": [allowed]}),
            },
            Block(kind="cluster_config", body=nodes),
            block("ebs_options", ebs_enabled=True, volume_type="gp3", volume_size=one.storage),
            block("vpc_options", subnet_ids=subnets, security_group_ids=groups),
            block("encrypt_at_rest", enabled=True, kms_key_id=context.at(_KEY)),
            block("node_to_node_encryption", enabled=True),
            block("domain_endpoint_options", enforce_https=True, tls_security_policy="Policy-Min-TLS-1-2-PFS-2023-10"),
            Block(kind="advanced_security_options", body=security),
        ),
        notes=context.notes(one),
    )
