"""The parts of what is written, in the order in which they are asked. A new part is a file and a line."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shoal.deploy.kubernetes import (
    configuration,
    edge,
    edge_findings,
    images,
    jobs,
    mesh,
    network,
    overlays,
    placing,
    readme,
    scaling,
    schedules,
    secrets,
    versions,
    workloads,
)
from shoal.deploy.kubernetes.monitoring import part as monitoring
from shoal.deploy.kubernetes.monitoring import scraping
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Made
from shoal.model.finding import Finding


def _no_findings(_: Scope) -> Iterable[Finding]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What makes some of the files, and says what it cannot express."""

    name: str
    make: Callable[[Scope], Iterable[Made]]
    findings: Callable[[Scope], Iterable[Finding]] = _no_findings


PARTS = (
    Part(name="workloads", make=workloads.make, findings=scaling.findings),
    Part(name="configuration", make=configuration.make, findings=configuration.findings),
    Part(name="jobs", make=jobs.make),
    Part(name="schedules", make=schedules.make, findings=schedules.findings),
    Part(name="network", make=network.make),
    Part(name="edge", make=edge.make, findings=edge_findings.findings),
    Part(name="mesh", make=mesh.make, findings=mesh.findings),
    Part(name="engines", make=overlays.engines, findings=placing.findings),
    Part(name="overlays", make=overlays.make),
    Part(name="secrets", make=secrets.make),
    Part(name="versions", make=versions.make, findings=versions.findings),
    Part(name="images", make=images.make),
    Part(name="readme", make=readme.make),
    Part(name="monitoring", make=monitoring.make, findings=scraping.findings),
)
