"""What a person reads in the folder of a second region: how it is made, takes over, and hands back. Pure."""

from collections.abc import Iterator

from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.resources import Door, Operator, Postgres, Workload


def page(context: Context) -> str:
    """Write the page."""
    return "\n".join((*_made(context), "", *_taken(context), "", *_back(context))) + "\n"


def _made(context: Context) -> Iterator[str]:
    scope = context.scope
    region = scope.environment.region
    yield f"# {scope.system} in {scope.environment.name} ({region})"
    yield ""
    yield f"Written by `shoal deploy gcp`. It stands by for {scope.regions[0]}, in the same project and network, and"
    yield "has a state of its own, which lies in its own region: it is applied whether or not the first one answers."
    yield ""
    yield "1. Apply the folder above first: it makes what both regions have in common."
    yield "2. Make the bucket of the state:"
    yield ""
    yield "   ```"
    yield f"   gcloud storage buckets create gs://{scope.state} --project={scope.project} --location={region} \\"
    yield "     --uniform-bucket-level-access --public-access-prevention"
    yield f"   gcloud storage buckets update gs://{scope.state} --versioning"
    yield "   ```"
    yield ""
    yield "3. `terraform init && terraform apply`. Before that, services of the first region may not publish or hear."
    if context.all(Door):
        yield "4. Let the names of hosts point to `terraform output ip`. This folder has the balancer of both regions."
        yield "   Do not remove it: it refuses to be destroyed."


def _taken(context: Context) -> Iterator[str]:
    region = context.scope.environment.region
    yield "## Taking over"
    yield ""
    yield "Somebody decides this; nothing does it by itself."
    yield ""
    yield "```"
    yield "echo 'take_over = true' > take_over.auto.tfvars   # so that a later apply does not undo it"
    yield "terraform apply"
    yield "```"
    yield ""
    yield "This makes each copy a database of its own, takes from services of the first region the right to publish"
    yield "and to hear, starts all services here, and turns the balancer. Rights take effect within minutes."
    yield "Pipelines bring versions to the first region; here it is that of the settings, until you apply another."
    if context.all(Operator):
        where = f"--region={region} --project={context.scope.project}"
        yield f"After a change of events: `gcloud run jobs execute operator {where} --wait`."


def _back(context: Context) -> Iterator[str]:
    scope = context.scope
    first = f"--region={scope.regions[0]} --project={scope.project}"
    yield "## Going back"
    yield ""
    yield "Once the first region answers again its databases are old, and nothing merges two histories:"
    yield ""
    yield "1. End its services, which would work on old data:"
    yield ""
    yield "   ```"
    for one in context.all(Workload):
        yield f"   gcloud run services update {one.name} --scaling=0 {first}"
    yield "   ```"
    yield ""
    if context.all(Postgres):
        yield "2. End the services here likewise, and bring each database back: `gcloud sql export sql`, then"
        yield "   `gcloud sql import sql` into the first region's, emptied before."
        yield "3. Let go of the databases here, which stay until somebody removes them, and make new copies:"
        yield ""
        yield "   ```"
        for database in context.all(Postgres):
            yield f"   terraform state rm google_sql_database_instance.{database.name}"
        yield "   rm take_over.auto.tfvars && terraform apply -var copy=2"
        yield "   ```"
        yield ""
        yield "   From then on `copy = 2` belongs into `copy.auto.tfvars`."
    else:
        yield "2. `rm take_over.auto.tfvars && terraform apply`."
    yield "4. Start the services of the first region, each:"
    yield f"   `gcloud run services update SERVICE --scaling=auto {first}`."
