"""What a person reads in the folder of an environment: what to fill in, and in which order things are done. Pure."""

from collections.abc import Iterator

from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.resources import Bucket, Cluster, Dataset, Door, Operator, Postgres, Secret, Workload


def page(context: Context) -> str:
    """Write the page."""
    return "\n".join(_lines(context)) + "\n"


def _lines(context: Context) -> Iterator[str]:
    scope = context.scope
    environment, project = scope.environment, scope.project
    state = scope.state
    yield f"# {scope.system} in {environment.name} ({environment.region})"
    yield ""
    yield "Written by `shoal deploy gcp`. Nothing is applied by it."
    yield ""
    yield "A project has one environment of one system: names in it are short, and topics bear the system's name alone."
    yield ""
    yield f"1. Make the project `{project}`, with a billing account, and the bucket of the state:"
    yield ""
    yield "   ```"
    yield f"   gcloud storage buckets create gs://{state} --project={project} --location={environment.region} \\"
    yield "     --uniform-bucket-level-access --public-access-prevention"
    yield f"   gcloud storage buckets update gs://{state} --versioning"
    yield "   ```"
    yield ""
    yield "2. Switch Google's interfaces on, the one first by which the others are:"
    yield ""
    yield "   ```"
    yield f"   gcloud services enable cloudresourcemanager.googleapis.com --project={project}"
    yield "   terraform init && terraform apply -target=google_project_service.main"
    yield "   ```"
    yield ""
    yield from _agents(context)
    yield f"3. `terraform apply -target=google_artifact_registry_repository.{scope.system}`, and push the images:"
    yield f"   `{scope.home}-docker.pkg.dev/{project}/{scope.system}/SERVICE:{environment.version}`."
    yield "   `../images` has a Dockerfile for each."
    yield from _secrets(context)
    yield "5. `terraform apply`, and read the plan. A revision starts when its secrets and its image are there."
    yield "   Rights take effect within minutes: where one is missing at first, apply again."
    yield from _after(context)


def _secrets(context: Context) -> Iterator[str]:
    project = context.scope.project
    yield "4. Make the secrets, and fill in what only you know:"
    yield ""
    yield "   ```"
    yield "   terraform apply -target=google_secret_manager_secret.NAME ..."
    yield f"   gcloud secrets versions add NAME --project={project} --data-file=FILE"
    yield "   ```"
    if any(one.text is None and ".iam.gserviceaccount.com" in one.purpose for one in context.all(Secret)):
        yield ""
        yield "   Who has a key of an account makes the account first:"
        yield "   `terraform apply -target=google_service_account.NAME`."
    yield ""
    yield "   | Secret | What it is |"
    yield "   |---|---|"
    for one in context.all(Secret):
        if one.text is None:
            yield f"   | `{one.secret}` | {one.purpose} |"
    yield ""


def _agents(context: Context) -> Iterator[str]:
    asked = len(context.all(Bucket)) + len(context.all(Dataset))
    if context.scope.environment.keys and asked:
        project = context.scope.project
        yield "   Two of Google's accounts are made when somebody asks for them, and encrypt with the project's key:"
        yield ""
        yield "   ```"
        yield f"   gcloud storage service-agent --project={project}"
        yield f"   bq show --encryption_service_account --project_id={project}"
        yield "   ```"
        yield ""


def _after(context: Context) -> Iterator[str]:
    scope = context.scope
    if context.all(Operator):
        where = f"--region={scope.environment.region} --project={scope.project}"
        yield "6. Declare the streams, now and after each change of events: "
        yield f"   `gcloud run jobs execute operator {where} --wait`."
    if any(door.kind == "balancer" for door in context.all(Door)):
        yield "7. Let the names of hosts point to `terraform output ip`; the certificate comes within an hour."
    if context.all(Cluster):
        yield "6. Install what docs/kubernetes.md names, and write and apply the manifests:"
        yield "   `shoal deploy kubernetes --out manifests --target kubernetes.toml`."
    if scope.environment.standby is not None:
        yield f"8. Go on in `{STANDBY}/`, which has the second region, and what turns from one to the other."
    if context.all(Workload):
        yield ""
        yield "`run/` has the same services as Cloud Run's own YAML, for who does not apply Terraform for each version:"
        yield "`gcloud run services replace run/NAME.yaml`. It says PROJECT_NUMBER where the number is not known."
    if context.all(Postgres):
        yield ""
        yield "The name of a database of Cloud SQL that was removed is free again after a week."
