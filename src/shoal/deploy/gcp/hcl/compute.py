"""Images, logs, and what runs."""

from collections.abc import Iterator, Mapping

from shoal.deploy.cloud.hcl import label, resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.cloud.values import Value as Said
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.references import NETWORK, NUMBER, SUBNET, at, encrypted, local, written
from shoal.deploy.gcp.resources import Logs, Operator, Postgres, Repository, Secret, Workload
from shoal.deploy.gcp.workloads import image, inside
from shoal.deploy.terraform.values import Block, Raw, Text, Value, block, items

ENTRIES = {
    "everybody": "INGRESS_TRAFFIC_ALL",
    "balancer": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
    "inside": "INGRESS_TRAFFIC_INTERNAL_ONLY",
}
COLLECTOR = "us-docker.pkg.dev/cloud-ops-agents-artifacts/google-cloud-opentelemetry-collector/otelcol-google"
COLLECTED = """\
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:4318
processors:
  batch: {}
  resourcedetection:
    detectors: [gcp]
exporters:
  googlecloud: {}
  googlemanagedprometheus: {}
extensions:
  health_check:
    endpoint: 0.0.0.0:13133
service:
  extensions: [health_check]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [resourcedetection, batch]
      exporters: [googlecloud]
    metrics:
      receivers: [otlp]
      processors: [resourcedetection, batch]
      exporters: [googlemanagedprometheus]
"""


def repository(one: Repository, context: Context) -> Iterator[Block]:
    """Write where the images are; a tag is never moved to another image."""
    arguments: dict[str, Value] = {
        "repository_id": one.name,
        "location": context.scope.home,
        "format": "DOCKER",
        **encrypted(context, "kms_key_name", "artifactregistry"),
    }
    newest = Block(
        kind="cleanup_policies",
        body=items({"id": "keep-newest", "action": "KEEP"}, block("most_recent_versions", keep_count=one.keep)),
    )
    old = Block(
        kind="cleanup_policies",
        body=items({"id": "remove-old", "action": "DELETE"}, block("condition", older_than=f"{90 * 86_400}s")),
    )
    fixed = block("docker_config", immutable_tags=True)
    yield resource(
        "google_artifact_registry_repository", one.name, *items(arguments, fixed, newest, old),
        notes=context.notes(one),
    )  # fmt: skip


def logs(one: Logs, context: Context) -> Iterator[Block]:
    """Write for how long lines of logs are kept."""
    arguments: dict[str, Value] = {
        "project": context.scope.project, "location": "global", "bucket_id": "_Default", "retention_days": one.days,
    }  # fmt: skip
    yield resource("google_logging_project_bucket_config", one.name, *items(arguments))


def workload(one: Workload, context: Context) -> Iterator[Block]:
    """Write a service, how many instances it has, and how that follows its load."""
    arguments: dict[str, Value] = {
        "name": one.name,
        "location": context.scope.environment.region,
        "ingress": ENTRIES[one.entry],
        "custom_audiences": _names(one, context),
        "deletion_protection": one.protected,
        **({"invoker_iam_disabled": True} if one.open else {}),
        "depends_on": [Raw(text) for text in _needed(one, context)],
    }
    said = {name: value for name, value in arguments.items() if value != []}
    body = items(said, *_fenced(context), _template(one, context))
    yield resource("google_cloud_run_v2_service", one.name, *body, notes=context.notes(one))


def _fenced(context: Context) -> Iterator[Block]:
    """Let instances be ended in one of two regions, and leave their number to what is asked otherwise."""
    if len(context.scope.regions) > 1:
        mode = Raw('var.fenced ? "MANUAL" : "AUTOMATIC"')
        yield block("scaling", scaling_mode=mode, manual_instance_count=0, min_instance_count=0)


def _names(one: Workload, context: Context) -> list[Value]:
    """Name what callers may mean by it: a token is for one of these addresses."""
    place = Text((f"https://{one.name}-", NUMBER, f".{context.scope.environment.region}.run.app"))
    return [place, *([inside(one.name, context.scope)] if context.scope.environment.inside else [])]


def _needed(one: Workload, context: Context) -> list[str]:
    """Name what has to be there, or it does not start: texts of secrets, the right to read them, its database."""
    made = {secret.name for secret in context.all(Secret) if secret.text is not None}
    used = dict.fromkeys(ref.name for ref in (*one.secrets.values(), *one.files.values()))
    texts = [f"google_secret_manager_secret_version.{label(name)}" for name in used if name in made]
    rights = [
        f"google_secret_manager_secret_iam_member.{local(one.account, 'secretmanager.secretAccessor', name)}"
        for name in used
    ]
    databases = [each.name for each in context.all(Postgres) if each.service == one.name]
    kinds = ("google_sql_database", "google_sql_user")
    return [*texts, *rights, *(f"{kind}.{name}" for name in databases for kind in kinds)]


