"""What Azure cannot express of a system, and what an environment lacks."""

from collections.abc import Iterator

from shoal.deploy.azure import addresses, edge, mail, naming, second
from shoal.deploy.azure.policies import counted, verified, whose
from shoal.deploy.azure.scope import OWN, Scope
from shoal.deploy.azure.target import meant
from shoal.deploy.cloud.findings import settings, teller
from shoal.deploy.cloud.system import IMPOSSIBLE
from shoal.model.finding import Finding
from shoal.model.plan import Route

_say = teller("AZURE")


def findings(scope: Scope) -> Iterator[Finding]:
    """List it, with the place of each declaration."""
    yield from (one for one in scope.plan.findings if one.severity == "error")
    yield from second.findings(scope, _say)
    yield from _engines(scope)
    yield from _network(scope)
    yield from _mails(scope)
    yield from mail.findings(scope, _say)
    if scope.apps:
        yield from _names(scope)
        yield from _door(scope)
        for route in scope.plan.routes:
            yield from _route(scope, route)
        if scope.plan.routes and any(service.calls for service in scope.plan.services):
            message = "within the environment every app reaches every other: calls are encrypted, but not restricted"
            yield _say("10", "info", message, "use compute = 'kubernetes' with its mesh where that is not enough")
    mailed = {variable for service in scope.plan.services for variable, _ in addresses.mailed(scope, service)}
    mailed |= {variable for service in scope.plan.services for variable in mail.told(scope, service)}
    yield from settings(scope, _say, mailed)


def _engines(scope: Scope) -> Iterator[Finding]:
    instead = meant(scope.plan.system)
    for service in scope.plan.services:
        where = scope.declared(service).source
        for role, engine in scope.engines(service).items():
            wanted = instead.get((service.name, role), "")
            if engine in IMPOSSIBLE:
                help_ = f"declare which engine it is meant for, or choose one: choose = ['{service.name}.{role}=...']"
                yield _say("01", "error", f"the {role} of {service.name} cannot be {engine} on Azure", help_, where)
            elif scope.uses(service)[role] not in OWN:
                help_ = f"fill in the secret {naming.secret(scope.system, service.name, f'{role}-url')}"
                yield _say("02", "info", f"{engine}, the {role} of {service.name}, is run by others", help_, where)
            elif wanted and wanted != engine:
                message = f"the {role} of {service.name} is {engine} on Azure, and not {wanted}"
                yield _say("03", "info", message, _INSTEAD[wanted].format(f"{service.name}.{role}"), where)


_INSTEAD = {
    "mongo": "Cosmos DB's own interface of MongoDB commits no several collections; choose = ['{}=mongo'] takes Atlas "
    "or Azure DocumentDB, whose address is a secret",
    "dynamodb": "no driver speaks to Cosmos DB; documents in PostgreSQL keep the same promises",
    "firestore": "no driver speaks to Cosmos DB; documents in PostgreSQL keep the same promises",
    "s3": "objects lie in Azure Storage, which its driver knows",
    "gcs": "objects lie in Azure Storage, which its driver knows",
    "opensearch": "choose = ['{}=opensearch'] takes Elastic's service on Azure, whose address is a secret",
}


def _network(scope: Scope) -> Iterator[Finding]:
    environment = scope.environment
    if environment.protected and not environment.operators:
        message = f"the vault of {environment.name} is closed to whoever applies the files from outside its network"
        yield _say("11", "warning", message, "say from where: operators = ['203.0.113.7'], or apply from inside")
    for field, what, users in (
        ("servicebus", "Service Bus", scope.users("servicebus")), ("registry", "the registry", scope.plan.services),
    ):  # fmt: skip
        if users and getattr(environment.engines, field) != "Premium":
            message = f"{what} of {environment.name} has an address outside, where identities alone get in"
            yield _say("12", "info", message, f"engines.{field} = 'Premium' has one inside, and costs more")
    if environment.protected and scope.users("postgres") and not scope.second:
        message = f"databases of {environment.engines.postgres} have no second copy in another zone"
        yield _say("13", "warning", message, "engines.postgres = 'GP_Standard_D2ds_v5' has one")


