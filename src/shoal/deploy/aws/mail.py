"""E-mail: the identity of SES in whose name mail goes out, which services ask by their role."""

from collections.abc import Iterator

from shoal.deploy.aws.resources import Address, Resource
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud.findings import Say
from shoal.deploy.cloud.needs import mails, unasked
from shoal.deploy.cloud.values import Value
from shoal.model.finding import Finding
from shoal.model.plan import ServicePlan


def make(scope: Scope) -> Iterator[Resource]:
    """Make it once for all services: of a domain that the environment names, or of one that is verified by hand."""
    if _sent(scope):
        mail = scope.environment.mail
        why = "Until its domain is verified, nothing is sent."
        yield Address(name="mail", domain=mail.domain if mail else "", zone=mail.zone if mail else "", why=why)


def told(scope: Scope, service: ServicePlan) -> dict[str, Value]:
    """Say that no server of SMTP is asked, where SES is."""
    return dict.fromkeys(unasked(scope, service), "") if scope.environment.mail is not None else {}


def findings(scope: Scope, say: Say) -> Iterator[Finding]:
    """Say where mail is prepared that nobody sends."""
    if scope.environment.mail is not None and not _sent(scope):
        message = f"{scope.environment.name} has [mail], and no service sends any"
        yield say("46", "warning", message, "leave it out, or declare an external whose protocol is smtp")


def _sent(scope: Scope) -> bool:
    return any(mails(scope, service) for service in scope.plan.services)
