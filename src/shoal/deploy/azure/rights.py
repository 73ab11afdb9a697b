"""Identities, and what each may do: it follows from what its service declares, and nothing else is allowed.

Roles are those that Azure has, and a few of our own, each given on one thing: a topic, a container, a secret, an app.
"""

from collections.abc import Iterator

from shoal.deploy.azure import messages, secrets
from shoal.deploy.azure.resources import Grade, Identity, Right
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.needs import mails
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.cloud.values import Ref
from shoal.model import names
from shoal.model.plan import ServicePlan

OPERATOR, DELIVERY = "operator", "delivery"

PULL, PUSH = "AcrPull", "AcrPush"
SEND, LISTEN = "Azure Service Bus Data Sender", "Azure Service Bus Data Receiver"
MANAGE = "Azure Service Bus Data Owner"
OBJECTS, LENDING = "Storage Blob Data Contributor", "Storage Blob Delegator"
READ, WRAP, FILL = "Key Vault Secrets User", "Key Vault Crypto Service Encryption User", "Key Vault Administrator"
MAIL = "Communication and Email Service Owner"
"""The narrowest role with which mail is sent; it is given on Communication Services, and not on their domains."""

GRADES = {
    "delivers": (
        "Microsoft.App/containerApps/read", "Microsoft.App/containerApps/write",
        "Microsoft.App/containerApps/revisions/read",
    ),
    "places": ("Microsoft.App/managedEnvironments/read", "Microsoft.App/managedEnvironments/join/action"),
    "lends": (
        "Microsoft.ManagedIdentity/userAssignedIdentities/read",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    ),
    "starts": (
        "Microsoft.App/jobs/read", "Microsoft.App/jobs/executions/read", "Microsoft.App/jobs/start/action",
    ),
}  # fmt: skip
"""Roles of our own → what they allow ("Azure permissions for Compute", "for Identity"). Azure's own for container apps
allow every action of them, which is to show the secrets of one, too. An app that is written as a whole names its
environment and its identity again, so Azure asks for the rights to do that ("LinkedAuthorizationFailed")."""

DELIVER, PLACE, LEND, START = GRADES


def make(scope: Scope) -> Iterator[Resource]:
    """Make the identity of each service and its rights, and those of who operates and delivers."""
    yield Right(
        name="applies", identity="", role=FILL, scope=Ref("vault", "main", "id"), why="Who applies writes secrets."
    )
    for service in scope.plan.services:
        source = scope.declared(service).source
        account = "" if scope.apps else f"{scope.named()}:{service.name}"
        yield Identity(name=service.name, service=service.name, source=source, account=account)
        for number, (role, on, why) in enumerate(_service(scope, service)):
            yield Right(
                name=f"{service.name}-{number}",
                service=service.name,
                identity=service.name,
                role=role,
                scope=on,
                why=why,
            )
    if scope.users("servicebus"):
        yield Identity(name=OPERATOR, why="Declares streams.", account="" if scope.apps else f"{scope.named()}:streams")
        yield Right(name=f"{OPERATOR}-0", identity=OPERATOR, role=MANAGE, scope=Ref("bus", "main", "id"))
        yield Right(name=f"{OPERATOR}-1", identity=OPERATOR, role=PULL, scope=Ref("registry", "main", "id"))
    if not scope.apps:
        yield Identity(name="secrets-reader", account=f"{scope.named()}:secrets-reader", why="Reads for the cluster.")
        yield Right(name="secrets-reader-0", identity="secrets-reader", role=READ, scope=Ref("vault", "main", "id"))
    yield from _delivery(scope)


def _service(scope: Scope, service: ServicePlan) -> Iterator[tuple[str, Ref, str]]:
    used = set(scope.uses(service).values())
    if scope.apps:
        yield PULL, Ref("registry", "main", "id"), "Its image."
        held = dict.fromkeys([*secrets.variables(scope, service).values(), *secrets.held(scope, service).values()])
        for name in held:
            yield READ, Ref("secret", name, "scope"), ""
    if service.broker is not None and "servicebus" in used:
        yield from _broker(scope, service)
    if "blob" in used:
        yield OBJECTS, Ref("container", service.name, "id"), "Its own objects."
        yield LENDING, Ref("account", service.name, "id"), "Lends single objects for a time."
    if scope.declared(service).personal:
        yield WRAP, Ref("key", f"personal-{service.name}", "scope"), "Wraps the keys of its personal data."
    if scope.environment.mail is not None and mails(scope, service):
        yield MAIL, Ref("mail", "main", "id"), "It sends e-mail."


def _broker(scope: Scope, service: ServicePlan) -> Iterator[tuple[str, Ref, str]]:
    broker = service.broker
    assert broker is not None  # noqa: S101 - asked before
    if broker.stream:
        yield SEND, Ref("topic", broker.stream, "id"), "Its own events."
    if broker.consumers:
        yield SEND, Ref("topic", names.dead_letter_stream(scope.system, service.name), "id"), "Its own dead letters."
    for one in broker.consumers:
        yield LISTEN, Ref("subscription", messages.named(one), "id"), "What it subscribed to."
    known = Ref("subscription", f"{messages.REGISTRY}/{messages.LETTERS}", "id")
    yield LISTEN, known, "Which streams there are."


def _delivery(scope: Scope) -> Iterator[Resource]:
    """Let pipelines push images and bring new versions of apps; a cluster is delivered to by other means."""
    environment = scope.environment
    if not environment.repository:
        return
    yield Identity(name=DELIVERY, trusts="pipelines", repository=environment.repository)
    yield Right(name=f"{DELIVERY}-0", identity=DELIVERY, role=PUSH, scope=Ref("registry", "main", "id"))
    if not scope.apps:
        return
    wanted = [(PLACE, "place", "main")]
    for service in scope.plan.services:
        wanted += [(DELIVER, "workload", service.name), (LEND, "identity", service.name)]
    wanted += [(START, "job", OPERATOR)] if scope.users("servicebus") else []
    for role in dict.fromkeys(role for role, _, _ in wanted):
        yield Grade(name=role, actions=GRADES[role])
    for role, kind, name in wanted:
        yield Right(name=f"{DELIVERY}-{role}-{name}", identity=DELIVERY, role=role, scope=Ref(kind, name, "id"))
