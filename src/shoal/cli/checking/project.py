"""Everything that is known of a project, brought together for the rules."""

import datetime as dt
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from shoal import model
from shoal.check.observed import Observed
from shoal.check.placed import Placed
from shoal.check.source import Module, Source
from shoal.check.subject import Subject
from shoal.errors import ShoalError
from shoal.model import contracts
from shoal.model.contracts import Locked
from shoal.model.plan import Plan
from shoal.model.target import LOCAL
from shoal.operating import project
from shoal.operating.where import Where

ELSEWHERE = frozenset({"site-packages", "dist-packages", ".venv", "node_modules"})
"""Folders whose modules are not the author's, wherever they lie."""

COMPOSED = ("compose*.y*ml", "docker-compose*.y*ml")
MANIFESTS = (
    *("deploy", "kubernetes", "k8s", "manifests", "monitoring", "docker", "terraform", "charts", "helm"),
    *("deployment", "infra", "infrastructure", "ops"),
)
WRITTEN = frozenset({".yaml", ".yml", ".tf"})
"""Files beside the modules that say how a system runs: where they lie, and how they end."""


def gather(
    context: Where,
    system: model.System,
    *,
    locked: Locked | None = None,
    observed: Observed | None = None,
    placed: Placed | None = None,
) -> Subject:
    """Bring together what is known of a system that was imported from `context`.

    Args:
        context: Where the project is.
        system: What it declares.
        locked: What the files of its contracts say.
        observed: What a run has seen.
        placed: What lies where it is deployed from.
    """
    entry = project.entry(context)
    names = [entry.partition(":")[0], *(service.entry.partition(":")[0] for service in system.services)]
    return Subject(
        system=system,
        source=Source(modules(context.root, names)),
        entry=entry,
        plan=_plan(system),
        contracts=locked,
        observed=observed,
        placed=placed,
        now=dt.datetime.now(dt.UTC),
        files=Files(context.root, system),
    )


def modules(root: Path, names: list[str]) -> Iterator[Module]:
    """Follow the imports of modules below `root`, as far as they are the author's; nothing is imported."""
    waiting, seen = list(dict.fromkeys(names)), set(names)
    for name in waiting:  # grows while it is read
        module = _module(root, name)
        if module is None:
            continue
        yield module
        found = sorted(module.wanted - seen)
        seen.update(found)
        waiting += found


def _module(root: Path, name: str) -> Module | None:
    file = Path(getattr(sys.modules.get(name), "__file__", None) or _beside(name))
    if file.suffix != ".py" or not file.is_relative_to(root) or ELSEWHERE & set(file.relative_to(root).parts):
        return None
    if name.partition(".")[0] == "shoal":
        return None
    try:  # as it is: what is mended keeps its ends of lines, and a file that is not in UTF-8 is looked at, never mended
        text = file.read_bytes().decode(errors="replace")
    except OSError:
        return None
    package = file.stem == "__init__"
    path = name.replace(".", "/") + ("/__init__.py" if package else ".py")
    return Module(name, path, text, package, file.relative_to(root).as_posix())


def _beside(name: str) -> str:
    """Find the file of a module that was not imported yet, such as one of several adapters, in a package that was."""
    package, _, last = name.rpartition(".")
    folders = [Path(folder) for folder in getattr(sys.modules.get(package), "__path__", ())]
    files = [file for folder in folders for file in (folder / f"{last}.py", folder / last / "__init__.py")]
    return next((str(file) for file in files if file.is_file()), "")


class Files(Mapping[str, str]):
    """What else belongs to a system, read when asked for: migrations, targets and manifests."""

    def __init__(self, root: Path, system: model.System) -> None:
        folders = {_migrations(service) for service in system.services if service.store and service.store.migrations}
        found = [file for folder in folders if folder.is_relative_to(root) for file in folder.glob("*.sql")]
        found += (root / "targets").glob("*.toml")
        found += (file for pattern in COMPOSED for file in root.glob(pattern))
        found += root.glob("*.tf")
        found += (file for folder in MANIFESTS for file in (root / folder).rglob("*") if file.suffix in WRITTEN)
        self._files = {file.relative_to(root).as_posix(): file for file in sorted(found) if file.is_file()}
        self._texts: dict[str, str] = {}

    def __getitem__(self, path: str) -> str:
        """Read one file; bytes that are no text become what says so."""
        if path not in self._texts:
            self._texts[path] = self._files[path].read_text("utf-8", errors="replace")
        return self._texts[path]

    def __iter__(self) -> Iterator[str]:
        """List the paths, sorted."""
        return iter(self._files)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._files)


def _migrations(service: model.Service) -> Path:
    """Say where the migrations of a service lie: beside its module, as it was imported."""
    file = getattr(sys.modules.get(service.entry.partition(":")[0]), "__file__", None)
    return Path(file).parent / service.store.migrations if file and service.store else Path()


def _plan(system: model.System) -> Plan | None:
    """Plan for a laptop; a system that none can carry has no plan, which its findings say."""
    from shoal.model.plan import plan

    try:
        return plan(system, LOCAL)
    except ShoalError:
        return None


def contracts_in(folder: Path) -> Locked | None:
    """Read the files of contracts below a folder; None where there is no such folder.

    Raises:
        ContractError: One of them is none.
    """
    if not folder.is_dir():
        return None
    found = [*folder.glob("*/http.json"), *folder.glob("*/events/*.json")]
    texts = {path.relative_to(folder).as_posix(): path.read_text("utf-8", errors="replace") for path in found}
    return contracts.read(texts)
