"""Environments in files, and the system planned for them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from shoal.cli.program import Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.deploy.kubernetes.scope import Scope

Settings = TypeVar("Settings")


def planned(context: Global, folder: Path, targets: Sequence[Path], *, source: bool) -> "Scope":
    """Plan the system of a project for its environments.

    Args:
        context: The project.
        folder: Where manifests are, or are to be; patches of people lie in its overlays.
        targets: Files of environments; none takes three that nobody has described.
        source: Whether objects name the lines of Python that they come from.

    Raises:
        DeclarationError: A file cannot be read, or environments contradict each other.
    """
    from shoal.deploy.kubernetes.scope import Scope
    from shoal.deploy.kubernetes.settings import ENVIRONMENTS, agreed, read
    from shoal.deploy.kubernetes.target import target
    from shoal.drivers.valkey.cache import CLUSTER_COMMANDS, COMMANDS
    from shoal.model.plan import plan
    from shoal.operating import project

    system = project.read(context)
    named = environments(context.root, targets, read, example="targets/production.toml") or ENVIRONMENTS
    decided = plan(system, target(system, agreed(named)))
    return Scope(
        plan=decided,
        environments=named,
        source=source,
        overrides={one.name: _patches(folder / "overlays" / one.name) for one in named},
        valkey=(*COMMANDS, *CLUSTER_COMMANDS),
    )


def environments(
    root: Path, targets: Sequence[Path], read: Callable[..., Settings], *, example: str
) -> tuple[Settings, ...]:
    """Read the files of environments.

    Args:
        root: Folder of the project, from which their paths are meant.
        targets: The files.
        read: Makes settings of a text; told where it stands.
        example: A path that hints name.

    Raises:
        DeclarationError: A file cannot be read, or is no settings.
    """
    found = []
    for path in targets:
        file = path if path.is_absolute() else root / path
        try:
            found.append(read(file.read_text("utf-8"), where=str(path)))
        except (OSError, UnicodeDecodeError) as error:
            problem = error.strerror if isinstance(error, OSError) else "it is no text"
            raise DeclarationError(f"cannot read {path}: {problem}", hint=f"name a file such as {example}") from error
    return tuple(found)


def _patches(overlay: Path) -> tuple[str, ...]:
    """List the patches that people put beside an overlay; they are never written, and never removed."""
    return tuple(f"patches/{path.name}" for path in sorted((overlay / "patches").glob("*.yaml")))
