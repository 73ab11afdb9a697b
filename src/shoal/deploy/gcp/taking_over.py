"""What a person reads in the folder of a second region: how it is made, takes over, and hands back. Pure."""

from collections.abc import Iterator, Sequence

from shoal.deploy.cloud.steps import numbered, typed
from shoal.deploy.cloud.taking_over import ENDED, decided, taken
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.resources import Door, Operator, Postgres


def page(context: Context) -> str:
    """Write the page."""
    return "\n".join((*_begin(context), "", *_taken(context), "", *_back(context))) + "\n"


def _begin(context: Context) -> Iterator[str]:
    scope = context.scope
    yield f"# {scope.system} in {scope.environment.name} ({scope.environment.region})"
    yield ""
    yield f"Written by `shoal deploy gcp`. It stands by for {scope.regions[0]}, in the same project and network, and"
    yield "has a state of its own, which lies in its own region: it is applied whether or not the first one answers."
    yield ""
    yield from numbered(_made(context))


def _made(context: Context) -> Iterator[Sequence[str]]:
    scope = context.scope
    yield ("Apply the folder above first: it makes what both regions have in common.",)
    where = f"--project={scope.project} --location={scope.environment.region}"
    yield (
        "Make the bucket of the state:",
        *typed(
            f"gcloud storage buckets create gs://{scope.state} {where} \\",
            "  --uniform-bucket-level-access --public-access-prevention",
            f"gcloud storage buckets update gs://{scope.state} --versioning",
        ),
    )
    yield ("`terraform init && terraform apply`. Before that, services of the first region may not publish or hear.",)
    if context.all(Door):
        yield (
            "Let the names of hosts point to `terraform output ip`. This folder has the balancer of both regions.",
            "Do not remove it: it refuses to be destroyed.",
        )


def _taken(context: Context) -> Iterator[str]:
    region, version = context.scope.environment.region, context.scope.environment.version
    yield from decided()
    yield from numbered(taken(version, spread=any(one.copies > 1 for one in context.all(Postgres))))
    yield ""
    yield "This makes each copy a database of its own, takes from services of the first region the right to publish"
    yield "and to hear, starts all services here, and turns the balancer. Rights take effect within minutes."
    if context.all(Operator):
        where = f"--region={region} --project={context.scope.project}"
        yield f"After a change of events: `gcloud run jobs execute operator {where} --wait`."


def _back(context: Context) -> Iterator[str]:
    yield "## Going back"
    yield ""
    yield "Once the first region answers again its databases are old, and nothing merges two histories:"
    yield ""
    yield from numbered(_returned(context))


def _brought(databases: Sequence[Postgres], project: str) -> Iterator[str]:
    """Bring what databases have into those that they followed once."""
    yield f"export CLOUDSDK_CORE_PROJECT={project} CLOUDSDK_CORE_DISABLE_PROMPTS=1"
    yield "copy=1 bucket=gs://BUCKET"
    yield "while read -r name database role; do"
    yield '  gcloud sql export sql "$name-standby-$copy" "$bucket/$name.sql" --database="$database" </dev/null &&'
    yield '  gcloud sql databases delete "$database" --instance="$name" </dev/null &&'
    yield '  gcloud sql databases create "$database" --instance="$name" </dev/null &&'
    yield '  gcloud sql import sql "$name" "$bucket/$name.sql" --database="$database" --user="$role" \\'
    yield "    </dev/null || break"
    yield "done <<END"
    yield from (f"{one.name} {one.database} {one.role}" for one in databases)
    yield "END"


def _returned(context: Context) -> Iterator[Sequence[str]]:
    databases = context.all(Postgres)
    yield ("End its services, if they were not: `terraform -chdir=.. apply -var fenced=true`.",)
    if databases:
        yield (
            f"End the services here, {ENDED}, and bring each database",
            "back, by a bucket of yours that the accounts of the databases may write and read; `copy` is that of",
            "`terraform.tfvars`, or 1. What the first region's has is removed by this.",
            *typed(*_brought(databases, context.scope.project)),
        )
        let_go = (f"terraform state rm google_sql_database_instance.{one.name}" for one in databases)
        yield (
            "Let go of the databases here, which stay until somebody removes them, and make new copies:",
            *typed(*let_go, "terraform apply -var copy=2"),
            "`take_over` is gone from `terraform.tfvars` by then, and `copy = 2` is in it.",
        )
    else:
        yield ("`terraform apply` without `take_over`.",)
    yield ("Let the first region work: `terraform -chdir=.. apply` without `fenced`.",)