def _template(one: Workload, context: Context) -> Block:
    outward = block("network_interfaces", network=NETWORK, subnetwork=SUBNET, tags=[one.name])
    arguments: dict[str, Value] = {
        "service_account": at(Ref("account", one.account, "email")),
        "timeout": f"{one.seconds}s",
        "max_instance_request_concurrency": one.together,
        "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
    }
    blocks = [
        block("scaling", min_instance_count=one.least, max_instance_count=one.most),
        Block(kind="vpc_access", body=items({"egress": "ALL_TRAFFIC"}, outward)),
        _container(one, context),
        *_collector(one),
        *(_volume(path, secret) for path, secret in one.files.items()),
    ]
    return Block(kind="template", body=items(arguments, *blocks))


def _container(one: Workload, context: Context) -> Block:
    arguments: dict[str, Value] = {
        "name": one.name,
        "image": image(context.scope, one.name, one.version),
        "command": ["python", "-m", "shoal.runtime"],
        **({"depends_on": ["collector"]} if one.collector else {}),
    }
    resources = block(
        "resources",
        limits={"cpu": str(one.processors), "memory": f"{one.memory}Mi"},
        cpu_idle=not one.always,
        startup_cpu_boost=True,
    )
    blocks = [
        block("ports", container_port=one.port),
        resources,
        _probe("startup_probe", one.port, failure_threshold=24, period_seconds=10),
        _probe("liveness_probe", one.port, failure_threshold=3, period_seconds=15),
        *_told(one.environment),
        *_kept(one.secrets),
        *(block("volume_mounts", name=_named(path), mount_path=path.rpartition("/")[0]) for path in one.files),
    ]
    return Block(kind="containers", body=items(arguments, *blocks))


def _probe(kind: str, port: int, **more: Value) -> Block:
    asked = block("http_get", path="/health", port=port)
    return Block(kind=kind, body=items({"timeout_seconds": 5, **more}, asked))


def _told(environment: Mapping[str, Said]) -> Iterator[Block]:
    for name, text in environment.items():
        yield block("env", name=name, value=written(text))


def _kept(secrets: Mapping[str, Ref]) -> Iterator[Block]:
    for name, secret in secrets.items():
        kept = block("secret_key_ref", secret=at(secret), version="latest")
        yield Block(kind="env", body=items({"name": name}, Block(kind="value_source", body=(kept,))))


def _named(path: str) -> str:
    return path.rpartition("/")[2].replace(".", "-")


def _volume(path: str, secret: Ref) -> Block:
    item = block("items", path=path.rpartition("/")[2], version="latest", mode=0o444)
    text = Block(kind="secret", body=items({"secret": at(secret)}, item))
    return Block(kind="volumes", body=items({"name": _named(path)}, text))


def _collector(one: Workload) -> Iterator[Block]:
    if one.collector:
        arguments: dict[str, Value] = {
            "name": "collector", "image": f"{COLLECTOR}:{one.collector}", "args": ["--config=env:COLLECTOR"],
        }  # fmt: skip
        ready = block("http_get", path="/", port=13133)
        yield Block(
            kind="containers",
            body=items(
                arguments,
                block("resources", limits={"cpu": "1", "memory": "512Mi"}, cpu_idle=not one.always),
                Block(kind="startup_probe", body=items({"period_seconds": 5, "failure_threshold": 12}, ready)),
                block("env", name="COLLECTOR", value=COLLECTED),
            ),
        )


def operator(one: Operator, context: Context) -> Iterator[Block]:
    """Write the job that declares streams."""
    outward = block("network_interfaces", network=NETWORK, subnetwork=SUBNET)
    container = Block(
        kind="containers",
        body=items(
            {
                "image": image(context.scope, one.image, one.version),
                "command": ["python", "-m", "shoal.runtime.declaring"],
            },
            *_told(one.environment),
        ),
    )
    arguments: dict[str, Value] = {
        "service_account": at(Ref("account", one.account, "email")), "max_retries": 1, "timeout": "300s",
    }  # fmt: skip
    inner = items(arguments, container, Block(kind="vpc_access", body=items({"egress": "ALL_TRAFFIC"}, outward)))
    task = Block(kind="template", body=(Block(kind="template", body=inner),))
    where: dict[str, Value] = {
        "name": one.name, "location": context.scope.environment.region, "deletion_protection": False,
    }  # fmt: skip
    yield resource("google_cloud_run_v2_job", label(one.name), *items(where, task), notes=context.notes(one))
