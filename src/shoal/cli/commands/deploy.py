"""``shoal deploy``: files that a person can review, for the place where the system is to run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoal.cli import aws, output, pipelines
from shoal.cli.artifacts import compared, written
from shoal.cli.findings import refuse, told
from shoal.cli.output import examples
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.deploy.kubernetes.scope import Scope
    from shoal.deploy.kubernetes.settings import Environment

_EXAMPLES = examples(
    "shoal deploy kubernetes --out deploy",
    "shoal deploy kubernetes --out deploy --target targets/staging.toml --target targets/production.toml",
    "shoal deploy kubernetes --out deploy --diff",
    "shoal deploy kubernetes --out deploy --check",
    "shoal deploy kubernetes --out deploy && kubectl diff -k deploy/overlays/staging",
)


@click.group("deploy", epilog=_EXAMPLES)
def command() -> None:
    """Write what a platform needs to run the system; nothing is applied."""


command.add_command(pipelines.command)
command.add_command(aws.command)


@command.command("kubernetes", epilog=_EXAMPLES)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the files.")
@click.option(
    "--target", "targets", multiple=True, type=click.Path(path_type=Path), help="Settings of one environment (TOML)."
)
@click.option("--diff", "show", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; fail (exit code 1) when files are out of date.")
@click.option("--source/--no-source", default=True, help="Name the line of Python that each object comes from.")
@output.output_option
@click.pass_obj
def kubernetes(
    context: Global, out: Path, targets: Sequence[Path], show: bool, check: bool, source: bool, output: str
) -> int:
    """Write manifests for Kubernetes: a Kustomize base, an overlay for each environment, images.

    Without --target there are three environments: dev, staging, production. What a target cannot express is said.
    """
    from shoal import files
    from shoal.deploy.kubernetes.compile import compile_kubernetes, findings

    folder = out if out.is_absolute() else context.root / out
    scope = _scope(context, folder, targets, source=source)
    found = findings(scope)
    refuse("Kubernetes", found)
    artifacts = compile_kubernetes(scope)
    if show or check:
        changed = compared(folder, artifacts, output, quiet=context.verbosity < 0, whole=show)
        told(found, quiet=context.verbosity < 0)
        return FOUND if check and changed else OK
    entries = files.write_all(folder, artifacts)
    written(entries, output)
    told(found, quiet=context.verbosity < 0)
    return OK


def _scope(context: Global, folder: Path, targets: Sequence[Path], *, source: bool) -> "Scope":
    from shoal.deploy.kubernetes.scope import Scope
    from shoal.deploy.kubernetes.settings import agreed
    from shoal.deploy.kubernetes.target import target
    from shoal.drivers.valkey.cache import CLUSTER_COMMANDS, COMMANDS
    from shoal.model.plan import plan
    from shoal.operating import project

    system = project.read(context)
    environments = _environments(context.root, targets)
    planned = plan(system, target(system, agreed(environments)))
    return Scope(
        plan=planned,
        environments=environments,
        source=source,
        overrides={one.name: _patches(folder / "overlays" / one.name) for one in environments},
        valkey=(*COMMANDS, *CLUSTER_COMMANDS),
    )


def _environments(root: Path, targets: Sequence[Path]) -> tuple["Environment", ...]:
    from shoal.deploy.kubernetes.settings import ENVIRONMENTS, read

    if not targets:
        return ENVIRONMENTS
    found = []
    for path in targets:
        file = path if path.is_absolute() else root / path
        try:
            found.append(read(file.read_text("utf-8"), where=str(path)))
        except (OSError, UnicodeDecodeError) as error:
            problem = error.strerror if isinstance(error, OSError) else "it is no text"
            raise DeclarationError(
                f"cannot read {path}: {problem}", hint="name a file such as targets/production.toml"
            ) from error
    return tuple(found)


def _patches(overlay: Path) -> tuple[str, ...]:
    """List the patches that people put beside an overlay; they are never written, and never removed."""
    return tuple(f"patches/{path.name}" for path in sorted((overlay / "patches").glob("*.yaml")))
