"""E-mail: Communication Services, the domain in whose name mail goes out, and what services are told of both."""

from collections.abc import Iterator

from shoal.deploy.azure.resources import Lock, Mail
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.findings import Say
from shoal.deploy.cloud.needs import mails, unasked
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.cloud.values import Ref, Value, join
from shoal.model.finding import Finding
from shoal.model.plan import ServicePlan

SENDER = "DoNotReply"
"""Who sends, unless an environment says so: each domain has that one from the start ("Sender usernames")."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make them once for all services, and none where nobody sends mail."""
    mail = scope.environment.mail
    if mail is None or not senders(scope):
        return
    yield Mail(
        name="main", data=mail.data, domain=mail.domain, sender=mail.sender, verified=mail.verified,
        why="Asked by services as their identities; nobody is given a key.",
    )  # fmt: skip
    if scope.environment.protected and not scope.passive:
        yield Lock(name="mail", of=Ref("post", "main", "id"))


def senders(scope: Scope) -> list[ServicePlan]:
    """List the services that send e-mail."""
    return [service for service in scope.plan.services if mails(scope, service)]


def told(scope: Scope, service: ServicePlan) -> dict[str, Value]:
    """List what a service is told: where mail is asked for, who sends it, and that no server of SMTP does."""
    mail = scope.environment.mail
    if mail is None or not mails(scope, service):
        return {}
    known: dict[str, Value] = {"address": address()}
    if mail.domain:
        known["sender"] = f"{mail.sender or SENDER}@{mail.domain}"
    elif not scope.passive:
        known["sender"] = join(f"{SENDER}@", Ref("domain", "main", "sender"))
    read = {setting.variable for setting in scope.declared(service).settings}
    found = {name: known[what] for name, what in mail.tells.items() if name in read and what in known}
    return {**dict.fromkeys(unasked(scope, service), ""), **found}


def address() -> Value:
    """Say where Communication Services are."""
    return join("https://", Ref("mail", "main", "host"))


def findings(scope: Scope, say: Say) -> Iterator[Finding]:
    """Say what is missing until mail goes out, and which variables nobody reads."""
    environment, sending = scope.environment, senders(scope)
    mail = environment.mail
    if mail is None:
        return
    if not sending:
        message = f"{environment.name} has [mail], and no service sends any"
        yield say("26", "warning", message, "leave it out, or declare an external whose protocol is smtp")
        return
    if mail.domain and not mail.verified:
        message = f"nothing goes out in the name of {mail.domain} before Azure has seen its records"
        yield say("23", "warning", message, "follow README.md, then write verified = true below [mail]")
    elif not mail.domain:
        message = f"mail of {environment.name} goes out in the name of a domain of Azure's, which may send little"
        yield say("24", "info", message, "mail.domain = 'mail.example.com', whose records are yours")
    known = {setting.variable for service in sending for setting in scope.declared(service).settings}
    for name in sorted({*mail.tells} - known):
        message = f"[mail] tells {name}, which no service that sends mail reads"
        yield say("25", "error", message, f"they read: {', '.join(sorted(known)) or 'nothing'}")
    if environment.standby is not None and not mail.domain:
        message = f"the second region of {environment.name} does not know what Azure called the domain of the first"
        yield say("27", "error", message, "mail.domain = 'mail.example.com'")
