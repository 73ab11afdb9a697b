"""What a person reads in the folder of an environment: what to fill in, and in which order things are done. Pure."""

from collections.abc import Iterator, Sequence

from shoal.deploy.azure.by_hand import state
from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.resources import Cluster, Door, Mail, Operator, Secret, Workload
from shoal.deploy.azure.with_bicep import section
from shoal.deploy.cloud.by_hand import made
from shoal.deploy.cloud.hcl import label
from shoal.deploy.cloud.steps import numbered, table, typed

_USES = '{"spec":{"template":{"metadata":{"labels":{"azure.workload.identity/use":"true"}}}}}'
"""What a pod says that is somebody in the cloud."""


def page(context: Context) -> str:
    """Write the page."""
    lines = [*_begin(context), *numbered(_steps(context)), *_later(context), *_traces(context), *_cluster(context)]
    lines += section(context)
    return "\n".join(lines) + "\n"


def _begin(context: Context) -> Iterator[str]:
    environment, system = context.scope.environment, context.scope.system
    yield f"# {system} in {environment.name} ({environment.region})"
    yield ""
    yield "Written by `shoal deploy azure`. Nothing is applied by it."
    yield ""
    if environment.protected and not environment.operators:
        yield "**The vault is closed to whoever applies the files from outside its network**, and no secret would be"
        yield 'written: apply from inside, or write `operators = ["ADDRESS"]` into the environment\'s file, and deploy'
        yield "again."
        yield ""


def _steps(context: Context) -> Iterator[Sequence[str]]:
    yield state(context.scope)
    yield _pushed(context)
    yield _filled(context)
    for door in context.all(Door):
        if door.host:
            yield (
                "`terraform apply -target=azurerm_api_management.main`, and let the gateway's own identity read",
                f"its certificate (Key Vault Secrets User): {door.certificate}.",
            )
    yield (
        "`terraform apply`, and read the plan. A gateway takes up to an hour. Rights take effect within minutes:",
        "where one is missing at first, apply again.",
        *(
            ["", "Services migrate their databases when they start, one after the other under a lock.", ""]
            if any(one.migrates for one in context.all(Workload))
            else []
        ),
    )
    if context.all(Operator):
        started = f"az containerapp job start --resource-group {context.named(limit=90)} \\"
        yield (
            "Declare the streams, now and after each change of events:",
            *typed(started, "  --name $(terraform output -raw operator)"),
        )
    for door in context.all(Door):
        if door.host:
            yield (f"Lead {door.host} to the gateway (CNAME).",)
    for mail in context.all(Mail):
        if not mail.sends:
            yield _verified(mail, context)


def _pushed(context: Context) -> Sequence[str]:
    scope = context.scope
    names, version = [service.name for service in scope.plan.services], scope.environment.version
    registry = called(scope, "registry")
    return (
        "Make the registry and the vault, and push the images: an app whose image is not there cannot be made.",
        "Lock what `requirements.in` of all of `../images` asks for into `requirements.txt` of the project, with",
        "hashes, and build in its folder (PROJECT).",
        *typed(
            "terraform apply -target=azurerm_container_registry.main -target=azurerm_role_assignment.applies",
            f"az acr login --name {registry}",
            f"for name in {' '.join(names)}; do",
            '  docker build --file "../images/$name/Dockerfile" --platform linux/amd64 \\',
            f'    --tag "{registry}.azurecr.io/$name:{version}" PROJECT',
            f'  docker push "{registry}.azurecr.io/$name:{version}"',
            "done",
        ),
    )


def _filled(context: Context) -> Sequence[str]:
    """Say what is filled in by hand; nothing where nothing is."""
    asked = [one for one in context.all(Secret) if one.text is None]
    if not asked:
        return ()
    rows = [(f"`{one.key}`", f"`{label(one.name)}`", one.purpose) for one in asked]
    return (
        "Make the secrets that only you know, and fill them in: an app that cannot read them does not come up.",
        *typed(
            "terraform apply -target=azurerm_key_vault_secret.NAME ...",
            f"az keyvault secret set --vault-name {called(context.scope, 'vault')} --name SECRET --file FILE",
        ),
        *table(("Secret", "`NAME`", "What it is"), rows),
        *made(context.scope),
    )


def _later(context: Context) -> Iterator[str]:
    if context.all(Workload):
        yield ""
        yield "A secret that is filled in later is read by who starts anew: `az containerapp revision restart`."


def _verified(mail: Mail, context: Context) -> Sequence[str]:
    """Say how a domain is shown to be ours; until then it cannot be linked, and nothing goes out."""
    return (
        f"Put the records of `terraform output mail_records` into the DNS of {mail.domain}, and let Azure look:",
        *typed(
            "for kind in Domain SPF DKIM DKIM2; do",
            f"  az communication email domain initiate-verification --resource-group {context.named(limit=90)} \\",
            f"    --email-service-name {called(context.scope, 'post')} --domain-name {mail.domain} \\",
            "    --verification-type $kind",
            "done",
        ),
        "Once `az communication email domain show` says that all four are verified, write `verified = true` below",
        "`[mail]`, write these files anew, and apply them.",
    )


def _traces(context: Context) -> Iterator[str]:
    if context.all(Workload):
        group, named = context.named(limit=90), context.named()
        found = f"az monitor app-insights component show --app {named} --resource-group {group}"
        yield ""
        yield "Traces: the provider cannot switch on the environment's agent of OpenTelemetry, so this does, once:"
        yield ""
        yield "```"
        yield f"az containerapp env telemetry app-insights set --resource-group {group} \\"
        yield f"  --name {called(context.scope, 'place')} \\"
        yield f'  --connection-string "$({found} --query connectionString --output tsv)" \\'
        yield "  --enable-open-telemetry-traces true --enable-open-telemetry-logs true"
        yield "```"
        yield ""
        yield "The agent speaks gRPC: images need `shoal[grpc]` for it."


def _cluster(context: Context) -> Iterator[str]:
    if context.all(Cluster):
        namespace = context.named()
        yield ""
        yield "Services run in the cluster: `shoal deploy kubernetes` writes them. `terraform output identities` has"
        yield "the annotation of each account, and External Secrets read the vault. Once, and for each new service:"
        yield ""
        yield "```"
        yield "terraform output -json identities | jq -r 'to_entries[] | [.key, .value] | @tsv' |"
        yield "while read -r name client; do"
        yield f'  kubectl -n {namespace} annotate --overwrite serviceaccount "$name" \\'
        yield '    azure.workload.identity/client-id="$client"'
        yield f"  kubectl -n {namespace} patch deployment \"$name\" -p '{_USES}'"
        yield "done"
        yield "```"
