"""What a person reads in the folder of an environment: what to fill in, and in which order things are done. Pure."""

from collections.abc import Iterator

from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.resources import Cluster, Door, Operator, Secret, Workload
from shoal.deploy.cloud.hcl import label

_USES = '{"spec":{"template":{"metadata":{"labels":{"azure.workload.identity/use":"true"}}}}}'
"""What a pod says that is somebody in the cloud."""


def page(context: Context) -> str:
    """Write the page."""
    lines = [*_begin(context), *_secrets(context), *_then(context), *_traces(context), *_cluster(context)]
    return "\n".join(lines) + "\n"


def _begin(context: Context) -> Iterator[str]:
    environment, system = context.scope.environment, context.scope.system
    yield f"# {system} in {environment.name} ({environment.region})"
    yield ""
    yield "Written by `shoal deploy azure`. Nothing is applied by it."
    yield ""
    yield "1. Make the storage account of the state (`main.tf` names it), set `ARM_SUBSCRIPTION_ID`, `terraform init`."
    yield "   Whoever applies needs the roles Owner, and Storage Blob Data Contributor on that account."
    yield "2. Make the registry and the vault, and push the images: an app whose image is not there cannot be made."
    yield "   `terraform output registry` says where. `../images` has a Dockerfile for each."
    yield ""
    yield "   ```"
    yield "   terraform apply -target=azurerm_container_registry.main -target=azurerm_role_assignment.applies"
    yield "   ```"
    yield ""
    yield "3. Make the secrets that only you know, and fill them in: an app that cannot read them does not come up."
    yield ""
    yield "   ```"
    yield "   terraform apply -target=azurerm_key_vault_secret.NAME ..."
    yield "   az keyvault secret set --vault-name VAULT --name SECRET --file FILE"
    yield "   ```"


def _secrets(context: Context) -> Iterator[str]:
    yield ""
    yield "| Secret | `NAME` | What it is |"
    yield "|---|---|---|"
    for one in context.all(Secret):
        if one.text is None:
            yield f"| `{one.key}` | `{label(one.name)}` | {one.purpose} |"
    yield ""


def _then(context: Context) -> Iterator[str]:
    for door in context.all(Door):
        if door.host:
            yield "4. `terraform apply -target=azurerm_api_management.main`, and let the gateway's own identity read"
            yield f"   its certificate (Key Vault Secrets User): {door.certificate}."
    yield "5. `terraform apply`, and read the plan. A gateway takes up to an hour. Rights take effect within minutes:"
    yield "   where one is missing at first, apply again."
    yield ""
    if any(one.migrates for one in context.all(Workload)):
        yield "   Services migrate their databases when they start, one after the other under a lock."
        yield ""
    if context.all(Operator):
        yield "6. Declare the streams, after each change of events:"
        yield ""
        yield "   ```"
        yield f"   az containerapp job start --resource-group {context.named(limit=90)} \\"
        yield "     --name $(terraform output -raw operator)"
        yield "   ```"
    for door in context.all(Door):
        if door.host:
            yield f"7. Lead {door.host} to the gateway (CNAME)."
    if context.all(Workload):
        yield ""
        yield "A secret that is filled in later is read by who starts anew: `az containerapp revision restart`."


def _traces(context: Context) -> Iterator[str]:
    if context.all(Workload):
        yield ""
        yield "Traces: the provider cannot switch on the environment's agent of OpenTelemetry, so this does, once:"
        yield ""
        yield "```"
        yield "az containerapp env telemetry app-insights set --resource-group GROUP --name ENVIRONMENT \\"
        yield "  --connection-string CONNECTION --enable-open-telemetry-traces true --enable-open-telemetry-logs true"
        yield "```"
        yield ""
        yield "The agent speaks gRPC: images need `shoal[grpc]` for it."


def _cluster(context: Context) -> Iterator[str]:
    if context.all(Cluster):
        namespace = context.named()
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
