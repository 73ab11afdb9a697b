"""Which cloud is meant, and which environment on it, in a region of which there are prices."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shoal.cli.costing import tables
from shoal.cli.costing.files import text
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.cost.cloud import Cloud
    from shoal.model.plan import Plan

_ALSO = {"google": "gcp", "google-cloud": "gcp"}


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
        hint = f"ask for one of {known}, or name a file of settings; shoal cost --compare has Kubernetes on each"
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

    priced = tables.regions(root, cloud.name)
    own = (environment.region,) if environment.region in priced else priced
    region = next((one for one in (*wanted, *own) if one in priced), environment.region)
    return cloud, msgspec.structs.replace(environment, region=region)


def require_known(root: Path, wanted: tuple[str, ...]) -> None:
    """Refuse regions of which no cloud has prices."""
    from shoal.cost.clouds import CLOUDS

    every = {name: tables.regions(root, name) for name in CLOUDS}
    for region in wanted:
        if not any(region in some for some in every.values()):
            told = "; ".join(f"{name}: {', '.join(some)}" for name, some in every.items())
            raise click.BadParameter(f"no cloud has known prices in {region}; {told}", param_hint="--region")


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
    priced = (pair for pair in called or found if pair[1].region in tables.regions(root, pair[0].name))
    return next(priced, (called or found)[0])
