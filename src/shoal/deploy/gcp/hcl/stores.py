"""Databases, documents, objects, facts and caches."""

from collections.abc import Iterator

from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.naming import joined
from shoal.deploy.cloud.switches import after, only, spread
from shoal.deploy.cloud.values import Ref
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.references import NETWORK, PROJECT, at, encrypted, member
from shoal.deploy.gcp.resources import Bucket, Cache, Dataset, Documents, Postgres
from shoal.deploy.gcp.settings import part
from shoal.deploy.terraform.values import Argument, Block, Item, Noted, Raw, Text, Value, block, items

POSTGRES, VALKEY = "POSTGRES_17", "VALKEY_8_0"
"""Versions of the engines."""

CONTINENTS = {"us": "US", "europe": "EU", "asia": "ASIA"}
"""Part of the world → what Cloud Storage calls it ("Bucket locations: configurable dual-regions")."""

_NIGHT = "02:00"


def postgres(one: Postgres, context: Context) -> Iterator[Block]:
    """Write a database; it has no public address, and speaks TLS only."""
    arguments: dict[str, Value] = {
        "name": one.name,
        "region": context.scope.environment.region,
        "database_version": POSTGRES,
        "deletion_protection": one.protected,
    }
    key = encrypted(context, "encryption_key_name", "sqladmin")
    waits = [Raw("google_service_networking_connection.engines"), *key.pop("depends_on", [])]  # type: ignore[misc]
    if one.follows:
        arguments |= _following(one)
    arguments |= {**key, "depends_on": waits}
    settings = _settings(one) if not one.follows else _later(one)
    body = items(arguments, settings, *([] if one.follows else [_grown()]))
    yield resource("google_sql_database_instance", one.name, *body, notes=context.notes(one))
    if one.follows:
        return
    instance = Raw(f"google_sql_database_instance.{one.name}.name")
    yield resource("google_sql_database", one.name, *items({"name": one.database, "instance": instance}))
    password = at(Ref("password", one.name, "result"))
    user: dict[str, Value] = {
        "name": one.role, "instance": instance, "password_wo": password, "password_wo_version": 1,
        "deletion_policy": "ABANDON",
    }  # fmt: skip
    yield resource("google_sql_user", one.name, *items(user))


def _grown() -> Block:
    """Leave a disk as large as it has grown by itself: to make it smaller, Terraform would make the database anew."""
    why = "It grows by itself, and Terraform would make a database anew to have it smaller."
    return block("lifecycle", ignore_changes=Noted([Raw("settings[0].disk_size")], why))


def _following(one: Postgres) -> dict[str, Value]:
    """Follow the first region's until this region takes over; a copy of a further time has another name.

    It is called by its name alone, which is what Google answers: a path would be another one to Terraform, which would
    make the copy anew each time.
    """
    return {
        "name": Text((f"{one.follows}-standby-", Raw("var.copy"))),
        "instance_type": after("CLOUD_SQL_INSTANCE", "READ_REPLICA_INSTANCE"),
        "master_instance_name": after(None, one.follows),
    }


def _later(one: Postgres) -> Block:
    """Write what a copy may have, and what it has once it follows nobody: backups, another zone, a window.

    Its disk is as large as that of what it follows, which may have grown since somebody said how large.
    """
    asked = _settings(one)
    later: list[Item] = []
    for item in asked.body:
        if isinstance(item, Argument) and item.name == "availability_type" and one.copies > 1:
            later.append(Argument(name=item.name, value=spread(item.value, "ZONAL")))
        elif isinstance(item, Block) and item.kind in ("backup_configuration", "maintenance_window"):
            later.append(only(item))
        elif not (isinstance(item, Argument) and item.name == "disk_size"):
            later.append(item)
    return Block(kind=asked.kind, body=tuple(later))


def _settings(one: Postgres) -> Block:
    kept_for = block("backup_retention_settings", retained_backups=one.keep, retention_unit="COUNT")
    logged = one.protected or one.followed  # without a log of what was written nothing follows
    backup: dict[str, Value] = {
        "enabled": True, "start_time": _NIGHT, "point_in_time_recovery_enabled": logged,
        **({"transaction_log_retention_days": min(7, one.keep)} if logged else {}),
    }  # fmt: skip
    inside = block(
        "ip_configuration", ipv4_enabled=False, private_network=NETWORK, ssl_mode="ENCRYPTED_ONLY",
        enable_private_path_for_google_cloud_services=False,
    )  # fmt: skip
    arguments: dict[str, Value] = {
        "tier": one.tier,
        "edition": "ENTERPRISE",
        "availability_type": "REGIONAL" if one.copies > 1 else "ZONAL",
        "disk_type": "PD_SSD",
        "disk_size": one.storage,
        "disk_autoresize": True,
        "disk_autoresize_limit": one.storage * 5,
        "deletion_protection_enabled": one.protected,
        "retain_backups_on_delete": one.protected,
    }
    return Block(
        kind="settings",
        body=items(
            arguments,
            inside,
            Block(kind="backup_configuration", body=items(backup, kept_for)),
            block("database_flags", name="max_connections", value=str(one.connections)),
            block("insights_config", query_insights_enabled=True),
            block("maintenance_window", day=7, hour=3),
        ),
    )


