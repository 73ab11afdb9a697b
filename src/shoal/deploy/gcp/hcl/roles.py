"""Service accounts, what they may do, and who becomes them."""

from collections.abc import Iterator

from shoal.deploy.cloud.hcl import label, resource
from shoal.deploy.cloud.switches import after
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.references import PROJECT, at, local, member
from shoal.deploy.gcp.resources import Account, Grade, Right, Turn
from shoal.deploy.terraform.values import Block, Raw, Text, Value, block, items

_TOKENS = "https://token.actions.githubusercontent.com"

_PLACES = {
    "account": ("google_service_account_iam_member", "service_account_id"),
    "bucket": ("google_storage_bucket_iam_member", "bucket"),
    "key": ("google_kms_crypto_key_iam_member", "crypto_key_id"),
    "operator": ("google_cloud_run_v2_job_iam_member", "name"),
    "repository": ("google_artifact_registry_repository_iam_member", "repository"),
    "secret": ("google_secret_manager_secret_iam_member", "secret_id"),
    "subscription": ("google_pubsub_subscription_iam_member", "subscription"),
    "topic": ("google_pubsub_topic_iam_member", "topic"),
    "workload": ("google_cloud_run_v2_service_iam_member", "name"),
}
"""Kind of thing → Terraform's resource for a role on it, and its argument; a dataset says itself who may what."""

_PLACED = ("operator", "repository", "workload")
"""Kinds whose rights name the region, too."""


def grade(one: Grade, context: Context) -> Iterator[Block]:
    """Write a role of the project's own."""
    arguments: dict[str, Value] = {"role_id": one.name, "title": one.title, "permissions": [*one.permissions]}
    yield resource("google_project_iam_custom_role", one.name, *items(arguments), notes=context.notes(one))


def account(one: Account, context: Context) -> Iterator[Block]:
    """Write a service account."""
    arguments: dict[str, Value] = {"account_id": one.account, "display_name": f"{context.scope.system} {one.name}"}
    if not one.namespace:
        yield resource("google_service_account", one.name, *items(arguments), notes=context.notes(one))
    if one.repository:
        yield from _pipelines(one, context)
    for right in one.rights:
        if right.on is None or right.on.kind in _PLACES:
            yield _right(one, right, context)


def turn(one: Turn, context: Context) -> Iterator[Block]:
    """Write what a service of the first region may do until this one takes over."""
    member = f"serviceAccount:{one.account}@{context.scope.project}.iam.gserviceaccount.com"
    for right in one.rights:
        if right.on is not None:
            kind, argument = _PLACES[right.on.kind]
            arguments: dict[str, Value] = {
                "count": after(0, 1), argument: at(right.on), "role": right.role, "member": member,
            }  # fmt: skip
            name = local("first", one.name, right.role.rpartition("/")[2], right.on.name)
            yield resource(kind, name, *items(arguments), notes=context.notes(one))


def _right(one: Account, right: Right, context: Context) -> Block:
    role: Value = _own(right.role, context) if "/" not in right.role else right.role
    arguments: dict[str, Value] = {}
    kind = "google_project_iam_member"
    if right.on is None:
        arguments["project"] = PROJECT
    else:
        kind, argument = _PLACES[right.on.kind]
        if right.on.kind in _PLACED:
            scope = context.scope
            arguments["location"] = scope.home if right.on.kind == "repository" else scope.environment.region
        arguments[argument] = at(right.on)
    arguments |= {"role": role, "member": member(one.name, context)}
    if one.namespace:
        arguments["depends_on"] = [Raw("google_container_cluster.main")]
    when = [block("condition", title="only-its-own", expression=right.when)] if right.when else []
    short = right.role.rpartition("/")[2]
    name = local(one.name, short, *([right.on.name] if right.on is not None else []))
    return resource(kind, name, *items(arguments, *when), notes=(right.why,) if right.why else ())


def _own(role: str, context: Context) -> Value:
    """Name a role of the project's own, which the first region makes for both."""
    made = any(one.name == role for one in context.all(Grade))
    named = f"projects/{context.scope.project}/roles/{role}"
    return Raw(f"google_project_iam_custom_role.{role}.id") if made else named


def _pipelines(one: Account, context: Context) -> Iterator[Block]:
    """Let pipelines show a token of their run, and keep no key."""
    yield resource(
        "google_iam_workload_identity_pool", "pipelines",
        *items({"workload_identity_pool_id": "pipelines", "display_name": "Pipelines"}),
        notes=("Pipelines show a token of their run, and keep no key.",),
    )  # fmt: skip
    pool = "google_iam_workload_identity_pool.pipelines"
    mapped: Value = {"google.subject": "assertion.sub", "attribute.repository": "assertion.repository"}
    provider: dict[str, Value] = {
        "workload_identity_pool_id": Raw(f"{pool}.workload_identity_pool_id"),
        "workload_identity_pool_provider_id": "github",
        "attribute_mapping": mapped,
        "attribute_condition": _of(one.repository),
    }
    yield resource(
        "google_iam_workload_identity_pool_provider", "pipelines", *items(provider, block("oidc", issuer_uri=_TOKENS))
    )
    subject = f"repo:{one.repository}:environment:{context.scope.environment.name}"
    member = Text(("principal://iam.googleapis.com/", Raw(f"{pool}.name"), f"/subject/{subject}"))
    yield _becomes(one, "pipelines", member)


def _of(repository: str) -> str:
    """Ask in CEL whose token it is: by the numbers of a repository, which nobody else gets, where they are said."""
    owner, name = repository.split("/")
    if "@" in repository:
        numbers = (owner.partition("@")[2], name.partition("@")[2])
        return "assertion.repository_owner_id == '{}' && assertion.repository_id == '{}'".format(*numbers)
    return f"assertion.repository == '{repository}'"


def _becomes(one: Account, who: str, member: Value) -> Block:
    arguments: dict[str, Value] = {
        "service_account_id": Raw(f"google_service_account.{label(one.name)}.name"),
        "role": "roles/iam.workloadIdentityUser",
        "member": member,
    }
    return resource("google_service_account_iam_member", local(one.name, who), *items(arguments))
