"""Who hears what: alarms on what hurts users and what grows, and a budget."""

from collections.abc import Iterator

from shoal.deploy.aws.messages import LETTERS
from shoal.deploy.aws.resources import Alarm, Resource, Watch
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud.values import Ref, Value
from shoal.model import names
from shoal.model.plan import ServicePlan


def make(scope: Scope) -> Iterator[Resource]:
    """Make the alarms of every service."""
    yield Watch(name="main", email=scope.environment.alarms, budget=scope.environment.budget)
    for service in scope.plan.services:
        if not scope.environment.eks:
            yield from _service(scope, service)
        if "sns" in scope.uses(service).values():
            yield from _messages(scope, service)
        if "postgres" in scope.uses(service).values():
            yield _alarm(
                service, "disk", "AWS/RDS", "FreeStorageSpace", 2 * 1024**3,
                {"DBInstanceIdentifier": Ref("postgres", service.name, "id")}, below=True, statistic="Minimum",
                why="Less than 2 GiB of the disk are free.",
            )  # fmt: skip
        yield from _behind(scope, service)


def _behind(scope: Scope, service: ServicePlan) -> Iterator[Resource]:
    """Say that a copy is behind, or that it follows nobody any more: then nothing is measured."""
    if scope.first is None or scope.first.standby is None:
        return
    lag, used = scope.first.standby.lag, scope.uses(service).values()
    why = f"Its copy is more than {lag} s behind the first region, or does not follow it: so much would be lost."
    if "postgres" in used:
        database: dict[str, Value] = {"DBInstanceIdentifier": Ref("postgres", service.name, "id")}
        yield _alarm(service, "behind", "AWS/RDS", "ReplicaLag", lag, database, silent=True, why=why)
    if "mongo" in used:
        cluster: dict[str, Value] = {"DBClusterIdentifier": Ref("documents", service.name, "id")}
        metric = "GlobalClusterReplicationLag"
        yield _alarm(service, "behind", "AWS/DocDB", metric, lag * 1000, cluster, silent=True, why=why)


def _service(scope: Scope, service: ServicePlan) -> Iterator[Resource]:
    cluster: dict[str, Value] = {
        "ClusterName": Ref("cluster", "main", "name"),
        "ServiceName": Ref("workload", service.name, "name"),
    }
    why = "It has as many tasks as it may have, and they are busy."
    yield _alarm(service, "busy", "AWS/ECS", "CPUUtilization", 90, cluster, minutes=15, statistic="Average", why=why)
    if service.name in scope.exposed:
        balancer: dict[str, Value] = {
            "LoadBalancer": Ref("door", "main", "balancer"),
            "TargetGroup": Ref("door", service.name, "target"),
        }
        why = "It answers with 500 and above."
        yield _alarm(
            service, "errors", "AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", 10, balancer, statistic="Sum", why=why
        )


def _messages(scope: Scope, service: ServicePlan) -> Iterator[Resource]:
    by_stream: dict[str, list[str]] = {}
    for one in service.broker.consumers if service.broker is not None else ():
        by_stream.setdefault(one.stream, []).append(f"{one.stream}-{one.durable}")
    for stream, queues in by_stream.items():
        yield Alarm(
            name=f"{service.name}-late-{stream}",
            service=service.name,
            namespace="AWS/SQS",
            metric="ApproximateAgeOfOldestMessage",
            statistic="Maximum",
            dimensions=tuple({"QueueName": Ref("queue", queue, "name")} for queue in queues[:10]),
            above=300,
            why=f"Messages of {stream} have waited for five minutes.",
        )
    if by_stream:
        letters = Ref("queue", f"{names.dead_letter_stream(scope.system, service.name)}-{LETTERS}", "name")
        why = "There are dead letters: look with shoal dlq."
        yield _alarm(
            service, "letters", "AWS/SQS", "ApproximateNumberOfMessagesVisible", 0, {"QueueName": letters}, why=why
        )


def _alarm(
    service: ServicePlan, name: str, namespace: str, metric: str, above: float, dimensions: dict[str, Value],
    **more: object,
) -> Alarm:  # fmt: skip
    return Alarm(
        name=f"{service.name}-{name}",
        service=service.name,
        namespace=namespace,
        metric=metric,
        dimensions=(dimensions,),
        above=above,
        **{"statistic": "Maximum", **more},  # type: ignore[arg-type]
    )
