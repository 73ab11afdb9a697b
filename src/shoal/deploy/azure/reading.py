"""What a person reads in the folder of an environment: what to fill in, and in which order things are done. Pure."""

from collections.abc import Iterator

from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.resources import Cluster, Door, Operator, Secret, Workload

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
    yield "2. `terraform apply -target=azurerm_container_registry.main`, and push the images there: an app whose"
    yield "   image is not there cannot be made. `terraform output registry` says where."
    yield "   `../images` has a Dockerfile for each."
    yield "3. `terraform apply`, and read the plan. A gateway takes up to an hour."
    yield "4. Fill in what only you know: `az keyvault secret set --vault-name VAULT --name NAME --file FILE`, then"
    yield "   restart who reads it: `az containerapp revision restart`."


def _secrets(context: Context) -> Iterator[str]:
    yield ""
    yield "| Secret | What it is |"
    yield "|---|---|"
    for one in context.all(Secret):
        if one.text is None:
            yield f"| `{one.key}` | {one.purpose} |"
    yield ""


def _then(context: Context) -> Iterator[str]:
    if any(one.migrates for one in context.all(Workload)):
        yield "5. Migrate: services do so when they start, one after the other under a lock."
    if context.all(Operator):
        yield "6. Declare the streams, after each change of events:"
        yield ""
        yield "   ```"
        yield f"   az containerapp job start --resource-group {context.named(limit=90)} \\"
        yield "     --name $(terraform output -raw operator)"
        yield "   ```"
    for door in context.all(Door):
        if door.host:
            yield "7. Let the gateway's own identity read its certificate (Key Vault Secrets User):"
            yield f"   {door.certificate}; and lead {door.host} to it (CNAME)."


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
