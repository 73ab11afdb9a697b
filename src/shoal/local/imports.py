"""Which files of a project a module is made of: those that it imports, and those that they import.

Read from the sources and not from a running process, so that an import within a function counts before it has run, and
one that was just written counts at once. What is imported by a computed name is not seen.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from shoal.model.modules import candidates, imported, with_parents


class _Known(NamedTuple):
    mark: tuple[int, int]
    """Time of the last change and size."""
    modules: tuple[str, ...]


class Imports:
    """Follows imports below some folders, and reads each file once for each change of it.

    Args:
        folders: Where modules are looked for, in this order.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._known: dict[Path, _Known] = {}

    def reached(self, module: str) -> frozenset[Path]:
        """Return the files of a module and of everything that it imports, also by way of others."""
        found: dict[str, Path | None] = {}
        waiting = [module]
        while waiting:
            for name in with_parents(waiting.pop()):
                if name not in found:
                    found[name] = file = self.locate(name)
                    waiting += self._imported(name, file) if file else ()
        return frozenset(file for file in found.values() if file)

    def locate(self, module: str) -> Path | None:
        """Find the file of a module without importing anything; None when it lies elsewhere."""
        for folder in self._folders:
            for file in map(folder.joinpath, candidates(module)):
                if file.is_file():
                    return file
        return None

    def _imported(self, module: str, file: Path) -> tuple[str, ...]:
        """Name what a file imports; one that cannot be read imports what it did before."""
        known = self._known.get(file)
        try:
            status = file.stat()
            mark = (status.st_mtime_ns, status.st_size)
            if known is None or known.mark != mark:
                package = module if file.name == "__init__.py" else module.rpartition(".")[0]
                known = self._known[file] = _Known(mark, imported(file.read_bytes(), package))
        except (OSError, SyntaxError, ValueError):
            pass
        return known.modules if known else ()
