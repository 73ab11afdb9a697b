"""Clusters, images, logs, and what runs."""

from collections.abc import Iterator, Mapping

from shoal.deploy.aws.addresses import FILES
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import (
    Cluster,
    Documents,
    Logs,
    Network,
    Operator,
    Postgres,
    Repository,
    Resource,
    Workload,
)
from shoal.deploy.aws.rights import start
from shoal.deploy.aws.workloads import OPERATOR
from shoal.deploy.cloud.hcl import json, label, resource
from shoal.deploy.cloud.switches import FENCED, TAKEN
from shoal.deploy.cloud.values import Ref
from shoal.deploy.cloud.values import Value as Said
from shoal.deploy.terraform.values import Block, Noted, Raw, Text, Value, block, items

USER = "10001"
"""User of every container of ours."""

CACHE = "cache"
"""Tag of the layers that pipelines build from, which they move, as that of their branch."""

_HEALTH = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:{}/health', timeout=3)"
_SCRATCH = {"sourceVolume": "scratch", "containerPath": "/tmp"}  # noqa: S108 - a path in the container
_COLLECTED = """\
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:4318
processors:
  batch: {}
exporters:
  awsxray: {}
  awsemf:
    namespace: NAMESPACE
    log_group_name: GROUP
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [awsxray]
    metrics:
      receivers: [otlp]
      processors: [batch]
      exporters: [awsemf]
"""


def cluster(one: Cluster, context: Context) -> Iterator[Block]:
    """Write the cluster, and the namespace in which services find each other."""
    name = context.named()
    yield resource(
        "aws_service_discovery_http_namespace", one.name, *items({"name": name}),
        notes=("Services find each other by their names in it (Service Connect), within the network.",),
    )  # fmt: skip
    insights = block("setting", name="containerInsights", value="enabled" if one.insights else "disabled")
    namespace = Raw(f"aws_service_discovery_http_namespace.{one.name}.arn")
    connected = block("service_connect_defaults", namespace=namespace)
    yield resource("aws_ecs_cluster", one.name, *items({"name": name}, insights, connected))
    yield resource(
        "aws_ecs_cluster_capacity_providers",
        one.name,
        *items(
            {"cluster_name": Raw(f"aws_ecs_cluster.{one.name}.name"), "capacity_providers": ["FARGATE", "FARGATE_SPOT"]}
        ),
    )


def repository(one: Repository, context: Context) -> Iterator[Block]:
    """Write where the images of a service are, called as pipelines call them; the tag of a version is never moved."""
    tags = (CACHE, context.scope.environment.branch)
    moved = [block("image_tag_mutability_exclusion_filter", filter=tag, filter_type="WILDCARD") for tag in tags]
    yield resource(
        "aws_ecr_repository",
        one.name,
        *items(
            {
                "name": f"{context.scope.system}/{one.image or one.name}",
                "image_tag_mutability": Noted("IMMUTABLE_WITH_EXCLUSION", "All but the names that pipelines move."),
                "force_delete": not context.scope.environment.protected,
            },
            *moved,
            block("image_scanning_configuration", scan_on_push=True),
            block("encryption_configuration", encryption_type="KMS", kms_key=context.key(one)),
        ),
        notes=context.notes(one),
    )
    rule: dict[str, Value] = {
        "rulePriority": 1,
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": one.keep},
        "action": {"type": "expire"},
    }
    where = Raw(f"aws_ecr_repository.{one.name}.name")
    yield resource(
        "aws_ecr_lifecycle_policy", one.name, *items({"repository": where, "policy": json({"rules": [rule]})})
    )


def logs(one: Logs, context: Context) -> Iterator[Block]:
    """Write where lines of logs are kept."""
    name = f"/{context.named()}/{one.name}"
    yield resource("aws_cloudwatch_log_group", one.name, *items({"name": name, "retention_in_days": one.days}))


def workload(one: Workload, context: Context) -> Iterator[Block]:
    """Write the task of a service, how many of it run, and how that follows its load."""
    containers = [*_prepare(one, context), _main(one, context), *_collector(one, context)]
    yield _task(one, containers, context, role=one.name)
    yield _service(one, context)
    yield from _scaling(one, context)


def operator(one: Operator, context: Context) -> Iterator[Block]:
    """Write the task that declares streams."""
    container: dict[str, Value] = {
        "name": one.name,
        "image": _image(one.image, one.version, context),
        "command": ["python", "-m", "shoal.runtime.declaring"],
        "essential": True,
        "user": USER,
        "environment": _told(one.environment, context),
        "logConfiguration": _log(one.image, one.name, context),
    }
    yield _task(one, [container], context, role=OPERATOR)


