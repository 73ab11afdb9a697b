"""How much a system is used: as a file says, as a run measured it, or as is assumed."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoal.cli.costing.files import text
from shoal.cli.program import Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.cost.measured import Run
    from shoal.cost.usage import Usage
    from shoal.model.plan import Plan

RUN = "run"
"""What is said for usage that a run measured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """How much a system is used, and where that is known from."""

    usage: "Usage"
    where: str = ""
    """File that says so; empty for what is assumed or measured."""
    run: "Run | None" = None
    requests: Decimal | None = None
    """Of a month, where the command says so."""

    def fitting(self, plan: "Plan") -> "Usage":
        """Return it for a system; raises `DeclarationError` when a file names what the system does not have."""
        from shoal.cost import month

        if self.where:
            month.check(plan, self.usage, where=self.where)
        return month.known(plan, self.usage)

    def told(self) -> Iterator[str]:
        """Say what was measured."""
        from shoal.cost.measured import statement

        if self.run is not None:
            yield from statement(self.run, requests=self.requests)


def used(context: Global, said: str, run: int | None, requests: int | None) -> Used:
    """Read usage from a file, from a run, or take what is assumed.

    Raises:
        DeclarationError: The file is no usage, or the run had no requests.
        HostError: There is no such run.
    """
    import msgspec

    from shoal.cost.usage import Usage, exactly, read

    wanted = Decimal(requests) if requests is not None else None
    if said == RUN:
        return _measured(context, run, wanted)
    if run is not None:
        raise click.UsageError("--run chooses the run that measured the usage: say --usage run, too")
    found = read(text(context.root, Path(said), "usage.toml"), where=said) if said else Usage()
    if wanted is not None:
        found = msgspec.structs.replace(found, requests=exactly(wanted), endpoints={})
    return Used(usage=found, where=said)


def _measured(context: Global, number: int | None, requests: Decimal | None) -> Used:
    from shoal.cost import measured
    from shoal.dashboard.store import runs
    from shoal.dashboard.store.reading import database
    from shoal.dashboard.store.reading import used as sums

    file = runs.find(runs.folder_of(context.root), number or 0)
    with database(file) as opened:
        run = sums(opened, runs.number_of(file))
    if not run.requests:
        raise DeclarationError(
            f"run {run.number} had no requests, so nothing follows for a month",
            hint="ask the running system for something, or `shoal load` it, and look again",
        )
    return Used(usage=measured.usage(run, requests=requests), run=run, requests=requests)
