"""Plan → every file for Google Cloud: images, and a folder for each environment with a file for each service."""

from collections.abc import Iterable, Mapping, Sequence

from shoal.deploy.cloud import images
from shoal.deploy.cloud.findings import ordered
from shoal.deploy.cloud.hcl import HEAD
from shoal.deploy.cloud.linked import linked
from shoal.deploy.cloud.resource import file_of
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.gcp import cluster, knative, openapi, reading, taking_over
from shoal.deploy.gcp.findings import findings as found_in
from shoal.deploy.gcp.hcl import frame, secrets
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.door import FILE
from shoal.deploy.gcp.hcl.references import LINK
from shoal.deploy.gcp.hcl.table import PRINTERS
from shoal.deploy.gcp.parts import resources
from shoal.deploy.gcp.resources import Door, Workload
from shoal.deploy.gcp.scope import Scope
from shoal.deploy.terraform.printer import document
from shoal.deploy.terraform.values import Block
from shoal.model.artifact import Artifact
from shoal.model.finding import Finding


def compile_gcp(scopes: Iterable[Scope]) -> tuple[Artifact, ...]:
    """Write every file, sorted by path; the same scopes give the same bytes."""
    every = tuple(scopes)
    found = [*(images.written(every[0]) if every else ()), *(one for scope in every for one in _environment(scope))]
    return tuple(sorted(found, key=lambda artifact: artifact.path))


def findings(scopes: Iterable[Scope]) -> tuple[Finding, ...]:
    """Say what cannot be expressed, and what is missing: errors first, each thing once."""
    return ordered(one for scope in scopes for one in found_in(scope))


def _environment(scope: Scope) -> Iterable[Artifact]:
    context = Context(scope=scope, resources=resources(scope))
    files, folder = _blocks(context), scope.environment.name
    yield from _written(folder, files)
    if (second := scope.standing_by()) is not None:
        other = Context(scope=second, resources=resources(second))
        yield from _written(f"{folder}/{STANDBY}", linked(_blocks(other), files, LINK))
        yield Artifact(path=f"{folder}/{STANDBY}/README.md", text=taking_over.page(other))
    yield Artifact(path=f"{folder}/README.md", text=reading.page(context))
    if not scope.run:
        yield Artifact(path=f"{folder}/kubernetes.toml", text=cluster.document(scope))
    for workload in context.all(Workload):
        yield Artifact(path=f"{folder}/run/{workload.name}.yaml", text=knative.document(workload, scope))
    for door in context.all(Door):
        if door.kind == "gateway":
            yield Artifact(path=f"{folder}/{FILE}", text=openapi.document(door, scope))


def _blocks(context: Context) -> dict[str, list[Block]]:
    files: dict[str, list[Block]] = {"main": [*frame.begin(context)], "keys": [*secrets.ring(context)]}
    for one in context.resources:
        topic, printer = PRINTERS[type(one)]
        files.setdefault(file_of(one, topic), []).extend(printer(one, context))
    files["outputs"] = [*frame.end(context)]
    return files


def _written(folder: str, files: Mapping[str, Sequence[Block]]) -> Iterable[Artifact]:
    for name, blocks in files.items():
        if blocks:
            yield Artifact(path=f"{folder}/{name}.tf", text=document(blocks, head=(HEAD.format("gcp"),)))
