"""What `shoal cost` needs before it can count: the cloud that is meant, the usage, the prices."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shoal.cli import pricetables
from shoal.cli.pricetables import prices, text
from shoal.cli.program import Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.cost.cloud import Cloud
    from shoal.cost.measured import Run
    from shoal.cost.usage import Usage
    from shoal.model.plan import Plan

__all__ = ["RUN", "Used", "known", "place", "prices", "require_known", "require_services", "text", "used"]

RUN = "run"
"""What is said for usage that a run measured."""

_ALSO = {"google": "gcp", "google-cloud": "gcp"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """How much a system is used, and where that is known from."""

    usage: "Usage"
    where: str = ""
    """File that says so; empty for what is assumed or measured."""
    run: "Run | None" = None
    requests: Decimal | None = None
    """Of a month, where the command says so."""

    def fitting(self, plan: "Plan") -> "Usage":
        """Return it for a system; raises `DeclarationError` when a file names what the system does not have."""
        from shoal.cost import month

        if self.where:
            month.check(plan, self.usage, where=self.where)
        return month.known(plan, self.usage)

    def told(self) -> Iterator[str]:
        """Say what was measured."""
        from shoal.cost.measured import statement

        if self.run is not None:
            yield from statement(self.run, requests=self.requests)


def place(root: Path, target: str, region: str = "") -> "tuple[Cloud[Any, Any], Any]":
    """Find the cloud that is meant, and the environment on it, in a region where one is said."""
    import msgspec

    from shoal.cost.clouds import CLOUDS

    target = _ALSO.get(target, target)
    if target in CLOUDS:
        cloud = CLOUDS[target]
        environment = cloud.environments[-1]
    elif Path(target).suffix:
        cloud, environment = _written(root, Path(target))
    else:
        known = ", ".join(CLOUDS)
        hint = f"ask for one of {known}, or name a file of settings; --compare has Kubernetes on each"
        raise DeclarationError(f"what {target} costs is not known", hint=hint)
    if not region:
        return cloud, environment
    try:
        return cloud, msgspec.structs.replace(environment, region=region)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--region") from error


def require_services(plan: "Plan", environment: Any) -> None:
    """Refuse sizes of what is no service, as `shoal deploy` does: they would count as nothing."""
    services = [service.name for service in plan.services]
    odd = next((name for name in sorted(environment.services) if name not in services), None)
    if odd is not None:
        near = get_close_matches(odd, services, n=1)
        hint = f"did you mean {near[0]}?" if near else f"services are: {', '.join(sorted(services))}"
        raise DeclarationError(f"{environment.name} sizes {odd}, which is no service", hint=hint)


def known(
    root: Path, cloud: "Cloud[Any, Any]", environment: Any, wanted: tuple[str, ...]
) -> "tuple[Cloud[Any, Any], Any]":
    """Move an environment to the region that is wanted of its cloud, or to one of which there are prices."""
    import msgspec

    priced = pricetables.regions(root, cloud.name)
    own = (environment.region,) if environment.region in priced else priced
    region = next((one for one in (*wanted, *own) if one in priced), environment.region)
    return cloud, msgspec.structs.replace(environment, region=region)


def require_known(root: Path, wanted: tuple[str, ...]) -> None:
    """Refuse regions of which no cloud has prices."""
    from shoal.cost.clouds import CLOUDS

    every = {name: pricetables.regions(root, name) for name in CLOUDS}
    for region in wanted:
        if not any(region in some for some in every.values()):
            told = "; ".join(f"{name}: {', '.join(some)}" for name, some in every.items())
            raise click.BadParameter(f"no cloud has known prices in {region}; {told}", param_hint="--region")


def used(context: Global, said: str, run: int | None, requests: int | None) -> Used:
    """Read usage from a file, from a run, or take what is assumed.

    Raises:
        DeclarationError: The file is no usage, or the run had no requests.
        HostError: There is no such run.
    """
    import msgspec

    from shoal.cost.usage import Usage, exactly, read

    wanted = Decimal(requests) if requests is not None else None
    if said == RUN:
        return _measured(context, run, wanted)
    if run is not None:
        raise click.UsageError("--run chooses the run that measured the usage: say --usage run, too")
    found = read(text(context.root, Path(said), "usage.toml"), where=said) if said else Usage()
    if wanted is not None:
        found = msgspec.structs.replace(found, requests=exactly(wanted), endpoints={})
    return Used(usage=found, where=said)


def _measured(context: Global, number: int | None, requests: Decimal | None) -> Used:
    from shoal.cost import measured
    from shoal.dashboard.store import runs
    from shoal.dashboard.store.reading import database
    from shoal.dashboard.store.reading import used as sums

    file = runs.find(runs.folder_of(context.root), number or 0)
    with database(file) as opened:
        run = sums(opened, runs.number_of(file))
    if not run.requests:
        raise DeclarationError(
            f"run {run.number} had no requests, so nothing follows for a month",
            hint="ask the running system for something, or `shoal load` it, and look again",
        )
    return Used(usage=measured.usage(run, requests=requests), run=run, requests=requests)


def _written(root: Path, file: Path) -> "tuple[Cloud[Any, Any], Any]":
    """Read settings of an environment: of the cloud that takes them.

    Where several do, it is that after which the file is called, as ``gcp-production.toml`` is, then that whose region
    it names, then the first.
    """
    from shoal.cost.clouds import CLOUDS

    written = text(root, file, "targets/aws-production.toml")
    found, problems = [], []
    for cloud in CLOUDS.values():
        try:
            found.append((cloud, cloud.read(written, where=str(file))))
        except DeclarationError as error:
            problems.append(error)
    if not found:
        raise problems[0]
    called = [pair for pair in found if pair[0].name == file.stem.partition("-")[0]]
    priced = (pair for pair in called or found if pair[1].region in pricetables.regions(root, pair[0].name))
    return next(priced, (called or found)[0])
