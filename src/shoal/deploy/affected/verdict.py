"""Which services a change concerns: by files, by imports, by contracts and events. Pure.

When in doubt a service is affected: a file of which nobody knows whom it concerns concerns everybody, and the answer
says so. What it cannot see: a module in the folder of one service that another one imports by a computed name, and a
file there that is no Python and that a module of its contract reads.
"""

from collections.abc import Iterator

from shoal.deploy.affected import places
from shoal.deploy.affected.answer import ALL, DEPLOYS, TESTS, Answer, Kind, Need, Reason, answer
from shoal.deploy.affected.change import Change
from shoal.deploy.affected.contracts import Found, relying
from shoal.model.system import System


def affected(system: System, change: Change) -> Answer:
    """Tell which services of a system are to be tested, built and deployed because of a change.

    Raises:
        ContractError: A file of contracts, as it was, is none.
    """
    reasons: dict[str, list[Reason]] = {service.name: [] for service in system.services}
    atlas = _Atlas(system, change)
    if not change.since:
        told = "there is no earlier revision, so that everything is new"
        wide = Reason(kind="system", path=".", told=told, needs=ALL)
        return answer("", {name: [wide] for name in reasons}, atlas.homes)
    by_place = (found for path in change.paths for found in atlas.concerned(path))
    for service, reason in (*by_place, *relying(system, change)):
        if service in reasons:  # else a contract of a service that has gone
            reasons[service].append(reason)
    said = {reason.path for given in reasons.values() for reason in given}
    return answer(change.since, reasons, atlas.homes, nothing=tuple(path for path in change.paths if path not in said))


class _Atlas:
    """Where everything lies, and who reaches it."""

    def __init__(self, system: System, change: Change) -> None:
        self._change = change
        self._names = tuple(service.name for service in system.services)
        modules = {service.name: service.entry.partition(":")[0] for service in system.services}
        trees = change.trees
        self._reached = {name: _either([tree.reached(module) for tree in trees]) for name, module in modules.items()}
        self._system = _either([tree.reached(change.system) for tree in trees])
        self._entries = {name: _located(change, module) for name, module in modules.items()}
        self.homes = places.homes(self._entries, _located(change, change.system))

    def concerned(self, path: str) -> Found:
        """Tell whom a changed file concerns; nobody, where it concerns no service or only by its contracts."""
        if places.matches(path, self._change.unaffected) or path.startswith(f"{self._change.folder}/"):
            return
        found = [*self._own(path), *self._imported(path)]
        if found:
            yield from found
        elif not self._is_readme(path):
            yield from self._wide(path)

    def _own(self, path: str) -> Found:
        for name, home in self.homes.items():
            inside = path.removeprefix(f"{home}/")
            if inside == path or places.is_readme(path):
                continue
            if places.is_test(inside) and path not in self._reached[name]:
                yield name, Reason(kind="tests", path=path, told=f"is tested by {path}, which changed", needs=TESTS)
            else:
                yield name, Reason(kind="own", path=path, told=f"is made of {path}, which changed", needs=ALL)

    def _imported(self, path: str) -> Found:
        at_home = any(path.startswith(f"{home}/") for home in self.homes.values())
        package = "" if at_home or path.endswith(".py") else self._package(path)
        for name, reached in self._reached.items():
            if path.startswith(f"{self.homes.get(name, '/')}/"):
                continue
            if path == self._entries[name]:
                yield name, Reason(kind="own", path=path, told=f"is declared in {path}, which changed", needs=ALL)
            elif path in reached:
                way = f", by way of {reached[path]}" if reached[path] not in ("", self._entries[name]) else ""
                yield name, Reason(kind="import", path=path, told=f"imports {path}, which changed{way}", needs=ALL)
            elif package and any(file.rpartition("/")[0] == package for file in reached):
                told = f"imports modules of {package}, in which {path} changed"
                yield name, Reason(kind="import", path=path, told=told, needs=ALL)

    def _package(self, path: str) -> str:
        return next((found for tree in self._change.trees if (found := places.package_of(path, tree))), "")

    def _is_readme(self, path: str) -> bool:
        return places.is_readme(path) and any(path.startswith(f"{home}/") for home in self.homes.values())

    def _wide(self, path: str) -> Found:
        """Tell what is not of one service: manifests, tests of all, what declares the system, and the unknown."""
        if places.matches(path, places.MANIFESTS):
            recipe = places.is_recipe(path)
            told = f"is {'made' if recipe else 'deployed'} by {path}, which changed"
            named = [name for name in self._names if name in path.replace(".", "/").split("/")]
            yield from self._everybody("deployment", path, told, ALL if recipe else DEPLOYS, named)
        elif path in self._system:
            yield from self._everybody(
                "system", path, f"is part of the system that {path} declares, which changed", ALL
            )
        elif places.is_page(path):
            return
        elif places.is_test(path):
            yield from self._everybody("tests", path, f"is tested by {path}, which changed", TESTS)
        else:
            told = f"may depend on {path}, which changed: nobody knows whom it concerns"
            yield from self._everybody("unknown", path, told, ALL)

    def _everybody(
        self, kind: Kind, path: str, told: str, needs: tuple[Need, ...], only: list[str] | None = None
    ) -> Iterator[tuple[str, Reason]]:
        for name in only or self._names:
            yield name, Reason(kind=kind, path=path, told=told, needs=needs)


def _either(reached: list[dict[str, str]]) -> dict[str, str]:
    """Join what is reached now and what was; the way of today counts."""
    now, before = reached
    return {**before, **now}


def _located(change: Change, module: str) -> str:
    return next((file for tree in change.trees if (file := tree.locate(module))), "")