def _mails(scope: Scope) -> Iterator[Finding]:
    """Say which passwords of mail servers are to be filled in, and that none belongs into a file."""
    for service in scope.plan.services:
        where = scope.declared(service).source
        for variable, name in addresses.mailed(scope, service):
            own = naming.secret(scope.system, service.name, name)
            message = f"{service.name} sends e-mail by SMTP with a password, which no managed identity can be"
            help_ = (
                f"fill in the secret {own}, or send by the interface of Communication Services, and write [settings] "
                f'{variable} = ""; see docs/azure.md'
            )
            yield _say("20", "info", message, help_, where)
            if variable in scope.environment.settings:
                message = f"{variable} of {scope.environment.name} names somebody, and would be read by everyone"
                yield _say("17", "error", message, f"take it out of the file, and fill in the secret {own}", where)


def _names(scope: Scope) -> Iterator[Finding]:
    for service in scope.plan.services:
        if not naming.fits(service.name) and scope.callers.get(service.name):
            message = f"{service.name} is no name of a container app, by which others could call it"
            help_ = f"name it with at most {naming.APP} letters, digits and single hyphens, a letter first"
            yield _say("16", "error", message, help_, scope.declared(service).source)


def _door(scope: Scope) -> Iterator[Finding]:
    gateway = scope.plan.system.gateway
    if gateway.verifies and scope.plan.routes and not verified(scope):
        message = (
            "tokens are verified by the services, not by the gateway, which knows key sets by https and RS256 alone"
        )
        yield _say("04", "info", message, "they refuse what is not signed for them")
    for application in gateway.legacy:
        message = f"the old application {application.name} is not led to"
        yield _say(
            "06", "warning", message, "add its operations to the API, or take its paths over", application.source
        )
    if scope.plan.aliases:
        message = f"versions are found by their paths only: the header {gateway.versions.header} is not looked at"
        yield _say("07", "warning", message, "call /v2/...")
    if scope.plan.routes and scope.environment.gateway.startswith("Developer") and scope.environment.protected:
        message = f"the gateway of {scope.environment.name} is of a tier without any promise"
        yield _say("08", "warning", message, "gateway = 'StandardV2_1'")


def _route(scope: Scope, route: Route) -> Iterator[Finding]:
    endpoint = scope.plan.system.service(route.service).endpoint(route.endpoint)
    where, name = endpoint.source if endpoint is not None else "", f"{route.method} {route.path}"
    if route.edge.socket is not None:
        message = f"{name} is not served: an operation of API Management is no WebSocket"
        yield _say("05", "warning", message, "use compute = 'kubernetes'", where)
    elif route.edge.stream is not None or route.policy.timeout > edge.LONGEST:
        help_ = "clients come again, or ask another way"
        yield _say("05", "warning", f"{name} ends after {edge.LONGEST:g} s, whatever it says", help_, where)
    if "*" in route.path:
        message = f"{name} would serve whatever stands where its '*' does: API Management takes it for anything"
        yield _say("22", "error", message, "write another path", where)
    limit = route.edge.limit
    if limit is not None and counted(limit) != (limit.size, limit.per):
        calls, seconds = counted(limit)
        message = f"the rate limit of {name} is {calls} requests in {seconds} s, all of which may come at once"
        yield _say("19", "info", message, "API Management counts windows, and no buckets", where)
    if limit is not None and limit.whose(signed_in=route.access.kind == "principal") != whose(scope, route, limit):
        message = f"the rate limit of {name} is for each address, not for each principal"
        help_ = "the gateway does not verify these tokens; write by='address' where that is meant"
        yield _say("21", "warning", message, help_, where)
