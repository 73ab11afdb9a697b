"""What ``shoal deploy aws`` and its likes have in common: their options, and what is done with files and findings."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from shoal.cli import output
from shoal.cli.deploying.artifacts import compared, write
from shoal.cli.deploying.findings import refuse, told
from shoal.cli.deploying.targets import environments
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.deploy.cloud.settings import Environment
    from shoal.model.artifact import Artifact
    from shoal.model.finding import Finding

F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E", bound="Environment")


def options(command: F) -> F:
    """Add the options that the command of every cloud has."""
    for add in reversed(
        (
            click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the files."),
            click.option(
                "--target", "targets", multiple=True, type=click.Path(path_type=Path),
                help="Settings of one environment (TOML).",
            ),
            click.option("--diff", "show", is_flag=True, help="Show what would change, and write nothing."),
            click.option("--check", is_flag=True, help="Write nothing; fail (exit code 1) when files are out of date."),
            click.option(
                "--source/--no-source", default=True, help="Name the line of Python that each resource comes from."
            ),
            output.output_option,
        )
    ):  # fmt: skip
        command = add(command)
    return command


def deliver(
    context: Global, cloud: str, out: Path, found: "Sequence[Finding]", make: "Callable[[], tuple[Artifact, ...]]", *,
    show: bool, check: bool, form: str,
) -> int:  # fmt: skip
    """Write the files, or compare them with what is there, and tell the findings; an error among them ends it.

    Args:
        context: The project.
        cloud: What people call the cloud, for messages.
        out: Folder of the files, from the project's own.
        found: What cannot be expressed, and what is missing.
        make: Makes the files.
        show: Whether differences are shown, and nothing is written.
        check: Whether files that are out of date are a failure, and nothing is written.
        form: Form of the output.
    """
    quiet, folder = context.verbosity < 0, out if out.is_absolute() else context.root / out
    maker = f"shoal deploy {click.get_current_context().info_name}"
    refuse(cloud, found)
    artifacts = make()
    if show or check:
        changed = compared(folder, artifacts, form, maker=maker, quiet=quiet, whole=show)
        told(found, context.verbosity)
        return FOUND if check and changed else OK
    write(folder, artifacts, form, maker=maker, quiet=quiet)
    told(found, context.verbosity)
    return OK


def settings(
    root: Path, targets: Sequence[Path], read: Callable[..., E], *, example: str, otherwise: Iterable[E]
) -> tuple[E, ...]:
    """Read the environments that are named, or take those that are meant when nobody says anything.

    Raises:
        DeclarationError: A file is no settings, or two environments have one name.
    """
    if not targets:
        return tuple(otherwise)
    found = environments(root, targets, read, example=example)
    names = [one.name for one in found]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise DeclarationError(f"two environments are called {twice}", hint="rename one of them")
    return found
