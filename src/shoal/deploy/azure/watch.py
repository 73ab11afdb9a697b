"""Who hears what: alarms on what hurts users and what grows, and a budget."""

from collections.abc import Iterator

from shoal.deploy.azure import messages, naming
from shoal.deploy.azure.resources import Alarm, Watch
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.cloud.settings import UNIT
from shoal.deploy.cloud.values import Ref
from shoal.model import names
from shoal.model.plan import ServicePlan

_APP, _SERVER = "Microsoft.App/containerApps", "Microsoft.DBforPostgreSQL/flexibleServers"
_BUS, _GATEWAY = "Microsoft.ServiceBus/Namespaces", "Microsoft.ApiManagement/service"
_NANOCORES = 1_000_000_000 / UNIT
"""Billionths of a processor that a unit is."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the alarms of every service."""
    yield Watch(name="main", email=scope.environment.alarms, budget=scope.environment.budget)
    if scope.apps and scope.plan.routes:
        yield _alarm(
            "slow", Ref("door", "main", "id"), _GATEWAY, "BackendDuration", 2000, statistic="Average",
            why="Answers take more than two seconds on average.",
        )  # fmt: skip
    for service in scope.plan.services:
        yield from _service(scope, service)
        if scope.uses(service).get("broker") == "servicebus":
            yield from _messages(scope, service)
    for service in scope.users("postgres"):
        database = Ref("postgres", service.name, "id")
        if scope.first is not None and scope.first.standby is not None:
            late = f"Its copy is more than {scope.first.standby.lag} s behind: so much is lost by taking over now."
            yield _alarm(
                f"{service.name}-behind", database, _SERVER, "physical_replication_delay_in_seconds",
                scope.first.standby.lag, service=service.name, why=late,
            )  # fmt: skip
        full = "Its disk is nearly full."
        yield _alarm(f"{service.name}-disk", database, _SERVER, "storage_percent", 85, service=service.name, why=full)
        yield _alarm(
            f"{service.name}-database", database, _SERVER, "cpu_percent", 90, statistic="Average", minutes=15,
            service=service.name, why="It has been busy for a quarter of an hour.",
        )  # fmt: skip


def _service(scope: Scope, service: ServicePlan) -> Iterator[Resource]:
    if not scope.apps:
        return
    app, size = Ref("workload", service.name, "id"), scope.size(service)
    yield _alarm(
        f"{service.name}-busy", app, _APP, "UsageNanoCores", 0.9 * size.cpu * _NANOCORES, minutes=15,
        statistic="Average", service=service.name, why="It has as many replicas as it may have, and they are busy.",
    )  # fmt: skip
    yield _alarm(
        f"{service.name}-restarts", app, _APP, "RestartCount", 3, service=service.name, why="It ends again and again."
    )
    if scope.reached(service):
        yield _alarm(
            f"{service.name}-errors", app, _APP, "Requests", 10, statistic="Total", service=service.name,
            dimension=("statusCodeCategory", ("5xx",)), why="It answers with 500 and above.",
        )  # fmt: skip


def _messages(scope: Scope, service: ServicePlan) -> Iterator[Resource]:
    """Say of topics that fill; Service Bus measures topics, and no single subscription."""
    broker = service.broker
    if broker is None:
        return
    if broker.stream:
        yield _alarm(
            f"{service.name}-waiting", Ref("bus", "main", "id"), _BUS, "ActiveMessages", 10_000, statistic="Average",
            service=service.name, dimension=("EntityName", (naming.topic(broker.stream),)), minutes=15,
            why=f"Messages of {broker.stream} are not heard by somebody.",
        )  # fmt: skip
    if broker.consumers:
        letters = names.dead_letter_stream(scope.system, service.name)
        yield _alarm(
            f"{service.name}-letters", Ref("bus", "main", "id"), _BUS, "ActiveMessages", 0, service=service.name,
            dimension=("EntityName", (naming.topic(letters),)),
            why=f"There are dead letters: look with shoal dlq; they lie in {letters}/{messages.LETTERS}.",
        )  # fmt: skip


def _alarm(name: str, about: Ref, namespace: str, metric: str, above: float, **more: object) -> Alarm:
    said: dict[str, object] = {"statistic": "Maximum", **more}
    return Alarm(name=name, about=about, namespace=namespace, metric=metric, above=above, **said)  # type: ignore[arg-type]
