"""The Python files of a project at one moment, and what each module is made of. Pure."""

from collections.abc import Mapping

from shoal.model.modules import candidates, imported, with_parents

ROOTS = ("", "src/")
"""Below which folders of a project modules are looked for, in this order."""

Known = dict[tuple[str, str], tuple[str, ...]]
"""What was read already: (package, source) → what it imports."""


class Tree:
    """Follows imports from file to file.

    Args:
        sources: Path, relative to the project's folder with forward slashes → text of every Python file.
        known: What an earlier tree has read; two trees of one project have nearly everything in common.
    """

    def __init__(self, sources: Mapping[str, str], known: Known | None = None) -> None:
        self._sources = sources
        self._known: Known = {} if known is None else known

    def __contains__(self, path: object) -> bool:
        return path in self._sources

    def folders(self) -> frozenset[str]:
        """List the folders in which modules lie."""
        return frozenset(path.rpartition("/")[0] for path in self._sources)

    def locate(self, module: str) -> str:
        """Find the file of a module; empty when it lies elsewhere."""
        places = (root + file for root in ROOTS for file in candidates(module))
        return next((place for place in places if place in self._sources), "")

    def reached(self, module: str) -> dict[str, str]:
        """Return the files of a module and of all that it imports, each with the file by way of which it was found.

        A module's packages are imported with it. The module's own file was found by way of nothing.
        """
        found: dict[str, str] = {}
        seen: set[str] = set()
        waiting = [(module, "")]
        while waiting:
            asked, by_way_of = waiting.pop(0)
            for name in reversed(with_parents(asked)):
                if name not in seen:
                    seen.add(name)
                    file = self.locate(name)
                    if file and file not in found:
                        found[file] = by_way_of if name == asked else by_way_of or self.locate(asked)
                        waiting += [(inner, file) for inner in self._imported(name, file)]
        return found

    def _imported(self, module: str, file: str) -> tuple[str, ...]:
        """Name what a file imports; nothing where it is no Python, so that its own change is all that is known."""
        package = module if file.endswith("/__init__.py") else module.rpartition(".")[0]
        key = package, self._sources[file]
        if key not in self._known:
            try:
                self._known[key] = imported(self._sources[file], package)
            except (SyntaxError, ValueError, RecursionError):
                self._known[key] = ()
        return self._known[key]
