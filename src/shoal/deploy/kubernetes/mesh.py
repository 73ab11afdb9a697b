"""Who carries calls between services: one renderer for each mesh, with what it cannot express."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from shoal.deploy.kubernetes.istio import findings as istio_findings
from shoal.deploy.kubernetes.istio import render as istio
from shoal.deploy.kubernetes.linkerd import findings as linkerd_findings
from shoal.deploy.kubernetes.linkerd import render as linkerd
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Mesh
from shoal.deploy.kubernetes.sheet import Made
from shoal.model.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """How one mesh says what is declared."""

    make: Callable[[Scope], Iterable[Made]]
    findings: Callable[[Scope], Iterable[Finding]]


def _nothing(_: Scope) -> Iterator[Made]:
    yield from ()


def _bare(_: Scope) -> Iterator[Finding]:
    message = "without a mesh calls are not encrypted, and callers are told apart by the network's policies only"
    yield Finding(code="DEPLOY-MESH-01", severity="warning", message=message, help='say mesh = "istio"')


RENDERERS: Mapping[Mesh, Renderer] = {
    "istio": Renderer(make=istio.make, findings=istio_findings.findings),
    "istio-ambient": Renderer(make=istio.make, findings=istio_findings.findings),
    "linkerd": Renderer(make=linkerd.make, findings=linkerd_findings.findings),
    "none": Renderer(make=_nothing, findings=_bare),
}


def make(scope: Scope) -> Iterable[Made]:
    """Make what the chosen mesh is told."""
    return RENDERERS[scope.mesh].make(scope)


def findings(scope: Scope) -> Iterable[Finding]:
    """Say what it cannot express."""
    return RENDERERS[scope.mesh].findings(scope)
