"""What a second region on Google Cloud has not, and what is lost when it takes over."""

from collections.abc import Iterator

from shoal.deploy.cloud.findings import Say
from shoal.deploy.cloud.settings import Standby
from shoal.deploy.gcp.scope import FIRESTORE, Scope
from shoal.model.finding import Finding


def findings(scope: Scope, say: Say) -> Iterator[Finding]:
    """List it: what cannot be, then what is not there yet, or is not there at first."""
    other = scope.environment.standby
    if other is None:
        return
    if not scope.run:
        message = f"the second region of {scope.environment.name} is not written for a cluster"
        yield say("30", "error", message, "take Cloud Run: compute = 'cloud-run', or leave out [standby]")
        return
    yield from _impossible(scope, say)
    yield from _empty(scope, say, other)
    message = "keys of personal data, documents and secrets stay where they were made first; images are pushed anew"
    yield say("38", "info", message, "ask for the second region before there is data; docs/how-to/second-region.md")


def _impossible(scope: Scope, say: Say) -> Iterator[Finding]:
    for service in scope.users("firestore") if scope.wide not in FIRESTORE else ():
        message = f"Firestore, the store of {service.name}, is in no two regions of {scope.wide}"
        help_ = f"take {' or '.join(FIRESTORE)}, or choose = ['{service.name}.store=documents']"
        yield say("31", "error", message, help_, scope.declared(service).source)
    if scope.plan.routes and not scope.environment.balanced:
        message = "an API Gateway belongs to one region, and has its address from there"
        yield say("32", "error", message, "take a balancer, which the second region turns: hosts = [...]")
    if scope.environment.inside:
        message = "programs in the network that are not here find services of the first region alone"
        yield say("36", "warning", message, "let them call the balancer that clients call")


def _empty(scope: Scope, say: Say, other: Standby) -> Iterator[Finding]:
    if scope.users("valkey"):
        message = f"the cache is empty in {other.region}: sessions, leases and kept results are not copied"
        yield say("33", "info", message, "keep in a store what must not be lost")
    for service in scope.users("bigquery"):
        message = f"facts of {service.name} that BigQuery has are not copied to {other.region}, where new ones begin"
        yield say(
            "34", "info", message, "ask both datasets, once both regions are there", scope.declared(service).source
        )
    if scope.users("pubsub"):
        message = "events that were published and not heard stay in the region in which they were published"
        yield say("37", "info", message, "they are heard when it is back; what was not published yet is in the stores")
    if other.copies:
        message = f"no copies run in {other.region} before it takes over: Cloud Run starts them when they are asked"
        yield say("35", "info", message, "leave out standby.copies")