def documents(one: Documents, context: Context) -> Iterator[Block]:
    """Write a database of documents."""
    arguments: dict[str, Value] = {
        "name": one.database,
        "location_id": one.location,
        "type": "FIRESTORE_NATIVE",
        "concurrency_mode": "OPTIMISTIC",
        "point_in_time_recovery_enablement": f"POINT_IN_TIME_RECOVERY_{'EN' if one.protected else 'DIS'}ABLED",
        "delete_protection_state": f"DELETE_PROTECTION_{'EN' if one.protected else 'DIS'}ABLED",
        "deletion_policy": "ABANDON" if one.protected else "DELETE",
    }
    key = encrypted(context, "kms_key_name", "firestore")
    blocks = [block("cmek_config", kms_key_name=key["kms_key_name"])] if key else []
    if key:
        arguments["depends_on"] = key["depends_on"]
    yield resource("google_firestore_database", one.name, *items(arguments, *blocks), notes=context.notes(one))


def bucket(one: Bucket, context: Context) -> Iterator[Block]:
    """Write a bucket that is never public."""
    key = encrypted(context, "default_kms_key_name", "storage")
    waits = key.pop("depends_on", None)
    arguments: dict[str, Value] = {
        "name": one.bucket,
        **_located(one),
        "uniform_bucket_level_access": True,
        "public_access_prevention": "enforced",
        "force_destroy": not one.protected,
        **({"depends_on": waits} if waits else {}),
    }
    old = Block(
        kind="lifecycle_rule",
        body=(block("action", type="Delete"), block("condition", days_since_noncurrent_time=30)),
    )
    unfinished = Block(
        kind="lifecycle_rule",
        body=(block("action", type="AbortIncompleteMultipartUpload"), block("condition", age=1)),
    )
    blocks = [
        *([block("custom_placement_config", data_locations=_upper(one))] if len(one.regions) > 1 else []),
        *([block("encryption", **key)] if key else []),
        block("versioning", enabled=one.protected),
        old,
        unfinished,
        block("soft_delete_policy", retention_duration_seconds=7 * 86_400),
    ]
    if one.origins:
        blocks.append(
            block(
                "cors",
                origin=[*one.origins],
                method=["GET", "PUT"],
                response_header=["Content-Type", "ETag"],
                max_age_seconds=600,
            )
        )
    yield resource("google_storage_bucket", one.name, *items(arguments, *blocks), notes=context.notes(one))


def _located(one: Bucket) -> dict[str, Value]:
    """Say where it is; two regions have each object within a quarter of an hour ("turbo replication")."""
    if len(one.regions) == 1:
        return {"location": _upper(one)[0]}
    return {"location": CONTINENTS[part(one.regions[0])], "rpo": "ASYNC_TURBO"}


def _upper(one: Bucket) -> list[Value]:
    return [region.upper() for region in one.regions]


def dataset(one: Dataset, context: Context) -> Iterator[Block]:
    """Write a dataset, and who writes it."""
    key = encrypted(context, "kms_key_name", "bigquery")
    waits = key.pop("depends_on", None)
    arguments: dict[str, Value] = {
        "dataset_id": one.dataset,
        "location": context.scope.environment.region,
        "delete_contents_on_destroy": not one.protected,
        **({"depends_on": waits} if waits else {}),
    }
    who: dict[str, Value] = (
        {"user_by_email": at(Ref("account", one.account, "email"))}
        if context.scope.run
        else {"iam_member": member(one.account, context)}
    )
    own = block("access", role="roles/bigquery.dataEditor", **who)
    owners = block("access", role="OWNER", special_group="projectOwners")
    ours = [block("default_encryption_configuration", **key)] if key else []
    last = [block("lifecycle", prevent_destroy=True)] if one.protected else []
    body = items(arguments, owners, own, *ours, *last)
    yield resource("google_bigquery_dataset", one.name, *body, notes=context.notes(one))


def cache(one: Cache, context: Context) -> Iterator[Block]:
    """Write an instance of Valkey, which is reached in our network."""
    key = encrypted(context, "kms_key", "memorystore")
    policy = Raw("google_network_connectivity_service_connection_policy.valkey")
    waits: list[Value] = [policy, *key.pop("depends_on", [])]  # type: ignore[misc]
    arguments: dict[str, Value] = {
        "instance_id": joined(context.scope.system, "cache"),
        "location": context.scope.environment.region,
        "engine_version": VALKEY,
        "mode": "CLUSTER_DISABLED",
        "node_type": one.node,
        "shard_count": 1,
        "replica_count": one.copies - 1,
        "authorization_mode": "AUTH_DISABLED",
        "transit_encryption_mode": "SERVER_AUTHENTICATION",
        "deletion_protection_enabled": one.protected,
        "engine_configs": {"maxmemory-policy": "volatile-lru"},
        **key,
        "depends_on": waits,
    }
    network = Raw("google_compute_network.main.id")
    inside = block("desired_auto_created_endpoints", network=network, project_id=PROJECT)
    yield resource("google_memorystore_instance", one.name, *items(arguments, inside), notes=context.notes(one))
