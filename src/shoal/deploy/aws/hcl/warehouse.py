"""Warehouses of facts."""

from collections.abc import Iterator

from shoal.deploy.aws import naming
from shoal.deploy.aws.hcl import logs
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Warehouse
from shoal.deploy.cloud.hcl import label, resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Raw, block, items

_LOGS = ("connectionlog", "userlog")
"""What it tells: who came in, and whose rights changed."""


def warehouse(one: Warehouse, context: Context) -> Iterator[Block]:
    """Write a namespace, which keeps the facts, and the workgroup that answers."""
    name = context.named(one.name, limit=naming.WORKGROUP)
    groups = {f"{one.name}_{kind}": f"/aws/redshift/{name}/{kind}" for kind in _LOGS}
    for called, group in groups.items():
        yield logs.group(called, group, context)
    last = [block("lifecycle", prevent_destroy=True)] if one.protected else []
    yield resource(
        "aws_redshiftserverless_namespace",
        one.name,
        *items(
            {
                "namespace_name": name,
                "db_name": one.database,
                "kms_key_id": context.at(Ref("key", "data")),
                "log_exports": [*_LOGS],
                "depends_on": logs.before(*groups),
            },
            *last,
        ),
        notes=context.notes(one),
    )
    yield resource(
        "aws_redshiftserverless_workgroup",
        one.name,
        *items(
            {
                "workgroup_name": name,
                "namespace_name": Raw(f"aws_redshiftserverless_namespace.{label(one.name)}.namespace_name"),
                "base_capacity": one.capacity,
                "max_capacity": one.capacity,
                "publicly_accessible": False,
                "subnet_ids": Raw("aws_subnet.engines[*].id"),
                "security_group_ids": [context.at(Ref("group", f"redshift-{one.name}", "id"))],
            }
        ),
    )
