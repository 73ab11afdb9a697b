"""What a person reads in the folder of a second region: how it is made, takes over, and hands back. Pure."""

from collections.abc import Iterator

from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.resources import Door, Operator, Postgres, Secret
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.taking_over import ENDED, commands


def page(context: Context) -> str:
    """Write the page."""
    return "\n".join((*_made(context), "", *_taken(context), "", *_back(context))) + "\n"


def _made(context: Context) -> Iterator[str]:
    scope = context.scope
    first, here = scope.origin(), scope.environment.region
    yield f"# {scope.system} in {scope.environment.name} ({here})"
    yield ""
    yield f"Written by `shoal deploy azure`. It stands by for {first.environment.region}, in a group of its own, and"
    yield "has a state of its own, which lies in its own region: it is applied whether or not the first one answers."
    yield ""
    yield "1. Apply the folder above first."
    yield f"2. Make the storage account of this state in {here} (`main.tf` names it), and `terraform init`."
    if context.all(Postgres):
        yield "3. Make the network, and let both networks reach each other, by which databases are copied:"
        yield ""
        yield "   ```"
        yield "   terraform apply -target=azurerm_virtual_network.main"
        yield from _peered(scope, first)
        yield from _peered(first, scope)
        yield "   ```"
    yield ""
    yield "4. Make the vault, and bring each key of personal data with all of its versions: it goes to a vault of the"
    yield "   same subscription and geography alone. Do it again after a key was turned."
    yield ""
    yield "   ```"
    yield "   terraform apply -target=azurerm_role_assignment.applies"
    yield from _keys(scope)
    yield "   ```"
    yield ""
    yield "5. `terraform apply`."
    yield "6. Bring the secrets that somebody filled in, now and after each change of them:"
    yield ""
    yield from _secrets(context)
    if context.all(Operator):
        yield "7. Declare the streams, now and after each change of events:"
        yield ""
        yield "   ```"
        yield f"   az containerapp job start -g {context.named(limit=90)} -n {called(scope, 'job', 'operator')}"
        yield "   ```"


def _peered(one: Scope, other: Scope) -> Iterator[str]:
    network, group = called(other, "network"), one.named(limit=90)
    to = f"$(az network vnet show -g {other.named(limit=90)} -n {network} --query id -o tsv)"
    yield f"   az network vnet peering create -n {network} -g {group} --vnet-name {called(one, 'network')} \\"
    yield f'     --allow-vnet-access --remote-vnet "{to}"'


def _keys(scope: Scope) -> Iterator[str]:
    here, there = called(scope, "vault"), called(scope.origin(), "vault")
    for service in scope.plan.services:
        if scope.declared(service).personal:
            name = f"personal-{service.name}"
            yield f"   az keyvault key backup --vault-name {there} --name {name} --file {name}.key"
            yield f"   az keyvault key restore --vault-name {here} --file {name}.key && rm {name}.key"


def _secrets(context: Context) -> Iterator[str]:
    here, there = called(context.scope, "vault"), called(context.scope.origin(), "vault")
    yield "   ```"
    yield f"   for name in {' '.join(one.key for one in context.all(Secret) if one.text is None)}; do"
    yield f'     text=$(az keyvault secret show --vault-name {there} --name "$name" --query value -o tsv)'
    yield f'     az keyvault secret set --vault-name {here} --name "$name" --value "$text" --output none'
    yield "   done"
    yield "   ```"
    yield ""


def _taken(context: Context) -> Iterator[str]:
    scope = context.scope
    accounts = (called(scope.origin(), "account", service.name) for service in scope.users("blob"))
    yield from commands(f"az storage account failover --name {name} --yes" for name in accounts)
    yield "This makes each copy a database of its own, with a password of its own, and starts all services here."
    for door in context.all(Door):
        yield f"Then lead {door.host or 'clients'} to the gateway here: `terraform output address`."
    yield "A first region that comes back by itself works on old data until it is fenced: do it as soon as it answers."


def _back(context: Context) -> Iterator[str]:
    scope = context.scope
    yield "## Going back"
    yield ""
    yield "The databases of the first region are old by then, and nothing merges two histories. In a quiet hour:"
    yield ""
    yield f"1. End the services here, {ENDED}, and bring each database"
    yield "   back: `pg_dump` and `pg_restore`, from inside."
    accounts = [called(scope.origin(), "account", service.name) for service in scope.users("blob")]
    if accounts:
        yield "2. Let objects be copied again, wait until `az storage account show --expand geoReplicationStats` says"
        yield "   that all are, and go back to the first region:"
        yield ""
        yield "   ```"
        tier = "Standard_GZRS" if scope.environment.protected else "Standard_GRS"
        for name in accounts:
            yield f"   az storage account update --name {name} --sku {tier}"
            yield f"   az storage account failover --name {name} --yes"
        yield "   ```"
        yield ""
    servers = " ".join(f"-replace=azurerm_postgresql_flexible_server.{one.name}" for one in context.all(Postgres))
    yield f"3. Make new copies, without `take_over`: `terraform apply {servers}`."
    yield "4. Let the first region work: `terraform -chdir=.. apply` without `fenced`. Lead clients to it."
