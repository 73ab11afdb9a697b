"""Tables of prices: those of the project, which go first, and those that Shoal brings."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.cli.costing.files import text
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.cost.prices import Table

FOLDER = "prices"
"""Of a project, in which its own tables lie: ``prices/azure-westeurope.toml``."""


def place(provider: str, region: str) -> Path:
    """Say where the table of a project for a region lies, from its root."""
    return Path(FOLDER, f"{provider}-{region}.toml")


def own(root: Path, provider: str, region: str) -> "Table | None":
    """Read the table of the project for a region; None where it has none.

    Raises:
        DeclarationError: It is no table, or of another region than its name says.
    """
    from shoal.cost.prices import read

    file = place(provider, region)
    if not (root / file).is_file():
        return None
    table = read(text(root, file, str(file)), where=str(file))
    if (table.provider, table.region) != (provider, region):
        raise DeclarationError(
            f"it has prices of {table.provider} in {table.region}", where=str(file),
            hint=f"write provider = {provider!r} and region = {region!r}, or rename the file",
        )  # fmt: skip
    return table


def prices(root: Path, file: Path | None, provider: str, region: str) -> "Table":
    """Read prices: of the file that is named, of the project, or those that Shoal brings.

    Raises:
        DeclarationError: There are none for the region, they cannot be read, or those that are named are of another.
    """
    from shoal.cost.prices import packaged, read

    if file is not None:
        table = read(text(root, file, "prices.toml"), where=str(file))
        if (table.provider, table.region) != (provider, region):
            raise DeclarationError(
                f"these are prices of {table.provider} in {table.region}, and {provider} in {region} is meant",
                where=str(file), hint=f"say --target {table.provider} --region {table.region}, or give others",
            )  # fmt: skip
        return table
    found = own(root, provider, region) or packaged(provider, region)
    if found.prices:
        return found
    known = regions(root, provider)
    near = difflib.get_close_matches(region, known, n=1, cutoff=0.85)
    meant = f"did you mean {near[0]}? " if near else ""
    raise DeclarationError(
        f"no price of {provider} in {region} is known here; there are tables of {', '.join(known)}",
        hint=f"{meant}shoal cost refresh --target {provider} --region {region} asks for them, or give --prices FILE",
    )


def whose(root: Path, provider: str, region: str) -> list[str]:
    """Say where prices are from, where that is the project."""
    file = place(provider, region)
    return [f"prices are the project's own, from {file.as_posix()}"] if (root / file).is_file() else []


def regions(root: Path, provider: str) -> tuple[str, ...]:
    """Name the regions of which the project has a table, or Shoal brings one."""
    from shoal.cost.prices import regions as brought

    files = (root / FOLDER).glob(f"{provider}-*.toml")
    return tuple(sorted({*brought(provider), *(file.stem.removeprefix(f"{provider}-") for file in files)}))
