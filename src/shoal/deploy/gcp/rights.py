"""Service accounts: what each service may do follows from what it declares, and nothing else is allowed."""

from collections.abc import Iterator

from shoal.deploy.cloud.needs import Need, needs
from shoal.deploy.cloud.values import Ref
from shoal.deploy.gcp import cluster, naming
from shoal.deploy.gcp.messages import TURN, named
from shoal.deploy.gcp.resources import Account, Grade, Resource, Right, Turn
from shoal.deploy.gcp.scope import Scope
from shoal.deploy.gcp.secrets import files, variables
from shoal.deploy.gcp.workloads import OPERATOR
from shoal.model.plan import ServicePlan

DELIVERY, GATEWAY = "pipelines_delivery", "gateway"
"""Accounts that are no service's; no service has such a name."""

NODES = "cluster_nodes"
"""Who machines of a cluster are; no service has such a name."""

STREAMS, READER = "streams", "secrets-reader"
"""Accounts of a cluster that manifests name: of the job that declares streams, and of who reads secrets."""

_MACHINES = "Machines write logs and fetch images. Without an account of their own they are the project's default one."

LISTS, DECLARES = "listsStreams", "declaresStreams"

ENCRYPTS = "roles/cloudkms.cryptoKeyEncrypterDecrypter"

GRADES = {
    LISTS: ("Knows which streams there are", ("pubsub.topics.get", "pubsub.topics.list")),
    DECLARES: (
        "Declares streams, and reads no message of them",
        (
            "pubsub.subscriptions.create", "pubsub.subscriptions.delete", "pubsub.subscriptions.get",
            "pubsub.subscriptions.list", "pubsub.subscriptions.update", "pubsub.topics.attachSubscription",
            "pubsub.topics.create", "pubsub.topics.delete", "pubsub.topics.get", "pubsub.topics.list",
        ),
    ),
}  # fmt: skip
"""Roles of our own → title and permissions; Google's would allow more, or on more."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make an account for each service, and one for each other who does something."""
    if scope.users("pubsub") and not scope.passive:
        for name, (title, permissions) in GRADES.items():
            yield Grade(name=name, title=title, permissions=permissions)
    for service in scope.plan.services:
        yield Account(
            name=service.name,
            service=service.name,
            account=scope.apart(naming.account(service.name), naming.ACCOUNT),
            source=scope.declared(service).source,
            rights=tuple(_service(scope, service)),
            namespace=scope.namespace,
        )
    if scope.users("pubsub"):
        name, why = OPERATOR if scope.run else STREAMS, "Declares streams, and nothing else."
        rights = tuple(_operator(scope))
        account = scope.apart(OPERATOR, naming.ACCOUNT)
        yield Account(name=name, account=account, rights=rights, namespace=scope.namespace, why=why)
    if not scope.run:
        reads = tuple(
            Right(role="roles/secretmanager.secretAccessor", on=Ref("secret", one.name, "id"))
            for one in cluster.secrets(scope)
        )
        why = "Reads secrets for everybody in the cluster (External Secrets)."
        yield Account(name=READER, account=READER, rights=reads, namespace=scope.namespace, why=why)
        yield Account(name=NODES, account="cluster-nodes", rights=tuple(_nodes(scope)), why=_MACHINES)
    if scope.run and scope.plan.routes and not scope.environment.balanced:
        called = tuple(_calls(service, "The gateway leads to it.") for service in scope.exposed)
        yield Account(name=GATEWAY, account="api-gateway", rights=called, why="Who the gateway is to services.")
    if scope.passive:
        yield from _turns(scope)
    if scope.environment.repository:
        yield Account(
            name=DELIVERY, account="delivery", rights=tuple(_delivery(scope)), repository=scope.environment.repository
        )


def turned(scope: Scope, need: Need) -> bool:
    """Tell whether a right is taken away when a second region takes over: subscriptions are the same in both."""
    return scope.environment.standby is not None and need.server == "pubsub"


