"""What a second region on Azure has not, what is brought to it by hand, and what is lost when it takes over."""

from collections.abc import Iterator

from shoal.deploy.azure.pairs import PAIRS
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.findings import Say
from shoal.deploy.cloud.settings import Standby
from shoal.model.finding import Finding


def findings(scope: Scope, say: Say) -> Iterator[Finding]:
    """List it: what cannot be, then what somebody has to do, or is not there at first."""
    other = scope.environment.standby
    if other is None:
        return
    if not scope.apps:
        message = f"the second region of {scope.environment.name} is not written for a cluster"
        yield say("30", "error", message, "take container apps: compute = 'container-apps', or leave out [standby]")
        return
    yield from _impossible(scope, say, other)
    yield from _lost(scope, say, other)
    yield from _by_hand(scope, say, other)


def _impossible(scope: Scope, say: Say, other: Standby) -> Iterator[Finding]:
    environment = scope.environment
    if environment.engines.registry != "Premium":
        message = f"a registry of the tier {environment.engines.registry} has images in one region alone"
        yield say("31", "error", message, "engines.registry = 'Premium'")
    if scope.users("postgres") and environment.engines.postgres.startswith("B_"):
        message = f"databases of {environment.engines.postgres} cannot be copied"
        yield say("32", "error", message, "engines.postgres = 'GP_Standard_D2ds_v5'")
    pair = PAIRS.get(environment.region, "")
    if scope.users("blob") and pair != other.region:
        known = f"whose pair is {pair}" if pair else "which has none that is known here"
        message = f"objects are copied to the paired region alone: {environment.region}, {known}, not {other.region}"
        help_ = f"standby.region = '{pair}'" if pair else f"take one of {', '.join(sorted(PAIRS))}"
        yield say("34", "error", message, help_)


def _lost(scope: Scope, say: Say, other: Standby) -> Iterator[Finding]:
    if scope.users("valkey"):
        message = f"caches are empty in {other.region}: sessions, leases and kept results are not copied"
        yield say("33", "info", message, "keep in a store what must not be lost")
    if scope.users("servicebus"):
        message = "messages in topics and dead letters stay in the first region; outboxes publish theirs again"
        yield say("37", "info", message, "look at dead letters when the first region is back")


def _by_hand(scope: Scope, say: Say, other: Standby) -> Iterator[Finding]:
    message = "secrets that somebody fills in, and keys of personal data, are brought to the second vault by hand"
    yield say("38", "info", message, "standby/README.md has the commands; again after each change")
    if scope.plan.routes:
        message = "each region has a gateway with an address of its own, and nothing turns from one to the other"
        yield say("36", "info", message, "change the record in your DNS when you take over; let it live for a minute")
    if other.copies:
        message = f"no copies run in {other.region} before it takes over: they could not write, and nobody asks them"
        yield say("35", "info", message, "leave out standby.copies")
    if scope.environment.bicep:
        message = f"{scope.environment.name} is written in Terraform alone, because of its second region"
        yield say("39", "info", message, "bicep = false")
