"""What a person makes before Terraform can begin. Pure."""

from collections.abc import Sequence

from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.steps import typed


def state(scope: Scope) -> Sequence[str]:
    """Say how the account of the state is made, which no Terraform makes."""
    group, account = scope.states, scope.state
    one = f"--name {account} --resource-group {group}"
    who = "$(az ad signed-in-user show --query id --output tsv)"
    return (
        "Make the account of the state, as somebody with the role Owner. Where somebody else in the world has its",
        "name, write another (`state = ...`) into the environment's file, and deploy again.",
        *typed(
            "az provider register --namespace Microsoft.Storage --wait",
            f"az group create --name {group} --location {scope.environment.region}",
            f"az storage account create {one} --location {scope.environment.region} \\",
            "  --sku Standard_ZRS --allow-blob-public-access false --allow-shared-key-access false",
            f"az storage account blob-service-properties update --account-name {account} --resource-group {group} \\",
            "  --enable-versioning true",
            f'az role assignment create --assignee "{who}" --role "Storage Blob Data Contributor" \\',
            f'  --scope "$(az storage account show {one} --query id --output tsv)"',
            f"az storage container create --name {scope.environment.name} --account-name {account} --auth-mode login",
            "export ARM_SUBSCRIPTION_ID=$(az account show --query id --output tsv)",
            "terraform init",
        ),
    )