def _turns(scope: Scope) -> Iterator[Resource]:
    """Give services of the first region what the second takes away from them."""
    beside = scope.origin()
    for service in scope.plan.services:
        wanted = [one for one in needs(beside, service) if turned(beside, one)]
        rights = tuple(right for one in wanted for right in _need(beside, service, one))
        if rights:
            why = "Until this region takes over: two that hear the same events would each have some of them."
            yield Turn(
                name=service.name, service=service.name, account=naming.account(service.name), rights=rights, why=why
            )


def _service(scope: Scope, service: ServicePlan) -> Iterator[Right]:
    wanted = [*needs(scope, service)]
    for one in wanted:
        if not turned(scope, one):
            yield from _need(scope, service, one)
    if any(one.server == "pubsub" for one in wanted):
        yield Right(role=LISTS, why="Which streams there are.")
    if scope.run:
        for called in sorted({call.service for call in service.calls}):
            yield _calls(called, "It declares a call of it.")
        secrets = [*variables(scope, service).values(), *files(scope, service).values()]
        for secret in dict.fromkeys(secrets):
            yield Right(role="roles/secretmanager.secretAccessor", on=secret)
    if scope.environment.collector:
        yield Right(role="roles/cloudtrace.agent", why="Traces; there is nothing narrower that could be named.")
        yield Right(role="roles/monitoring.metricWriter")


def _need(scope: Scope, service: ServicePlan, need: Need) -> Iterator[Right]:
    match need.verb, need.server:
        case "publish", "pubsub":
            yield Right(role="roles/pubsub.publisher", on=Ref("topic", need.thing, "name"), why=need.why)
        case "hear", "pubsub":
            heard = Ref("subscription", named(need.thing, need.consumer), "name")
            yield Right(role="roles/pubsub.subscriber", on=heard, why=need.why)
        case "store", "firestore":
            database = f"projects/{scope.project}/databases/{naming.database(service.name)}"
            yield Right(role="roles/datastore.user", when=f'resource.name == "{database}"', why=need.why)
        case "report", "bigquery":
            yield Right(role="roles/bigquery.dataEditor", on=Ref("dataset", service.name, "id"), why=need.why)
            yield Right(role="roles/bigquery.jobUser", why="Asks questions; of what is said by the dataset.")
        case "keep", "gcs":
            yield Right(role="roles/storage.objectUser", on=Ref("bucket", service.name, "name"), why=need.why)
        case "wrap", _:
            yield Right(role=ENCRYPTS, on=Ref("key", f"personal-{service.name}", "id"), why=need.why)


def _calls(service: str, why: str) -> Right:
    return Right(role="roles/run.invoker", on=Ref("workload", service, "name"), why=why)


def _nodes(scope: Scope) -> Iterator[Right]:
    yield Right(role="roles/container.defaultNodeServiceAccount", why="What GKE's own programs on a machine need.")
    yield Right(role="roles/artifactregistry.reader", on=Ref("repository", scope.system, "name"))


def _operator(scope: Scope) -> Iterator[Right]:
    yield Right(role=DECLARES)
    for stream in scope.plan.streams:
        if stream.letters:
            turn = Ref("topic", named(stream.name, TURN), "name")
            yield Right(role="roles/pubsub.publisher", on=turn, why="Lets the first reader have its turn.")


def _delivery(scope: Scope) -> Iterator[Right]:
    """Push images, write new revisions, and run them as the accounts that are here."""
    yield Right(role="roles/artifactregistry.writer", on=Ref("repository", scope.system, "name"))
    if not scope.run:
        yield Right(role="roles/container.developer", why="Applies manifests; the cluster's own roles narrow it.")
        return
    services = [service.name for service in scope.plan.services]
    operator = [OPERATOR] if scope.users("pubsub") else []
    for service in services:
        yield Right(role="roles/run.developer", on=Ref("workload", service, "name"))
    for name in operator:
        yield Right(role="roles/run.developer", on=Ref("operator", name, "name"))
    for name in (*services, *operator):
        yield Right(role="roles/iam.serviceAccountUser", on=Ref("account", name, "id"), why="It runs as this account.")
