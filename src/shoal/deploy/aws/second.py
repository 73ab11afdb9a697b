"""What a second region does not have of the first, and what is to be known before it is relied on."""

from collections.abc import Iterator

from shoal.deploy.aws.scope import OWN, Scope
from shoal.deploy.cloud.findings import Say
from shoal.model.finding import Finding

_SPANNING = ("db.r5.", "db.r6g.")
"""Instances of DocumentDB that a cluster over two regions has (developer guide, "Global clusters": configuration)."""


def findings(scope: Scope, say: Say) -> Iterator[Finding]:
    """List it for the environment of the first region."""
    if scope.environment.standby is None:
        return
    if scope.environment.eks:
        message = f"{scope.environment.name} asks for a second region, which is written for services on Fargate only"
        yield say("30", "error", message, "write compute = 'fargate', or leave out [standby]")
        return
    yield from _kept(scope, say)
    yield from _reached(scope, say)


def _kept(scope: Scope, say: Say) -> Iterator[Finding]:
    instance = scope.environment.engines.mongo
    for service in scope.plan.services:
        where, used = scope.declared(service).source, scope.uses(service)
        if "mongo" in used.values() and not instance.startswith(_SPANNING):
            message = f"{instance} of {service.name} cannot follow in a second region: DocumentDB has no such copies"
            yield say("31", "error", message, "write [engines] mongo = 'db.r6g.large'", where)
        if "opensearch" in used.values():
            message = f"the indexes of {service.name} begin empty in the second region"
            yield say("32", "info", message, "the service fills them from its store when it starts there", where)
        if "dynamodb" in used.values():
            message = f"the table of {service.name} is copied item by item: a transaction may have arrived in part"
            yield say("33", "warning", message, "choose postgres for it where that must not be", where)
        if "redshift" in used.values():
            message = f"facts of {service.name} that are in the first region's warehouse are not in the second's"
            yield say("41", "warning", message, "what its outbox of facts still has goes into the second's", where)
        for role, server in used.items():
            if server not in OWN:
                message = f"{server}, the {role} of {service.name}, is run by others: nothing of it is copied"
                yield say("34", "warning", message, "have whoever runs it be reached from there, too", where)
    if scope.users("sns"):
        message = "messages in queues and dead letters of the first region stay there; outboxes publish theirs again"
        yield say("35", "info", message, "look at dead letters before they are older than 14 days")


def _reached(scope: Scope, say: Say) -> Iterator[Finding]:
    environment, other = scope.environment, scope.environment.standby
    if other is None:
        return
    if environment.cognito:
        message = f"people who sign in at the pool of {environment.name} are not known in that of the second region"
        yield say("36", "warning", message, "declare an issuer that is outside of both regions")
    if scope.plan.routes and environment.certificate and not environment.zone and not other.certificate:
        message = f"the API of {environment.name} has no name of its own in its second region"
        yield say("37", "warning", message, "write [standby] certificate = 'arn:...', of a certificate there")
    if scope.plan.routes and not environment.zone:
        message = f"clients are not led to the second region of {environment.name} by themselves"
        yield say("38", "warning", message, "write zone = 'Z...', or change the record of the host when it takes over")
    if environment.region == "us-east-1":
        message = (
            "records of Route 53 and rights of IAM are changed in us-east-1: where that region is gone, clients are "
            "led nowhere else, and nothing is taken from services of the first region"
        )
        yield say("39", "warning", message, "let another region be the first one, and us-east-1 stand by")
    if scope.plan.routes and environment.web_acl and not other.web_acl:
        message = f"the API of {environment.name} has no firewall in its second region"
        yield say("45", "warning", message, "apply standby/firewall.yaml, and write [standby] web_acl = 'arn:...'")
    for name, uses in _regional(scope):
        yield say("40", "warning", f"{name} has the address of the first region, {uses}", "write [standby.settings]")


def _regional(scope: Scope) -> Iterator[tuple[str, str]]:
    """Name the settings that speak of the first region, and are the same in the second."""
    environment, other = scope.environment, scope.environment.standby
    for name, text in sorted(environment.settings.items()):
        if other is not None and environment.region in text and name not in other.settings:
            yield name, text
