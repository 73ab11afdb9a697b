"""What a person reads in the folder of a second region: how it is made, takes over, and hands back. Pure."""

from collections.abc import Iterator, Sequence

from shoal.deploy.azure.by_hand import state
from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.resources import Door, Operator, Postgres, Secret
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.steps import numbered, typed
from shoal.deploy.cloud.taking_over import ENDED, commands


def page(context: Context) -> str:
    """Write the page."""
    return "\n".join((*_begin(context), "", *_taken(context), "", *_back(context))) + "\n"


def _begin(context: Context) -> Iterator[str]:
    scope = context.scope
    first = scope.origin().environment.region
    yield f"# {scope.system} in {scope.environment.name} ({scope.environment.region})"
    yield ""
    yield f"Written by `shoal deploy azure`. It stands by for {first}, in a group of its own, and"
    yield "has a state of its own, which lies in its own region: it is applied whether or not the first one answers."
    yield ""
    yield from numbered(_made(context))


def _made(context: Context) -> Iterator[Sequence[str]]:
    scope = context.scope
    first = scope.origin()
    yield ("Apply the folder above first.",)
    yield state(scope)
    if context.all(Postgres):
        network = "terraform apply -target=azurerm_virtual_network.main"
        yield (
            "Make the network, and let both networks reach each other, by which databases are copied:",
            *typed(network, *_peered(scope, first), *_peered(first, scope)),
        )
    if keys := [*_keys(scope)]:
        yield (
            "Make the vault, and bring each key of personal data with all of its versions: it goes to a vault of the",
            "same subscription and geography alone. Do it again after a key was turned.",
            *typed("terraform apply -target=azurerm_role_assignment.applies", *keys),
        )
    yield ("`terraform apply`.",)
    if secrets := [one.key for one in context.all(Secret) if one.text is None]:
        known = _copied(scope, secrets)
        yield ("Bring the secrets that somebody filled in, now and after each change of them:", *typed(*known))
    if context.all(Operator):
        started = f"az containerapp job start -g {context.named(limit=90)} -n {called(scope, 'job', 'operator')}"
        yield ("Declare the streams, now and after each change of events:", *typed(started))


def _peered(one: Scope, other: Scope) -> Iterator[str]:
    network, group = called(other, "network"), one.named(limit=90)
    to = f"$(az network vnet show -g {other.named(limit=90)} -n {network} --query id -o tsv)"
    yield f"az network vnet peering create -n {network} -g {group} --vnet-name {called(one, 'network')} \\"
    yield f'  --allow-vnet-access --remote-vnet "{to}"'


def _keys(scope: Scope) -> Iterator[str]:
    here, there = called(scope, "vault"), called(scope.origin(), "vault")
    for service in scope.plan.services:
        if scope.declared(service).personal:
            name = f"personal-{service.name}"
            yield f"az keyvault key backup --vault-name {there} --name {name} --file {name}.key"
            yield f"az keyvault key restore --vault-name {here} --file {name}.key && rm {name}.key"


def _copied(scope: Scope, names: Sequence[str]) -> Iterator[str]:
    here, there = called(scope, "vault"), called(scope.origin(), "vault")
    yield f"for name in {' '.join(names)}; do"
    yield f'  az keyvault secret download --vault-name {there} --name "$name" --file held.secret'
    yield f'  az keyvault secret set --vault-name {here} --name "$name" --file held.secret --output none'
    yield "  rm held.secret"
    yield "done"


def _accounts(scope: Scope) -> list[str]:
    return [called(scope.origin(), "account", service.name) for service in scope.users("blob")]


def _taken(context: Context) -> Iterator[str]:
    yield from commands(f"az storage account failover --name {name} --yes" for name in _accounts(context.scope))
    yield "This makes each copy a database of its own, with a password of its own, and starts all services here."
    for door in context.all(Door):
        yield f"Then lead {door.host or 'clients'} to the gateway here: `terraform output address`."
    yield "A first region that comes back by itself works on old data until it is fenced: do it as soon as it answers."


def _back(context: Context) -> Iterator[str]:
    yield "## Going back"
    yield ""
    yield "The databases of the first region are old by then, and nothing merges two histories. In a quiet hour:"
    yield ""
    yield from numbered(_returned(context))


def _returned(context: Context) -> Iterator[Sequence[str]]:
    scope = context.scope
    tier = "Standard_GZRS" if scope.environment.protected else "Standard_GRS"
    yield (
        f"End the services here, {ENDED}, and bring each database",
        "back: `pg_dump` and `pg_restore`, from inside.",
    )
    if accounts := _accounts(scope):
        again = [f"az storage account update --name {name} --sku {tier}" for name in accounts]
        over = [f"az storage account failover --name {name} --yes" for name in accounts]
        yield ("Let objects be copied again:", *typed(*again))
        yield (
            "Wait until `az storage account show --expand geoReplicationStats` says that all are, and go back:",
            *typed(*over, *again),
        )
    made = (f"  -replace=azurerm_postgresql_flexible_server.{one.name}" for one in context.all(Postgres))
    yield ("Make new copies, without `take_over`:", *typed(" \\\n   ".join(("terraform apply", *made))))
    yield ("Let the first region work: `terraform -chdir=.. apply` without `fenced`. Lead clients to it.",)
