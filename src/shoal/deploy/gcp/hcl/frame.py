"""What every folder begins with: versions, the providers, the state; and what it gives out."""

from collections.abc import Iterator

from shoal.deploy.cloud.hcl import label, output, resource
from shoal.deploy.cloud.switches import variable, variables
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.references import NUMBER
from shoal.deploy.gcp.resources import Account, Cluster, Door, Interfaces, Operator, Postgres, Repository, Workload
from shoal.deploy.gcp.rights import DELIVERY
from shoal.deploy.terraform.values import Block, Call, Raw, Text, Value, block, items

PROVIDER, RANDOM, PROGRAM = "~> 6.50", "~> 3.7", ">= 1.11"
"""What was validated is what is used."""


def begin(context: Context) -> Iterator[Block]:
    """Write versions, where the state is, the providers and whose project it is."""
    scope = context.scope
    environment = scope.environment
    providers = block(
        "required_providers",
        **{
            "google": {"source": "hashicorp/google", "version": PROVIDER},
            "google-beta": {"source": "hashicorp/google-beta", "version": PROVIDER},
            "random": {"source": "hashicorp/random", "version": RANDOM},
        },
    )
    state: dict[str, Value] = {"bucket": scope.state, "prefix": scope.system}
    why = "The state holds passwords: its bucket has versions, and is read by whoever applies alone."
    backend = Block(kind="backend", labels=("gcs",), body=items(state), notes=(why,))
    yield Block(kind="terraform", body=items({"required_version": PROGRAM}, providers, backend))
    labels: Value = {"system": scope.system, "environment": environment.name, "managed-by": "terraform"}
    where: dict[str, Value] = {"project": scope.project, "region": environment.region, "default_labels": labels}
    if environment.budget and environment.billing:
        where |= {"billing_project": scope.project, "user_project_override": True}
    yield Block(kind="provider", labels=("google",), body=items(where))
    yield Block(kind="provider", labels=("google-beta",), body=items(where))
    yield block("data", "google_project", "own")
    if len(scope.regions) > 1:
        yield from _told(context)


def _told(context: Context) -> Iterator[Block]:
    """Write what two regions are told, and the second besides: how many times its copies have been made."""
    databases = context.all(Postgres)
    yield from variables(passive=context.scope.passive, spread=any(one.copies > 1 for one in databases))
    if context.scope.passive and databases:
        why = "One more for each time that copies are made anew: a name is free a week after its database was removed."
        yield variable("copy", "number", why, default=1)


def interfaces(one: Interfaces, context: Context) -> Iterator[Block]:
    """Write what is switched on; it stays so, since others may use it."""
    yield resource(
        "google_project_service",
        one.name,
        *items({"for_each": Call("toset", ([*one.names],)), "service": Raw("each.value"), "disable_on_destroy": False}),
        notes=("Apply this first: terraform apply -target=google_project_service.main", *context.notes(one)),
    )


def end(context: Context) -> Iterator[Block]:
    """Write what others ask for: where clients call, who delivers, and what everything is called."""
    for door in context.all(Door):
        if door.kind == "balancer":
            yield output("address", "Where clients call.", f"https://{door.hosts[0]}")
            yield output("ip", "Where the names of hosts point.", Raw("google_compute_global_address.door.address"))
        else:
            host = Text(("https://", Raw("google_api_gateway_gateway.main.default_hostname")))
            yield output("address", "Where clients call.", host)
    yield output("project_number", "For files that are no Terraform.", NUMBER)
    for repository in context.all(Repository):
        place = f"{context.scope.home}-docker.pkg.dev/{context.scope.project}/{repository.name}"
        yield output("images", "Where images go: this, a service's name and its version.", place)
    services: dict[str, Value] = {
        one.name: {
            "service": Raw(f"google_cloud_run_v2_service.{label(one.name)}.name"),
            "address": Raw(f"google_cloud_run_v2_service.{label(one.name)}.uri"),
            "account": Raw(f"google_service_account.{label(one.name)}.email"),
        }
        for one in context.all(Workload)
    }
    if services:
        yield output("services", "What each service is called here.", services)
    if context.all(Operator):
        yield output("operator", "The job that declares streams.", Raw("google_cloud_run_v2_job.operator.name"))
    if any(account.repository for account in context.all(Account)):
        pool = Raw("google_iam_workload_identity_pool_provider.pipelines.name")
        delivery: Value = {"account": Raw(f"google_service_account.{DELIVERY}.email"), "provider": pool}
        yield output("delivery", "Whom pipelines become, and who vouches for them.", delivery)
    if context.all(Cluster):
        yield output("cluster", "Where manifests are applied.", Raw("google_container_cluster.main.name"))
