"""What is known of a system when it is checked."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from shoal.check.finding import Place
from shoal.check.graph import Graph
from shoal.check.importing.facts import Facts
from shoal.check.importing.secrets import covered
from shoal.check.observed import Observed
from shoal.check.placed import Placed
from shoal.check.source import Source
from shoal.check.sql import Migration, Tables, migrations
from shoal.model.change import Change
from shoal.model.contracts import Locked
from shoal.model.evolution import evolve
from shoal.model.plan import Plan
from shoal.model.system import System

DECLARED = frozenset({"declarations", "calls", "operations", "sizes", "objects"})
"""What every system that is written with Shoal says, and other files may say."""

GIVEN = frozenset({"manifests", "values", "messages"})
"""What is read only of files that somebody names."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """A system, and what else is known of it. Rules say which of that they need; see `Rule.needs`.

    Attributes:
        system: What is declared.
        source: The author's modules; empty for a system that was not written with Shoal.
        entry: ``module:attribute`` of the system.
        plan: What a laptop makes of it.
        contracts: What the files of contracts say.
        observed: What a run has seen.
        placed: What lies where it is deployed from, and what that costs.
        now: When it is asked.
        imported: What files tell of a system that was not written with Shoal; None for one that was.
        files: Path → text of what else belongs to the system and is read: migrations, targets. Read when asked for.
    """

    system: System
    source: Source = field(default_factory=Source)
    entry: str = ""
    plan: Plan | None = None
    contracts: Locked | None = None
    observed: Observed | None = None
    placed: Placed | None = None
    now: dt.datetime | None = None
    imported: Facts | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def graph(self) -> Graph:
        """Who asks whom, and who hears whom."""
        return Graph(self.system, self.source)

    @cached_property
    def migrations(self) -> Mapping[str, tuple[Migration, ...]]:
        """Service → its migrations, in their order."""
        return migrations(self.system, self.source, self.files)

    @cached_property
    def tables(self) -> Mapping[str, Tables]:
        """Service → what its migrations make."""
        return {service: Tables.of(own) for service, own in self.migrations.items()}

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """What is declared otherwise than locked."""
        return evolve(self.contracts, self.system) if self.contracts is not None else ()

    @cached_property
    def where(self) -> Place:
        """Where the system itself is declared; for what belongs to no service."""
        if self.imported is not None:
            return next((unit.where for unit in self.imported.units), Place(next(iter(self.files), self.system.name)))
        module, _, attribute = self.entry.partition(":")
        for known in self.source.modules:
            if known.name == module and attribute in known.top:
                return known.head(known.top[attribute])
        return Place(self.source.modules[0].shown) if self.source.modules else Place(self.system.name)

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """Path → text, of every file in which a finding may lie."""
        return {module.shown: module.text for module in self.source.modules} | dict(self.files)

    @cached_property
    def shown(self) -> Mapping[str, str]:
        """The same, as people may see it: without the secrets that stand in files of others."""
        return self.texts if self.imported is None else covered(self.texts, self.imported)

    def place(self, where: str) -> Place:
        """Say where a declaration of the model is; of one without a place, where the system is."""
        return self.source.place_of(where) if where else self.where

    def has(self, need: str) -> bool:
        """Tell whether something is known: a need of a rule; see `shoal.check.rule.NEEDS`."""
        if need in DECLARED:
            return self.imported is None or self.imported.knows(need)
        if need in GIVEN:
            return self.imported is not None and self.imported.knows(need)
        found = getattr(self, need)
        return found is not None and (need != "source" or bool(found))
