"""What a person reads in the folder of a second region: how it is made, takes over, and hands back. Pure."""

from collections.abc import Iterator, Sequence

from shoal.deploy.azure.by_hand import state
from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.resources import Door, Operator, Postgres, Secret
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.steps import numbered, typed
from shoal.deploy.cloud.taking_over import ENDED, decided, taken

_ZONES = (
    "Where Azure refuses the last one, since the account is LRS and not ZRS, write `--sku Standard_GRS`, and bring",
    "objects to a new account of three zones by hand, or do without zones. Terraform leaves either as it is.",
)


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
    if accounts := _accounts(scope):
        yield (
            "See that objects are copied: Terraform does not change the kind of an account that was there before,",
            "since it cannot tell it from one that has failed over.",
            *typed(*(f"az storage account update --name {name} --sku {_tier(scope)}" for name in accounts)),
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


def _tier(scope: Scope) -> str:
    return "Standard_GZRS" if scope.environment.protected else "Standard_GRS"


def _accounts(scope: Scope) -> list[str]:
    return [called(scope.origin(), "account", service.name) for service in scope.users("blob")]


def _taken(context: Context) -> Iterator[str]:
    spread = any(one.copies > 1 for one in context.all(Postgres))
    yield from decided()
    yield from numbered(taken(context.scope.environment.version, _before(context), spread=spread))
    yield ""
    yield "This gives each copy a password of its own, and starts all services here."
    for door in context.all(Door):
        yield f"Then lead {door.host or 'clients'} to the gateway here: `terraform output address`."
    yield "A first region that comes back by itself works on old data until it is fenced: do it as soon as it answers."


def _before(context: Context) -> Iterator[Sequence[str]]:
    """List what is done before the variable is: only a person knows whether the first region is to be waited for."""
    databases, accounts = context.all(Postgres), _accounts(context.scope)
    if databases:
        yield (
            "Make each copy a database of its own, at once. Where both regions answer, `planned` instead of `forced`",
            "waits for what is on its way.",
            *typed(
                f"for name in {' '.join(called(context.scope, 'postgres', one.name) for one in databases)}; do",
                f'  az postgres flexible-server replica promote -g {context.named(limit=90)} -n "$name" \\',
                "    --promote-mode standalone --promote-option forced --yes",
                "done",
            ),
        )
    if accounts:
        over = (f"az storage account failover --name {name} --yes --no-wait" for name in accounts)
        yield (
            "See what is lost of objects: what was written after this time.",
            *typed(*(_synced(name) for name in accounts)),
            "Then let them fail over. That takes up to an hour, beside what follows; services wait for objects until",
            "then. Where both regions answer, add `--failover-type Planned`, and nothing is lost.",
            *typed(*over),
        )


def _synced(name: str) -> str:
    return (
        f"az storage account show --name {name} --expand geoReplicationStats --query geoReplicationStats.lastSyncTime"
    )


def _back(context: Context) -> Iterator[str]:
    yield "## Going back"
    yield ""
    yield "The databases of the first region are old by then, and nothing merges two histories. In a quiet hour:"
    yield ""
    yield from numbered(_returned(context))


def _returned(context: Context) -> Iterator[Sequence[str]]:
    scope = context.scope
    tier = _tier(scope)
    yield (
        f"End the services here, {ENDED}, and bring each database",
        "back: `pg_dump` and `pg_restore`, from inside.",
    )
    if accounts := _accounts(scope):
        near = [f"az storage account update --name {name} --sku Standard_GRS" for name in accounts]
        over = [f"az storage account failover --name {name} --yes" for name in accounts]
        again = [f"az storage account update --name {name} --sku {tier}" for name in accounts]
        yield (
            "Let objects be copied again, from where they are now. An account is LRS after it has failed over, and",
            "cannot become GZRS from that; one that failed over as planned is copied already:",
            *typed(*near),
        )
        yield (
            "Wait until the last time of each is after the end of the services here, and go back:",
            *typed(*(_synced(name) for name in accounts), *over, *again),
            *(_ZONES if tier.endswith("GZRS") else ()),
        )
    made = (f"  -replace=azurerm_postgresql_flexible_server.{one.name}" for one in context.all(Postgres))
    yield ("Make new copies, without `take_over`:", *typed(" \\\n   ".join(("terraform apply", *made))))
    yield ("Let the first region work: `terraform -chdir=.. apply` without `fenced`. Lead clients to it.",)
