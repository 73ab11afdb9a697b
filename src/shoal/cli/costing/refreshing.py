"""Tables of prices asked for anew: a cloud's price list is asked, and what it told is written and shown."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.cli import output
from shoal.cli.costing.tables import own, place
from shoal.errors import DeclarationError, HostError

if TYPE_CHECKING:
    from shoal.cost.lists.asking import Told
    from shoal.cost.lists.offer import PriceList
    from shoal.cost.lists.refreshed import Refreshed
    from shoal.cost.prices import Table

HEADERS = ("PRICE", "UNIT", "BEFORE", "NOW")
_HEAD = (
    "Prices that `shoal cost refresh` asked for, on demand, without taxes, free tiers and discounts.\n"
    "A price with a source of yours stays when it is asked again. What is not here is unknown, never zero."
)


def refresh(root: Path, provider: str, region: str, *, address: str, today: str) -> "tuple[Told, Refreshed]":
    """Ask a cloud's price list, and write what it tells into the project.

    Args:
        root: Of the project.
        provider: ``aws``, ``azure`` or ``gcp``.
        region: As the cloud spells it.
        address: Where the list is asked; empty for the cloud's own.
        today: The day, ``2026-11-23``.

    Raises:
        DeclarationError: The table that the project has cannot be read, or is in another currency than lists.
        HostError: The list cannot be reached, knows nothing of the region, or the file cannot be written.
    """
    from shoal import files
    from shoal.cost.lists.asking import ask
    from shoal.cost.lists.refreshed import refreshed
    from shoal.cost.lists.table import LISTS
    from shoal.cost.prices import packaged, written
    from shoal.model.artifact import Artifact

    asked, had, file = LISTS[provider], own(root, provider, region), place(provider, region)
    if had is not None and had.currency != "USD":
        raise DeclarationError(
            f"its prices are in {had.currency}, and lists are asked in USD", where=file.as_posix(),
            hint="move the file away, ask, and write your prices in USD with a source of yours",
        )  # fmt: skip
    where = address or asked.address
    told = ask(asked, region, address=where, key=_key(asked), today=today, progress=output.say)
    source = f"{asked.title}, {where}, region {region}, asked on {today}"
    found = refreshed(told.amounts, packaged=packaged(provider, region), own=had, source=source, today=today)
    files.write(root, [Artifact(path=file.as_posix(), text=written(found.table, head=_HEAD))])
    return told, found


def rows(found: "Refreshed", before: "Table") -> list[list[str]]:
    """List prices that are others than before."""
    listed = []
    for name in found.new:
        price, old = found.table.prices[name], before.prices.get(name)
        if old is None or old.amount != price.amount:
            listed.append([name, price.unit, "unknown" if old is None else f"{old.amount:f}", f"{price.amount:f}"])
    return listed


def document(file: str, told: "Told", found: "Refreshed", before: "Table") -> Mapping[str, Any]:
    """Write what came of a question as data; amounts are text, so that none is rounded."""
    old = before.prices
    return {
        "file": file,
        "date": found.table.date,
        "prices": {
            name: {
                "unit": found.table.prices[name].unit,
                "amount": f"{found.table.prices[name].amount:f}",
                "before": f"{old[name].amount:f}" if name in old else None,
            }
            for name in found.new
        },
        "stayed": list(found.stayed),
        "own": list(found.own),
        "doubts": dict(told.doubts),
        "silent": dict(told.silent),
    }


def notes(file: str, told: "Told", found: "Refreshed") -> list[str]:
    """Say what was written, and what was not told."""
    said = [f"wrote {file}: {len(found.new)} prices of the list, {len(found.stayed)} as they were"]
    if found.stayed:
        said.append(f"the list does not tell, so that they stay: {', '.join(found.stayed)}")
    if found.own:
        said.append(f"yours, so that they stay: {', '.join(found.own)}")
    said += [f"nothing is taken for {name}: {why}" for name, why in sorted(told.doubts.items())]
    return [*said, *(f"nothing was told of {service}: {why}" for service, why in told.silent.items())]


def _key(asked: "PriceList") -> str:
    """Read the key from the environment, where command lines are not seen by others."""
    found = os.environ.get(asked.key, "").strip() if asked.key else ""
    if asked.key and not found:
        raise HostError(
            f"{asked.title} answers nobody without a key, and {asked.key} is not set",
            hint=f"make one in the console of the cloud (it may ask for prices alone) and set {asked.key}",
        )
    return found