def _task(one: Workload | Operator, containers: list[Value], context: Context, *, role: str) -> Block:
    cpu, memory = (one.cpu, one.memory) if isinstance(one, Workload) else (256, 512)
    volumes = [block("volume", name="scratch"), block("volume", name="files")] if isinstance(one, Workload) else []
    return resource(
        "aws_ecs_task_definition",
        one.name,
        *items(
            {
                "family": context.named(one.name),
                "requires_compatibilities": ["FARGATE"],
                "network_mode": "awsvpc",
                "cpu": cpu,
                "memory": memory,
                "task_role_arn": context.at(Ref("role", role)),
                "execution_role_arn": context.at(Ref("role", start(role))),
                "container_definitions": json(containers),
            },
            block("runtime_platform", operating_system_family="LINUX", cpu_architecture=one.architecture),
            *volumes,
        ),
        notes=context.notes(one),
    )


def _main(one: Workload, context: Context) -> Value:
    before = [{"containerName": "prepare", "condition": "SUCCESS"}]
    return {
        "name": one.name,
        "image": _image(one.name, one.version, context),
        "command": ["python", "-m", "shoal.runtime"],
        "essential": True,
        "user": USER,
        "readonlyRootFilesystem": True,
        "dependsOn": before,
        "stopTimeout": Noted(one.grace, "Requests end, then events and sagas in hand do."),
        "portMappings": [{"name": "http", "containerPort": one.port, "protocol": "tcp", "appProtocol": "http"}],
        "environment": _told(one.environment, context),
        "secrets": _secret(
            {name: text for name, text in one.secrets.items() if name not in one.files.values()}, context
        ),
        "mountPoints": [_SCRATCH, {"sourceVolume": "files", "containerPath": FILES, "readOnly": True}],
        "healthCheck": {
            "command": ["CMD", "python", "-c", _HEALTH.format(one.port)],
            "interval": 15,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 60,
        },
        "logConfiguration": _log(one.name, one.name, context),
    }


def _prepare(one: Workload, context: Context) -> Iterator[Value]:
    """Write files from secrets and open the scratch folder, then end; volumes of Fargate belong to root."""
    files = [f"{file}={variable}" for file, variable in one.files.items()]
    yield {
        "name": "prepare",
        "image": _image(one.name, one.version, context),
        "command": ["python", "-m", "shoal.runtime.unpacking", FILES, *files],
        "essential": False,
        "user": Noted("0", "Volumes belong to root here; this one ends before the service begins."),
        "secrets": _secret({name: text for name, text in one.secrets.items() if name in one.files.values()}, context),
        "mountPoints": [_SCRATCH, {"sourceVolume": "files", "containerPath": FILES}],
        "logConfiguration": _log(one.name, "prepare", context),
    }


def _collector(one: Workload, context: Context) -> Iterator[Value]:
    if one.collector:
        configuration = _COLLECTED.replace("NAMESPACE", context.scope.system).replace(
            "GROUP", f"/{context.named()}/{one.name}"
        )
        yield {
            "name": "collector",
            "image": _image("collector", one.collector, context),
            "essential": False,
            "environment": [{"name": "AOT_CONFIG_CONTENT", "value": configuration}],
            "logConfiguration": _log(one.name, "collector", context),
        }


def _image(name: str, version: str, context: Context) -> Value:
    return Text((context.at(Ref("repository", name, "url")), f":{version}"))


def _told(environment: Mapping[str, Said], context: Context) -> Value:
    return [{"name": name, "value": context.written(text)} for name, text in environment.items()]


def _secret(secrets: Mapping[str, Said], context: Context) -> Value:
    return [{"name": name, "valueFrom": context.written(text)} for name, text in secrets.items()]


def _log(group: str, prefix: str, context: Context) -> Value:
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": context.at(Ref("logs", group, "name")),
            "awslogs-region": context.scope.environment.region,
            "awslogs-stream-prefix": prefix,
        },
    }


def _service(one: Workload, context: Context) -> Block:
    capacity = block(
        "capacity_provider_strategy", capacity_provider="FARGATE_SPOT" if one.spot else "FARGATE", weight=1
    )
    groups: Value = [context.at(Ref("group", one.name, "id"))]
    blocks = [
        capacity,
        block("network_configuration", subnets=Raw("aws_subnet.private[*].id"), security_groups=groups),
        block("deployment_circuit_breaker", enable=True, rollback=True),
        *_watched(one),
        _connected(one),
        *([_balanced(one)] if one.exposed else []),
        block("lifecycle", ignore_changes=[Raw("desired_count")]),
    ]
    arguments: dict[str, Value] = {
        "name": one.name,
        "cluster": Raw("aws_ecs_cluster.main.id"),
        "task_definition": Raw(f"aws_ecs_task_definition.{one.name}.arn"),
        "desired_count": one.least if one.passive is None else one.passive,
        "availability_zone_rebalancing": "ENABLED",
        "deployment_minimum_healthy_percent": 100,
        "deployment_maximum_percent": 200,
        **({"health_check_grace_period_seconds": 60} if one.exposed else {}),
        "enable_execute_command": False,
        "force_new_deployment": True,
        "triggers": {"passwords": str(context.scope.environment.passwords)},
        "propagate_tags": "SERVICE",
        "depends_on": [Raw(text) for text in _needed(one)],
    }
    return resource("aws_ecs_service", one.name, *items(arguments, *blocks))


