"""What every folder begins with: versions, the provider, the state, the group; and what it gives out."""

from collections.abc import Iterator

from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.hcl.references import written
from shoal.deploy.azure.mail import address as mail_address
from shoal.deploy.azure.resources import Bus, Cache, Cluster, Door, Identity, Mail, Operator, Place, Postgres, Workload
from shoal.deploy.cloud.hcl import label, output
from shoal.deploy.cloud.switches import variables
from shoal.deploy.terraform.values import Block, Raw, Value, block, items

PROVIDER, RANDOM, PROGRAM = "~> 4.55", "~> 3.7", ">= 1.11"
"""What was validated is what is used."""

_ASKED = (
    (Place, "Microsoft.App"), (Place, "Microsoft.ContainerService"),
    (Door, "Microsoft.ApiManagement"), (Door, "Microsoft.Web"), (Postgres, "Microsoft.DBforPostgreSQL"),
    (Bus, "Microsoft.ServiceBus"), (Cache, "Microsoft.Cache"), (Cluster, "Microsoft.ContainerService"),
    (Mail, "Microsoft.Communication"),
)  # fmt: skip
_ALWAYS = (
    "Microsoft.ContainerRegistry", "Microsoft.Insights", "Microsoft.KeyVault", "Microsoft.ManagedIdentity",
    "Microsoft.Network", "Microsoft.OperationalInsights", "Microsoft.Storage",
)  # fmt: skip
"""Parts of Azure that a subscription must have switched on; a gateway's subnet is lent to one that is called Web."""


def begin(context: Context) -> Iterator[Block]:
    """Write versions, where the state is, the provider and the group in which everything is."""
    environment, system = context.scope.environment, context.scope.system
    providers = block(
        "required_providers",
        azurerm={"source": "hashicorp/azurerm", "version": PROVIDER},
        random={"source": "hashicorp/random", "version": RANDOM},
    )
    state: dict[str, Value] = {
        "resource_group_name": context.scope.states,
        "storage_account_name": context.scope.state,
        "container_name": environment.name,
        "key": "system.tfstate",
        "use_azuread_auth": True,
    }
    why = "The state holds passwords: its account is made by hand, and read by whoever applies alone."
    backend = Block(kind="backend", labels=("azurerm",), body=items(state), notes=(why,))
    yield Block(kind="terraform", body=items({"required_version": PROGRAM}, providers, backend))
    yield _provider(context)
    yield block("data", "azurerm_client_config", "own")
    if context.scope.passive or environment.standby is not None:
        double = any(one.copies > 1 for one in context.all(Postgres))
        yield from variables(passive=context.scope.passive, spread=double)
    tags: Value = {"system": system, "environment": environment.name, "managed-by": "terraform"}
    yield block("locals", tags=tags)
    group: dict[str, Value] = {
        "name": context.named(limit=90),
        "location": environment.region,
        "tags": Raw("local.tags"),
    }
    yield Block(kind="resource", labels=("azurerm_resource_group", "main"), body=items(group))


def registered(context: Context) -> list[str]:
    """List the parts of Azure that are switched on for these resources."""
    return sorted({*_ALWAYS, *(name for kind, name in _ASKED if context.all(kind))})


def _provider(context: Context) -> Block:
    vault = block("key_vault", purge_soft_delete_on_destroy=False, recover_soft_deleted_key_vaults=True)
    group = block("resource_group", prevent_deletion_if_contains_resources=context.scope.environment.protected)
    said: dict[str, Value] = {
        "resource_provider_registrations": "none",
        "resource_providers_to_register": [*registered(context)],
        "storage_use_azuread": True,
    }
    features = Block(kind="features", body=items(None, vault, group))
    return Block(kind="provider", labels=("azurerm",), body=items(said, features))


def end(context: Context) -> Iterator[Block]:
    """Write what others ask for: where clients call, who delivers, where images go, what apps are called."""
    for door in context.all(Door):
        where: Value = f"https://{door.host}" if door.host else Raw("azurerm_api_management.main.gateway_url")
        yield output("address", "Where clients call.", where)
    yield output("registry", "Where images go.", Raw("azurerm_container_registry.main.login_server"))
    yield output("vault", "Where secrets are.", Raw("azurerm_key_vault.main.name"))
    pipelines = [one for one in context.all(Identity) if one.trusts == "pipelines"]
    for one in pipelines:
        client = Raw(f"azurerm_user_assigned_identity.{one.name}.client_id")
        yield output("delivery_client", "Whom pipelines become (azure/login: client-id).", client)
    services: dict[str, Value] = {
        one.name: {
            "app": Raw(f"azurerm_container_app.{label(one.name)}.name"),
            "identity": Raw(f"azurerm_user_assigned_identity.{label(one.name)}.client_id"),
        }
        for one in context.all(Workload)
    }
    if services:
        yield output("services", "What each service is called here.", services)
    for mail in context.all(Mail):
        if mail.domain and not context.scope.passive:
            records = Raw("azurerm_email_communication_service_domain.main.verification_records")
            yield output("mail_records", f"What the DNS has to say of {mail.domain}.", records)
        yield output("mail", "Where Communication Services are.", written(mail_address()))
    for operator in context.all(Operator):
        yield output("operator", "Job that declares streams.", Raw(f"azurerm_container_app_job.{operator.name}.name"))
    if context.all(Cluster):
        clients: dict[str, Value] = {
            one.name: Raw(f"azurerm_user_assigned_identity.{label(one.name)}.client_id")
            for one in context.all(Identity)
            if one.account
        }
        yield output("identities", "Annotation azure.workload.identity/client-id of each account.", clients)
