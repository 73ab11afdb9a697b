"""What a person does who takes Bicep, and not Terraform. Pure."""

from collections.abc import Iterator, Sequence

from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.hcl.frame import registered
from shoal.deploy.azure.resources import Operator, Password, Secret
from shoal.deploy.cloud.steps import numbered, typed

_KEPT = "passwords.json"
"""File of the databases' passwords, which Bicep is given each time."""


def section(context: Context) -> Iterator[str]:
    """Write a section of the page; none where there is no Bicep."""
    environment = context.scope.environment
    if environment.bicep and environment.standby is None and not context.scope.passive:
        yield ""
        yield "## With Bicep instead"
        yield ""
        yield "`bicep/` makes the same without a state; take one of the two. Images and secrets are as above."
        yield ""
        yield from numbered(_steps(context))


def _steps(context: Context) -> Iterator[Sequence[str]]:
    group, region = context.named(limit=90), context.scope.environment.region
    names = [one.name for one in context.all(Password)]
    given = f" --parameters @{_KEPT}" if names else ""
    made = f"az deployment group create --resource-group {group} --template-file bicep"
    yield (
        "Switch on what is asked for, and make the group:",
        *typed(
            f"for part in {' '.join(registered(context))}; do",
            '  az provider register --namespace "$part" --wait',
            "done",
            f"az group create --name {group} --location {region}",
        ),
    )
    if names:
        yield (
            f"Make a password for each database, once. Who has `{_KEPT}` has the databases: keep it out of version",
            "control, and give the same one each time.",
            *typed(
                f"for name in {' '.join(names)}; do",
                '  jq --null-input --arg name "$name" --arg text "A$(openssl rand -hex 20)" \'{($name): $text}\'',
                f"done | jq --slurp '{{parameters: {{passwords: {{value: add}}}}}}' > {_KEPT}",
            ),
        )
    yield ("Make the registry, and push the images:", *typed(f"{made}/ground.bicep"))
    yield ("Make everything:", *typed(f"{made}/main.bicep{given}"))
    if any(one.text is None for one in context.all(Secret)):
        yield (
            "An app whose secrets somebody fills in does not come up at first: fill them in, as above, and do the last",
            "step again, which leaves alone what was filled in.",
        )
    if context.all(Operator):
        job = called(context.scope, "job", "operator")
        started = f"az containerapp job start --resource-group {group} --name {job}"
        yield ("Declare the streams, now and after each change of events:", *typed(started))