def _watched(one: Workload) -> Iterator[Block]:
    """Take a version back also where it comes up and then answers with errors."""
    if one.exposed:
        names: Value = [Raw(f"aws_cloudwatch_metric_alarm.{one.name}-errors.alarm_name")]
        yield block("alarms", enable=True, rollback=True, alarm_names=names)


def _connected(one: Workload) -> Block:
    """Write the name by which others find it."""
    named = Block(
        kind="service",
        body=items(
            {"port_name": "http", "discovery_name": one.name},
            block("client_alias", dns_name=one.name, port=one.port),
            _patience(),
        ),
    )
    return Block(kind="service_connect_configuration", body=items({"enabled": True}, named))


def _patience() -> Block:
    """Let callers decide how long they wait: each call has its own deadline, and streams have none."""
    return block("timeout", per_request_timeout_seconds=0, idle_timeout_seconds=3600)


def _needed(one: Workload) -> list[str]:
    rule = [f"aws_lb_listener_rule.{one.name}"] if one.exposed else []
    return ["aws_ecs_cluster_capacity_providers.main", f"aws_iam_role_policy.{label(start(one.name))}", *rule]


def _first(one: Workload, context: Context) -> Iterator[str]:
    """Say what a second region has before any task of a service starts in it: ways out, and stores that are written."""
    network = context.all(Network)[0]
    if network.asleep and network.gateways:
        yield "aws_route.out"
    if network.asleep and network.endpoints:
        yield "aws_vpc_endpoint.interfaces"
    kinds: dict[type[Resource], str] = {Postgres: "aws_db_instance", Documents: "aws_docdb_cluster_instance"}
    for kind, address in kinds.items():
        yield from (f"{address}.{store.name}" for store in context.all(kind) if store.service == one.service)


def _balanced(one: Workload) -> Block:
    target = Raw(f"aws_lb_target_group.{one.name}.arn")
    return block("load_balancer", target_group_arn=target, container_name=one.name, container_port=one.port)


def _scaling(one: Workload, context: Context) -> Iterator[Block]:
    where: dict[str, Value] = {
        "resource_id": Text(
            ("service/", Raw("aws_ecs_cluster.main.name"), "/", Raw(f"aws_ecs_service.{one.name}.name"))
        ),
        "scalable_dimension": "ecs:service:DesiredCount",
        "service_namespace": "ecs",
    }
    bounds: dict[str, Value] = {"min_capacity": one.least, "max_capacity": one.most}
    if one.passive is not None or context.scope.environment.standby is not None:
        counts = {"min_capacity": one.least, "max_capacity": one.most}
        bounds = {name: _counted(count, one.passive) for name, count in counts.items()}
    if one.passive is not None:
        bounds["depends_on"] = [Raw(text) for text in _first(one, context)]
    yield resource("aws_appautoscaling_target", one.name, *items({**where, **bounds}))
    for name, metric in (
        ("processor", "ECSServiceAverageCPUUtilization"),
        ("memory", "ECSServiceAverageMemoryUtilization"),
    ):
        tracked = Block(
            kind="target_tracking_scaling_policy_configuration",
            body=items(
                {
                    "target_value": one.busy if name == "processor" else 80,
                    "scale_in_cooldown": 300,
                    "scale_out_cooldown": 60,
                },
                block("predefined_metric_specification", predefined_metric_type=metric),
            ),
        )
        target = f"aws_appautoscaling_target.{one.name}"
        own: dict[str, Value] = {"name": f"{one.name}-{name}", "policy_type": "TargetTrackingScaling"}
        own |= {key: Raw(f"{target}.{key}") for key in where}
        yield resource("aws_appautoscaling_policy", f"{one.name}_{name}", *items(own, tracked))


def _counted(count: int, passive: int | None) -> Raw:
    """Count tasks: all of them where this region writes, and in a second one those that run before."""
    if passive is None:
        return Raw(f"{FENCED} ? 0 : {count}")
    return Raw(f"{TAKEN} ? ({FENCED} ? 0 : {count}) : {passive}")
