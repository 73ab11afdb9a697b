"""Replace a service when its files change: the new version starts beside the old one and takes over once it is ready.

A change reloads every service that imports the file, also by way of other modules, and the service in whose folder it
lies. A file that belongs to nobody, such as one that is read by a computed name, reloads them all.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from importlib.util import cache_from_source
from pathlib import Path
from typing import Protocol

import watchfiles

from shoal.errors import ShoalError
from shoal.local.imports import Imports
from shoal.local.reporter import Reporter

SUFFIXES = frozenset({".py", ".sql", ".html", ".json", ".toml", ".yaml", ".yml"})

_QUIET_FOR_MS = 20
_AT_LATEST_MS = 200
_SKIPPED = frozenset({"__pycache__", "node_modules", "tests", "build", "dist", "venv"})


class Reloadable(Protocol):
    """What can be replaced by a fresh version of itself."""

    async def reload(self) -> float:
        """Replace it and return the seconds that took; raise `ShoalError` while the old version still serves."""
        ...


class Sources:
    """Which services a file belongs to.

    Args:
        root: Folder of the project.
        entries: Service → ``package.module:attribute``.
    """

    def __init__(self, root: Path, entries: Mapping[str, str]) -> None:
        self.root = root
        self._folders = {name: folder_of(root, entry.partition(":")[0]) for name, entry in entries.items()}
        self._modules = {name: entry.partition(":")[0] for name, entry in entries.items()}
        self._imports = Imports((root,))
        self._reached: Mapping[str, frozenset[Path]] = {}
        tops = {root / module.split(".")[0] for module in self._modules.values()}
        self._tops = {top for top in tops if top.is_dir()}
        self.flat = any(not (root / module.split(".")[0]).is_dir() for module in self._modules.values())
        """Whether modules lie in the root itself."""

    @property
    def packages(self) -> tuple[Path, ...]:
        """Folders below the root in which something lies that a service imported when `affected` was last asked."""
        files = {file for reached in self._reached.values() for file in reached}
        tops = {self.root / file.relative_to(self.root).parts[0] for file in files}
        return tuple(sorted(self._tops | {top for top in tops if top.is_dir()}))

    def _reach(self) -> Mapping[str, frozenset[Path]]:
        """Return the files that each service is made of now, by its name."""
        return {name: self._imports.reached(module) for name, module in self._modules.items()}

    def relevant(self, path: Path) -> bool:
        """Say whether a change of this file can matter."""
        try:
            parts = path.relative_to(self.root).parts
        except ValueError:
            return False
        hidden = any(part.startswith(".") or part in _SKIPPED for part in parts)
        if len(parts) == 1 and not self.flat and not any(path in files for files in self._reached.values()):
            return False
        return path.suffix in SUFFIXES and not hidden and not path.name.startswith("test_")

    def affected(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """Name the services to reload: who imports a file, and who has the deepest folder that holds it; else all.

        Who imported it when this was last asked counts, too: it may be gone, or have moved.
        """
        before, self._reached = self._reached, self._reach()
        found: set[str] = set()
        for path in paths:
            importing = {name for known in (before, self._reached) for name, files in known.items() if path in files}
            holding = {name: f for name, f in self._folders.items() if path.is_relative_to(f)}
            deepest = max((len(f.parts) for f in holding.values()), default=0)
            own = {name for name, f in holding.items() if len(f.parts) == deepest}
            found |= importing | own or set(self._folders)
        return tuple(sorted(found))


def folder_of(root: Path, module: str) -> Path:
    """Locate the folder of a module without importing anything."""
    path = root.joinpath(*module.split("."))
    return path if (path / "__init__.py").is_file() else path.parent


async def watch(
    sources: Sources,
    services: Mapping[str, Reloadable],
    reporter: Reporter,
    afterwards: Callable[[], Awaitable[None]],
) -> None:
    """Reload what changes, until cancelled. Packages are watched in depth, the project's folder only itself.

    When it ends by itself, that is a problem which the author is told of.

    Args:
        sources: Which files belong to which service.
        services: What can be reloaded.
        reporter: Is told what happens.
        afterwards: Called after each change of code that compiles.
    """
    try:
        await _watch(sources, services, reporter, afterwards)
    except ExceptionGroup as group:
        said = "; ".join(f"{type(error).__name__}: {error}" for error in group.exceptions)
        reporter.problem("reload", f"files are not looked at any more ({said}): stop it and run it again")


async def _watch(
    sources: Sources,
    services: Mapping[str, Reloadable],
    reporter: Reporter,
    afterwards: Callable[[], Awaitable[None]],
) -> None:
    changes: asyncio.Queue[set[Path]] = asyncio.Queue()
    watched: set[Path] = set()
    async with asyncio.TaskGroup() as group:
        sources.affected(())
        group.create_task(_feed(changes, sources, sources.root, recursive=False))
        while True:
            if fresh := set(sources.packages) - watched:  # one may have just been imported for the first time
                group.create_task(_feed(changes, sources, *sorted(fresh), recursive=True))
                watched |= fresh
            paths = await changes.get()
            while not changes.empty():
                paths |= changes.get_nowait()
            if await _take(paths, sources, services, reporter):
                await afterwards()


async def _take(paths: set[Path], sources: Sources, services: Mapping[str, Reloadable], reporter: Reporter) -> bool:
    """Reload the services that files belong to; say whether the files are sound."""
    names = [name for name in sources.affected(paths) if name in services]
    mistake = syntax_error(paths, sources.root)
    forget_bytecode(paths)
    edited = ", ".join(sorted(_shown(path, sources.root) for path in paths))
    fresh: dict[Reloadable, str] = {}
    for name in names:
        if mistake:
            reporter.problem(name, f"{mistake}\nthe previous version still serves")
        elif elsewhere := _elsewhere(services[name], sources.root):
            reporter.event(name, f"promoted from {elsewhere}; this edit of {edited} is not served")
        else:
            fresh.setdefault(services[name], name)  # one process may be several services
    await asyncio.gather(*(_reload(name, service, edited, reporter) for service, name in fresh.items()))
    return not mistake


def _elsewhere(service: Reloadable, root: Path) -> str:
    """Return the folder of the code that serves, when it is another one than the project's."""
    code: Path | None = getattr(service, "code", None)
    return "" if code is None or code.resolve() == root.resolve() else str(code)


