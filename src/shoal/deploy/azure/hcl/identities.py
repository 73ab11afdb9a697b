"""Who programs are, and what they may do."""

from collections.abc import Iterator

from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context, notes
from shoal.deploy.azure.hcl.references import GROUP, HERE, at
from shoal.deploy.azure.resources import Grade, Identity, Right
from shoal.deploy.cloud.hcl import label, resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Raw, Value, block, items

_TOKENS = "https://token.actions.githubusercontent.com"
_AUDIENCE = "api://AzureADTokenExchange"


def identity(one: Identity, context: Context) -> Iterator[Block]:
    """Write an identity, and whose tokens stand for it."""
    said: dict[str, Value] = {"name": called(context.scope, "identity", one.name), **HERE, "tags": Raw("local.tags")}
    yield resource("azurerm_user_assigned_identity", one.name, *items(said), notes=notes(one, context))
    if one.trusts == "pipelines":
        subject = f"repo:{one.repository}:environment:{context.scope.environment.name}"
        yield _trusted(one, _TOKENS, subject, why="Pipelines show a token of their run, and keep no key.")
    elif one.account:
        issuer = at(Ref("cluster", "main", "issuer"))
        yield _trusted(one, issuer, f"system:serviceaccount:{one.account}", why="Its account in the cluster is it.")


def _trusted(one: Identity, issuer: Value, subject: str, why: str) -> Block:
    said: dict[str, Value] = {
        "name": label(one.name),
        "resource_group_name": GROUP,
        "parent_id": at(Ref("identity", one.name, "id")),
        "issuer": issuer,
        "subject": subject,
        "audience": [_AUDIENCE],
    }
    return resource("azurerm_federated_identity_credential", one.name, *items(said), notes=(why,))


def grade(one: Grade, context: Context) -> Iterator[Block]:
    """Write a role of our own, which can be given within the group alone; its name is nobody else's in the tenant."""
    group = Raw("azurerm_resource_group.main.id")
    said: dict[str, Value] = {
        "name": called(context.scope, "grade", one.name), "scope": group, "assignable_scopes": [group],
    }  # fmt: skip
    allowed = block("permissions", actions=[*one.actions])
    yield resource("azurerm_role_definition", one.name, *items(said, allowed), notes=notes(one, context))


def right(one: Right, context: Context) -> Iterator[Block]:
    """Write what an identity may do."""
    said: dict[str, Value] = {
        "scope": at(one.scope),
        **_role(one.role, context),
        "principal_id": at(Ref("identity", one.identity, "principal"))
        if one.identity
        else Raw("data.azurerm_client_config.own.object_id"),
        **({"principal_type": "ServicePrincipal"} if one.identity else {}),
    }
    yield resource("azurerm_role_assignment", one.name, *items(said), notes=notes(one, context))


def _role(name: str, context: Context) -> dict[str, Value]:
    if any(one.name == name for one in context.all(Grade)):
        return {"role_definition_id": Raw(f"azurerm_role_definition.{label(name)}.role_definition_resource_id")}
    return {"role_definition_name": name}
