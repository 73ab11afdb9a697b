"""Environments in files, and the system planned for them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.cli.program import Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.deploy.kubernetes.scope import Scope
    from shoal.deploy.kubernetes.settings import Environment


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
    from shoal.deploy.kubernetes.settings import agreed
    from shoal.deploy.kubernetes.target import target
    from shoal.drivers.valkey.cache import CLUSTER_COMMANDS, COMMANDS
    from shoal.model.plan import plan
    from shoal.operating import project

    system = project.read(context)
    environments = _environments(context.root, targets)
    decided = plan(system, target(system, agreed(environments)))
    return Scope(
        plan=decided,
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
