"""Which project is meant."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Where(Protocol):
    """Says which project is meant; the command line's options are one."""

    @property
    def root(self) -> Path:
        """Folder of the project."""
        ...

    @property
    def system(self) -> str:
        """``module:attribute``; empty when it is to be found in ``pyproject.toml``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project, named by its folder."""

    root: Path
    system: str = ""
