"""Who hears what: alarms on what hurts users and what grows, and a budget."""

from collections.abc import Iterator, Mapping

from shoal.deploy.cloud.resource import Resource
from shoal.deploy.gcp.messages import LETTERS, named
from shoal.deploy.gcp.resources import Alarm, Watch
from shoal.deploy.gcp.scope import Scope
from shoal.model import names
from shoal.model.plan import ServicePlan


def make(scope: Scope) -> Iterator[Resource]:
    """Make the alarms of every service."""
    environment = scope.environment
    yield Watch(name="main", email=environment.alarms, budget=environment.budget, billing=environment.billing)
    for service in scope.plan.services:
        if scope.run:
            yield from _service(scope, service)
        if "pubsub" in scope.uses(service).values():
            yield from _messages(scope, service)
        if "postgres" in scope.uses(service).values():
            database = {"resource.labels.database_id": f"{scope.project}:{service.name}"}
            why = "Nine tenths of its disk are full, which grows by itself up to a limit."
            yield _alarm(
                service, "disk", "cloudsql.googleapis.com/database/disk/utilization", "cloudsql_database", database,
                aligner="ALIGN_MAX", reducer="REDUCE_MAX", above=0.9, why=why,
            )  # fmt: skip


def _service(scope: Scope, service: ServicePlan) -> Iterator[Resource]:
    own = {"resource.labels.service_name": service.name}
    most = scope.measured(service).most
    why = "It has had as many instances as it may have for a quarter of an hour."
    yield _alarm(
        service, "busy", "run.googleapis.com/container/instance_count", "cloud_run_revision", own, minutes=15,
        aligner="ALIGN_MIN", reducer="REDUCE_SUM", above=most - 0.5, why=why,
    )  # fmt: skip
    failed = {**own, "metric.labels.response_code_class": "5xx"}
    why = "It answers with 500 and above."
    yield _alarm(
        service, "errors", "run.googleapis.com/request_count", "cloud_run_revision", failed,
        aligner="ALIGN_DELTA", reducer="REDUCE_SUM", above=10, why=why,
    )  # fmt: skip


def _messages(scope: Scope, service: ServicePlan) -> Iterator[Resource]:
    consumers = service.broker.consumers if service.broker is not None else ()
    for stream in dict.fromkeys(one.stream for one in consumers):
        heard = [named(stream, one.durable) for one in consumers if one.stream == stream]
        label = {"resource.labels.subscription_id": f"=~^({'|'.join(_literal(one) for one in heard)})$"}
        yield _alarm(
            service, f"late-{stream}", "pubsub.googleapis.com/subscription/oldest_unacked_message_age",
            "pubsub_subscription", label, aligner="ALIGN_MAX", reducer="REDUCE_MAX", above=300,
            why=f"Messages of {stream} have waited for five minutes.",
        )  # fmt: skip
    if consumers:
        letters = named(names.dead_letter_stream(scope.system, service.name), LETTERS)
        yield _alarm(
            service, "letters", "pubsub.googleapis.com/subscription/num_undelivered_messages",
            "pubsub_subscription", {"resource.labels.subscription_id": letters}, aligner="ALIGN_MAX",
            reducer="REDUCE_MAX", above=0, why="There are dead letters: look with shoal dlq.",
        )  # fmt: skip


def _literal(name: str) -> str:
    return name.replace(".", "[.]")


def _alarm(
    service: ServicePlan, name: str, metric: str, resource: str, labels: Mapping[str, str], **more: object
) -> Alarm:
    return Alarm(
        name=f"{service.name}-{name}",
        service=service.name,
        metric=metric,
        resource=resource,
        labels=labels,
        **more,  # type: ignore[arg-type]
    )
