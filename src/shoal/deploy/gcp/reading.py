"""What a person reads in the folder of an environment: what to fill in, and in which order things are done. Pure."""

from collections.abc import Iterator, Sequence

from shoal.deploy.cloud.by_hand import made
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.cloud.steps import numbered, table, typed
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.resources import Bucket, Cluster, Dataset, Door, Operator, Postgres, Secret, Workload


def page(context: Context) -> str:
    """Write the page."""
    return "\n".join(_lines(context)) + "\n"


def _lines(context: Context) -> Iterator[str]:
    scope = context.scope
    yield f"# {scope.system} in {scope.environment.name} ({scope.environment.region})"
    yield ""
    yield "Written by `shoal deploy gcp`. Nothing is applied by it."
    yield ""
    yield "A project has one environment of one system: names in it are short, and topics bear the system's name alone."
    yield ""
    yield from numbered(_steps(context))
    if context.all(Workload):
        yield ""
        yield "`run/` has the same services as Cloud Run's own YAML, for who does not apply Terraform for each version:"
        yield "`gcloud run services replace run/NAME.yaml`. It says PROJECT_NUMBER where the number is not known."
    if context.all(Postgres):
        yield ""
        yield "The name of a database of Cloud SQL that was removed is free again after a week."


def _steps(context: Context) -> Iterator[Sequence[str]]:
    scope = context.scope
    project, state = scope.project, scope.state
    yield (
        f"Make the project `{project}`, with a billing account, and the bucket of the state:",
        *typed(
            "gcloud auth login && gcloud auth application-default login",
            f"gcloud storage buckets create gs://{state} --project={project} --location={scope.environment.region} \\",
            "  --uniform-bucket-level-access --public-access-prevention",
            f"gcloud storage buckets update gs://{state} --versioning",
        ),
    )
    yield (
        "Switch Google's interfaces on, the one first by which the others are:",
        *typed(
            f"gcloud services enable cloudresourcemanager.googleapis.com --project={project}",
            "terraform init && terraform apply -target=google_project_service.main",
        ),
        *_agents(context),
    )
    yield _pushed(context)
    yield _filled(context)
    yield (
        "`terraform apply`, and read the plan. A revision starts when its secrets and its image are there.",
        "Rights take effect within minutes: where one is missing at first, apply again.",
    )
    yield from _after(context)


def _pushed(context: Context) -> Sequence[str]:
    scope = context.scope
    version, home = scope.environment.version, f"{scope.home}-docker.pkg.dev"
    return (
        "Make where images are, and push them. Lock what `requirements.in` of all of `../images` asks for into",
        "`requirements.txt` of the project, with hashes, and build in its folder (PROJECT).",
        *typed(
            f"terraform apply -target=google_artifact_registry_repository.{scope.system}",
            f"gcloud auth configure-docker {home}",
            f"for name in {' '.join(service.name for service in scope.plan.services)}; do",
            f'  image="{home}/{scope.project}/{scope.system}/$name:{version}"',
            '  docker build --file "../images/$name/Dockerfile" --platform linux/amd64 --tag "$image" PROJECT',
            '  docker push "$image"',
            "done",
        ),
    )


def _filled(context: Context) -> Sequence[str]:
    """Say what is filled in by hand; nothing where nothing is."""
    asked = [one for one in context.all(Secret) if one.text is None]
    if not asked:
        return ()
    accounts: Sequence[str] = ()
    if any(".iam.gserviceaccount.com" in one.purpose for one in asked):
        accounts = (
            "Who has a key of an account makes the account first:",
            "`terraform apply -target=google_service_account.NAME`.",
            "",
        )
    return (
        "Make the secrets, and fill in what only you know:",
        *typed(
            "terraform apply -target=google_secret_manager_secret.NAME ...",
            f"gcloud secrets versions add NAME --project={context.scope.project} --data-file=FILE",
        ),
        *accounts,
        *table(("Secret", "What it is"), [(f"`{one.secret}`", one.purpose) for one in asked]),
        *made(context.scope),
    )


def _agents(context: Context) -> Sequence[str]:
    asked = len(context.all(Bucket)) + len(context.all(Dataset))
    project = context.scope.project
    if not context.scope.environment.keys or not asked:
        return ()
    return (
        "Two of Google's accounts are made when somebody asks for them, and encrypt with the project's key:",
        *typed(
            f"gcloud storage service-agent --project={project}",
            f"bq show --encryption_service_account --project_id={project}",
        ),
    )


def _after(context: Context) -> Iterator[Sequence[str]]:
    scope = context.scope
    if context.all(Operator):
        where = f"--region={scope.environment.region} --project={scope.project}"
        declared = f"gcloud run jobs execute operator {where} --wait"
        yield ("Declare the streams, now and after each change of events:", *typed(declared))
    if any(door.kind == "balancer" for door in context.all(Door)):
        yield ("Let the names of hosts point to `terraform output ip`; the certificate comes within an hour.",)
    if context.all(Cluster):
        yield (
            "Install what docs/kubernetes.md names, and write and apply the manifests:",
            "`shoal deploy kubernetes --out manifests --target kubernetes.toml`.",
        )
    if scope.environment.standby is not None:
        yield (f"Go on in `{STANDBY}/`, which has the second region, and what turns from one to the other.",)
