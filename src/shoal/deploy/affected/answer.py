"""What is answered: for each service what is to be done again, and why. Pure data."""

from typing import Literal

from shoal.model.data import Data

Need = Literal["test", "build", "deploy"]

ALL: tuple[Need, ...] = ("test", "build", "deploy")
"""What new code asks for."""

TESTS: tuple[Need, ...] = ("test",)
"""What a change of somebody else's contract asks for: the code here is the same, and may not fit any more."""

DEPLOYS: tuple[Need, ...] = ("deploy",)
"""What a change of a manifest asks for: the image is the same."""

Kind = Literal["own", "import", "tests", "event", "operation", "contract", "deployment", "system", "unknown"]


class Reason(Data, frozen=True, kw_only=True):
    """One reason why a service is affected."""

    kind: Kind
    path: str
    """The file that has changed, or the contract: ``payments.captured.v1``, ``GET /prices``."""
    told: str
    """The rest of a sentence that begins with the service."""
    needs: tuple[Need, ...]


class Affected(Data, frozen=True, kw_only=True):
    """One service that is affected."""

    service: str
    folder: str = ""
    """Its folder; empty where it shares one."""
    needs: tuple[Need, ...]
    reasons: tuple[Reason, ...]


class Answer(Data, frozen=True, kw_only=True):
    """What a change concerns."""

    since: str
    """The revision that was compared with, in full; empty when there is none."""
    test: tuple[str, ...] = ()
    """Services to be tested."""
    build: tuple[str, ...] = ()
    """Services whose image is to be built."""
    deploy: tuple[str, ...] = ()
    """Services to be deployed."""
    everything: tuple[str, ...] = ()
    """Changed files that concern every service, or of which nobody knows whom they concern."""
    nothing: tuple[str, ...] = ()
    """Changed files that concern no service, such as pages."""
    whole: bool = False
    """Whether every service is to be tested, so that tests of all together are due."""
    services: tuple[Affected, ...] = ()


def answer(
    since: str, reasons: dict[str, list[Reason]], homes: dict[str, str], *, nothing: tuple[str, ...] = ()
) -> Answer:
    """Sum up the reasons, by service and in the order in which the services are declared."""
    services = []
    for service, found in reasons.items():
        if found:
            needs = tuple(need for need in ALL if any(need in reason.needs for reason in found))
            told = tuple(dict.fromkeys(found))
            services.append(Affected(service=service, folder=homes.get(service, ""), needs=needs, reasons=told))
    wide = (r.path for one in services for r in one.reasons if r.kind in ("system", "unknown"))
    return Answer(
        since=since,
        test=tuple(one.service for one in services if "test" in one.needs),
        build=tuple(one.service for one in services if "build" in one.needs),
        deploy=tuple(one.service for one in services if "deploy" in one.needs),
        everything=tuple(dict.fromkeys(wide)),
        nothing=nothing,
        whole=bool(services) and all("test" in one.needs for one in services) and len(services) == len(reasons),
        services=tuple(services),
    )
