"""Plan → every file for AWS: images, and a folder for each environment with a file for each service and each topic."""

from collections.abc import Iterable, Sequence

from shoal.deploy.aws import eksctl, firewall, pods, reading, taking_over
from shoal.deploy.aws.findings import findings as found_in
from shoal.deploy.aws.hcl import eks, frame, stores
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.hcl.table import printed
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.resources import Door
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud import images
from shoal.deploy.cloud.findings import ordered
from shoal.deploy.cloud.hcl import HEAD
from shoal.deploy.cloud.resource import file_of
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.cloudformation import edge
from shoal.deploy.kubernetes.settings import Secrets
from shoal.deploy.terraform.printer import document
from shoal.deploy.terraform.values import Block
from shoal.model.artifact import Artifact
from shoal.model.finding import Finding


def compile_aws(scopes: Iterable[Scope]) -> tuple[Artifact, ...]:
    """Write every file, sorted by path; the same scopes give the same bytes."""
    every = tuple(scopes)
    found = [*_images(every), *(one for scope in every for one in _environment(scope))]
    return tuple(sorted(found, key=lambda artifact: artifact.path))


def findings(scopes: Iterable[Scope]) -> tuple[Finding, ...]:
    """Say what cannot be expressed, and what is missing: errors first, each thing once."""
    return ordered(one for scope in scopes for one in found_in(scope))


def _images(scopes: Sequence[Scope]) -> Iterable[Artifact]:
    """Write how images are built, where tasks run them; a cluster's manifests say it themselves."""
    tasks = next((scope for scope in scopes if not scope.environment.eks), None)
    return images.written(tasks, secrets=Secrets(store="aws")) if tasks is not None else ()


def _environment(scope: Scope) -> Iterable[Artifact]:
    """Write the folder of an environment, and in it that of its second region."""
    yield from _region(scope, scope.environment.name)
    other = scope.standing_by()
    if other is not None:
        yield from _region(other, f"{scope.environment.name}/{STANDBY}")


def _region(scope: Scope, folder: str) -> Iterable[Artifact]:
    context = Context(scope=scope, resources=resources(scope))
    files: dict[str, list[Block]] = {"main": [*frame.begin(context)]}
    for block in stores.shared(context):
        files.setdefault("engines", []).append(block)
    for one in context.resources:
        topic, printer = printed(one, context)
        blocks = [*printer]
        if blocks:
            files.setdefault(file_of(one, topic), []).extend(blocks)
    if scope.environment.eks:
        files["eks"].extend(eks.delivered(context))
    files["outputs"] = [*frame.end(context)]
    for name, blocks in files.items():
        yield Artifact(path=f"{folder}/{name}.tf", text=document(blocks, head=(HEAD.format("aws"),)))
    page = taking_over.page(context) if scope.passive else reading.page(context)
    yield Artifact(path=f"{folder}/README.md", text=page)
    for door in context.all(Door) if not scope.passive else ():
        yield Artifact(path=f"{folder}/api.yaml", text=edge.template(door, context.named()))
    if scope.environment.eks:
        yield Artifact(path=f"{folder}/eksctl.yaml", text=eksctl.config(scope, context.resources))
        for file in pods.artifacts(scope):
            yield Artifact(path=f"{folder}/{file.path}", text=file.text)
    elif scope.plan.routes:
        yield Artifact(path=f"{folder}/firewall.yaml", text=firewall.template(scope))
