"""Who hears what: alarms on what hurts users and what grows, and a budget.

Google bills each condition, so there is one for each kind of trouble, which looks at every service by itself.
"""

from collections.abc import Iterator

from shoal.deploy.gcp.messages import LETTERS
from shoal.deploy.gcp.resources import Alarm, Resource, Watch
from shoal.deploy.gcp.scope import Scope
from shoal.deploy.gcp.settings import Environment
from shoal.model import names

_SERVICE, _SUBSCRIPTION = "resource.label.service_name", "resource.label.subscription_id"


def make(scope: Scope) -> Iterator[Resource]:
    """Make the alarms; those of the first region look at everything in the project, so the second has one more."""
    environment = scope.environment
    yield Watch(name="main", email=environment.alarms, budget=environment.budget, billing=environment.billing)
    if scope.first is not None:
        yield from _behind(scope, scope.first)
        return
    if scope.run:
        yield from _services(scope)
    if scope.users("pubsub"):
        yield from _messages(scope)
    if scope.users("postgres"):
        yield Alarm(
            name="disks",
            why="Nine tenths of the disk of a database are full, which grows by itself up to a limit.",
            metric="cloudsql.googleapis.com/database/disk/utilization",
            resource="cloudsql_database",
            labels={},
            each="resource.label.database_id",
            aligner="ALIGN_MAX",
            reducer="REDUCE_MAX",
            above=0.9,
        )


def _behind(scope: Scope, first: Environment) -> Iterator[Resource]:
    if scope.users("postgres") and first.standby is not None:
        yield Alarm(
            name="behind",
            why=f"A copy of a database is more than {first.standby.lag} s behind, or does not follow any more: "
            "so much is lost by taking over now.",
            metric="cloudsql.googleapis.com/database/replication/replica_lag",
            resource="cloudsql_database",
            labels={},
            each="resource.label.database_id",
            aligner="ALIGN_MAX",
            reducer="REDUCE_MAX",
            above=first.standby.lag,
            silent=True,
        )


def _services(scope: Scope) -> Iterator[Resource]:
    yield Alarm(
        name="errors",
        why="A service answers with 500 and above.",
        metric="run.googleapis.com/request_count",
        resource="cloud_run_revision",
        labels={"metric.label.response_code_class": "5xx"},
        each=_SERVICE,
        aligner="ALIGN_DELTA",
        reducer="REDUCE_SUM",
        above=10,
    )
    by_most: dict[int, list[str]] = {}
    for service in scope.plan.services:
        by_most.setdefault(scope.measured(service).most, []).append(service.name)
    for most, services in sorted(by_most.items()):
        yield Alarm(
            name=f"busy-{most}",
            why=f"A service has had as many instances as it may have, which are {most}, for a quarter of an hour.",
            metric="run.googleapis.com/container/instance_count",
            resource="cloud_run_revision",
            labels={_SERVICE: f"=~^({'|'.join(services)})$"} if len(by_most) > 1 else {},
            each=_SERVICE,
            aligner="ALIGN_MIN",
            reducer="REDUCE_SUM",
            above=most - 0.5,
            minutes=15,
        )


def _messages(scope: Scope) -> Iterator[Resource]:
    streams = names.stream(scope.system, "")
    yield Alarm(
        name="late",
        why="Messages have waited for five minutes.",
        metric="pubsub.googleapis.com/subscription/oldest_unacked_message_age",
        resource="pubsub_subscription",
        labels={_SUBSCRIPTION: f"=~^{streams}.*[.][^_].*$"},
        each=_SUBSCRIPTION,
        aligner="ALIGN_MAX",
        reducer="REDUCE_MAX",
        above=300,
    )
    yield Alarm(
        name="letters",
        why="There are dead letters: look with shoal dlq.",
        metric="pubsub.googleapis.com/subscription/num_undelivered_messages",
        resource="pubsub_subscription",
        labels={_SUBSCRIPTION: f"=~^{streams}.*[.]{LETTERS}$"},
        each=_SUBSCRIPTION,
        aligner="ALIGN_MAX",
        reducer="REDUCE_MAX",
        above=0,
    )
