"""Plan → every file for Azure: images, and a folder for each environment with a file for each service and topic."""

from collections.abc import Iterable, Mapping, Sequence

from shoal.deploy.azure import reading, taking_over
from shoal.deploy.azure.bicep import files as bicep
from shoal.deploy.azure.findings import findings as found_in
from shoal.deploy.azure.hcl import frame
from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.hcl.references import link
from shoal.deploy.azure.hcl.table import PRINTERS
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.resources import Door
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud import images
from shoal.deploy.cloud.findings import ordered
from shoal.deploy.cloud.hcl import HEAD
from shoal.deploy.cloud.linked import linked
from shoal.deploy.cloud.resource import file_of
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.terraform.printer import document
from shoal.deploy.terraform.values import Block
from shoal.model.artifact import Artifact
from shoal.model.finding import Finding


def compile_azure(scopes: Iterable[Scope]) -> tuple[Artifact, ...]:
    """Write every file, sorted by path; the same scopes give the same bytes."""
    every = tuple(scopes)
    found = [*(images.written(every[0]) if every else ()), *(one for scope in every for one in _environment(scope))]
    return tuple(sorted(found, key=lambda artifact: artifact.path))


def findings(scopes: Iterable[Scope]) -> tuple[Finding, ...]:
    """Say what cannot be expressed, and what is missing: errors first, each thing once."""
    return ordered(one for scope in scopes for one in found_in(scope))


def _environment(scope: Scope) -> Iterable[Artifact]:
    context = Context(scope=scope, resources=resources(scope))
    folder, files, second = scope.environment.name, _blocks(context), scope.standing_by()
    fenced = linked(files, {}, link(context)) if second is not None else files
    yield from _written(folder, fenced, context)
    yield Artifact(path=f"{folder}/README.md", text=reading.page(context))
    if scope.environment.bicep and scope.environment.standby is None:
        yield from bicep.compiled(context)
    if second is not None:
        other = Context(scope=second, resources=resources(second))
        yield from _written(f"{folder}/{STANDBY}", linked(_blocks(other), files, link(other)), other)
        yield Artifact(path=f"{folder}/{STANDBY}/README.md", text=taking_over.page(other))


def _blocks(context: Context) -> dict[str, list[Block]]:
    files: dict[str, list[Block]] = {"main": [*frame.begin(context)]}
    for one in context.resources:
        topic, printer = PRINTERS[type(one)]
        files.setdefault(file_of(one, topic), []).extend(printer(one, context))
    files["outputs"] = [*frame.end(context)]
    return files


def _written(folder: str, files: Mapping[str, Sequence[Block]], context: Context) -> Iterable[Artifact]:
    for name, blocks in files.items():
        yield Artifact(path=f"{folder}/{name}.tf", text=document(blocks, head=(HEAD.format("azure"),)))
    for door in context.all(Door):
        yield Artifact(path=f"{folder}/policies/all.xml", text=door.policy)
        for operation in door.operations:
            yield Artifact(path=f"{folder}/policies/{operation.name}.xml", text=operation.policy)