def syntax_error(paths: Iterable[Path], root: Path | None = None) -> str:
    """Compile changed modules; return the first mistake with its place, below `root`, and line, or nothing."""
    for path in sorted(paths):
        if path.suffix == ".py" and path.is_file():
            try:
                compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                return _explain(_shown(path, root), error)
    return ""


def forget_bytecode(paths: Iterable[Path]) -> None:
    """Remove the bytecode of changed modules.

    Python takes bytecode for fresh when the source has the same size and second of change, so two quick edits could
    leave the first one serving.
    """
    for path in paths:
        if path.suffix == ".py":
            with contextlib.suppress(OSError):
                Path(cache_from_source(str(path))).unlink()


def _shown(path: Path, root: Path | None) -> str:
    return str(path.relative_to(root)) if root is not None and path.is_relative_to(root) else path.name


def _explain(path: str, error: SyntaxError | ValueError) -> str:
    if not isinstance(error, SyntaxError) or not error.text:
        return f"{path}: {error}"
    line = error.text.rstrip()
    caret = " " * max(0, (error.offset or 1) - 1)
    return f"{type(error).__name__} {path}:{error.lineno}: {error.msg}\n{error.lineno:>5} | {line}\n      | {caret}^"


async def _reload(name: str, service: Reloadable, edited: str, reporter: Reporter) -> None:
    try:
        seconds = await service.reload()
    except (ShoalError, OSError) as error:
        reporter.problem(name, f"{error}\nthe previous version still serves")
    else:
        reporter.solved(name)
        reporter.event(name, f"edited {edited} → new version after {seconds * 1000:.0f} ms")


async def _feed(changes: "asyncio.Queue[set[Path]]", sources: Sources, *folders: Path, recursive: bool) -> None:
    watching = watchfiles.awatch(
        *folders, recursive=recursive, step=_QUIET_FOR_MS, debounce=_AT_LATEST_MS, watch_filter=None
    )
    async for found in watching:
        paths = {path for _, name in found if sources.relevant(path := Path(name))}
        if paths:
            changes.put_nowait(paths)
