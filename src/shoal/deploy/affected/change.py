"""What is known of a change. Pure data; `shoal.cli.history` asks git for it."""

from collections.abc import Mapping
from functools import cached_property

import msgspec

from shoal.deploy.affected.tree import Known, Tree
from shoal.model.data import Data


class Change(Data, frozen=True, kw_only=True, dict=True):
    """Files of a project that differ from an earlier revision; all paths are relative to the project's folder.

    A file outside of that folder is spelled ``../other/file``.
    """

    since: str = ""
    """The revision; empty when there was none, so that everything is new."""
    paths: tuple[str, ...] = ()
    """Files that were added, changed or removed."""
    sources: dict[str, str] = msgspec.field(default_factory=dict)
    """Every Python file as it is now."""
    before: dict[str, str] = msgspec.field(default_factory=dict)
    """Changed Python files as they were; one that is new is not among them."""
    contracts: dict[str, str] = msgspec.field(default_factory=dict)
    """Files of contracts as they were, by their paths below `folder`."""
    folder: str = "contracts"
    """Where contracts are kept."""
    system: str = "system"
    """Module that declares the system."""
    unaffected: tuple[str, ...] = ()
    """Patterns of files that concern no service, as the project says."""

    @cached_property
    def trees(self) -> tuple[Tree, Tree]:
        """The modules as they are and as they were: what was removed is still known to those who imported it."""
        known: Known = {}
        gone = {path: text for path, text in self.sources.items() if path not in self.paths}
        return Tree(self.sources, known), Tree(_joined(gone, self.before), known)


def _joined(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    return {**one, **other}
